//! Moving what was committed from the log into the file, beside the writer: done in one go within a commit, it would hold up
//! everyone who waits for one.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::open::{Sizes, checkpoint_options};

/// How often the log is looked at while the writer commits.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Passes of one checkpoint, each over what was committed during the one before. A pass that nothing is committed during syncs
/// the file, too: after the first few, what is left for the writer to sync is little.
const PASSES: usize = 6;

/// Checkpoints in the background, as far as they can be done while the writer writes. The little that is left is the writer's:
/// only with nothing left of it does the log begin from its start again.
pub(crate) struct Checkpoints {
    signals: Arc<Signals>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Signals {
    committed: Notify,
    is_little_left: AtomicBool,
    stop: Notify,
}

impl Checkpoints {
    pub(crate) fn start(data_dir: PathBuf, sizes: Sizes) -> Self {
        let signals = Arc::new(Signals::default());
        let task = tokio::spawn(work(data_dir, sizes, signals.clone()));
        Checkpoints { signals, task }
    }

    /// Tells that the writer has committed. True when little is left, which is for the writer to finish.
    pub(crate) fn committed(&self) -> bool {
        self.signals.committed.notify_one();
        self.signals.is_little_left.swap(false, Ordering::AcqRel)
    }

    /// Ends them, their connection closed.
    pub(crate) async fn stop(&mut self) {
        self.signals.stop.notify_one();
        if let Err(error) = (&mut self.task).await {
            tracing::warn!(%error, "checkpoints in the background broke off");
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Moves what can be moved without waiting for anyone.
pub(crate) async fn checkpoint(conn: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(conn).await?;
    Ok(())
}

/// How many pages of the log are still to be moved.
async fn left(conn: &mut SqliteConnection) -> sqlx::Result<i64> {
    let row = sqlx::query("PRAGMA wal_checkpoint(NOOP)").fetch_one(conn).await?;
    Ok(row.try_get::<i64, _>(1)? - row.try_get::<i64, _>(2)?)
}

async fn work(data_dir: PathBuf, sizes: Sizes, signals: Arc<Signals>) {
    let mut conn = match checkpoint_options(&data_dir).connect().await {
        Ok(conn) => conn,
        // The writer does all of it then, when the log has become too long.
        Err(error) => return tracing::warn!(%error, "no checkpoints in the background"),
    };
    loop {
        tokio::select! {
            () = signals.stop.notified() => break,
            () = signals.committed.notified() => {}
        }
        match move_most(&mut conn, sizes).await {
            Ok(true) => signals.is_little_left.store(true, Ordering::Release),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "a checkpoint in the background failed"),
        }
        tokio::select! {
            () = signals.stop.notified() => break,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    if let Err(error) = conn.close().await {
        tracing::warn!(%error, "the connection for checkpoints did not close cleanly");
    }
}

/// Moves what is in the log, if that is worth it. True when little is left.
async fn move_most(conn: &mut SqliteConnection, sizes: Sizes) -> sqlx::Result<bool> {
    if left(conn).await? < sizes.worth() {
        return Ok(false);
    }
    for _ in 0..PASSES {
        checkpoint(conn).await?;
        if left(conn).await? == 0 {
            break;
        }
    }
    Ok(true)
}

//! Connections: one that writes, with every commit on the disk before it is answered, and some that read.

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

/// The data file's name in its folder.
pub const DATA_FILE: &str = "weir.db";
/// The newest schema this program knows: the last migration's `user_version`.
pub const SCHEMA: i64 = 10;
/// Bytes of a page.
const PAGE: u32 = 4096;
/// Each reader's page cache, in KiB, negative as SQLite wants it.
const READER_CACHE: &str = "-8192";

fn base(data_dir: &Path) -> SqliteConnectOptions {
    file_options(&data_dir.join(DATA_FILE))
}

/// A connection to a data file wherever it lies.
pub(crate) fn file_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(10))
        .statement_cache_capacity(200)
        .disable_statement_logging()
}

/// How much memory and log the writer takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Its page cache.
    pub cache_mib: u32,
    /// From how long on the log is moved into the file.
    pub log_mib: u32,
}

impl Sizes {
    /// Pages in the log that are worth a checkpoint in the background.
    pub(crate) fn worth(self) -> i64 {
        i64::from(self.log_mib) * i64::from((1 << 20) / PAGE)
    }

    /// Pages in the log from which on the writer itself checkpoints in its commits. It comes to that only where a reader stays, or
    /// where checkpoints in the background do not keep up.
    fn bound(self) -> i64 {
        4 * self.worth()
    }
}

/// The writer's connection.
pub(crate) fn writer_options(data_dir: &Path, sizes: Sizes) -> SqliteConnectOptions {
    base(data_dir)
        .create_if_missing(true)
        .page_size(PAGE)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", sizes.bound().to_string())
        .pragma("cache_size", format!("-{}", u64::from(sizes.cache_mib) * 1024))
}

/// A connection that moves what was committed from the log into the file.
pub(crate) fn checkpoint_options(data_dir: &Path) -> SqliteConnectOptions {
    base(data_dir).synchronous(SqliteSynchronous::Full).pragma("cache_size", "-64")
}

/// What is wrong with the data file as a file, if anything is.
pub(crate) async fn damage(data_dir: &Path) -> Option<String> {
    let look = async {
        let mut conn = reader_options(data_dir).connect().await?;
        sqlx::query_scalar::<_, String>("PRAGMA quick_check(1)").fetch_one(&mut conn).await
    };
    match look.await {
        Ok(verdict) => (verdict != "ok").then_some(verdict),
        Err(error) => Some(error.to_string()),
    }
}

/// A reader's connection. It never writes, and never holds up the writer.
pub(crate) fn reader_options(data_dir: &Path) -> SqliteConnectOptions {
    base(data_dir).read_only(true).pragma("query_only", "on").pragma("cache_size", READER_CACHE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::prepare;

    const SIZES: Sizes = Sizes { cache_mib: 4, log_mib: 16 };

    #[tokio::test]
    async fn what_the_writer_commits_is_on_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let prepared = prepare(dir.path(), SIZES).await.unwrap();
        // The one to start with, and the one after the file was lost.
        for mut conn in [prepared, writer_options(dir.path(), SIZES).connect().await.unwrap()] {
            let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut conn).await.unwrap();
            let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut conn).await.unwrap();
            assert_eq!((synchronous, journal.as_str()), (2, "wal"), "2 is FULL");
        }
    }
}

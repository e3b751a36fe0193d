//! Backups: the file as it stands, in one piece, while the engine goes on.

use std::path::Path;

use serde::Serialize;
use sqlx::{ConnectOptions, Connection};
use weir_core::error::Fault;

use crate::actor::Actor;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::{backup_into, reader_options, remove_if_there, sync_folder, with_ending};
use crate::writer::Audit;

/// What a backup's audit fact holds.
#[derive(Serialize)]
struct Made {
    path: String,
}

impl Engine {
    /// Writes a copy of the data file to a new file. It holds everything that was answered before.
    pub async fn backup(&self, actor: &Actor, to: &Path) -> Result<()> {
        self.copy(to).await?;
        // A copy holds all there is to know of every customer: who made one is a fact.
        let made = Made { path: to.display().to_string() };
        self.writer()
            .change(actor, move |tx| {
                Box::pin(async move {
                    let (target, after) = (&made.path, Some(&made));
                    tx.audit(Audit { operation: "backup.create", target, before: None, after }).await
                })
            })
            .await
    }

    async fn copy(&self, to: &Path) -> Result<()> {
        let exists = || Error::Fault(Fault::invalid("to", format_args!("exists already: {}", to.display())));
        if to.exists() {
            return Err(exists());
        }
        // A connection of its own: a large file would keep one of the few that answer. It may write, but to the copy alone.
        let options = reader_options(self.data_dir()).pragma("query_only", "off");
        let partial = with_ending(to, ".partial");
        let io = |error: std::io::Error| Error::Storage(format!("{}: {error}", to.display()));
        remove_if_there(&partial).map_err(io)?;
        let mut conn = options.connect().await?;
        let copied = backup_into(&mut conn, &partial).await;
        conn.close().await?;
        let finished = match copied {
            Ok(()) => finish(&partial, to).map_err(io),
            Err(error) => Err(error.into()),
        };
        if finished.is_err() {
            remove_if_there(&partial).map_err(io)?;
        }
        finished
    }
}

/// Puts a complete copy in its place, unless something came there meanwhile.
fn finish(partial: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::File::open(partial)?.sync_all()?;
    // Unlike a rename, a link never replaces; not every file system has them.
    match std::fs::hard_link(partial, to) {
        Ok(()) => std::fs::remove_file(partial)?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(error),
        Err(_) => std::fs::rename(partial, to)?,
    }
    sync_folder(to)
}

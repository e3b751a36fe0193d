//! Connections: one that writes, with every commit on the disk before it is answered, and some that read.

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

/// The data file's name in its folder.
pub const DATA_FILE: &str = "weir.db";
/// The newest schema this program knows: the last migration's `user_version`.
pub const SCHEMA: i64 = 8;
/// Pages in the log before the writer itself checkpoints in its commits: 64 MiB of 4 KiB pages. It comes to that only where a
/// reader stays, or where checkpoints in the background do not keep up.
const CHECKPOINT_PAGES: &str = "16384";
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

/// The writer's connection.
pub(crate) fn writer_options(data_dir: &Path, cache_mib: u32) -> SqliteConnectOptions {
    base(data_dir)
        .create_if_missing(true)
        .page_size(4096)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("cache_size", format!("-{}", u64::from(cache_mib) * 1024))
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

    #[tokio::test]
    async fn what_the_writer_commits_is_on_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let prepared = prepare(dir.path(), 4).await.unwrap();
        // The one to start with, and the one after the file was lost.
        for mut conn in [prepared, writer_options(dir.path(), 4).connect().await.unwrap()] {
            let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut conn).await.unwrap();
            let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut conn).await.unwrap();
            assert_eq!((synchronous, journal.as_str()), (2, "wal"), "2 is FULL");
        }
    }
}

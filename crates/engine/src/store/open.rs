//! Connections: one that writes, with every commit on the disk before it is answered, and some that read.

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

/// The data file's name in its folder.
pub const DATA_FILE: &str = "weir.db";
/// The newest schema this program knows: the last migration's `user_version`.
pub const SCHEMA: i64 = 1;
/// Pages in the log before the writer checkpoints: 64 MiB of 4 KiB pages.
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
        .statement_cache_capacity(400)
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

/// A reader's connection. It never writes, and never holds up the writer.
pub(crate) fn reader_options(data_dir: &Path) -> SqliteConnectOptions {
    base(data_dir).read_only(true).pragma("query_only", "on").pragma("cache_size", READER_CACHE)
}

//! Restoring: a backup takes the place of the data file, which is kept aside.

use std::io;
use std::path::{Path, PathBuf};

use sqlx::{ConnectOptions, Connection, SqliteConnection};
use uuid::Uuid;
use weir_core::id::next_uuid;

use crate::clock::{Clock, SystemClock};
use crate::error::OpenError;
use crate::store::{
    APPLICATION_ID, DATA_FILE, Lock, SCHEMA, backup_into, file_options, remove_if_there, sync_folder, with_ending,
};

/// Puts a backup in the place of a data folder's file. What was there is kept beside it; where, is the answer. Refused while the
/// folder is in use. The restored file counts as a new device, since the old one may have recorded more after the backup, and
/// browsers sign in anew.
pub async fn restore(from: &Path, data_dir: &Path) -> Result<Option<PathBuf>, OpenError> {
    let lock = Lock::take(data_dir)?;
    let target = data_dir.join(DATA_FILE);
    let fresh = data_dir.join(format!("{DATA_FILE}.restoring"));
    let placed = match copy(from, &fresh).await {
        Ok(()) => put_in_place(&fresh, &target).map_err(|source| OpenError::Io { path: target, source }),
        Err(error) => Err(error),
    };
    if placed.is_err() {
        for ending in ["", "-journal"] {
            let path = with_ending(&fresh, ending);
            remove_if_there(&path).map_err(|source| OpenError::Io { path, source })?;
        }
    }
    drop(lock);
    placed
}

/// Copies a sound data file, and makes the copy a device of its own.
async fn copy(from: &Path, fresh: &Path) -> Result<(), OpenError> {
    let sqlite = |source| OpenError::of_sqlite(from, source);
    std::fs::metadata(from).map_err(|source| OpenError::Io { path: from.to_owned(), source })?;
    let mut backup = file_options(from).read_only(true).connect().await.map_err(sqlite)?;
    let ours: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut backup).await.map_err(sqlite)?;
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut backup).await.map_err(sqlite)?;
    if ours != APPLICATION_ID || found < 1 {
        return Err(OpenError::Foreign { path: from.to_owned() });
    }
    if found > SCHEMA {
        return Err(OpenError::Newer { path: from.to_owned(), found, known: SCHEMA });
    }
    let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut backup).await.map_err(sqlite)?;
    if verdict != "ok" {
        return Err(OpenError::Damaged { path: from.to_owned(), detail: verdict });
    }
    remove_if_there(fresh).map_err(|source| OpenError::Io { path: fresh.to_owned(), source })?;
    // Not a copy of bytes: part of a file that was in use may still be in its log.
    backup_into(&mut backup, fresh).await.map_err(sqlite)?;
    backup.close().await.map_err(sqlite)?;
    let mut copy = file_options(fresh).connect().await.map_err(|source| OpenError::of_sqlite(fresh, source))?;
    become_a_new_device(&mut copy).await.map_err(|source| OpenError::of_sqlite(fresh, source))?;
    copy.close().await.map_err(|source| OpenError::of_sqlite(fresh, source))
}

async fn become_a_new_device(copy: &mut SqliteConnection) -> sqlx::Result<()> {
    let mut entropy = [0; 10];
    getrandom::fill(&mut entropy).map_err(|error| sqlx::Error::Io(io::Error::other(error)))?;
    let now = SystemClock.now();
    let mut change = copy.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query(
        "INSERT INTO device (id, uuid, name, created_at, is_self) \
         SELECT max(id) + 1, ?1, max(name) FILTER (WHERE is_self = 1), ?2, 1 FROM device",
    )
    .bind(next_uuid(Uuid::nil(), now, entropy))
    .bind(now.as_micros())
    .execute(&mut *change)
    .await?;
    sqlx::query("UPDATE device SET is_self = 0 WHERE id < (SELECT max(id) FROM device)").execute(&mut *change).await?;
    // Whoever signed out after the backup stays so. An older backup knows no sessions.
    let knows_sessions: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'session')")
            .fetch_one(&mut *change)
            .await?;
    if knows_sessions {
        sqlx::query("DELETE FROM session").execute(&mut *change).await?;
    }
    change.commit().await
}

/// Keeps what is at the target aside, under a name that is free, and puts the new file there.
fn put_in_place(fresh: &Path, target: &Path) -> io::Result<Option<PathBuf>> {
    std::fs::File::open(fresh)?.sync_all()?;
    let kept = if target.try_exists()? {
        let kept = free_name(target)?;
        // The log goes with its file: it may hold commits that the file does not yet.
        for ending in ["-wal", ""] {
            let part = with_ending(target, ending);
            if part.try_exists()? {
                keep(&part, &with_ending(&kept, ending))?;
            }
        }
        sync_folder(target)?;
        Some(kept)
    } else {
        None
    };
    // The old log must be gone before the new file is there: it would be replayed into it.
    for ending in ["-wal", "-shm", "-journal"] {
        remove_if_there(&with_ending(target, ending))?;
    }
    sync_folder(target)?;
    std::fs::rename(fresh, target)?;
    sync_folder(target)?;
    Ok(kept)
}

/// Gives a file a second name, so that nothing is lost if this ends halfway; where there are no links, by a copy.
fn keep(part: &Path, kept: &Path) -> io::Result<()> {
    if std::fs::hard_link(part, kept).is_err() {
        std::fs::copy(part, kept)?;
        std::fs::File::open(kept)?.sync_all()?;
    }
    Ok(())
}

fn free_name(target: &Path) -> io::Result<PathBuf> {
    for number in 1_u32.. {
        let name = with_ending(target, &format!(".before-restore-{number}"));
        if !name.try_exists()? && !with_ending(&name, "-wal").try_exists()? {
            return Ok(name);
        }
    }
    Err(io::Error::other("no name is free"))
}

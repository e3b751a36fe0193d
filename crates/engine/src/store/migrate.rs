//! Opening a data file of any age: newer ones are refused, older ones are backed up and brought to this schema.

use std::path::{Path, PathBuf};

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{ConnectOptions, Connection, SqlSafeStr, SqliteConnection};

use super::open::{DATA_FILE, SCHEMA, Sizes, writer_options};
use crate::error::OpenError;

/// Every migration: its version, what it does, and its statements. Listed rather than collected by sqlx's macro, which would
/// compile SQLite a second time for the compiler itself.
const MIGRATIONS: [(i64, &str, &str); SCHEMA as usize] = [
    (1, "first", include_str!("../../../../migrations/0001_first.sql")),
    (2, "rate_use", include_str!("../../../../migrations/0002_rate_use.sql")),
    (3, "limits_in_full", include_str!("../../../../migrations/0003_limits_in_full.sql")),
    (4, "balances", include_str!("../../../../migrations/0004_balances.sql")),
    (5, "keys", include_str!("../../../../migrations/0005_keys.sql")),
    (6, "doors", include_str!("../../../../migrations/0006_doors.sql")),
    (7, "sessions", include_str!("../../../../migrations/0007_sessions.sql")),
    (8, "key_calls", include_str!("../../../../migrations/0008_key_calls.sql")),
    (9, "closest", include_str!("../../../../migrations/0009_closest.sql")),
    (10, "first_answers", include_str!("../../../../migrations/0010_first_answers.sql")),
];

fn migrator() -> Migrator {
    let migration = |(version, what, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, what.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.into_iter().map(migration).collect())
}

/// "WEIR": marks a SQLite file as ours.
pub(crate) const APPLICATION_ID: i64 = 0x5745_4952;
/// Backups made before an upgrade that are kept.
const KEEP_BACKUPS: usize = 5;

/// Checks the data file, backs it up and upgrades it where that is due, and answers with the writer's connection.
pub(crate) async fn prepare(data_dir: &Path, sizes: Sizes) -> Result<SqliteConnection, OpenError> {
    let path = data_dir.join(DATA_FILE);
    let existed = std::fs::metadata(&path).is_ok_and(|file| file.len() > 0);
    let sqlite = |source| OpenError::of_sqlite(&path, source);
    if existed {
        // Read before anything may write: a foreign or newer file stays untouched, its journal mode included.
        let mut look = super::reader_options(data_dir).connect().await.map_err(sqlite)?;
        let ours: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut look).await.map_err(sqlite)?;
        let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut look).await.map_err(sqlite)?;
        look.close().await.map_err(sqlite)?;
        // A first start that was cut off leaves a file of ours without a schema.
        if ours != APPLICATION_ID && !(ours == 0 && found == 0 && is_empty(data_dir).await.map_err(sqlite)?) {
            return Err(OpenError::Foreign { path });
        }
        if found > SCHEMA {
            return Err(OpenError::Newer { path, found, known: SCHEMA });
        }
        if found > 0 && found < SCHEMA {
            return upgrade(data_dir, sizes, found).await;
        }
    }
    let mut conn = writer_options(data_dir, sizes).connect().await.map_err(sqlite)?;
    migrator().run(&mut conn).await.map_err(|error| sqlite(error.into()))?;
    Ok(conn)
}

/// Whether there is nothing in the file, or only the table that precedes the first migration.
async fn is_empty(data_dir: &Path) -> sqlx::Result<bool> {
    let mut look = super::reader_options(data_dir).connect().await?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE tbl_name <> '_sqlx_migrations'")
        .fetch_one(&mut look)
        .await?;
    look.close().await?;
    Ok(tables == 0)
}

async fn upgrade(data_dir: &Path, sizes: Sizes, from: i64) -> Result<SqliteConnection, OpenError> {
    let path = data_dir.join(DATA_FILE);
    let io = |source| OpenError::Io { path: path.clone(), source };
    let sqlite = |source| OpenError::Sqlite { path: path.clone(), source };
    let mut conn = writer_options(data_dir, sizes).connect().await.map_err(sqlite)?;
    let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut conn).await.map_err(sqlite)?;
    if verdict != "ok" {
        return Err(OpenError::Damaged { path, detail: verdict });
    }
    let folder = data_dir.join("backups");
    std::fs::create_dir_all(&folder).map_err(io)?;
    let backup = fresh_name(&folder, from);
    tracing::info!(backup = %backup.display(), from, to = SCHEMA, "backing up before the upgrade");
    backup_into(&mut conn, &backup).await.map_err(sqlite)?;
    if let Err(error) = migrator().run(&mut conn).await {
        // Each migration is one transaction, but several may be due: put the file back as it was before the first.
        conn.close().await.map_err(sqlite)?;
        for ending in ["", "-wal", "-shm"] {
            let part = data_dir.join(format!("{DATA_FILE}{ending}"));
            match std::fs::remove_file(&part) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
                _ => {}
            }
        }
        std::fs::copy(&backup, &path).map_err(io)?;
        return Err(OpenError::Upgrade { path, detail: error.to_string(), backup });
    }
    forget_old_backups(&folder).map_err(io)?;
    Ok(conn)
}

fn fresh_name(folder: &Path, from: i64) -> PathBuf {
    let name = |count: u32| folder.join(format!("weir-schema-{from:03}-{count:03}.db"));
    (1..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0))
}

fn forget_old_backups(folder: &Path) -> std::io::Result<()> {
    let mut backups = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("weir-schema-") {
            backups.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    backups.sort();
    let excess = backups.len().saturating_sub(KEEP_BACKUPS);
    backups.drain(..excess).try_for_each(|(_, path)| std::fs::remove_file(path))
}

/// Copies the file as it stands into a new one. Copying the file itself would miss what is still in the log.
pub(crate) async fn backup_into(conn: &mut SqliteConnection, to: &Path) -> sqlx::Result<()> {
    let to = to.to_str().ok_or_else(|| sqlx::Error::Configuration("the path of the backup is not UTF-8".into()))?;
    sqlx::query("VACUUM INTO ?1").bind(to).execute(conn).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_file_is_listed_in_order() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
        let mut files: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        let listed: Vec<_> = MIGRATIONS.iter().map(|(version, what, _)| format!("{version:04}_{what}.sql")).collect();
        assert_eq!(files, listed);
        for (version, _, sql) in MIGRATIONS {
            assert!(sql.contains(&format!("PRAGMA user_version = {version};")), "{version}");
        }
    }
}

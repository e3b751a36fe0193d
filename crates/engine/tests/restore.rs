//! Backups are whole, and restoring one loses nothing.

mod common;

use std::path::Path;

use common::{Bench, actor, event};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use weir_core::error::Code;
use weir_engine::model::ListEvents;
use weir_engine::{DATA_FILE, Engine, OpenError, OpenOptions, doctor, restore};

async fn count(engine: &Engine) -> u64 {
    engine.status().await.unwrap().events
}

async fn open(dir: &Path, bench: &Bench) -> Engine {
    Engine::open(OpenOptions::new(dir), bench.clock.clone()).await.unwrap()
}

#[tokio::test]
async fn a_backup_is_taken_while_the_engine_runs_and_replaces_nothing() {
    let bench = Bench::open().await;
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    let to = bench.dir.path().join("copy.db");
    bench.engine.backup(&actor(), &to).await.unwrap();
    let before = std::fs::read(&to).unwrap();
    bench.engine.record(&actor(), event("acme", "2")).await.unwrap();
    assert_eq!(bench.engine.backup(&actor(), &to).await.unwrap_err().code(), Code::InvalidFieldValue);
    assert_eq!(std::fs::read(&to).unwrap(), before);
    let left: Vec<_> = std::fs::read_dir(bench.dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("partial")), "{left:?}");
    assert!(bench.engine.backup(&actor(), &bench.dir.path().join("no such folder/copy.db")).await.is_err());

    let elsewhere = tempfile::tempdir().unwrap();
    assert_eq!(restore::restore(&to, elsewhere.path()).await.unwrap(), None);
    let restored = open(elsewhere.path(), &bench).await;
    assert_eq!(count(&restored).await, 1);
    restored.close().await;
}

#[tokio::test]
async fn a_restored_file_is_a_new_device_and_what_was_there_is_kept() {
    let bench = Bench::open().await;
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    let backup = bench.dir.path().join("copy.db");
    bench.engine.backup(&actor(), &backup).await.unwrap();
    bench.engine.record(&actor(), event("acme", "2")).await.unwrap();

    let refused = restore::restore(&backup, bench.dir.path()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Owned { .. }), "{refused}");
    bench.engine.close().await;
    for number in 1..3 {
        let kept = restore::restore(&backup, bench.dir.path()).await.unwrap().unwrap();
        assert_eq!(kept, bench.dir.path().join(format!("{DATA_FILE}.before-restore-{number}")));
        // What was kept can itself be restored, and holds what came after the backup.
        let elsewhere = tempfile::tempdir().unwrap();
        restore::restore(&kept, elsewhere.path()).await.unwrap();
        let earlier = open(elsewhere.path(), &bench).await;
        assert_eq!(count(&earlier).await, if number == 1 { 2 } else { 1 });
        earlier.close().await;
    }
    let restored = open(bench.dir.path(), &bench).await;
    assert_eq!(count(&restored).await, 1);
    restored.record(&actor(), event("acme", "3")).await.unwrap();
    restored.record(&actor(), event("beta", "4")).await.unwrap();
    assert_eq!(restored.events(ListEvents::default()).await.unwrap().data.len(), 3);
    assert_eq!(restored.usage_totals(None, None).await.unwrap().events, 3);
    restored.close().await;
    let file = SqliteConnectOptions::new().filename(bench.dir.path().join(DATA_FILE));
    let mut conn = file.connect().await.unwrap();
    let devices: Vec<(i64, i64)> = sqlx::query_as("SELECT seq >> 40, seq & 1099511627775 FROM event ORDER BY seq")
        .fetch_all(&mut conn)
        .await
        .unwrap();
    assert_eq!(devices, [(1, 1), (2, 1), (2, 2)]);
    let own: Vec<(i64, i64)> = sqlx::query_as("SELECT id, is_self FROM device").fetch_all(&mut conn).await.unwrap();
    assert_eq!(own, [(1, 0), (2, 1)], "each restore starts from the backup's devices");
    conn.close().await.unwrap();
    assert_eq!(doctor::examine(bench.dir.path()).await.unwrap().differences, Vec::<String>::new());
}

#[tokio::test]
async fn commits_still_in_the_log_are_kept_aside_too() {
    let bench = Bench::open().await;
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    let backup = bench.dir.path().join("copy.db");
    bench.engine.backup(&actor(), &backup).await.unwrap();
    bench.engine.record(&actor(), event("acme", "2")).await.unwrap();
    // As after a crash: the file and its log as they are on the disk while the engine runs.
    let crashed = tempfile::tempdir().unwrap();
    for ending in ["", "-wal"] {
        let name = format!("{DATA_FILE}{ending}");
        std::fs::copy(bench.dir.path().join(&name), crashed.path().join(&name)).unwrap();
    }
    let kept = restore::restore(&backup, crashed.path()).await.unwrap().unwrap();
    let restored = open(crashed.path(), &bench).await;
    assert_eq!(count(&restored).await, 1, "the old log is not replayed into the restored file");
    restored.close().await;
    let elsewhere = tempfile::tempdir().unwrap();
    restore::restore(&kept, elsewhere.path()).await.unwrap();
    let earlier = open(elsewhere.path(), &bench).await;
    assert_eq!(count(&earlier).await, 2);
    earlier.close().await;
}

#[tokio::test]
async fn only_a_sound_data_file_of_ours_is_restored_and_a_refusal_changes_nothing() {
    let bench = Bench::open().await;
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    let sound = bench.dir.path().join("copy.db");
    bench.engine.backup(&actor(), &sound).await.unwrap();
    bench.engine.close().await;
    let change = async |name: &str, sql: &str| {
        let path = bench.dir.path().join(name);
        std::fs::copy(&sound, &path).unwrap();
        let mut conn = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        path
    };
    let newer = change("newer.db", "PRAGMA user_version = 999").await;
    let foreign = change("foreign.db", "PRAGMA application_id = 7").await;
    let damaged = bench.dir.path().join("damaged.db");
    let mut bytes = std::fs::read(&sound).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 40_000].fill(0x55);
    std::fs::write(&damaged, bytes).unwrap();
    let text = bench.dir.path().join("text.db");
    std::fs::write(&text, "not a database at all, ".repeat(300)).unwrap();
    let before = std::fs::read(bench.dir.path().join(DATA_FILE)).unwrap();
    let refused = async |path: &Path| restore::restore(path, bench.dir.path()).await.unwrap_err();
    assert!(matches!(refused(&newer).await, OpenError::Newer { found: 999, .. }));
    assert!(matches!(refused(&foreign).await, OpenError::Foreign { .. }));
    assert!(matches!(refused(&text).await, OpenError::Foreign { .. }));
    assert!(matches!(refused(&bench.dir.path().join("none.db")).await, OpenError::Io { .. }));
    let error = refused(&damaged).await;
    assert!(matches!(error, OpenError::Damaged { .. } | OpenError::Sqlite { .. }), "{error}");
    assert_eq!(std::fs::read(bench.dir.path().join(DATA_FILE)).unwrap(), before);
    let names: Vec<_> = std::fs::read_dir(bench.dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("restor")), "{names:?}");
}

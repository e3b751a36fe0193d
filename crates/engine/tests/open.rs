//! Opening: what is ours and sound opens, whatever was cut off; anything else is refused in words, and left as it was.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use common::{Bench, actor, at, check, event, limit, quantity};
use sha2::Digest;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use weir_core::aggregate::Aggregation;
use weir_core::period::Period;
use weir_engine::{DATA_FILE, Engine, ManualClock, OpenError, OpenOptions, SCHEMA};

async fn open(dir: &Path) -> Result<Engine, OpenError> {
    Engine::open(OpenOptions::new(dir), Arc::new(ManualClock::at(at("2026-03-10T12:00:00Z")))).await
}

async fn refusal(dir: &Path) -> OpenError {
    match open(dir).await {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    }
}

/// Runs statements on a file as any program could.
async fn run(dir: &Path, journal: SqliteJournalMode, statements: &str) {
    let options =
        SqliteConnectOptions::new().filename(dir.join(DATA_FILE)).create_if_missing(true).journal_mode(journal);
    let mut conn = options.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

/// The files of a folder with something in them: by name and hash. Looking leaves an empty log beside one that was in use, and
/// the lock is ours whatever else lies there.
fn contents(dir: &Path) -> BTreeMap<String, String> {
    let mut contents = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let (name, bytes) = (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap());
        if !bytes.is_empty() && name != "weir.lock" && !name.ends_with("-shm") {
            contents.insert(name, format!("{:x?}", sha2::Sha256::digest(&bytes)));
        }
    }
    contents
}

/// A folder with an engine's file in it, closed, with one event.
async fn used() -> Bench {
    let bench = Bench::open().await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.engine.create_limit(&actor(), limit("daily", meter, "10", Period::Day)).await.unwrap();
    bench.engine.record(&actor(), event("acme", "3")).await.unwrap();
    bench.engine.close().await;
    bench
}

#[tokio::test]
async fn a_newer_schema_is_refused_in_words_and_left_alone() {
    let bench = used().await;
    run(bench.dir.path(), SqliteJournalMode::Wal, "PRAGMA user_version = 4711").await;
    let before = contents(bench.dir.path());
    let error = refusal(bench.dir.path()).await;
    assert!(matches!(error, OpenError::Newer { found: 4711, known: SCHEMA, .. }), "{error:?}");
    let message = error.to_string();
    for part in ["newer Weir", "4711", "update Weir", DATA_FILE] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(contents(bench.dir.path()), before);
    // The lock is given back with the refusal.
    run(bench.dir.path(), SqliteJournalMode::Wal, &format!("PRAGMA user_version = {SCHEMA}")).await;
    let bench = bench.reopen().await;
    assert_eq!(bench.engine.status().await.unwrap().events, 1);
}

#[tokio::test]
async fn a_foreign_file_is_refused_and_left_alone() {
    let foreign = "CREATE TABLE project (id INTEGER PRIMARY KEY); INSERT INTO project VALUES (1)";
    for (journal, statements) in [
        (SqliteJournalMode::Delete, foreign.to_owned()),
        (SqliteJournalMode::Wal, foreign.to_owned()),
        (SqliteJournalMode::Delete, format!("{foreign}; PRAGMA user_version = 1")),
        (SqliteJournalMode::Delete, format!("{foreign}; PRAGMA application_id = 7")),
    ] {
        let dir = tempfile::tempdir().unwrap();
        run(dir.path(), journal, &statements).await;
        let before = contents(dir.path());
        let error = refusal(dir.path()).await;
        assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
        assert!(error.to_string().contains("is not a Weir data file"), "{error}");
        assert_eq!(contents(dir.path()), before, "{statements}");
    }
    for text in [
        &b"not a database at all, but some text that is longer than a header of one hundred bytes, so that it is read"
            [..],
        b"x",
    ] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(DATA_FILE), text.repeat(100)).unwrap();
        let before = contents(dir.path());
        let error = refusal(dir.path()).await;
        assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
        assert_eq!(contents(dir.path()), before);
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused_in_words() {
    let bench = used().await;
    let path = bench.dir.path().join(DATA_FILE);
    let sound = std::fs::read(&path).unwrap();
    let mut overwritten = sound.clone();
    overwritten[100..4096].fill(0xa5);
    let mut shuffled = sound.clone();
    shuffled[4096..].fill(0x5a);
    for (damage, bytes) in [("schema", &overwritten[..]), ("pages", &shuffled[..]), ("cut", &sound[..4096 * 2 + 17])] {
        std::fs::write(&path, bytes).unwrap();
        let error = refusal(bench.dir.path()).await;
        assert!(matches!(error, OpenError::Damaged { .. }), "{damage}: {error:?}");
        let message = error.to_string();
        for part in ["is damaged", DATA_FILE, "Restore a backup"] {
            assert!(message.contains(part), "{damage}: {message}");
        }
    }
    std::fs::write(&path, &sound).unwrap();
    let bench = bench.reopen().await;
    assert_eq!(bench.engine.check(check("acme")).await.unwrap().limits[0].used, quantity("3"));
}

#[tokio::test]
async fn a_folder_has_one_owner_at_a_time() {
    let bench = Bench::open().await;
    for _ in 0..2 {
        let error = refusal(bench.dir.path()).await;
        assert!(matches!(error, OpenError::Owned { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
    }
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    bench.engine.close().await;
    let other = open(bench.dir.path()).await.unwrap();
    assert_eq!(other.status().await.unwrap().events, 1);
    other.close().await;
}

#[tokio::test]
async fn closing_twice_and_using_a_closed_engine_are_answered() {
    let bench = Bench::open().await;
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    tokio::join!(bench.engine.close(), bench.engine.close());
    bench.engine.close().await;
    for refused in [
        bench.engine.record(&actor(), event("acme", "1")).await.err().map(|error| error.code()),
        bench.engine.status().await.err().map(|error| error.code()),
        bench.engine.archive_customer(&actor(), "acme").await.err().map(|error| error.code()),
    ] {
        assert_eq!(refused, Some(weir_core::error::Code::Busy));
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    // Below a file there is no folder, and in these nobody may write, whoever asks.
    for path in [file.join("data"), file.clone(), Path::new("/proc/weir").to_owned()] {
        let error = refusal(&path).await;
        assert!(matches!(error, OpenError::Io { .. }), "{error:?}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
    std::fs::create_dir(dir.path().join(DATA_FILE)).unwrap();
    let error = refusal(dir.path()).await;
    assert!(error.to_string().contains(DATA_FILE), "{error}");
}

#[tokio::test]
async fn a_folder_below_others_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(&dir.path().join("some/where/below")).await.unwrap();
    engine.record(&actor(), event("acme", "1")).await.unwrap();
    engine.close().await;
}

/// At whatever point a first start was cut off, the next one goes on from there.
#[tokio::test]
async fn what_an_interrupted_first_start_leaves_opens() {
    let migrations = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
         installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, \
         execution_time BIGINT NOT NULL)";
    let unfounded = "DELETE FROM meter; DELETE FROM series; DELETE FROM device; DELETE FROM project";
    for (point, statements) in [
        ("an empty file", None),
        ("only the journal's mode", Some("PRAGMA user_version = 0")),
        ("only sqlx's own table", Some(migrations)),
        ("only the schema", Some(unfounded)),
    ] {
        let bench = Bench::open().await;
        bench.engine.close().await;
        let path = bench.dir.path().join(DATA_FILE);
        if point != "only the schema" {
            std::fs::write(&path, "").unwrap();
        }
        if let Some(statements) = statements {
            run(bench.dir.path(), SqliteJournalMode::Wal, statements).await;
        }
        let engine = open(bench.dir.path()).await.unwrap_or_else(|error| panic!("{point}: {error}"));
        engine.record(&actor(), event("acme", "1")).await.unwrap();
        assert_eq!(engine.meters(Default::default()).await.unwrap().data.len(), 3, "{point}");
        engine.close().await;
    }
}

#[tokio::test]
async fn what_cannot_be_understood_is_told_not_guessed() {
    for (statement, part) in [
        ("UPDATE customer SET timezone = 'Mars/Olympus'", "Mars/Olympus"),
        ("UPDATE project SET timezone = ''", "\"\""),
        ("UPDATE customer SET billing_cycle_start = 'yesterday'", "yesterday"),
        ("UPDATE meter SET aggregation = 'median' WHERE name = 'tokens'", "median"),
        ("UPDATE usage_limit SET period = 'fortnight'", "fortnight"),
        ("UPDATE usage_limit SET dimension_filters = '['", "JSON"),
        ("UPDATE meter SET group_by = 'x' WHERE name = 'tokens'", "JSON"),
    ] {
        let bench = used().await;
        run(bench.dir.path(), SqliteJournalMode::Wal, statement).await;
        let error = refusal(bench.dir.path()).await;
        assert!(matches!(error, OpenError::Load { .. }), "{statement}: {error:?}");
        let message = error.to_string();
        assert!(message.contains(part) && message.contains(DATA_FILE), "{statement}: {message}");
    }
}

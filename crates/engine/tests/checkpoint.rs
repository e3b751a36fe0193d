//! The log beside the data file: moved into the file beside the writer, so that it stays short, and begins anew once no reader
//! needs what is in it.

mod common;

use std::time::Duration;

use common::{Bench, actor, event};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use weir_core::event::EventInput;
use weir_engine::DATA_FILE;

/// From how long a log on checkpoints begin, that in pages, and where the writer would do them in its commits.
const LOG_MIB: u32 = 16;
const WORTH: i64 = 4096;
const BOUND: i64 = 4 * WORTH;
/// Small commits that may come before something that was to happen: far fewer pages than the bound.
const MANY: usize = 600;

async fn connect(bench: &Bench) -> SqliteConnection {
    let path = bench.dir.path().join(DATA_FILE);
    SqliteConnectOptions::new().filename(path).connect().await.expect("a connection")
}

/// Pages in the log, and how many of them are in the file.
async fn log(conn: &mut SqliteConnection) -> (i64, i64) {
    let row = sqlx::query("PRAGMA wal_checkpoint(NOOP)").fetch_one(conn).await.expect("the state of the log");
    (row.get(1), row.get(2))
}

/// Records about so many pages.
async fn fill(bench: &Bench, pages: usize) {
    let padding = weir_core::properties::Properties::parse(&format!(r#"{{"padding":"{}"}}"#, "x".repeat(3_500)));
    let properties = padding.expect("properties");
    for _ in 0..pages.div_ceil(500) {
        let padded = || EventInput { properties: Some(properties.clone()), ..event("acme", "1") };
        bench.engine.record_batch(&actor(), (0..500).map(|_| padded()).collect()).await.expect("recorded");
    }
}

/// Records a little at a time until the log is as wanted.
async fn until(bench: &Bench, conn: &mut SqliteConnection, wanted: impl Fn(i64, i64) -> bool) -> bool {
    for _ in 0..MANY {
        bench.engine.record(&actor(), event("acme", "1")).await.expect("recorded");
        let (pages, moved) = log(conn).await;
        if wanted(pages, moved) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_begins_anew_long_before_its_bound_while_the_writer_writes() {
    let bench = Bench::with(|options| options.log_mib = LOG_MIB).await;
    let mut conn = connect(&bench).await;
    for _ in 0..3 {
        fill(&bench, WORTH as usize).await;
        assert!(until(&bench, &mut conn, |pages, _| pages < WORTH).await, "{:?}", log(&mut conn).await);
    }
    let whole = std::fs::metadata(bench.dir.path().join(format!("{DATA_FILE}-wal"))).unwrap().len();
    assert!(whole < BOUND as u64 * 4096, "the log never was {whole} bytes long");
    conn.close().await.unwrap();
    bench.engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_keeps_the_log_from_beginning_anew_and_nothing_else() {
    let bench = Bench::with(|options| options.log_mib = LOG_MIB).await;
    let (mut conn, mut reader) = (connect(&bench).await, connect(&bench).await);
    fill(&bench, 100).await;
    let mut view = reader.begin().await.unwrap();
    let before: i64 = sqlx::query_scalar("SELECT count(*) FROM event").fetch_one(&mut *view).await.unwrap();
    fill(&bench, WORTH as usize + 500).await;
    assert!(!until(&bench, &mut conn, |pages, _| pages < WORTH).await, "what is being read stays");
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM event").fetch_one(&mut *view).await.unwrap();
    assert_eq!(seen, before);
    view.rollback().await.unwrap();
    fill(&bench, WORTH as usize).await;
    assert!(until(&bench, &mut conn, |pages, _| pages < WORTH).await, "{:?}", log(&mut conn).await);
    reader.close().await.unwrap();
    conn.close().await.unwrap();
    bench.engine.close().await;
}

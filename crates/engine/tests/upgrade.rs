//! Real data files of older schemas, as the programs of their time wrote them: brought up to date with everything they hold.

mod common;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use common::{actor, at, check, event, quantity};
use flate2::read::GzDecoder;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use weir_core::event::EventInput;
use weir_engine::model::{Check, ListLimits};
use weir_engine::{DATA_FILE, Engine, ManualClock, OpenOptions, SCHEMA, doctor};

/// 300 real calls of `acme`, one of `beta` under a key, a limit and an API key, written by the first Weir.
const SCHEMA_1: &[u8] = include_bytes!("old/schema-1.db.gz");

fn unpack(packed: &[u8], dir: &Path) {
    let mut file = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut file).expect("the old file");
    std::fs::write(dir.join(DATA_FILE), file).expect("a copy");
}

async fn schema_of(path: &Path) -> i64 {
    let mut file = SqliteConnectOptions::new().filename(path).read_only(true).connect().await.unwrap();
    let schema = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut file).await.unwrap();
    file.close().await.unwrap();
    schema
}

#[tokio::test]
async fn a_file_of_the_first_schema_is_backed_up_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    unpack(SCHEMA_1, dir.path());
    let clock = Arc::new(ManualClock::at(at("2026-12-01T00:00:00Z")));
    let engine = Engine::open(OpenOptions::new(dir.path()), clock.clone()).await.unwrap();

    for (customer, used) in [("acme", "634655"), ("beta", "0.1")] {
        let answer = engine.check(check(customer)).await.unwrap();
        assert_eq!((answer.limits.len(), answer.limits[0].used), (1, quantity(used)), "{customer}");
        assert_eq!(answer.limits[0].limit, quantity("1000000.5"));
    }
    let limits = engine.limits(ListLimits::default()).await.unwrap().data;
    assert_eq!((&*limits[0].name, &limits[0].alert_thresholds), ("Tokens in all", &vec![80]));
    // The old key of a caller is still taken, by the same event.
    let once = EventInput {
        customer_id: "beta".to_owned(),
        event_type: "call".to_owned(),
        total_tokens: Some(quantity("0.1")),
        timestamp: Some(at("2024-02-29T23:59:59.999999Z")),
        model: Some("m".to_owned()),
        idempotency_key: Some("once".to_owned()),
        ..EventInput::default()
    };
    let again = engine.record(&actor(), once).await.unwrap().id;
    assert_eq!(again.to_string(), "evt_01a1fec0-9faa-751b-badc-ec831b83a71c");
    // What is new works on what is old.
    assert!(engine.track(&actor(), event("acme", "365345.5")).await.is_ok());
    assert!(engine.track(&actor(), event("acme", "0.000000001")).await.is_err());
    assert!(!engine.check(Check { values: Some(event("acme", "1").values), ..check("acme") }).await.unwrap().allowed);
    engine.close().await;

    assert!(doctor::examine(dir.path()).await.unwrap().is_clean());
    assert_eq!(schema_of(&dir.path().join(DATA_FILE)).await, SCHEMA);
    let backups: Vec<_> =
        std::fs::read_dir(dir.path().join("backups")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(backups.len(), 1);
    assert_eq!(schema_of(&backups[0]).await, 1, "as it was before");

    // Opened again, there is nothing left to do.
    Engine::open(OpenOptions::new(dir.path()), clock).await.unwrap().close().await;
    assert_eq!(std::fs::read_dir(dir.path().join("backups")).unwrap().count(), 1);
}

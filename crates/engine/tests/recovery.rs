//! Storage that fails in the middle: what was not answered leaves no trace, what was stays, and the engine goes on.

mod common;

use std::time::Duration;

use common::{Bench, actor, at, check, event, limit, quantity};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::event::EventInput;
use weir_core::period::Period;
use weir_engine::model::NewReservation;
use weir_engine::{DATA_FILE, Error, doctor};

/// How long an answer may take before it counts as never coming.
const NEVER: Duration = Duration::from_secs(30);

/// Changes the data file behind the engine's back.
async fn sabotage(bench: &Bench, statements: &[&str]) {
    let path = bench.dir.path().join(DATA_FILE);
    let mut conn = SqliteConnectOptions::new().filename(path).connect().await.expect("a connection");
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe((*statement).to_owned())).execute(&mut conn).await.expect("a statement");
    }
    conn.close().await.expect("closed");
}

/// Recording an event with the dimension `boom` fails as it is written.
const FAIL_ON_BOOM: &str = "CREATE TRIGGER boom BEFORE INSERT ON event WHEN new.dimensions LIKE '%boom%' \
     BEGIN SELECT RAISE(ABORT, 'boom'); END";
/// The same, but not before its transaction is committed.
const FAIL_COMMIT_ON_BOOM: [&str; 2] = [
    "CREATE TABLE orphan (parent INTEGER REFERENCES project (id) DEFERRABLE INITIALLY DEFERRED)",
    "CREATE TRIGGER boom BEFORE INSERT ON event WHEN new.dimensions LIKE '%boom%' BEGIN INSERT INTO orphan VALUES (7); END",
];

fn boom(customer: &str) -> EventInput {
    EventInput {
        dimensions: [("boom".to_owned(), "x".to_owned())].into(),
        idempotency_key: Some("boom".to_owned()),
        ..event(customer, "3")
    }
}

/// An engine with a limit of 10 tokens a day, 4 of them used by acme.
async fn limited() -> Bench {
    let bench = Bench::open().await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.engine.create_limit(&actor(), limit("daily", meter, "10", Period::Day)).await.unwrap();
    bench.engine.record(&actor(), event("acme", "4")).await.unwrap();
    bench
}

async fn used(bench: &Bench, customer: &str) -> String {
    bench.engine.check(check(customer)).await.unwrap().limits[0].used.to_string()
}

async fn clean(bench: Bench) {
    bench.engine.close().await;
    sabotage(&bench, &["DROP TRIGGER IF EXISTS boom", "DROP TABLE IF EXISTS orphan"]).await;
    let report = doctor::examine(bench.dir.path()).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.differences);
}

#[tokio::test]
async fn a_batch_that_cannot_be_written_leaves_no_trace() {
    let bench = limited().await;
    sabotage(&bench, &[FAIL_ON_BOOM]).await;
    let batch = vec![event("acme", "1"), event("fresh", "1"), boom("acme")];
    let error = bench.engine.record_batch(&actor(), batch).await.unwrap_err();
    assert!(matches!(error, Error::Storage(_)), "{error}");
    assert_eq!(used(&bench, "acme").await, "4");
    assert_eq!(bench.engine.customer("fresh").await.unwrap_err().code(), Code::CustomerNotFound);
    assert_eq!(bench.engine.status().await.unwrap().events, 1);
    sabotage(&bench, &["DROP TRIGGER boom"]).await;
    bench.engine.record(&actor(), boom("acme")).await.unwrap();
    assert_eq!(used(&bench, "acme").await, "7", "the key was left free");
    bench.engine.record(&actor(), boom("acme")).await.unwrap();
    assert_eq!(used(&bench, "acme").await, "7");
    clean(bench).await;
}

#[tokio::test]
async fn a_commit_that_fails_is_told_as_unknown_and_the_engine_goes_on() {
    let bench = limited().await;
    sabotage(&bench, &FAIL_COMMIT_ON_BOOM).await;
    for _ in 0..3 {
        let error = bench.engine.record(&actor(), boom("acme")).await.unwrap_err();
        assert!(matches!(error, Error::Unknown(_)), "{error}");
        assert_eq!(used(&bench, "acme").await, "4");
        bench.engine.record(&actor(), event("other", "1")).await.unwrap();
    }
    assert_eq!(used(&bench, "other").await, "3");
    sabotage(&bench, &["DROP TRIGGER boom"]).await;
    bench.engine.record(&actor(), boom("acme")).await.unwrap();
    assert_eq!(used(&bench, "acme").await, "7");
    assert_eq!(bench.engine.status().await.unwrap().events, 5);
    clean(bench).await;
}

#[tokio::test]
async fn a_change_that_cannot_be_written_leaves_no_trace() {
    let bench = limited().await;
    let fail = "CREATE TRIGGER boom BEFORE INSERT ON audit WHEN new.operation LIKE 'limits.%' BEGIN SELECT RAISE(ABORT, 'boom'); END";
    sabotage(&bench, &[fail]).await;
    let meter = bench.meter("requests", Aggregation::Count, "*").await;
    let own = weir_engine::model::NewLimit {
        customer_id: Some("fresh".to_owned()),
        ..limit("requests", meter, "1", Period::Hour)
    };
    let error = bench.engine.create_limit(&actor(), own.clone()).await.unwrap_err();
    assert!(matches!(error, Error::Storage(_)), "{error}");
    assert_eq!(bench.engine.check(check("fresh")).await.unwrap().limits.len(), 1);
    assert_eq!(bench.engine.customer("fresh").await.unwrap_err().code(), Code::CustomerNotFound);
    sabotage(&bench, &["DROP TRIGGER boom"]).await;
    bench.engine.create_limit(&actor(), own).await.unwrap();
    assert_eq!(bench.engine.check(check("fresh")).await.unwrap().limits.len(), 2);
    clean(bench).await;
}

#[tokio::test]
async fn what_was_recorded_is_counted_once_storage_is_back() {
    let bench = limited().await;
    let fail = "CREATE TRIGGER boom BEFORE INSERT ON rollup BEGIN SELECT RAISE(ABORT, 'boom'); END";
    sabotage(&bench, &[fail]).await;
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    assert!(bench.engine.status().await.is_err(), "what cannot be counted cannot be told");
    assert_eq!(used(&bench, "beta").await, "0", "a check of a customer without events needs no storage");
    let engine = bench.engine.clone();
    let waiting = tokio::spawn(async move {
        loop {
            match engine.record(&actor(), event("acme", "2")).await {
                // Nothing was done: it may be tried again until the file can be used.
                Err(Error::Busy { .. }) => tokio::task::yield_now().await,
                other => return (other, engine.status().await),
            }
        }
    });
    sabotage(&bench, &["DROP TRIGGER boom"]).await;
    let (recorded, status) = tokio::time::timeout(NEVER, waiting).await.expect("the engine goes on").unwrap();
    recorded.unwrap();
    assert_eq!(status.unwrap().events, 3);
    assert_eq!(used(&bench, "acme").await, "7");
    let usage = bench.engine.customer_usage("acme", None, None).await.unwrap();
    let tokens = usage.meters.iter().find(|meter| meter.name == "tokens").unwrap();
    assert_eq!(tokens.value, Some(quantity("7")));
    clean(bench).await;
}

#[tokio::test]
async fn closing_right_behind_a_failed_write_ends() {
    for fail in [&[FAIL_ON_BOOM][..], &FAIL_COMMIT_ON_BOOM[..]] {
        let bench = limited().await;
        sabotage(&bench, fail).await;
        let actor = actor();
        let closing = async { tokio::join!(bench.engine.record(&actor, boom("acme")), bench.engine.close()) };
        let (recorded, ()) = tokio::time::timeout(NEVER, closing).await.expect("closing ends");
        assert!(recorded.is_err());
        assert!(matches!(bench.engine.record(&actor, event("acme", "1")).await, Err(Error::Closed)));
        clean(bench).await;
    }
}

#[tokio::test]
async fn while_the_file_cannot_be_used_callers_are_put_off_and_closing_works() {
    let bench = limited().await;
    // What opening replays cannot be written either.
    let fail = "CREATE TRIGGER boom BEFORE INSERT ON rollup BEGIN SELECT RAISE(ABORT, 'boom'); END";
    sabotage(&bench, &[fail]).await;
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    assert!(bench.engine.status().await.is_err());
    let (actor, meter) = (actor(), bench.engine.meters(Default::default()).await.unwrap().data.remove(0));
    let all = async {
        tokio::join!(
            bench.engine.record(&actor, event("acme", "1")),
            bench.engine.archive_meter(&actor, meter.id),
            bench.engine.status(),
        )
    };
    let (recorded, changed, status) = tokio::time::timeout(NEVER, all).await.expect("all are answered");
    for error in [recorded.err(), changed.err(), status.err()] {
        assert!(matches!(error, Some(Error::Busy { .. })), "{error:?}");
    }
    tokio::time::timeout(NEVER, bench.engine.close()).await.expect("closing ends");
    sabotage(&bench, &["DROP TRIGGER boom"]).await;
    let bench = bench.reopen().await;
    assert_eq!(used(&bench, "acme").await, "5");
    clean(bench).await;
}

#[tokio::test]
async fn others_in_line_behind_a_failed_write_are_served() {
    let bench = limited().await;
    sabotage(&bench, &[FAIL_ON_BOOM]).await;
    let actor = actor();
    let meter = bench.engine.create_meter(
        &actor,
        weir_engine::model::NewMeter {
            name: "requests".to_owned(),
            description: None,
            aggregation: Aggregation::Count,
            field: "*".to_owned(),
            event_filter: weir_core::filter::EventFilter::default(),
            group_by: Vec::new(),
            unit: None,
        },
    );
    let line =
        async { tokio::join!(bench.engine.record(&actor, boom("acme")), meter, bench.engine.check(check("acme"))) };
    let (recorded, created, checked) = tokio::time::timeout(NEVER, line).await.expect("all are answered");
    assert!(matches!(recorded, Err(Error::Storage(_))), "{recorded:?}");
    assert_eq!(checked.unwrap().limits[0].used, quantity("4"));
    // It did not fail itself: it is carried out.
    created.unwrap();
    clean(bench).await;
}

#[tokio::test]
async fn what_is_due_and_cannot_be_written_keeps_nobody_from_closing() {
    let bench = limited().await;
    let hold = NewReservation {
        customer_id: "acme".to_owned(),
        event_type: "call".to_owned(),
        values: event("acme", "3").values,
        dimensions: Default::default(),
        ttl_seconds: 60,
    };
    bench.engine.reserve(&actor(), hold).await.unwrap();
    sabotage(&bench, &["CREATE TRIGGER boom BEFORE UPDATE ON hold BEGIN SELECT RAISE(ABORT, 'boom'); END"]).await;
    bench.clock.set(at("2026-03-10T12:01:00Z"));
    let answer = tokio::time::timeout(NEVER, bench.engine.record(&actor(), event("acme", "1"))).await;
    assert_eq!(answer.expect("an answer").unwrap_err().code(), Code::Busy, "nothing was done: come back later");
    tokio::time::timeout(NEVER, bench.engine.close()).await.expect("closing ends");
    sabotage(&bench, &["DROP TRIGGER boom"]).await;
    let bench = bench.reopen().await;
    assert_eq!(used(&bench, "acme").await, "4");
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    clean(bench).await;
}

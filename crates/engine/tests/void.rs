//! A voided event counts nowhere, and everything else as before.

mod common;

use std::collections::BTreeMap;

use common::{Bench, actor, at, check, event, limit, quantity};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::event::EventInput;
use weir_core::id::{EventId, MeterId};
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_engine::model::{ListMeters, MeterState, NewLimit, QueryMeter};
use weir_engine::{DATA_FILE, Engine, Error, OpenOptions, doctor, restore};

/// An event of a model, by a user, at a time of the day.
fn call(tokens: &str, model: &str, user: &str, time: &str) -> EventInput {
    let named = [("model", model), ("user", user)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let timestamp = Some(at(&format!("2026-03-10T{time}Z")));
    EventInput { dimensions: named.into(), timestamp, ..event("acme", tokens) }
}

async fn record(bench: &Bench, input: EventInput) -> EventId {
    bench.engine.record(&actor(), input).await.unwrap().id
}

async fn void(bench: &Bench, id: EventId) {
    bench.engine.void_event(&actor(), id, None).await.unwrap();
}

async fn look_into(bench: &Bench) -> SqliteConnection {
    SqliteConnectOptions::new().filename(bench.dir.path().join(DATA_FILE)).read_only(true).connect().await.unwrap()
}

async fn number(bench: &Bench, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&mut look_into(bench).await).await.unwrap()
}

/// A meter's value, and its values by model.
async fn value(bench: &Bench, meter: MeterId) -> (String, BTreeMap<String, String>) {
    let show = |value: Option<Quantity>| value.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
    let query = QueryMeter { group_by: vec!["model".to_owned()], ..QueryMeter::default() };
    let answer = bench.engine.query_meter(meter, query).await.unwrap();
    let groups = answer.groups.iter().map(|group| (group.key["model"].clone().unwrap(), show(group.value)));
    (show(answer.value), groups.collect())
}

async fn used(bench: &Bench) -> BTreeMap<String, String> {
    let answer = bench.engine.check(check("acme")).await.unwrap();
    answer.limits.into_iter().map(|limit| (limit.name, limit.used.to_string())).collect()
}

async fn is_building(bench: &Bench) -> bool {
    let meters = bench.engine.meters(ListMeters::default()).await.unwrap().data;
    meters.iter().any(|meter| meter.state == MeterState::Building)
}

async fn is_clean(bench: &Bench) {
    let report = doctor::examine(bench.dir.path()).await.unwrap();
    assert_eq!(report.differences, Vec::<String>::new());
}

#[tokio::test]
async fn every_aggregation_group_and_limit_follows_and_a_restart_agrees() {
    let mut bench = Bench::open().await;
    let mut meters = BTreeMap::new();
    for kind in Aggregation::ALL {
        let field = match kind {
            Aggregation::Count => "*",
            Aggregation::Unique => "dimensions.user",
            _ => "values.tokens",
        };
        let meter = bench.meter_by(kind.as_str(), kind, field, &["model"]).await;
        meters.insert(kind.as_str(), meter);
        if kind.can_be_limited() {
            bench.engine.create_limit(&actor(), limit(kind.as_str(), meter, "1000", Period::Day)).await.unwrap();
        }
    }
    let of_large = NewLimit {
        dimension_filters: [("model".to_owned(), "large".to_owned())].into(),
        ..limit("large", meters["sum"], "1000", Period::Month)
    };
    bench.engine.create_limit(&actor(), of_large).await.unwrap();
    record(&bench, call("4", "small", "u1", "11:01:00")).await;
    let extreme = record(&bench, call("9.5", "large", "u2", "11:02:00")).await;
    let lowest = record(&bench, call("0.5", "small", "u1", "11:03:00")).await;
    record(&bench, call("2", "small", "u3", "09:00:00")).await;
    record(&bench, EventInput { customer_id: "beta".to_owned(), ..call("5", "small", "u1", "11:04:00") }).await;
    assert_eq!(value(&bench, meters["sum"]).await.0, "21");
    assert_eq!(used(&bench).await["latest"], "0.5");
    // The roll-ups answer: what is asked here lies on their grid.
    assert_eq!(number(&bench, "SELECT count(*) FROM series WHERE ready = 0").await, 0);

    void(&bench, extreme).await;
    void(&bench, lowest).await;
    for _ in 0..2 {
        // Of 4, 2 and 5, and of the users u1 and u3.
        for (meter, expected) in [
            ("sum", "11"),
            ("count", "3"),
            ("max", "5"),
            ("min", "2"),
            ("latest", "5"),
            ("avg", "3.666666667"),
            ("unique", "2"),
        ] {
            let small = [("small".to_owned(), expected.to_owned())];
            assert_eq!(value(&bench, meters[meter]).await, (expected.to_owned(), small.into()), "{meter}");
        }
        let expected = [("sum", "6"), ("count", "2"), ("max", "4"), ("latest", "4"), ("unique", "2"), ("large", "0")];
        assert_eq!(used(&bench).await, expected.map(|(name, used)| (name.to_owned(), used.to_owned())).into());
        let summary = bench.engine.summary(Some("acme"), None, None).await.unwrap();
        assert_eq!((summary.total_events, summary.types[0].values["tokens"]), (2, quantity("6")));
        let known = bench.engine.customer("acme").await.unwrap();
        assert_eq!(known.last_event_at, Some(at("2026-03-10T11:01:00Z")));
        let status = bench.engine.status().await.unwrap();
        assert_eq!(status.events, 5, "what was recorded stays recorded");
        assert_eq!(status.last_event_at, Some(at("2026-03-10T11:04:00Z")));
        is_clean(&bench).await;
        bench = bench.reopen().await;
    }
    bench.engine.close().await;
}

#[tokio::test]
async fn of_a_customer_with_nothing_left_no_row_is_left() {
    let bench = Bench::open().await;
    let meter = bench.meter_by("users", Aggregation::Unique, "dimensions.user", &["model"]).await;
    bench.engine.create_limit(&actor(), limit("users", meter, "10", Period::Hour)).await.unwrap();
    let only = record(&bench, call("1", "large", "u1", "11:30:00")).await;
    bench.engine.status().await.unwrap();
    let rows = "SELECT (SELECT count(*) FROM rollup) + (SELECT count(*) FROM rollup_member) + (SELECT count(*) FROM customer_activity)";
    // Events and tokens; by type, all, the type and its value; users and users of the model; each twice; and the activity.
    assert_eq!(number(&bench, rows).await, 2 * (2 + 3 + 2) + 1);
    void(&bench, only).await;
    assert_eq!(number(&bench, rows).await, 0);
    let usage = bench.engine.usage_totals(None, None).await.unwrap();
    assert_eq!((usage.events, usage.active_customers, usage.from), (0, 0, None));
    assert_eq!(bench.engine.customer("acme").await.unwrap().last_event_at, None);
    is_clean(&bench).await;
    // The customer is there all the same, and counts from nothing.
    record(&bench, call("1", "large", "u1", "11:59:00")).await;
    assert_eq!(value(&bench, meter).await.0, "1");
    is_clean(&bench).await;
    bench.engine.close().await;
}

#[tokio::test]
async fn the_first_time_stands_and_each_is_told_who_did_it() {
    let bench = Bench::open().await;
    let id = record(&bench, event("acme", "1")).await;
    let other = record(&bench, event("acme", "2")).await;
    let first = bench.engine.void_event(&actor(), id, Some("sent twice".to_owned())).await.unwrap();
    assert_eq!((first.id, first.voided_at), (id, Some(bench.engine.now())));
    bench.clock.set(bench.engine.now().saturating_add_micros(60_000_000));
    for reason in [None, Some("another".to_owned())] {
        let again = bench.engine.void_event(&actor(), id, reason).await.unwrap();
        assert_eq!((again.voided_at, again.void_reason.as_deref()), (first.voided_at, Some("sent twice")));
    }
    bench.engine.void_event(&actor(), other, None).await.unwrap();
    assert_eq!(number(&bench, "SELECT count(*) FROM void").await, 2);
    let audit = "SELECT count(*) FROM audit WHERE operation = 'events.void'";
    assert_eq!(number(&bench, audit).await, 2);
    let (target, before, after): (String, String, String) =
        sqlx::query_as("SELECT target, before, after FROM audit WHERE operation = 'events.void' ORDER BY seq LIMIT 1")
            .fetch_one(&mut look_into(&bench).await)
            .await
            .unwrap();
    assert_eq!(target, id.to_string());
    assert!(
        before.contains(r#""voidedAt":null"#) && after.contains(r#""voidReason":"sent twice""#),
        "{before} {after}"
    );

    let unknown = EventId::new(uuid::Uuid::from_u128(7));
    let refused = bench.engine.void_event(&actor(), unknown, None).await.unwrap_err();
    assert_eq!(refused.code(), Code::EventNotFound);
    for reason in [String::new(), "x".repeat(257), "a\nb".to_owned()] {
        let refused = bench.engine.void_event(&actor(), id, Some(reason)).await.unwrap_err();
        assert!(matches!(&refused, Error::Fault(fault) if fault.field.as_deref() == Some("reason")), "{refused}");
    }
    bench.engine.close().await;
}

#[tokio::test]
async fn its_key_stays_taken_and_a_repeat_does_not_bring_it_back() {
    let mut bench = Bench::open().await;
    let keyed = EventInput { idempotency_key: Some("k".to_owned()), ..event("acme", "3") };
    let id = record(&bench, keyed.clone()).await;
    void(&bench, id).await;
    for _ in 0..2 {
        assert_eq!(record(&bench, keyed.clone()).await, id);
        let batch = bench.engine.record_batch(&actor(), vec![keyed.clone(), event("acme", "1")]).await.unwrap();
        assert_eq!((batch.count, batch.duplicates), (1, 1));
        let other = EventInput { idempotency_key: Some("k".to_owned()), ..event("acme", "4") };
        assert_eq!(bench.engine.record(&actor(), other).await.unwrap_err().code(), Code::IdempotencyConflict);
        assert!(bench.engine.event(id).await.unwrap().event.voided_at.is_some());
        bench = bench.reopen().await;
    }
    let summary = bench.engine.summary(Some("acme"), None, None).await.unwrap();
    assert_eq!((summary.total_events, summary.types[0].values["tokens"]), (2, quantity("2")));
    is_clean(&bench).await;
    bench.engine.close().await;
}

#[tokio::test]
async fn voids_are_numbered_without_gap_by_each_device() {
    const NUMBERS: &str =
        "SELECT group_concat((seq >> 40) || '/' || (seq & 0xffffffffff), ' ') FROM (SELECT seq FROM void ORDER BY seq)";
    async fn numbers(bench: &Bench) -> String {
        sqlx::query_scalar(NUMBERS).fetch_one(&mut look_into(bench).await).await.unwrap()
    }
    let mut bench = Bench::open().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(record(&bench, event("acme", "1")).await);
    }
    void(&bench, ids[2]).await;
    void(&bench, ids[0]).await;
    assert_eq!(numbers(&bench).await, "1/1 1/2");
    bench = bench.reopen().await;
    let backup = bench.dir.path().join("copy.db");
    bench.engine.backup(&actor(), &backup).await.unwrap();
    void(&bench, ids[1]).await;
    assert_eq!(numbers(&bench).await, "1/1 1/2 1/3");
    bench.engine.close().await;

    // A restored copy is a device of its own, with a count of its own.
    let dir = tempfile::tempdir().unwrap();
    restore::restore(&backup, dir.path()).await.unwrap();
    let engine = Engine::open(OpenOptions::new(dir.path()), bench.clock.clone()).await.unwrap();
    let restored = Bench { engine, dir, clock: bench.clock };
    let own = record(&restored, event("acme", "7")).await;
    void(&restored, ids[3]).await;
    void(&restored, own).await;
    assert_eq!(numbers(&restored).await, "1/1 1/2 2/1 2/2");
    assert_eq!(restored.engine.summary(None, None, None).await.unwrap().total_events, 1);
    is_clean(&restored).await;
    restored.engine.close().await;
}

#[tokio::test]
async fn a_meter_that_is_being_built_counts_without_it_wherever_the_building_has_come() {
    const BATCHES: i64 = 51;
    const HISTORY: i64 = BATCHES * 1_000;
    let mut bench = Bench::open().await;
    for batch in 0..BATCHES {
        // A quarter of an hour for each batch, and tokens that grow: the newest event is the largest.
        let timestamp = Some(bench.engine.now().saturating_add_micros((batch - BATCHES) * 900_000_000));
        let one = |number: i64| EventInput { timestamp, ..event("acme", &(batch * 1_000 + number).to_string()) };
        bench.engine.record_batch(&actor(), (0..1_000).map(one).collect()).await.unwrap();
    }
    let ids: Vec<(Vec<u8>, i64)> =
        sqlx::query_as("SELECT id, (seq & 0xffffffffff) - 1 FROM event WHERE (seq & 0xffffffffff) IN (1, 2, 3, 4, 5, 6, 50995, 50996, 50997, 50998, 50999, 51000)")
            .fetch_all(&mut look_into(&bench).await)
            .await
            .unwrap();
    assert_eq!(ids.len(), 12);
    let sum = bench.meter("sum", Aggregation::Sum, "values.tokens").await;
    // With some more, much is left to be counted however long a void takes.
    for (name, kind) in [("min", Aggregation::Min), ("avg", Aggregation::Avg), ("latest", Aggregation::Latest)] {
        bench.meter(name, kind, "values.tokens").await;
    }
    let max = bench.meter("max", Aggregation::Max, "values.tokens").await;
    // Of the events that are counted first and of those that are counted last, three before a restart and three after it. They
    // wait together, and between two of them a chunk of history is counted.
    for half in 0..2 {
        let chosen = ids.iter().skip(half).step_by(2);
        let voids = chosen.map(|(id, _)| {
            let (engine, id) = (bench.engine.clone(), EventId::new(uuid::Uuid::from_slice(id).unwrap()));
            tokio::spawn(async move { engine.void_event(&actor(), id, None).await })
        });
        for done in voids.collect::<Vec<_>>() {
            done.await.unwrap().unwrap();
        }
        assert!(is_building(&bench).await, "nothing was left to be built");
        bench = bench.reopen().await;
    }
    let total = (0..HISTORY).sum::<i64>() - ids.iter().map(|(_, tokens)| tokens).sum::<i64>();
    for _ in 0..2 {
        for (meter, expected) in [(sum, total), (max, HISTORY - 7)] {
            let answer = bench.engine.query_meter(meter, QueryMeter::default()).await.unwrap();
            assert_eq!(answer.value, Some(Quantity::from_int(expected)));
        }
        while is_building(&bench).await {}
    }
    bench.engine.close().await;
    is_clean(&bench).await;
}

#[tokio::test]
async fn a_limit_that_was_exceeded_lets_through_again() {
    let bench = Bench::open().await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.engine.create_limit(&actor(), limit("tokens", meter, "10", Period::Month)).await.unwrap();
    record(&bench, event("acme", "4")).await;
    let much = record(&bench, event("acme", "7")).await;
    assert!(!bench.engine.check(check("acme")).await.unwrap().allowed);
    void(&bench, much).await;
    let answer = bench.engine.check(check("acme")).await.unwrap();
    assert!(answer.allowed);
    assert_eq!(answer.limits[0].used, quantity("4"));
    let rows = bench.engine.standings(Default::default()).await.unwrap();
    assert_eq!(rows.data[0].standing.utilisation, quantity("40"));
    assert_eq!(bench.engine.customer("acme").await.unwrap().utilisation, Some(quantity("40")));
    bench.engine.close().await;
}

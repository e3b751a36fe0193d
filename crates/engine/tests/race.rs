//! Many callers at once: a check sees what was answered before it, whatever else changes meanwhile, and never a number in between.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Bench, actor, at, check, event, limit, quantity};
use weir_core::aggregate::Aggregation;
use weir_core::event::EventInput;
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::time::Zone;
use weir_engine::model::{CustomerPatch, LimitPatch, MeterPatch, NewLimit, ProjectPatch};
use weir_engine::{Engine, Error, doctor};

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

/// Checks until told to stop; every answer must show this usage of every limit.
async fn keep_checking(engine: Engine, stop: Arc<AtomicBool>, customer: String, used: Quantity) -> u64 {
    let mut answers = 0;
    while !stop.load(Ordering::Relaxed) {
        match engine.check(check(&customer)).await {
            Ok(answer) => {
                for limit in &answer.limits {
                    assert_eq!(limit.used, used, "{} of {customer}", limit.name);
                }
                assert!(!answer.allowed, "{customer} is at its limit");
                answers += 1;
            }
            // It changes too fast to be counted; no wrong number was told.
            Err(Error::Busy { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        tokio::task::yield_now().await;
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn windows_are_never_told_half_recut() {
    let bench = Bench::open_at("2026-03-10T12:00:00Z").await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.engine.create_limit(&actor(), limit("daily", meter, "10", Period::Day)).await.unwrap();
    bench.engine.create_limit(&actor(), limit("monthly", meter, "10", Period::Month)).await.unwrap();
    for customer in ["acme", "beta"] {
        bench.engine.record(&actor(), event(customer, "10")).await.unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let checkers: Vec<_> = ["acme", "beta", "acme"]
        .into_iter()
        .map(|customer| {
            tokio::spawn(keep_checking(bench.engine.clone(), stop.clone(), customer.to_owned(), quantity("10")))
        })
        .collect();
    for round in 0..90 {
        // Today's noon lies in the window of today in each of them.
        let zone = zone(["UTC", "Asia/Kathmandu", "America/Los_Angeles"][round % 3]);
        let patch = ProjectPatch { timezone: Some(zone), ..ProjectPatch::default() };
        bench.engine.update_project(&actor(), patch).await.unwrap();
        if round % 10 == 0 {
            let start = ["2026-01-31", "2026-02-15"][round / 10 % 2].to_owned();
            let patch = CustomerPatch { billing_cycle_start: Some(start), ..CustomerPatch::default() };
            bench.engine.update_customer(&actor(), "beta", patch).await.unwrap();
        }
    }
    stop.store(true, Ordering::Relaxed);
    for checker in checkers {
        assert!(checker.await.unwrap() > 0);
    }
}

/// Records one token at a time and checks after each answer, until told to stop.
async fn keep_recording(engine: Engine, stop: Arc<AtomicBool>, customer: String) -> i64 {
    let mut recorded = 0;
    while !stop.load(Ordering::Relaxed) {
        let events = vec![event(&customer, "1"); 1 + recorded as usize % 3];
        recorded += events.len() as i64;
        engine.record_batch(&actor(), events).await.unwrap();
        let answer = match engine.check(check(&customer)).await {
            Ok(answer) => answer,
            Err(Error::Busy { .. }) => continue,
            Err(error) => panic!("{error}"),
        };
        for limit in answer.limits.iter().filter(|limit| limit.name != "requests") {
            assert_eq!(limit.used, Quantity::from_int(recorded), "{} of {customer}", limit.name);
        }
    }
    recorded
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn every_answered_record_is_seen_while_everything_changes() {
    let bench = Bench::open_at("2026-03-10T12:00:00Z").await;
    let engine = &bench.engine;
    let meter = bench.meter_by("tokens", Aggregation::Sum, "values.tokens", &["feature"]).await;
    let day = engine.create_limit(&actor(), limit("daily", meter, "1000000", Period::Day)).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|number| {
            let customer = format!("customer-{number}");
            (customer.clone(), tokio::spawn(keep_recording(engine.clone(), stop.clone(), customer)))
        })
        .collect();
    let by = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    for round in 0..24_i64 {
        let value = Some(Quantity::from_int(1_000_000 + round));
        engine
            .update_limit(&actor(), day.id, LimitPatch { limit_value: value, ..LimitPatch::default() })
            .await
            .unwrap();
        let group_by = if round % 2 == 0 { by(&["model"]) } else { by(&["feature", "event_type"]) };
        engine.update_meter(&actor(), meter, MeterPatch { group_by, ..MeterPatch::default() }).await.unwrap();
        let customer = format!("customer-{}", round % 4);
        let own = NewLimit {
            customer_id: Some(customer.clone()),
            dimension_filters: [("customer_id".to_owned(), customer)].into(),
            ..limit(&format!("own {round}"), meter, "5000000", [Period::Hour, Period::AllTime][round as usize / 4 % 2])
        };
        let own = engine.create_limit(&actor(), own).await.unwrap();
        let timezone = Some(zone(["UTC", "Asia/Kathmandu"][round as usize % 2]));
        let patch = ProjectPatch { timezone, ..ProjectPatch::default() };
        engine.update_project(&actor(), patch).await.unwrap();
        if round % 3 == 0 {
            engine.archive_limit(&actor(), own.id).await.unwrap();
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut all = 0;
    for (customer, writer) in writers {
        let recorded = writer.await.unwrap();
        all += recorded;
        let usage = engine.customer_usage(&customer, None, None).await.unwrap();
        let tokens = usage.meters.iter().find(|meter| meter.name == "tokens").unwrap();
        assert_eq!(tokens.value, Some(Quantity::from_int(recorded)), "{customer}");
    }
    assert_eq!(engine.status().await.unwrap().events, all as u64);
    engine.close().await;
    let report = doctor::examine(bench.dir.path()).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.differences);
}

/// The same key from many callers at once records one event, and all are told the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn one_key_sent_by_many_at_once_is_one_event() {
    let bench = Bench::open().await;
    for round in 0..20 {
        let send = |_| {
            let engine = bench.engine.clone();
            let event = EventInput { idempotency_key: Some(format!("key {round}")), ..event("acme", "1") };
            tokio::spawn(async move { engine.record(&actor(), event).await.unwrap().id })
        };
        let sent: Vec<_> = (0..8).map(send).collect();
        let mut ids = Vec::new();
        for one in sent {
            ids.push(one.await.unwrap());
        }
        ids.dedup();
        assert_eq!(ids.len(), 1);
    }
    assert_eq!(bench.engine.status().await.unwrap().events, 20);
}

/// What waits for the writer is bounded in bytes: beyond that callers are put off, with nothing done.
#[tokio::test]
async fn a_flood_is_put_off_with_nothing_done() {
    let bench = Bench::open_at("2026-03-10T12:00:00Z").await;
    let text = format!("{{\"note\":[\"{}\"]}}", "x".repeat(16_000));
    let batch: Vec<_> = (0..1_000)
        .map(|_| EventInput {
            properties: Some(weir_core::properties::Properties::parse(&text).unwrap()),
            timestamp: Some(at("2026-03-10T11:00:00Z")),
            ..event("acme", "1")
        })
        .collect();
    let actor = actor();
    let send = || bench.engine.record_batch(&actor, batch.clone());
    let answers = tokio::join!(send(), send(), send(), send(), send(), send());
    let answers = [answers.0, answers.1, answers.2, answers.3, answers.4, answers.5];
    let recorded = answers.iter().filter(|answer| answer.is_ok()).count();
    let put_off = answers.iter().filter(|answer| matches!(answer, Err(Error::Busy { .. }))).count();
    assert!(recorded > 0 && put_off > 0 && recorded + put_off == answers.len(), "{answers:?}");
    assert_eq!(bench.engine.status().await.unwrap().events, 1_000 * recorded as u64);
    // Once it has drained there is room again.
    send().await.unwrap();
}

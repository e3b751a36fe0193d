//! Recording: durable, all or nothing, once per key.

mod common;

use common::{Bench, actor, at, check, event, limit, quantity};
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::event::EventInput;
use weir_core::period::Period;
use weir_engine::Error;

fn keyed(customer: &str, tokens: &str, key: &str) -> EventInput {
    EventInput { idempotency_key: Some(key.to_owned()), ..event(customer, tokens) }
}

#[tokio::test]
async fn a_repeat_answers_as_the_first_did_across_batches_and_restarts() {
    let bench = Bench::open().await;
    let first = bench.engine.record(&actor(), keyed("acme", "5", "k")).await.unwrap();
    let again = bench.engine.record(&actor(), keyed("acme", "5.0", "k")).await.unwrap();
    assert_eq!(first, again);
    let batch =
        vec![keyed("acme", "5", "k"), keyed("acme", "5", "l"), keyed("acme", "5", "l"), keyed("other", "5", "k")];
    let answer = bench.engine.record_batch(&actor(), batch).await.unwrap();
    assert_eq!((answer.count, answer.duplicates), (2, 2), "keys are per customer, and hold within a batch");
    let bench = bench.reopen().await;
    assert_eq!(bench.engine.record(&actor(), keyed("acme", "5", "k")).await.unwrap(), first);
    assert_eq!(bench.engine.status().await.unwrap().events, 3);
}

#[tokio::test]
async fn a_key_used_for_another_body_is_a_conflict_and_records_nothing() {
    let bench = Bench::open().await;
    bench.engine.record(&actor(), keyed("acme", "5", "k")).await.unwrap();
    let error = bench.engine.record(&actor(), keyed("acme", "6", "k")).await.unwrap_err();
    assert_eq!(error.code(), Code::IdempotencyConflict);
    let batch = vec![event("acme", "1"), keyed("acme", "6", "k"), keyed("new", "1", "a"), keyed("new", "2", "a")];
    let Error::Faults(faults) = bench.engine.record_batch(&actor(), batch).await.unwrap_err() else {
        panic!("faults by index")
    };
    assert_eq!(
        faults.iter().map(|(index, fault)| (*index, fault.code)).collect::<Vec<_>>(),
        [(1, Code::IdempotencyConflict), (3, Code::IdempotencyConflict)]
    );
    assert_eq!(bench.engine.status().await.unwrap().events, 1);
    assert_eq!(
        bench.engine.customer("new").await.unwrap_err().code(),
        Code::CustomerNotFound,
        "a refused batch creates no customer"
    );
}

#[tokio::test]
async fn a_batch_is_all_or_nothing_and_lists_every_fault() {
    let bench = Bench::open().await;
    let bad = EventInput { event_type: String::new(), ..event("acme", "1") };
    let future = EventInput { timestamp: Some(at("2026-03-10T12:05:00.000001Z")), ..event("acme", "1") };
    let Error::Faults(faults) =
        bench.engine.record_batch(&actor(), vec![event("acme", "1"), bad, future]).await.unwrap_err()
    else {
        panic!("faults by index")
    };
    let fields: Vec<_> =
        faults.iter().map(|(index, fault)| (*index, fault.field.as_deref().unwrap_or_default())).collect();
    assert_eq!(fields, [(1, "eventType"), (2, "timestamp")]);
    assert_eq!(bench.engine.status().await.unwrap().events, 0);
    for events in [Vec::new(), vec![event("acme", "1"); 1_001]] {
        assert_eq!(bench.engine.record_batch(&actor(), events).await.unwrap_err().code(), Code::InvalidFieldValue);
    }
}

#[tokio::test]
async fn a_check_sees_every_answered_record() {
    let bench = Bench::open().await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.engine.create_limit(&actor(), limit("daily", meter, "10", Period::Day)).await.unwrap();
    assert!(bench.engine.check(check("acme")).await.unwrap().allowed);
    for _ in 0..10 {
        bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    }
    let answer = bench.engine.check(check("acme")).await.unwrap();
    assert!(!answer.allowed);
    assert_eq!(answer.limits[0].used, quantity("10"));
    assert_eq!(answer.limits[0].reset, Some(at("2026-03-11T00:00:00Z").unix_seconds()));
    let bench = bench.reopen().await;
    assert!(!bench.engine.check(check("acme")).await.unwrap().allowed, "a cold customer is loaded");
    bench.clock.set(at("2026-03-11T00:00:00Z"));
    let answer = bench.engine.check(check("acme")).await.unwrap();
    assert!(answer.allowed, "a new day");
    assert_eq!(answer.limits[0].used, quantity("0"));
}

//! Meters over more history than is counted at once, and dimensions with more values than are kept: never a part for the whole.

mod common;

use common::{Bench, actor, check, event, limit};
use weir_core::aggregate::Aggregation;
use weir_core::event::EventInput;
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_engine::model::{MeterState, NewLimit};
use weir_engine::{Error, doctor};

fn by(name: &str, value: &str, event: EventInput) -> EventInput {
    EventInput { dimensions: [(name.to_owned(), value.to_owned())].into(), ..event }
}

async fn clean(bench: Bench) {
    bench.engine.close().await;
    let report = doctor::examine(bench.dir.path()).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.differences);
}

#[tokio::test]
async fn a_meter_over_long_history_is_counted_in_the_background_and_told_only_whole() {
    const HISTORY: u64 = 51_000;
    let mut bench = Bench::open().await;
    for _ in 0..HISTORY / 1_000 {
        let batch = vec![by("feature", "a", event("acme", "1")); 1_000];
        bench.engine.record_batch(&actor(), batch).await.unwrap();
    }
    let meter = bench.meter_by("late", Aggregation::Sum, "values.tokens", &["feature"]).await;
    let all = limit("all", meter, "1000000", Period::AllTime);
    let of_a = NewLimit {
        name: "of a".to_owned(),
        dimension_filters: [("feature".to_owned(), "a".to_owned())].into(),
        ..all.clone()
    };
    for limit in [all, of_a] {
        bench.engine.create_limit(&actor(), limit).await.unwrap();
    }
    let (mut recorded, mut put_off) = (HISTORY, 0);
    let answer = loop {
        match bench.engine.check(check("acme")).await {
            Ok(answer) => break answer,
            Err(Error::Busy { .. }) => {
                let progress = bench.engine.meter(meter).await.unwrap();
                assert!(progress.progress.done <= progress.progress.total);
                let usage = bench.engine.customer_usage("acme", None, None).await.unwrap();
                let late = usage.meters.iter().find(|meter| meter.name == "late").unwrap();
                assert_eq!(late.value, Some(Quantity::from_int(recorded as i64)), "queries go to the events meanwhile");
                // What arrives meanwhile is counted once, too, by whoever comes to it; a customer may even be new.
                for customer in ["acme", "beta"] {
                    bench.engine.record(&actor(), by("feature", "a", event(customer, "1"))).await.unwrap();
                }
                (recorded, put_off) = (recorded + 1, put_off + 1);
                if put_off == 2 {
                    bench = bench.reopen().await;
                }
            }
            Err(error) => panic!("{error}"),
        }
    };
    assert!(put_off > 0, "it was told before it was counted");
    for limit in answer.limits {
        assert_eq!(limit.used, Quantity::from_int(recorded as i64), "{}", limit.name);
    }
    for limit in bench.engine.check(check("beta")).await.unwrap().limits {
        assert_eq!(limit.used, Quantity::from_int(put_off), "{} of a customer who came meanwhile", limit.name);
    }
    assert_eq!(bench.engine.meter(meter).await.unwrap().state, MeterState::Ready);
    clean(bench).await;
}

#[tokio::test]
async fn limits_on_a_dimension_with_endless_values_count_every_event() {
    let mut bench = Bench::open().await;
    let meter = bench.meter_by("requests", Aggregation::Count, "*", &["user"]).await;
    for user in ["u5", "u1100", "nobody"] {
        let filters = [("user".to_owned(), user.to_owned())].into();
        let by_user = NewLimit { dimension_filters: filters, ..limit(user, meter, "1000", Period::Day) };
        bench.engine.create_limit(&actor(), by_user).await.unwrap();
    }
    let users =
        |from: usize, to: usize| (from..to).map(|user| by("user", &format!("u{user}"), event("acme", "1"))).collect();
    for (from, to, expected) in
        [(0, 900, [1, 0]), (0, 900, [2, 0]), (900, 1_300, [2, 1]), (1_100, 1_101, [2, 2]), (0, 1_000, [3, 2])]
    {
        bench.engine.record_batch(&actor(), users(from, to)).await.unwrap();
        for restart in [false, true] {
            if restart {
                bench = bench.reopen().await;
            }
            let answer = bench.engine.check(check("acme")).await.unwrap();
            let used = |name: &str| answer.limits.iter().find(|limit| limit.name == name).unwrap().used;
            assert_eq!([used("u5"), used("u1100")], expected.map(Quantity::from_int), "after {from}..{to}");
            assert_eq!(used("nobody"), Quantity::ZERO);
        }
    }
    clean(bench).await;
}

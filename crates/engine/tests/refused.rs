//! Refusals counted over time: held against the list of them.

mod common;

use common::{Bench, actor, at, event, limit, quantity};
use proptest::prelude::*;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use weir_core::aggregate::Aggregation;
use weir_core::id::LimitId;
use weir_core::interval::Interval;
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::rate::RateSpan;
use weir_core::time::{Timestamp, Zone};
use weir_engine::model::{CountRefusals, ListRefusals, NewCustomer, NewLimit, NewRateLimit, PageSize, RefusalCounts};
use weir_engine::{DATA_FILE, Engine, Error};

async fn refuse(engine: &Engine, customer: &str, tokens: &str) {
    let answer = engine.track(&actor(), event(customer, tokens)).await;
    assert!(matches!(answer, Err(Error::Refused(_))), "{answer:?}");
}

fn values(counts: &RefusalCounts) -> Vec<Option<String>> {
    counts.points.iter().map(|point| point.value.map(|value| value.to_string())).collect()
}

fn some(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|value| (*value != "-").then(|| (*value).to_owned())).collect()
}

/// A default limit of 10 tokens a day, of which every larger call is refused.
async fn bench_at(now: &str) -> (Bench, LimitId) {
    let bench = Bench::open_at(now).await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    let id = bench.engine.create_limit(&actor(), limit("daily", meter, "10", Period::Day)).await.unwrap().id;
    (bench, id)
}

#[tokio::test]
async fn refusals_are_counted_per_interval_in_the_customers_zone() {
    let (bench, daily) = bench_at("2026-03-10T12:00:00Z").await;
    let new = NewCustomer {
        external_id: "acme".to_owned(),
        timezone: Some(Zone::parse("Asia/Kathmandu").unwrap()),
        ..NewCustomer::default()
    };
    bench.engine.create_customer(&actor(), new).await.unwrap();
    let count = |count: CountRefusals| bench.engine.count_refusals(count);
    let empty = count(CountRefusals { interval: Some(Interval::Day), ..CountRefusals::default() }).await.unwrap();
    assert_eq!((empty.value, empty.from, empty.points.len()), (Quantity::ZERO, None, 0));

    // Midnight in Kathmandu is at 18:15 UTC.
    for (when, customer) in [
        ("2026-03-10T18:14:59Z", "acme"),
        ("2026-03-10T18:15:00Z", "acme"),
        ("2026-03-10T18:20:00Z", "nobody"),
        ("2026-03-12T00:00:00Z", "acme"),
    ] {
        bench.clock.set(at(when));
        refuse(&bench.engine, customer, "11").await;
    }
    let burst = NewRateLimit {
        name: "burst".to_owned(),
        window: RateSpan::Day,
        limit_value: 1,
        dimension_filters: Default::default(),
        customer_id: Some("acme".to_owned()),
        enabled: true,
    };
    bench.engine.create_rate_limit(&actor(), burst).await.unwrap();
    bench.engine.track(&actor(), event("acme", "1")).await.unwrap();
    refuse(&bench.engine, "acme", "1").await;

    let (from, to) = (Some(at("2026-03-10T00:00:00Z")), Some(at("2026-03-13T00:00:00Z")));
    let days = CountRefusals { from, to, interval: Some(Interval::Day), ..CountRefusals::default() };
    let all = count(days.clone()).await.unwrap();
    assert_eq!((all.value, all.timezone, all.truncated_before), (quantity("5"), Zone::UTC, None));
    assert_eq!(values(&all), some(&["3", "0", "2"]));
    let acme = count(CountRefusals { customer_id: Some("acme".to_owned()), ..days.clone() }).await.unwrap();
    assert_eq!((acme.value, acme.points[0].end), (quantity("4"), at("2026-03-10T18:15:00Z")));
    assert_eq!(values(&acme), some(&["1", "1", "2", "0"]));
    let nobody = count(CountRefusals { customer_id: Some("nobody".to_owned()), ..days.clone() }).await.unwrap();
    assert_eq!(values(&nobody), some(&["1", "0", "0"]), "who does not exist can be refused all the same");
    let by_limit = count(CountRefusals { limit_id: Some(daily), ..days.clone() }).await.unwrap();
    assert_eq!(values(&by_limit), some(&["3", "0", "1"]), "one was refused by a rate limit");
    let whole = count(CountRefusals { interval: Some(Interval::Week), ..CountRefusals::default() }).await.unwrap();
    assert_eq!((whole.from, whole.value), (Some(at("2026-03-10T18:00:00Z")), quantity("5")));
    for (wrong, field) in [
        (CountRefusals { from: to, to: from, ..CountRefusals::default() }, "to"),
        (CountRefusals { customer_id: Some(String::new()), ..CountRefusals::default() }, "customerId"),
        (CountRefusals { from: Some(at("2001-01-01")), interval: Some(Interval::Hour), ..days.clone() }, "interval"),
    ] {
        let Err(Error::Fault(fault)) = count(wrong).await else { panic!("expected a fault of {field}") };
        assert_eq!(fault.field.as_deref(), Some(field));
    }
}

#[tokio::test]
async fn where_refusals_are_no_longer_kept_no_zero_is_claimed() {
    let (bench, _) = bench_at("2026-03-10T00:00:00Z").await;
    for hour in [0, 1, 3] {
        bench.clock.set(at(&format!("2026-03-10T0{hour}:30:00Z")));
        refuse(&bench.engine, "acme", "11").await;
    }
    // The oldest go, as they do beyond so many.
    bench.engine.close().await;
    let path = bench.dir.path().join(DATA_FILE);
    let mut conn = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    sqlx::query("DELETE FROM refusal WHERE seq = 1").execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let bench = bench.reopen().await;
    let (from, to) = (Some(at("2026-03-10T00:00:00Z")), Some(at("2026-03-10T05:00:00Z")));
    let hours = CountRefusals { from, to, interval: Some(Interval::Hour), ..CountRefusals::default() };
    let told = bench.engine.count_refusals(hours).await.unwrap();
    assert_eq!((told.value, told.truncated_before), (quantity("2"), Some(at("2026-03-10T01:30:00Z"))));
    assert_eq!(values(&told), some(&["-", "1", "0", "1", "0"]));
}

/// Some calls, and how many minutes pass before each.
type Calls = Vec<(i64, bool, bool)>;

async fn follow(calls: Calls, zone: &str, interval: Interval, from: i64, length: i64) {
    let (bench, _) = bench_at("2026-03-28T00:00:00Z").await;
    let new = NewCustomer {
        external_id: "acme".to_owned(),
        timezone: Some(Zone::parse(zone).unwrap()),
        ..NewCustomer::default()
    };
    bench.engine.create_customer(&actor(), new).await.unwrap();
    let meter = bench.meter("calls", Aggregation::Count, "*").await;
    let none = NewLimit { customer_id: Some("acme".to_owned()), ..limit("none", meter, "0.5", Period::AllTime) };
    let none = bench.engine.create_limit(&actor(), none).await.unwrap().id;
    let start = bench.engine.now();
    for (minutes, acme, large) in calls {
        bench.clock.set(Timestamp::from_micros(bench.engine.now().as_micros() + minutes * 60_000_000));
        let (customer, tokens) = (if acme { "acme" } else { "stranger" }, if large { "11" } else { "12" });
        refuse(&bench.engine, customer, tokens).await;
    }
    let mut listed = Vec::new();
    let mut list = ListRefusals { limit: PageSize::MAX, ..ListRefusals::default() };
    loop {
        let page = bench.engine.refusals(list.clone()).await.unwrap();
        listed.extend(page.data);
        let Some(cursor) = page.next_cursor else { break };
        list.cursor = Some(cursor);
    }
    let from = Timestamp::from_micros(start.as_micros() + from * 60_000_000);
    let to = Timestamp::from_micros(from.as_micros() + length * 60_000_000);
    for customer in [None, Some("acme"), Some("stranger")] {
        for by in [None, Some(none)] {
            let counted = bench
                .engine
                .count_refusals(CountRefusals {
                    customer_id: customer.map(str::to_owned),
                    limit_id: by,
                    from: Some(from),
                    to: Some(to),
                    interval: Some(interval),
                })
                .await
                .unwrap();
            let fitting = |from: Timestamp, to: Timestamp| {
                let fits = listed.iter().filter(|refusal| {
                    (from..to).contains(&refusal.at)
                        && customer.is_none_or(|customer| refusal.call.customer_id == customer)
                        && by.is_none_or(|by| refusal.call.limits.iter().any(|limit| limit.id == by))
                });
                Quantity::from_int(fits.count() as i64)
            };
            assert_eq!(counted.value, fitting(from, to), "{customer:?} {by:?}");
            assert_eq!(counted.points.first().map(|point| point.start), Some(from));
            assert_eq!(counted.points.last().map(|point| point.end), Some(to));
            for point in &counted.points {
                assert_eq!(point.value, Some(fitting(point.start, point.end)), "{customer:?} {by:?} {point:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn counts_are_those_of_the_list(
        calls in prop::collection::vec((0..200_i64, any::<bool>(), any::<bool>()), 0..150),
        zone in prop::sample::select(vec!["UTC", "Europe/Paris", "Asia/Kathmandu"]),
        interval in prop::sample::select(vec![Interval::QuarterHour, Interval::Hour, Interval::Day, Interval::Month]),
        from in -3_000..6_000_i64,
        length in 1..20_000_i64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(follow(calls, zone, interval, from, length));
    }
}

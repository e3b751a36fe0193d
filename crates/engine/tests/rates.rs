//! Rate limits: no interval as long as the window admits more than the limit, over all filters, customers and restarts.

mod common;

use std::collections::BTreeMap;

use common::{Bench, actor, at, event, limit};
use proptest::prelude::*;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::event::EventInput;
use weir_core::period::Period;
use weir_core::rate::RateSpan;
use weir_core::time::Timestamp;
use weir_engine::model::{CheckRates, ListRateLimits, ListStandings, NewRateLimit, RateLimitPatch};
use weir_engine::{Engine, Error, doctor};

const NOW: &str = "2026-03-10T12:00:00Z";

fn rate(name: &str, window: RateSpan, limit_value: u64) -> NewRateLimit {
    NewRateLimit {
        name: name.to_owned(),
        window,
        limit_value,
        dimension_filters: BTreeMap::new(),
        customer_id: None,
        enabled: true,
    }
}

fn of_model(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("model".to_owned(), name.to_owned())])
}

fn call(customer: &str, model: &str) -> EventInput {
    EventInput { model: Some(model.to_owned()), ..event(customer, "1") }
}

/// Whether a call is admitted; if not, by which rate limits, and when it is worth asking again.
async fn track(engine: &Engine, event: EventInput) -> Result<(), (Vec<String>, u32)> {
    match engine.track(&actor(), event).await {
        Ok(_) => Ok(()),
        Err(Error::Refused(refused)) => {
            assert!(refused.limits.is_empty() && refused.rate_limits.iter().all(|rate| rate.exceeded));
            let names = refused.rate_limits.into_iter().map(|rate| rate.name).collect();
            Err((names, refused.retry_after_seconds.expect("a time to ask again")))
        }
        Err(error) => panic!("{error}"),
    }
}

fn ask(customer: &str) -> CheckRates {
    CheckRates { customer_id: customer.to_owned(), ..CheckRates::default() }
}

#[tokio::test]
async fn a_type_among_the_dimensions_is_the_type() {
    let bench = Bench::open_at(NOW).await;
    let of_calls = BTreeMap::from([("event_type".to_owned(), "call".to_owned())]);
    let new = NewRateLimit { dimension_filters: of_calls.clone(), ..rate("calls", RateSpan::Minute, 1) };
    bench.engine.create_rate_limit(&actor(), new).await.unwrap();
    track(&bench.engine, event("acme", "1")).await.unwrap();
    let asked =
        |dimensions: &BTreeMap<String, String>| CheckRates { dimensions: Some(dimensions.clone()), ..ask("acme") };
    assert!(!bench.engine.check_rates(&asked(&of_calls)).unwrap().allowed);
    assert!(bench.engine.check_rates(&asked(&BTreeMap::new())).unwrap().allowed, "of no type");
    let contradicting = CheckRates { event_type: Some("login".to_owned()), ..asked(&of_calls) };
    let error = bench.engine.check_rates(&contradicting).unwrap_err();
    assert!(error.to_string().contains("dimensions.event_type"), "{error}");
}

/// One call of a random history.
#[derive(Clone, Debug)]
struct Arrival {
    pause: i64,
    customer: usize,
    model: usize,
    restart: bool,
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let pause = prop_oneof![Just(0), 1..30_000_i64, 1..2_000_000_i64, 1..90_000_000_i64];
    (pause, 0..2_usize, 0..2_usize, prop::bool::weighted(0.05)).prop_map(|(pause, customer, model, restart)| Arrival {
        pause,
        customer,
        model,
        restart,
    })
}

const CUSTOMERS: [&str; 2] = ["acme", "beta"];
const MODELS: [&str; 2] = ["small", "large"];

/// Which calls a rate limit counts together.
struct Rule {
    name: &'static str,
    span: RateSpan,
    value: u64,
    customer: Option<usize>,
    model: Option<usize>,
}

const RULES: [Rule; 4] = [
    Rule { name: "second", span: RateSpan::Second, value: 3, customer: None, model: None },
    Rule { name: "minute", span: RateSpan::Minute, value: 12, customer: None, model: None },
    Rule { name: "small", span: RateSpan::Second, value: 2, customer: None, model: Some(0) },
    Rule { name: "own", span: RateSpan::Hour, value: 30, customer: Some(1), model: None },
];

async fn follow(arrivals: Vec<Arrival>) {
    let mut bench = Bench::open_at(NOW).await;
    for rule in &RULES {
        let new = NewRateLimit {
            dimension_filters: rule.model.map(|model| of_model(MODELS[model])).unwrap_or_default(),
            customer_id: rule.customer.map(|customer| CUSTOMERS[customer].to_owned()),
            ..rate(rule.name, rule.span, rule.value)
        };
        bench.engine.create_rate_limit(&actor(), new).await.unwrap();
    }
    let mut admitted: Vec<(i64, Arrival)> = Vec::new();
    for arrival in arrivals {
        if arrival.restart {
            bench = bench.reopen().await;
        }
        let now = bench.engine.now().as_micros() + arrival.pause;
        bench.clock.set(Timestamp::from_micros(now));
        let counts = |rule: &Rule, call: &Arrival| {
            call.customer == arrival.customer
                && rule.customer.is_none_or(|customer| customer == call.customer)
                && rule.model.is_none_or(|model| model == call.model)
        };
        let within = |rule: &Rule, length: i64| {
            let calls = admitted.iter().filter(|(at, call)| counts(rule, call) && *at > now - length);
            calls.count() as u64
        };
        let rules = || RULES.iter().filter(|rule| counts(rule, &arrival));
        match track(&bench.engine, call(CUSTOMERS[arrival.customer], MODELS[arrival.model])).await {
            Ok(()) => {
                for rule in rules() {
                    let before = within(rule, rule.span.micros());
                    assert!(before < rule.value, "{}: {before} before an admitted call", rule.name);
                }
                admitted.push((now, arrival));
            }
            Err((names, _)) => {
                for name in names {
                    let rule = RULES.iter().find(|rule| rule.name == name).unwrap();
                    // Up to a hundredth of a window early.
                    let before = within(rule, rule.span.micros() * 101 / 100);
                    assert!(
                        rules().any(|rule| rule.name == name) && before >= rule.value,
                        "{name}: refused after {before}"
                    );
                }
            }
        }
    }
    bench.engine.close().await;
    assert!(doctor::examine(bench.dir.path()).await.unwrap().is_clean());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn no_window_is_ever_over_its_limit(arrivals in prop::collection::vec(arrival(), 1..90)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(follow(arrivals));
    }
}

#[tokio::test]
async fn a_call_is_admitted_again_when_the_answer_says_so() {
    let bench = Bench::open_at(NOW).await;
    bench.engine.create_rate_limit(&actor(), rate("minute", RateSpan::Minute, 2)).await.unwrap();
    for _ in 0..2 {
        track(&bench.engine, call("acme", "small")).await.unwrap();
    }
    let (names, seconds) = track(&bench.engine, call("acme", "small")).await.unwrap_err();
    assert_eq!((names, seconds), (vec!["minute".to_owned()], 61), "a hundredth of a minute later than a minute");
    let standing = &bench.engine.check_rates(&ask("acme")).unwrap().rate_limits[0];
    assert_eq!((standing.remaining, standing.exceeded, standing.limit), (0, true, 2));
    assert_eq!(standing.reset, at(NOW).unix_seconds() + 61);
    bench.clock.set(Timestamp::from_micros(at(NOW).as_micros() + 60_600_000));
    track(&bench.engine, call("acme", "small")).await.unwrap();
    assert!(bench.engine.check_rates(&ask("nobody")).unwrap().allowed);
}

#[tokio::test]
async fn only_what_is_recorded_consumes() {
    let bench = Bench::open_at(NOW).await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.engine.create_limit(&actor(), limit("daily", meter, "3", Period::Day)).await.unwrap();
    bench.engine.create_rate_limit(&actor(), rate("minute", RateSpan::Minute, 2)).await.unwrap();
    bench.engine.record(&actor(), call("acme", "small")).await.unwrap();
    assert!(matches!(
        bench.engine.track(&actor(), event("acme", "5")).await,
        Err(Error::Refused(refused)) if refused.tightest.as_ref().unwrap().remaining == 2
    ));
    let keyed = EventInput { idempotency_key: Some("k".to_owned()), ..call("acme", "small") };
    for _ in 0..3 {
        let tracked = bench.engine.track(&actor(), keyed.clone()).await.unwrap();
        assert_eq!(tracked.rate_limits[0].remaining, 1, "a repeat consumes nothing");
    }
}

#[tokio::test]
async fn a_rate_limit_is_changed_and_archived() {
    let bench = Bench::open_at(NOW).await;
    let created = bench.engine.create_rate_limit(&actor(), rate("minute", RateSpan::Minute, 1)).await.unwrap();
    let taken = bench.engine.create_rate_limit(&actor(), rate("minute", RateSpan::Day, 1)).await.unwrap_err();
    assert_eq!(taken.code(), Code::Conflict);
    let wrong = bench.engine.create_rate_limit(&actor(), rate("none", RateSpan::Day, 0)).await.unwrap_err();
    assert_eq!(wrong.code(), Code::InvalidFieldValue);
    track(&bench.engine, call("acme", "small")).await.unwrap();
    assert!(track(&bench.engine, call("acme", "small")).await.is_err());
    let who = actor();
    let change = |patch| bench.engine.update_rate_limit(&who, created.id, patch);
    let raised = change(RateLimitPatch { limit_value: Some(2), ..RateLimitPatch::default() }).await.unwrap();
    assert_eq!((raised.version, raised.limit_value), (2, 2));
    track(&bench.engine, call("acme", "small")).await.unwrap();
    assert!(track(&bench.engine, call("acme", "small")).await.is_err(), "what was counted stays counted");
    change(RateLimitPatch { window: Some(RateSpan::Hour), ..RateLimitPatch::default() }).await.unwrap();
    for _ in 0..2 {
        track(&bench.engine, call("acme", "small")).await.expect("another window counts from now on");
    }
    let bench = bench.reopen().await;
    assert!(track(&bench.engine, call("acme", "small")).await.is_err());
    bench.engine.archive_rate_limit(&actor(), created.id).await.unwrap();
    track(&bench.engine, call("acme", "small")).await.unwrap();
    let shown = |include_archived| ListRateLimits { include_archived, ..ListRateLimits::default() };
    assert!(bench.engine.rate_limits(shown(false)).await.unwrap().data.is_empty());
    assert!(bench.engine.rate_limits(shown(true)).await.unwrap().data[0].archived_at.is_some());
    bench
        .engine
        .create_rate_limit(&actor(), rate("minute", RateSpan::Minute, 1))
        .await
        .expect("the name is free again");
}

#[tokio::test]
async fn calls_that_left_their_window_leave_the_file_as_well() {
    let bench = Bench::open_at(NOW).await;
    bench.engine.create_rate_limit(&actor(), rate("second", RateSpan::Second, 5)).await.unwrap();
    let rows = || async {
        let path = bench.dir.path().join(weir_engine::DATA_FILE);
        let mut file = SqliteConnectOptions::new().filename(path).read_only(true).connect().await.unwrap();
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM rate_use").fetch_one(&mut file).await.unwrap();
        file.close().await.unwrap();
        rows
    };
    for customer in ["acme", "beta"] {
        track(&bench.engine, call(customer, "small")).await.unwrap();
    }
    assert_eq!(rows().await, 2);
    bench.clock.set(Timestamp::from_micros(at(NOW).as_micros() + 2_000_000));
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    // A reader has everything counted, and what is over is let go with that.
    bench.engine.standings(ListStandings::default()).await.unwrap();
    assert_eq!(rows().await, 0);
    assert_eq!(bench.engine.check_rates(&ask("beta")).unwrap().rate_limits[0].remaining, 5);
}

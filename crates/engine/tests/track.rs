//! Tracking: limits decide with the event's own share, in the event's own window, and never let more through than they allow.

mod common;

use std::collections::{BTreeMap, HashSet};

use common::{Bench, actor, at, check, event, limit, quantity};
use proptest::prelude::*;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use weir_core::aggregate::{Aggregate, Aggregation, Field};
use weir_core::decide::admits;
use weir_core::error::Code;
use weir_core::event::{EventInput, Facts};
use weir_core::filter::EventFilter;
use weir_core::id::EventId;
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::time::{CivilDate, Timestamp, Zone};
use weir_engine::model::{
    Check, Enforcement, LimitPatch, ListEvents, ListRefusals, NewCustomer, NewLimit, NewMeter, PageSize, RefusalReason,
};
use weir_engine::{DATA_FILE, Engine, Error, doctor};

const NOW: &str = "2026-03-10T12:00:00Z";

fn keyed(key: &str, event: EventInput) -> EventInput {
    EventInput { idempotency_key: Some(key.to_owned()), ..event }
}

fn dated(when: Timestamp, event: EventInput) -> EventInput {
    EventInput { timestamp: Some(when), ..event }
}

fn model(name: &str, event: EventInput) -> EventInput {
    EventInput { model: Some(name.to_owned()), ..event }
}

/// The names of the limits that refused.
async fn refused(engine: &Engine, event: EventInput) -> Vec<String> {
    match engine.track(&actor(), event).await {
        Err(Error::Refused(refused)) => {
            assert!(refused.rate_limits.is_empty());
            refused.limits.into_iter().map(|limit| limit.name).collect()
        }
        other => panic!("expected a refusal, not {other:?}"),
    }
}

async fn used(engine: &Engine, customer: &str) -> Vec<(String, Quantity)> {
    let answer = engine.check(check(customer)).await.unwrap();
    answer.limits.into_iter().map(|limit| (limit.name, limit.used)).collect()
}

/// A meter counts what has a dimension: an event that is said in full has it or not.
#[tokio::test]
async fn a_check_with_values_answers_what_tracking_would() {
    let bench = Bench::open_at(NOW).await;
    let paid = BTreeMap::from([("tier".to_owned(), "paid".to_owned())]);
    let new = NewMeter {
        name: "paid_tokens".to_owned(),
        description: None,
        aggregation: Aggregation::Sum,
        field: "values.tokens".to_owned(),
        event_filter: EventFilter { event_type: Some("call".to_owned()), dimensions: paid.clone() },
        group_by: Vec::new(),
        unit: None,
    };
    let meter = bench.engine.create_meter(&actor(), new).await.unwrap().id;
    bench.engine.create_limit(&actor(), limit("daily", meter, "10", Period::Day)).await.unwrap();
    let free = BTreeMap::from([("tier".to_owned(), "free".to_owned())]);
    for event_type in ["call", "login"] {
        for dimensions in [None, Some(BTreeMap::new()), Some(free.clone()), Some(paid.clone())] {
            let input = EventInput {
                event_type: event_type.to_owned(),
                dimensions: dimensions.clone().unwrap_or_default(),
                ..event("acme", "11")
            };
            let asked = Check {
                event_type: Some(event_type.to_owned()),
                values: Some(input.values.clone()),
                dimensions,
                ..check("acme")
            };
            let told = bench.engine.explain(asked.clone()).await.unwrap();
            let allowed = bench.engine.check(asked).await.unwrap().allowed;
            let admitted = bench.engine.track(&actor(), input.clone()).await.is_ok();
            assert_eq!((allowed, told.allowed), (admitted, admitted), "{input:?}");
            assert_eq!(admitted, event_type == "login" || input.dimensions != paid, "{input:?}");
        }
    }
    // Of an event of which no values are said, only what is said can speak against it.
    bench.engine.record(&actor(), EventInput { dimensions: paid, ..event("acme", "10") }).await.unwrap();
    let asked = |dimensions| Check { dimensions, ..check("acme") };
    assert!(!bench.engine.check(asked(Some(BTreeMap::new()))).await.unwrap().allowed);
    assert!(bench.engine.check(asked(Some(free))).await.unwrap().allowed);
    let of_type = BTreeMap::from([("event_type".to_owned(), "login".to_owned())]);
    assert!(bench.engine.check(asked(Some(of_type))).await.unwrap().allowed, "the type, said among the dimensions");
}

#[tokio::test]
async fn an_event_is_recorded_up_to_the_limit_and_not_beyond() {
    let bench = Bench::open_at(NOW).await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.engine.create_limit(&actor(), limit("daily", meter, "10", Period::Day)).await.unwrap();
    let tracked = bench.engine.track(&actor(), event("acme", "9.5")).await.unwrap();
    assert_eq!((tracked.limits[0].used, tracked.limits[0].remaining), (quantity("9.5"), quantity("0.5")));
    assert_eq!(refused(&bench.engine, event("acme", "0.500000001")).await, ["daily"]);
    assert!(bench.engine.track(&actor(), event("acme", "0.5")).await.unwrap().limits[0].exceeded);
    assert_eq!(refused(&bench.engine, event("acme", "0.000000001")).await, ["daily"]);
    // What does not count, counts down, or belongs to somebody else passes.
    let other = EventInput { values: BTreeMap::new(), ..event("acme", "1") };
    assert!(bench.engine.track(&actor(), other).await.is_ok());
    assert!(bench.engine.track(&actor(), event("acme", "-1")).await.is_ok());
    assert!(bench.engine.track(&actor(), event("beta", "10")).await.is_ok());
    assert_eq!(used(&bench.engine, "acme").await, [("daily".to_owned(), quantity("9"))]);
    bench.engine.close().await;
    assert!(doctor::examine(bench.dir.path()).await.unwrap().is_clean());
}

#[tokio::test]
async fn a_soft_limit_reports_and_recording_is_never_refused() {
    let bench = Bench::open_at(NOW).await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    let soft = NewLimit { enforcement: Enforcement::Soft, ..limit("soft", meter, "1", Period::Day) };
    bench.engine.create_limit(&actor(), soft).await.unwrap();
    assert!(bench.engine.track(&actor(), event("acme", "5")).await.unwrap().limits[0].exceeded);
    bench.engine.create_limit(&actor(), limit("hard", meter, "2", Period::Day)).await.unwrap();
    assert!(bench.engine.record(&actor(), event("acme", "5")).await.is_ok());
    assert_eq!(refused(&bench.engine, event("acme", "1")).await, ["hard"]);
}

#[tokio::test]
async fn a_refusal_leaves_the_key_free_and_a_repeat_answers_as_the_first_did() {
    let bench = Bench::open_at(NOW).await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    let id = bench.engine.create_limit(&actor(), limit("daily", meter, "10", Period::Day)).await.unwrap().id;
    let one = keyed("k", event("acme", "11"));
    assert_eq!(refused(&bench.engine, one.clone()).await, ["daily"]);
    let raise = LimitPatch { limit_value: Some(quantity("11")), ..LimitPatch::default() };
    bench.engine.update_limit(&actor(), id, raise).await.unwrap();
    let first = bench.engine.track(&actor(), one.clone()).await.unwrap();
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(bench.engine.track(&actor(), one.clone()).await.unwrap(), first, "although more is used by now");
    let other = bench.engine.track(&actor(), keyed("k", event("acme", "1"))).await.unwrap_err();
    assert_eq!(other.code(), Code::IdempotencyConflict);
    assert_eq!(used(&bench.engine, "acme").await, [("daily".to_owned(), quantity("12"))]);
    // The key is for ever; after a day the figures are those of now.
    bench.clock.set(at("2026-03-11T12:00:00.001Z"));
    let bench = bench.reopen().await;
    let again = bench.engine.track(&actor(), one).await.unwrap();
    assert_eq!((again.id, again.recorded, again.limits[0].used), (first.id, true, Quantity::ZERO));
}

#[tokio::test]
async fn a_kept_answer_that_cannot_be_read_is_one_of_now() {
    let bench = Bench::open_at(NOW).await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.engine.create_limit(&actor(), limit("daily", meter, "10", Period::Day)).await.unwrap();
    let one = keyed("k", event("acme", "1"));
    let first = bench.engine.track(&actor(), one.clone()).await.unwrap();
    bench.engine.record(&actor(), event("acme", "2")).await.unwrap();
    let path = bench.dir.path().join(DATA_FILE);
    let mut file = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    let garbled = sqlx::query("UPDATE track_answer SET answer = 'no answer'").execute(&mut file).await.unwrap();
    assert_eq!(garbled.rows_affected(), 1);
    let again = bench.engine.track(&actor(), one).await.unwrap();
    assert_eq!((again.id, again.recorded, again.limits[0].used), (first.id, true, quantity("3")));
}

#[tokio::test]
async fn a_repeat_in_the_same_batch_answers_as_the_first_did() {
    let bench = Bench::open_at(NOW).await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.engine.create_limit(&actor(), limit("daily", meter, "10", Period::Day)).await.unwrap();
    let actor = actor();
    let one = || bench.engine.track(&actor, keyed("k", event("acme", "1")));
    let (first, _, second, third) = tokio::join!(one(), bench.engine.track(&actor, event("acme", "2")), one(), one());
    assert_eq!(first.unwrap().limits[0].used, quantity("1"));
    assert_eq!(second.unwrap().limits[0].used, quantity("1"));
    assert_eq!(third.unwrap().limits[0].used, quantity("1"));
}

#[tokio::test]
async fn refusals_are_kept_also_of_customers_that_do_not_exist() {
    let bench = Bench::open_at(NOW).await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    let id = bench.engine.create_limit(&actor(), limit("daily", meter, "10", Period::Day)).await.unwrap().id;
    refused(&bench.engine, event("nobody", "11")).await;
    assert_eq!(bench.engine.customer("nobody").await.unwrap_err().code(), Code::CustomerNotFound);
    bench.engine.track(&actor(), event("acme", "4")).await.unwrap();
    refused(&bench.engine, model("m", event("acme", "6.5"))).await;
    let bench = bench.reopen().await;
    let all = bench.engine.refusals(ListRefusals::default()).await.unwrap().data;
    let told: Vec<_> = all.iter().map(|refusal| refusal.call.customer_id.as_str()).collect();
    assert_eq!(told, ["acme", "nobody"]);
    let call = &all[0].call;
    assert_eq!((call.reason, &*call.event_type, all[0].at), (RefusalReason::LimitExceeded, "call", at(NOW)));
    assert_eq!((call.values["tokens"], &*call.dimensions["model"]), (quantity("6.5"), "m"));
    assert_eq!((call.limits[0].id, call.limits[0].used), (id, quantity("4")));
    for (customer, limit, expected) in [(Some("acme"), None, 1), (Some("none"), None, 0), (None, Some(id), 2)] {
        let list =
            ListRefusals { customer_id: customer.map(str::to_owned), limit_id: limit, ..ListRefusals::default() };
        assert_eq!(bench.engine.refusals(list).await.unwrap().data.len(), expected, "{customer:?} {limit:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn however_many_call_at_once_exactly_the_limit_is_admitted() {
    for round in 0..5 {
        let bench = Bench::open_at(NOW).await;
        let meter = bench.meter("calls", Aggregation::Count, "*").await;
        bench.engine.create_limit(&actor(), limit("all", meter, "50", Period::AllTime)).await.unwrap();
        let small = NewLimit {
            dimension_filters: BTreeMap::from([("model".to_owned(), "small".to_owned())]),
            ..limit("small", meter, "20", Period::Day)
        };
        bench.engine.create_limit(&actor(), small).await.unwrap();
        let tasks: Vec<_> = (0..500)
            .map(|n| {
                let engine = bench.engine.clone();
                let name = if n % 2 == 0 { "small" } else { "large" };
                tokio::spawn(async move {
                    let tracked = engine.track(&actor(), model(name, event("acme", "1"))).await;
                    (name, tracked.is_ok())
                })
            })
            .collect();
        let mut admitted = BTreeMap::from([("small", 0), ("large", 0)]);
        for task in tasks {
            let (name, ok) = task.await.unwrap();
            *admitted.get_mut(name).unwrap() += i32::from(ok);
        }
        assert_eq!(admitted["small"] + admitted["large"], 50, "round {round}");
        assert!(admitted["small"] <= 20, "round {round}: {admitted:?}");
        assert_eq!(bench.engine.events(ListEvents::default()).await.unwrap().data.len(), 50);
        bench.engine.close().await;
        assert!(doctor::examine(bench.dir.path()).await.unwrap().is_clean());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_window_long_over_is_not_overshot_either() {
    let bench = Bench::open_at(NOW).await;
    // Off the quarter hour until 1972: edges are read from events.
    let zone = Some(Zone::parse("Africa/Monrovia").unwrap());
    let new = NewCustomer { external_id: "acme".to_owned(), timezone: zone, ..NewCustomer::default() };
    bench.engine.create_customer(&actor(), new).await.unwrap();
    let meter = bench.meter("calls", Aggregation::Count, "*").await;
    bench.engine.create_limit(&actor(), limit("daily", meter, "10", Period::Day)).await.unwrap();
    let then = at("1971-05-05T00:20:00Z");
    bench.engine.record_batch(&actor(), vec![dated(then, event("acme", "1")); 4]).await.unwrap();
    let tasks: Vec<_> = (0..60)
        .map(|n| {
            let engine = bench.engine.clone();
            let when = Timestamp::from_micros(then.as_micros() + n * 60_000_000);
            tokio::spawn(async move { engine.track(&actor(), dated(when, event("acme", "1"))).await.is_ok() })
        })
        .collect();
    let mut admitted = BTreeMap::new();
    for (n, task) in tasks.into_iter().enumerate() {
        // Midnight in Monrovia was at 00:44:30 UTC.
        *admitted.entry(n >= 25).or_insert(0) += i32::from(task.await.unwrap());
    }
    assert_eq!(admitted, BTreeMap::from([(false, 6), (true, 10)]));
    assert_eq!(used(&bench.engine, "acme").await, [("daily".to_owned(), Quantity::ZERO)], "today is untouched");
}

/// One event of a random history.
#[derive(Clone, Debug)]
struct Step {
    tokens: i64,
    user: u8,
    model: bool,
    minutes_ago: i64,
    tracked: bool,
    pause: i64,
}

fn step() -> impl Strategy<Value = Step> {
    (-3..9_i64, 0..5_u8, any::<bool>(), 0..4_000_i64, prop::bool::weighted(0.8), 0..600_i64).prop_map(
        |(tokens, user, model, minutes_ago, tracked, pause)| Step {
            tokens,
            user,
            model,
            // Most are of the present.
            minutes_ago: if minutes_ago % 2 == 0 { 0 } else { minutes_ago },
            tracked,
            pause,
        },
    )
}

/// A limit, as the plain model has it.
struct Rule {
    name: &'static str,
    aggregation: Aggregation,
    field: Field,
    value: Quantity,
    period: Period,
    small: bool,
}

#[derive(Clone)]
struct Kept {
    id: EventId,
    at: Timestamp,
    values: BTreeMap<String, Quantity>,
    dimensions: BTreeMap<String, String>,
}

impl Kept {
    fn facts(&self) -> Facts<'_> {
        Facts {
            id: self.id,
            at: self.at,
            customer: "acme",
            event_type: "call",
            values: &self.values,
            dimensions: &self.dimensions,
        }
    }
}

/// Which limits refuse an event, from the whole history.
fn refusing(rules: &[Rule], zone: Zone, anchor: CivilDate, history: &[Kept], event: &Kept) -> HashSet<&'static str> {
    let counts = |rule: &Rule, event: &Kept| !rule.small || event.dimensions["model"] == "small";
    let refuses = |rule: &&Rule| {
        let window = rule.period.window(zone, anchor, event.at);
        let mut before = Aggregate::empty(rule.aggregation);
        for kept in history.iter().filter(|kept| counts(rule, kept)) {
            let carried = rule.aggregation == Aggregation::Latest && window.end.is_none_or(|end| kept.at < end);
            if (carried || window.contains(kept.at))
                && let Some(part) = rule.field.of(&kept.facts())
            {
                before.add(&part).unwrap();
            }
        }
        let part = rule.field.of(&event.facts()).filter(|_| counts(rule, event));
        !admits(&before, part.as_ref(), rule.value).unwrap()
    };
    rules.iter().filter(refuses).map(|rule| rule.name).collect()
}

async fn follow(steps: Vec<Step>, zone: &str) {
    let mut bench = Bench::open_at("2026-03-29T00:10:00Z").await;
    let (zone, anchor) = (Zone::parse(zone).unwrap(), "2026-01-31".parse::<CivilDate>().unwrap());
    let new = NewCustomer {
        external_id: "acme".to_owned(),
        timezone: Some(zone),
        billing_cycle_start: Some(anchor.to_string()),
        ..NewCustomer::default()
    };
    bench.engine.create_customer(&actor(), new).await.unwrap();
    let rules: Vec<Rule> = [
        ("sum", Aggregation::Sum, "values.tokens", "20", Period::Day, false),
        ("sum small", Aggregation::Sum, "values.tokens", "9", Period::Hour, true),
        ("count", Aggregation::Count, "*", "9", Period::Month, true),
        ("max", Aggregation::Max, "values.tokens", "7", Period::Day, false),
        ("latest", Aggregation::Latest, "values.tokens", "6", Period::Day, true),
        ("unique", Aggregation::Unique, "dimensions.user", "3", Period::Week, false),
    ]
    .map(|(name, aggregation, field, value, period, small)| Rule {
        name,
        aggregation,
        field: Field::parse(aggregation, field).unwrap(),
        value: quantity(value),
        period,
        small,
    })
    .into();
    for rule in &rules {
        let meter = bench.meter(rule.name, rule.aggregation, &rule.field.to_string()).await;
        let mut new = limit(rule.name, meter, &rule.value.to_string(), rule.period);
        if rule.small {
            new.dimension_filters = BTreeMap::from([("model".to_owned(), "small".to_owned())]);
        }
        bench.engine.create_limit(&actor(), new).await.unwrap();
    }
    let mut history: Vec<Kept> = Vec::new();
    for (n, step) in steps.into_iter().enumerate() {
        bench.clock.set(Timestamp::from_micros(bench.engine.now().as_micros() + step.pause * 60_000_000));
        if n % 17 == 16 {
            bench = bench.reopen().await;
        }
        let now = bench.engine.now();
        let backdated =
            (step.minutes_ago > 0).then(|| Timestamp::from_micros(now.as_micros() - step.minutes_ago * 60_000_000));
        let mut kept = Kept {
            id: EventId::new(uuid::Uuid::max()),
            at: backdated.unwrap_or(now),
            values: BTreeMap::from([("tokens".to_owned(), Quantity::from_int(step.tokens))]),
            dimensions: BTreeMap::from([
                ("model".to_owned(), if step.model { "small" } else { "large" }.to_owned()),
                ("user".to_owned(), format!("u{}", step.user)),
            ]),
        };
        let input = EventInput {
            customer_id: "acme".to_owned(),
            event_type: "call".to_owned(),
            values: kept.values.clone(),
            dimensions: kept.dimensions.clone(),
            timestamp: backdated,
            ..EventInput::default()
        };
        if !step.tracked {
            kept.id = bench.engine.record(&actor(), input).await.unwrap().id;
            history.push(kept);
            continue;
        }
        let expected = refusing(&rules, zone, anchor, &history, &kept);
        match bench.engine.track(&actor(), input).await {
            Ok(tracked) => {
                assert!(expected.is_empty(), "step {n}: admitted although {expected:?} refuse");
                kept.id = tracked.id;
                history.push(kept);
            }
            Err(Error::Refused(refused)) => {
                let names: HashSet<&str> = refused.limits.iter().map(|limit| &*limit.name).collect();
                assert_eq!(names, expected, "step {n}");
            }
            Err(error) => panic!("step {n}: {error}"),
        }
    }
    let total = bench.engine.events(ListEvents { limit: PageSize::MAX, ..ListEvents::default() }).await.unwrap();
    assert_eq!(total.data.len(), history.len().min(100));
    bench.engine.close().await;
    assert!(doctor::examine(bench.dir.path()).await.unwrap().is_clean());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn tracking_decides_as_the_whole_history_does(
        steps in prop::collection::vec(step(), 1..60),
        zone in prop::sample::select(vec!["UTC", "Europe/Paris", "Asia/Kathmandu", "America/Los_Angeles"]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(follow(steps, zone));
    }
}

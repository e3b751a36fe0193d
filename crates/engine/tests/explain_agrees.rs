//! Explaining, in random worlds: the answer is the one that a check gives, and the one that tracking then takes.

mod common;

use std::collections::BTreeMap;

use common::{Bench, actor, limit};
use proptest::prelude::*;
use weir_core::aggregate::Aggregation;
use weir_core::event::EventInput;
use weir_core::filter::EventFilter;
use weir_core::id::LimitId;
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::rate::RateSpan;
use weir_core::time::Timestamp;
use weir_engine::model::{
    Check, CheckRates, CheckedLimit, Enforcement, ExplainedLimit, LimitStatus, NewLimit, NewMeter, NewRateLimit,
    RefusalReason, Verdict,
};
use weir_engine::{Engine, Error};

const NOW: &str = "2026-03-10T12:00:00Z";

fn dimensions(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A limit of a random world.
#[derive(Clone, Debug)]
struct Rule {
    meter: usize,
    value: i64,
    period: Period,
    own: bool,
    soft: bool,
    enabled: bool,
    filter: usize,
}

#[derive(Clone, Debug)]
struct Rate {
    window: RateSpan,
    value: u64,
    own: bool,
    filter: usize,
}

/// Something that happens or is asked.
#[derive(Clone, Debug)]
struct Step {
    pause: i64,
    customer: bool,
    event_type: Option<usize>,
    tokens: Option<i64>,
    model: Option<usize>,
    user: Option<u8>,
    given: bool,
    record: bool,
}

const TYPES: [&str; 2] = ["call", "chat"];
const MODELS: [&str; 2] = ["small", "large"];

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let rule = (
        0..7_usize,
        prop_oneof![1..4_i64, 1..15_i64],
        prop::sample::select(vec![Period::Hour, Period::Day, Period::AllTime]),
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.85),
        0..4_usize,
    )
        .prop_map(|(meter, value, period, own, soft, enabled, filter)| Rule {
            meter,
            value,
            period,
            own,
            soft,
            enabled,
            filter,
        });
    prop::collection::vec(rule, 1..14)
}

fn rates() -> impl Strategy<Value = Vec<Rate>> {
    let rate = (prop::sample::select(RateSpan::ALL.to_vec()), 1..6_u64, any::<bool>(), 0..4_usize)
        .prop_map(|(window, value, own, filter)| Rate { window, value, own, filter });
    prop::collection::vec(rate, 0..4)
}

fn step() -> impl Strategy<Value = Step> {
    (
        prop_oneof![3 => 0..10_i64, 1 => 0..200_i64],
        prop::bool::weighted(0.9),
        prop::option::weighted(0.8, 0..2_usize),
        prop::option::weighted(0.8, -3..9_i64),
        prop::option::weighted(0.6, prop_oneof![3 => Just(0_usize), 1 => Just(1)]),
        prop::option::of(0..5_u8),
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(pause, customer, event_type, tokens, model, user, given, record)| Step {
            pause,
            customer,
            event_type,
            tokens,
            model,
            user,
            given,
            record,
        })
}

fn filters(which: usize) -> BTreeMap<String, String> {
    match which {
        1 => dimensions(&[("model", "small")]),
        2 => dimensions(&[("event_type", "call")]),
        3 => dimensions(&[("user", "u1"), ("customer_id", "acme")]),
        _ => BTreeMap::new(),
    }
}

impl Step {
    fn dimensions(&self) -> BTreeMap<String, String> {
        let model = self.model.map(|model| ("model".to_owned(), MODELS[model].to_owned()));
        model.into_iter().chain(self.user.map(|user| ("user".to_owned(), format!("u{user}")))).collect()
    }

    fn customer(&self) -> String {
        if self.customer { "acme" } else { "stranger" }.to_owned()
    }

    fn question(&self) -> Check {
        Check {
            customer_id: self.customer(),
            dimensions: self.given.then(|| self.dimensions()),
            event_type: self.event_type.map(|event_type| TYPES[event_type].to_owned()),
            values: self.tokens.map(|tokens| BTreeMap::from([("tokens".to_owned(), Quantity::from_int(tokens))])),
        }
    }

    fn event(&self) -> EventInput {
        let asked = self.question();
        EventInput {
            customer_id: asked.customer_id,
            event_type: asked.event_type.unwrap_or_else(|| "call".to_owned()),
            values: asked.values.unwrap_or_default(),
            dimensions: asked.dimensions.unwrap_or_default(),
            ..EventInput::default()
        }
    }
}

fn as_checked(limit: &ExplainedLimit) -> CheckedLimit {
    let usage = limit.usage.clone().expect("the usage of a limit that applies");
    CheckedLimit {
        id: limit.limit_id,
        name: limit.name.clone(),
        meter_id: limit.meter_id,
        period: limit.period,
        limit: limit.limit,
        used: usage.used,
        held: usage.held,
        remaining: usage.remaining,
        exceeded: usage.exceeded,
        reset: usage.window_end.map(Timestamp::unix_seconds_ceil),
    }
}

fn sorted<T: Ord + Copy>(ids: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut ids: Vec<T> = ids.into_iter().collect();
    ids.sort_unstable();
    ids
}

/// Asks one question at every door, and then does what was asked about.
async fn ask(engine: &Engine, step: &Step, live: &[(LimitId, bool)]) {
    let question = step.question();
    let told = engine.explain(question.clone()).await.unwrap();
    let checked = engine.check(question.clone()).await.unwrap();
    assert_eq!(told.allowed, checked.allowed, "{question:?}");
    let applying: Vec<_> = told.limits.iter().filter(|limit| limit.status == LimitStatus::Applies).collect();
    assert_eq!(applying.iter().map(|limit| as_checked(limit)).collect::<Vec<_>>(), checked.limits);
    assert_eq!(told.allowed, !told.limits.iter().any(|limit| limit.refuses));
    for limit in &told.limits {
        assert_eq!(limit.verdict.is_some(), limit.status == LimitStatus::Applies);
        let against = matches!(limit.verdict, Some(Verdict::UsedUp | Verdict::WouldExceed));
        assert_eq!(limit.refuses, against && limit.enforcement == Enforcement::Hard, "{limit:?}");
        assert!(
            limit.mismatch.is_none() || matches!(limit.status, LimitStatus::FilteredOut | LimitStatus::OtherEventType)
        );
    }
    let all = sorted(told.limits.iter().map(|limit| limit.limit_id));
    let customers = live.iter().filter(|(_, own)| !own || step.customer).map(|(id, _)| *id);
    assert_eq!(all, sorted(customers), "every limit is told once");

    let rates = CheckRates {
        customer_id: question.customer_id.clone(),
        dimensions: question.dimensions.clone(),
        event_type: question.event_type.clone(),
    };
    let asked = engine.check_rates(&rates).unwrap();
    let applying: Vec<_> = told.rate_limits.iter().filter(|rate| rate.applies).collect();
    assert_eq!(
        sorted(applying.iter().map(|rate| rate.standing.id)),
        sorted(asked.rate_limits.iter().map(|rate| rate.id))
    );
    assert_eq!(asked.allowed, !told.rate_limits.iter().any(|rate| rate.refuses));
    assert!(told.rate_limits.iter().all(|rate| rate.applies == rate.mismatch.is_none()));

    let complete = question.event_type.is_some() && question.values.is_some();
    assert_eq!(told.track.is_some(), complete);
    let Some(decision) = told.track else { return };
    match engine.track(&actor(), step.event()).await {
        Ok(_) => assert!(
            decision.admitted
                && decision.reason.is_none()
                && decision.limits.is_empty()
                && decision.rate_limits.is_empty()
        ),
        Err(Error::Refused(refused)) => {
            let reason = if refused.rate_limits.is_empty() {
                RefusalReason::LimitExceeded
            } else {
                RefusalReason::CustomerRateLimited
            };
            assert_eq!((decision.admitted, decision.reason), (false, Some(reason)));
            assert_eq!(sorted(decision.limits), sorted(refused.limits.iter().map(|limit| limit.id)));
            assert_eq!(sorted(decision.rate_limits), sorted(refused.rate_limits.iter().map(|rate| rate.id)));
        }
        Err(error) => panic!("{error}"),
    }
}

async fn follow(rules: Vec<Rule>, rates: Vec<Rate>, steps: Vec<Step>) {
    let bench = Bench::open_at(NOW).await;
    let mut meters = Vec::new();
    for (name, aggregation, field, event_type, model) in [
        ("sum", Aggregation::Sum, "values.tokens", None, None),
        ("sum of calls", Aggregation::Sum, "values.tokens", Some("call"), None),
        ("count of small", Aggregation::Count, "*", None, Some("small")),
        ("count", Aggregation::Count, "*", None, None),
        ("max", Aggregation::Max, "values.tokens", None, None),
        ("latest", Aggregation::Latest, "values.tokens", None, None),
        ("unique", Aggregation::Unique, "dimensions.user", None, None),
    ] {
        let new = NewMeter {
            name: name.to_owned(),
            description: None,
            aggregation,
            field: field.to_owned(),
            event_filter: EventFilter {
                event_type: event_type.map(str::to_owned),
                dimensions: model.map(|model| ("model".to_owned(), model.to_owned())).into_iter().collect(),
            },
            group_by: Vec::new(),
            unit: None,
        };
        meters.push(bench.engine.create_meter(&actor(), new).await.unwrap().id);
    }
    let mut live = Vec::new();
    for (n, rule) in rules.into_iter().enumerate() {
        let new = NewLimit {
            customer_id: rule.own.then(|| "acme".to_owned()),
            enforcement: if rule.soft { Enforcement::Soft } else { Enforcement::Hard },
            enabled: rule.enabled,
            dimension_filters: filters(rule.filter),
            ..limit(&format!("l{n}"), meters[rule.meter], &rule.value.to_string(), rule.period)
        };
        live.push((bench.engine.create_limit(&actor(), new).await.unwrap().id, rule.own));
    }
    for (n, rate) in rates.into_iter().enumerate() {
        let new = NewRateLimit {
            name: format!("r{n}"),
            window: rate.window,
            limit_value: rate.value,
            dimension_filters: filters(rate.filter),
            customer_id: rate.own.then(|| "acme".to_owned()),
            enabled: true,
        };
        bench.engine.create_rate_limit(&actor(), new).await.unwrap();
    }
    for step in steps {
        bench.clock.set(Timestamp::from_micros(bench.engine.now().as_micros() + step.pause * 60_000_000));
        if step.record {
            bench.engine.record(&actor(), step.event()).await.unwrap();
        } else {
            ask(&bench.engine, &step, &live).await;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    #[test]
    fn what_is_explained_is_what_is_checked_and_then_tracked(
        rules in rules(),
        rates in rates(),
        steps in prop::collection::vec(step(), 1..70),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(follow(rules, rates, steps));
    }
}

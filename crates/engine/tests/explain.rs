//! Explaining: what makes a request be answered as it is.

mod common;

use std::collections::BTreeMap;

use common::{Bench, actor, at, check, event, limit, quantity};
use weir_core::aggregate::Aggregation;
use weir_core::event::EventInput;
use weir_core::filter::EventFilter;
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;
use weir_engine::model::{
    Check, Enforcement, ExplainedLimit, Explanation, FilterOwner, LimitStatus, NewLimit, NewMeter, RefusalReason,
    Source, Verdict,
};

const NOW: &str = "2026-03-10T12:00:00Z";

fn dimensions(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn tokens(amount: &str) -> Option<BTreeMap<String, Quantity>> {
    Some(BTreeMap::from([("tokens".to_owned(), quantity(amount))]))
}

fn call(customer: &str, amount: &str, given: &[(&str, &str)]) -> Check {
    Check {
        event_type: Some("call".to_owned()),
        values: tokens(amount),
        dimensions: Some(dimensions(given)),
        ..check(customer)
    }
}

fn named<'a>(explanation: &'a Explanation, name: &str) -> &'a ExplainedLimit {
    explanation.limits.iter().find(|limit| limit.name == name).unwrap_or_else(|| panic!("no {name} in {explanation:?}"))
}

fn values(limit: &ExplainedLimit) -> Vec<String> {
    limit.events.iter().map(|event| event.value.map_or_else(|| "-".to_owned(), |value| value.to_string())).collect()
}

#[tokio::test]
async fn each_limit_says_what_it_makes_of_a_call() {
    let bench = Bench::open_at(NOW).await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    let calls = NewMeter {
        name: "chats".to_owned(),
        description: None,
        aggregation: Aggregation::Count,
        field: "*".to_owned(),
        event_filter: EventFilter { event_type: Some("chat".to_owned()), ..EventFilter::default() },
        group_by: Vec::new(),
        unit: None,
    };
    let chats = bench.engine.create_meter(&actor(), calls).await.unwrap().id;
    let cost = bench.meter("cost", Aggregation::Max, "values.cost").await;
    let own = |name, meter, value, period| NewLimit {
        customer_id: Some("acme".to_owned()),
        ..limit(name, meter, value, period)
    };
    let large =
        NewLimit { dimension_filters: dimensions(&[("model", "large")]), ..limit("large", meter, "5", Period::Day) };
    for new in [
        limit("daily", meter, "10", Period::Day),
        own("acme's daily", meter, "20", Period::Day),
        limit("monthly", meter, "8", Period::Month),
        NewLimit { enforcement: Enforcement::Soft, ..limit("soft", meter, "2", Period::Hour) },
        large,
        limit("chats", chats, "1", Period::Day),
        limit("cost", cost, "1", Period::Day),
        NewLimit { enabled: false, ..limit("off", meter, "1", Period::Annual) },
        NewLimit {
            customer_id: Some("other".to_owned()),
            enabled: false,
            ..limit("not ours", meter, "1", Period::Annual)
        },
    ] {
        bench.engine.create_limit(&actor(), new).await.unwrap();
    }
    bench.engine.record(&actor(), event("acme", "7")).await.unwrap();

    let told = bench.engine.explain(call("acme", "2.5", &[("model", "small")])).await.unwrap();
    assert_eq!((told.known, told.allowed, told.at), (true, false, at(NOW)));
    let told_track = told.track.as_ref().unwrap();
    assert_eq!((told_track.admitted, told_track.reason), (false, Some(RefusalReason::LimitExceeded)));
    assert_eq!(told_track.limits, [named(&told, "monthly").limit_id]);

    let verdict = |name| (named(&told, name).status, named(&told, name).verdict, named(&told, name).refuses);
    assert_eq!(verdict("monthly"), (LimitStatus::Applies, Some(Verdict::WouldExceed), true));
    assert_eq!(verdict("acme's daily"), (LimitStatus::Applies, Some(Verdict::Within), false));
    assert_eq!(
        verdict("soft"),
        (LimitStatus::Applies, Some(Verdict::WouldExceed), false),
        "a soft limit refuses nothing"
    );
    assert_eq!(verdict("cost"), (LimitStatus::Applies, Some(Verdict::NothingCounted), false));
    for (name, status) in [
        ("large", LimitStatus::FilteredOut),
        ("chats", LimitStatus::OtherEventType),
        ("daily", LimitStatus::Replaced),
        ("off", LimitStatus::Disabled),
    ] {
        assert_eq!(verdict(name), (status, None, false));
        assert!(named(&told, name).events.is_empty());
    }
    assert_eq!(told.limits.len(), 8, "other customers' limits are not told");
    let share = named(&told, "monthly").share.as_ref().unwrap();
    assert_eq!((share.value, share.before, share.after), (Some(quantity("2.5")), quantity("7"), quantity("9.5")));
    let usage = named(&told, "monthly").usage.as_ref().unwrap();
    assert_eq!(
        (usage.used, usage.remaining, usage.window_start),
        (quantity("7"), quantity("1"), Some(at("2026-03-10")))
    );
    let large = named(&told, "large").mismatch.as_ref().unwrap();
    assert_eq!(
        (large.of, &*large.dimension, &*large.wanted, large.given.as_deref()),
        (FilterOwner::Limit, "model", "large", Some("small"))
    );
    let chats = named(&told, "chats").mismatch.as_ref().unwrap();
    assert_eq!((chats.of, &*chats.wanted, chats.given.as_deref()), (FilterOwner::Meter, "chat", Some("call")));
    let daily = named(&told, "daily");
    assert_eq!((daily.source, &*daily.replaced_by.as_ref().unwrap().name), (Source::Default, "acme's daily"));

    // The customer as such: whatever is used up refuses.
    let told = bench.engine.explain(check("acme")).await.unwrap();
    assert_eq!((told.allowed, told.track.is_none()), (true, true));
    assert_eq!(named(&told, "soft").verdict, Some(Verdict::UsedUp));
    assert_eq!(named(&told, "large").status, LimitStatus::Applies);

    // Beyond a limit, a correction takes nothing further up.
    bench.engine.record(&actor(), event("acme", "7")).await.unwrap();
    let told = bench.engine.explain(call("acme", "-1", &[])).await.unwrap();
    assert_eq!((told.allowed, named(&told, "monthly").verdict), (true, Some(Verdict::NoFurther)));
}

#[tokio::test]
async fn a_customer_nobody_knows_is_explained_as_if_created_now() {
    let bench = Bench::open_at(NOW).await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.engine.create_limit(&actor(), limit("daily", meter, "10", Period::Day)).await.unwrap();
    let told = bench.engine.explain(call("nobody", "11", &[])).await.unwrap();
    assert_eq!((told.known, told.allowed), (false, false));
    assert_eq!(named(&told, "daily").usage.as_ref().unwrap().used, Quantity::ZERO);
    assert!(named(&told, "daily").events_complete);
    assert!(bench.engine.customer("nobody").await.is_err(), "to ask creates nobody");
}

#[tokio::test]
async fn the_events_that_weigh_most_are_told_by_the_aggregation() {
    let bench = Bench::open_at(NOW).await;
    for (name, aggregation, field) in [
        ("sum", Aggregation::Sum, "values.tokens"),
        ("max", Aggregation::Max, "values.tokens"),
        ("latest", Aggregation::Latest, "values.tokens"),
        ("count", Aggregation::Count, "*"),
        ("unique", Aggregation::Unique, "dimensions.user"),
    ] {
        let meter = bench.meter(name, aggregation, field).await;
        bench.engine.create_limit(&actor(), limit(name, meter, "1000", Period::Day)).await.unwrap();
    }
    let mut voided = None;
    for (n, amount) in ["3", "900", "40", "-5", "40", "7", "0.5", "8"].into_iter().enumerate() {
        let dated = EventInput {
            timestamp: Some(at(&format!("2026-03-10T0{n}:00:00Z"))),
            dimensions: dimensions(&[("user", &format!("u{n}"))]),
            ..event("acme", amount)
        };
        let recorded = bench.engine.record(&actor(), dated).await.unwrap();
        voided = voided.or((amount == "900").then_some(recorded.id));
    }
    // Of yesterday: no part of the day, but of what `latest` would carry into it.
    let yesterday = EventInput { timestamp: Some(at("2026-03-09T23:00:00Z")), ..event("acme", "999") };
    bench.engine.record(&actor(), yesterday).await.unwrap();
    bench.engine.void_event(&actor(), voided.unwrap(), None).await.unwrap();
    let told = bench.engine.explain(check("acme")).await.unwrap();
    assert!(told.limits.iter().all(|limit| limit.events_complete));
    assert_eq!(values(named(&told, "sum")), ["40", "40", "8", "7", "3"]);
    let [first, second, ..] = named(&told, "sum").events.as_slice() else { panic!() };
    assert!(first.timestamp > second.timestamp, "of two equally large the newer is first");
    assert_eq!(values(named(&told, "max")), ["40", "40", "8", "7", "3"]);
    assert_eq!(values(named(&told, "latest")), ["8", "0.5", "7", "40", "-5"]);
    assert_eq!(values(named(&told, "count")), ["1"; 5]);
    let members: Vec<_> = named(&told, "unique").events.iter().map(|event| event.member.clone().unwrap()).collect();
    assert_eq!(
        (members, values(named(&told, "unique"))),
        (["u7", "u6", "u5", "u4", "u3"].map(str::to_owned).into(), vec!["-".to_owned(); 5])
    );
}

#[tokio::test]
async fn only_so_many_events_are_looked_at_and_the_answer_says_so() {
    let bench = Bench::open_at(NOW).await;
    let sum = bench.meter("sum", Aggregation::Sum, "values.tokens").await;
    let count = bench.meter("count", Aggregation::Count, "*").await;
    bench.engine.create_limit(&actor(), limit("month", sum, "100000", Period::Month)).await.unwrap();
    bench.engine.create_limit(&actor(), limit("hour", sum, "100000", Period::Hour)).await.unwrap();
    bench.engine.create_limit(&actor(), limit("calls", count, "100000", Period::Month)).await.unwrap();
    let rare =
        NewLimit { dimension_filters: dimensions(&[("model", "rare")]), ..limit("rare", count, "9", Period::Month) };
    bench.engine.create_limit(&actor(), rare).await.unwrap();
    let dated = |when: Timestamp, amount: &str| EventInput { timestamp: Some(when), ..event("acme", amount) };
    bench.engine.record(&actor(), dated(at("2026-03-10T00:30:00Z"), "500")).await.unwrap();
    for n in 0..10 {
        let batch = (0..1000)
            .map(|m| dated(Timestamp::from_micros(at("2026-03-10T11:00:00Z").as_micros() + n * 1000 + m), "1"));
        bench.engine.record_batch(&actor(), batch.collect()).await.unwrap();
    }
    let told = bench.engine.explain(check("acme")).await.unwrap();
    let complete = |name| named(&told, name).events_complete;
    assert_eq!((complete("month"), complete("rare")), (false, false));
    assert_eq!((complete("hour"), complete("calls")), (true, true), "what was looked at is enough for these");
    assert_eq!(values(named(&told, "month")), ["1"; 5], "the 500 lie further back");
    assert_eq!(
        named(&told, "month").usage.as_ref().unwrap().used,
        quantity("10500"),
        "what is used is exact all the same"
    );
}

//! Questions to meters: what is refused, what is answered by default, and how breakdowns are cut.

mod common;

use std::collections::BTreeMap;

use common::{Bench, actor, at, event, quantity};
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::event::EventInput;
use weir_core::filter::EventFilter;
use weir_core::id::MeterId;
use weir_core::interval::Interval;
use weir_engine::Error;
use weir_engine::model::{Group, NewCustomer, PreviewMeter, QueryMeter};

fn used(customer: &str, tokens: &str, when: &str, model: Option<&str>) -> EventInput {
    EventInput {
        timestamp: Some(at(when)),
        dimensions: model.map(|model| ("model".to_owned(), model.to_owned())).into_iter().collect(),
        ..event(customer, tokens)
    }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn shown(groups: &[Group]) -> Vec<String> {
    let key = |group: &Group| {
        group
            .key
            .values()
            .map(|value| value.clone().unwrap_or_else(|| "(none)".to_owned()))
            .collect::<Vec<_>>()
            .join("+")
    };
    groups.iter().map(|group| format!("{}={}", key(group), group.value.unwrap())).collect()
}

#[tokio::test]
async fn what_is_wrong_with_a_question_is_named() {
    let bench = Bench::open().await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    let (from, to) = (Some(at("2026-03-01")), Some(at("2026-03-10")));
    let base = QueryMeter { from, to, ..QueryMeter::default() };
    let cases = [
        ("to", QueryMeter { from: to, to: from, ..base.clone() }),
        ("to", QueryMeter { to: from, ..base.clone() }),
        ("interval", QueryMeter { interval: Some(Interval::Minute), ..base.clone() }),
        ("interval", QueryMeter { interval: Some(Interval::Hour), from: Some(at("2020-01-01")), ..base.clone() }),
        ("groupLimit", QueryMeter { group_limit: Some(0), ..base.clone() }),
        ("groupLimit", QueryMeter { group_limit: Some(1_001), ..base.clone() }),
        ("groupBy", QueryMeter { group_by: names(&["a", "b", "c", "d"]), ..base.clone() }),
        ("groupBy", QueryMeter { group_by: names(&["a", "a"]), ..base.clone() }),
        ("groupBy[1]", QueryMeter { group_by: names(&["a", "b c"]), ..base.clone() }),
        (
            "dimensions.b c",
            QueryMeter { dimensions: BTreeMap::from([("b c".to_owned(), String::new())]), ..base.clone() },
        ),
    ];
    for (field, query) in cases {
        match bench.engine.query_meter(meter, query).await {
            Err(Error::Fault(fault)) => {
                assert_eq!(fault.code, Code::InvalidFieldValue);
                assert_eq!(fault.field.as_deref(), Some(field), "{}", fault.message);
            }
            other => panic!("`{field}` should be refused: {other:?}"),
        }
    }
    let unknown = QueryMeter { customer_id: Some("nobody".to_owned()), ..base.clone() };
    assert_eq!(bench.engine.query_meter(meter, unknown).await.unwrap_err().code(), Code::CustomerNotFound);
    let nowhere = MeterId::new(uuid::Uuid::from_u128(7));
    assert_eq!(bench.engine.query_meter(nowhere, base).await.unwrap_err().code(), Code::MeterNotFound);
}

#[tokio::test]
async fn without_a_range_the_data_tells_it() {
    let bench = Bench::open().await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    let largest = bench.meter("largest", Aggregation::Max, "values.tokens").await;
    let ask = async |meter, query| bench.engine.query_meter(meter, query).await.unwrap();
    let empty = ask(meter, QueryMeter { interval: Some(Interval::Day), ..QueryMeter::default() }).await;
    assert_eq!((empty.from, empty.to, empty.value, empty.points.len()), (None, None, Some(quantity("0")), 0));
    assert_eq!(ask(largest, QueryMeter::default()).await.value, None);
    let range = QueryMeter { from: Some(at("2026-03-01")), to: Some(at("2026-03-03")), ..QueryMeter::default() };
    let empty = ask(meter, QueryMeter { interval: Some(Interval::Day), ..range }).await;
    assert_eq!(empty.points.len(), 2, "a range that was asked for has its points, events or not");

    bench.engine.record(&actor(), used("acme", "1", "2026-03-09T10:07:00Z", None)).await.unwrap();
    bench.engine.record(&actor(), used("beta", "2", "2026-03-10T10:00:00Z", None)).await.unwrap();
    let answer = ask(meter, QueryMeter::default()).await;
    assert_eq!((answer.from, answer.to), (Some(at("2026-03-09T10:00:00Z")), Some(at("2026-03-10T10:15:00Z"))));
    let acme = QueryMeter { customer_id: Some("acme".to_owned()), ..QueryMeter::default() };
    let answer = ask(meter, acme.clone()).await;
    assert_eq!((answer.from, answer.to), (Some(at("2026-03-09T10:00:00Z")), Some(at("2026-03-09T10:15:00Z"))));
    let answer = ask(meter, QueryMeter { from: Some(at("2026-03-10")), ..acme }).await;
    assert_eq!((answer.from, answer.to), (answer.to, Some(at("2026-03-10"))), "nothing lies after");
    assert_eq!(answer.value, Some(quantity("0")));
}

#[tokio::test]
async fn a_series_is_cut_in_the_customers_zone() {
    let bench = Bench::open().await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    let zone = "Asia/Kathmandu".parse().ok();
    let new = NewCustomer { external_id: "acme".to_owned(), timezone: zone, ..NewCustomer::default() };
    bench.engine.create_customer(&actor(), new).await.unwrap();
    for when in ["2026-03-08T18:14:59Z", "2026-03-08T18:15:00Z"] {
        bench.engine.record(&actor(), used("acme", "1", when, None)).await.unwrap();
    }
    let range = (Some(at("2026-03-08T00:00:00Z")), Some(at("2026-03-10T00:00:00Z")));
    for (customer, expected) in [(Some("acme"), vec!["1", "1", "0"]), (None, vec!["2", "0"])] {
        let query = QueryMeter {
            customer_id: customer.map(str::to_owned),
            from: range.0,
            to: range.1,
            interval: Some(Interval::Day),
            ..QueryMeter::default()
        };
        let answer = bench.engine.query_meter(meter, query).await.unwrap();
        let values: Vec<_> = answer.points.iter().map(|point| point.value.unwrap().to_string()).collect();
        assert_eq!(values, expected);
    }
}

#[tokio::test]
async fn groups_come_largest_first_and_say_when_there_are_more() {
    let bench = Bench::open().await;
    let kept = bench.meter_by("kept", Aggregation::Sum, "values.tokens", &["model"]).await;
    let scanned = bench.meter("scanned", Aggregation::Sum, "values.tokens").await;
    for (customer, tokens, model) in [
        ("acme", "5", Some("a")),
        ("acme", "7", Some("b")),
        ("beta", "2", Some("a")),
        ("beta", "9", None),
        ("gamma", "-3", Some("c")),
    ] {
        let when = "2026-03-10T10:07:00Z";
        bench.engine.record(&actor(), used(customer, tokens, when, model)).await.unwrap();
    }
    // Off the grid, so that the edge is read from events.
    let from = Some(at("2026-03-10T10:05:00Z"));
    for meter in [kept, scanned] {
        for from in [None, from] {
            let ask = async |group_by: &[&str], group_limit| {
                let query = QueryMeter { from, group_by: names(group_by), group_limit, ..QueryMeter::default() };
                let answer = bench.engine.query_meter(meter, query).await.unwrap();
                (shown(&answer.groups), answer.more_groups)
            };
            let all = ["(none)=9", "a=7", "b=7", "c=-3"].map(str::to_owned).to_vec();
            assert_eq!(ask(&["model"], None).await, (all.clone(), false));
            assert_eq!(ask(&["model"], Some(4)).await, (all.clone(), false));
            assert_eq!(ask(&["model"], Some(2)).await, (all[..2].to_vec(), true));
            let customers = ["acme=12", "beta=11", "gamma=-3"].map(str::to_owned).to_vec();
            assert_eq!(ask(&["customer_id"], None).await, (customers.clone(), false));
            assert_eq!(ask(&["customer_id"], Some(1)).await, (customers[..1].to_vec(), true));
            assert_eq!(ask(&["model", "customer_id"], Some(1)).await.0, ["beta+(none)=9"], "keys are sorted by name");
        }
    }
}

#[tokio::test]
async fn a_dimension_with_too_many_values_to_keep_is_answered_from_events() {
    let bench = Bench::open().await;
    let meter = bench.meter_by("tokens", Aggregation::Sum, "values.tokens", &["model"]).await;
    let models: Vec<String> = (0..1_005).map(|number| format!("m{number:04}")).collect();
    for models in models.chunks(500) {
        let events = models.iter().map(|model| used("acme", "1", "2026-03-10T10:00:00Z", Some(model)));
        bench.engine.record_batch(&actor(), events.collect()).await.unwrap();
    }
    let query = QueryMeter { group_by: names(&["model"]), group_limit: Some(1_000), ..QueryMeter::default() };
    let answer = bench.engine.query_meter(meter, query).await.unwrap();
    assert_eq!((answer.groups.len(), answer.more_groups), (1_000, true));
    assert!(answer.groups.iter().all(|group| group.value == Some(quantity("1"))));
    let last = BTreeMap::from([("model".to_owned(), "m1004".to_owned())]);
    let answer =
        bench.engine.query_meter(meter, QueryMeter { dimensions: last, ..QueryMeter::default() }).await.unwrap();
    assert_eq!(answer.value, Some(quantity("1")));
    let report = weir_engine::doctor::examine(bench.dir.path()).await.unwrap();
    assert_eq!(report.differences, Vec::<String>::new());
}

#[tokio::test]
async fn an_answer_too_large_to_be_of_use_is_refused() {
    let bench = Bench::open().await;
    let meter = bench.meter_by("tokens", Aggregation::Sum, "values.tokens", &["model"]).await;
    let events = (0..200).map(|number| used("acme", "1", "2026-03-10T10:00:00Z", Some(&format!("m{number}"))));
    bench.engine.record_batch(&actor(), events.collect()).await.unwrap();
    for group_by in [names(&["model"]), names(&["model", "customer_id"])] {
        let query = QueryMeter {
            from: Some(at("2026-02-01")),
            to: Some(at("2026-03-12")),
            interval: Some(Interval::QuarterHour),
            group_by,
            ..QueryMeter::default()
        };
        let answer =
            bench.engine.query_meter(meter, QueryMeter { group_limit: Some(5), ..query.clone() }).await.unwrap();
        assert_eq!((answer.groups.len(), answer.groups[4].points.len()), (5, answer.points.len()));
        let Err(Error::Fault(fault)) = bench.engine.query_meter(meter, query).await else { panic!("too large") };
        assert_eq!(fault.field.as_deref(), Some("groupLimit"));
    }
}

#[tokio::test]
async fn an_archived_meter_still_answers() {
    let bench = Bench::open().await;
    let meter = bench.meter_by("tokens", Aggregation::Latest, "values.tokens", &["model"]).await;
    bench.engine.record(&actor(), used("acme", "3", "2026-03-10T10:00:00Z", Some("a"))).await.unwrap();
    bench.engine.archive_meter(&actor(), meter).await.unwrap();
    bench.engine.record(&actor(), used("acme", "4", "2026-03-10T10:30:00Z", Some("a"))).await.unwrap();
    let query = QueryMeter { group_by: names(&["model"]), ..QueryMeter::default() };
    let answer = bench.engine.query_meter(meter, query).await.unwrap();
    assert_eq!(answer.value, Some(quantity("4")));
    assert_eq!(shown(&answer.groups), ["a=4"]);
}

#[tokio::test]
async fn a_preview_shows_what_would_count() {
    let bench = Bench::open().await;
    for number in 0..8 {
        let when = format!("2026-03-10T10:0{number}:00Z");
        bench.engine.record(&actor(), used("acme", &number.to_string(), &when, Some("a"))).await.unwrap();
    }
    let preview = PreviewMeter {
        aggregation: Aggregation::Sum,
        field: "values.tokens".to_owned(),
        event_filter: EventFilter { event_type: Some("call".to_owned()), ..EventFilter::default() },
        group_by: Vec::new(),
        customer_id: None,
        from: None,
        to: Some(at("2026-03-10T10:07:00Z")),
        interval: None,
    };
    let answer = bench.engine.preview_meter(preview.clone()).await.unwrap();
    assert_eq!((answer.answer.meter_id, answer.answer.value, answer.matched_events), (None, Some(quantity("21")), 7));
    let sample: Vec<_> = answer.sample.iter().map(|event| event.values["tokens"].to_string()).collect();
    assert_eq!(sample, ["6", "5", "4", "3", "2"], "the newest five");
    let refused = async |preview: PreviewMeter| match bench.engine.preview_meter(preview).await {
        Err(Error::Fault(fault)) => fault.field,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(PreviewMeter { field: "tokens".to_owned(), ..preview.clone() }).await.as_deref(), Some("field"));
    let filter = EventFilter { event_type: Some(String::new()), ..EventFilter::default() };
    assert_eq!(
        refused(PreviewMeter { event_filter: filter, ..preview }).await.as_deref(),
        Some("eventFilter.eventType")
    );
}

#[tokio::test]
async fn values_too_large_for_a_total_are_an_error_and_never_wrap() {
    let bench = Bench::open().await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    let largest = "999999999999999999.999999999";
    let events = (0..500).map(|_| used("acme", largest, "2026-03-10T10:00:00Z", None));
    bench.engine.record_batch(&actor(), events.collect()).await.unwrap();
    let answer = bench.engine.query_meter(meter, QueryMeter::default()).await.unwrap();
    assert_eq!(answer.value.unwrap().to_string(), "499999999999999999999.9999995", "beyond what one event may hold");
}

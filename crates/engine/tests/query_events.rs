//! Events in lists and one by one, and what customers used.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Bench, actor, at, event, limit, quantity};
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::event::{Event, EventInput};
use weir_core::id::EventId;
use weir_core::period::Period;
use weir_engine::model::{Cursor, ListEvents, Page, PageSize};
use weir_engine::{Engine, Error};

fn text(map: &[(&str, &str)]) -> BTreeMap<String, String> {
    map.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn event_at(customer: &str, event_type: &str, when: &str, dimensions: &[(&str, &str)]) -> EventInput {
    EventInput {
        event_type: event_type.to_owned(),
        timestamp: Some(at(when)),
        dimensions: text(dimensions),
        ..event(customer, "1")
    }
}

fn size(rows: u8) -> PageSize {
    serde_json::from_value(rows.into()).expect("a page size")
}

async fn walk(engine: &Engine, list: &ListEvents) -> Vec<Event> {
    let (mut all, mut cursor) = (Vec::new(), None);
    for _ in 0..1_000 {
        let Page { data, next_cursor, has_more } =
            engine.events(ListEvents { cursor, ..list.clone() }).await.expect("a page");
        assert!(data.len() <= list.limit.rows());
        all.extend(data);
        assert_eq!(has_more, next_cursor.is_some());
        cursor = next_cursor;
        if !has_more {
            return all;
        }
    }
    panic!("a walk without end");
}

fn times(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| event.timestamp.to_string()).collect()
}

fn field(error: &Error) -> Option<&str> {
    match error {
        Error::Fault(fault) if fault.code == Code::InvalidFieldValue => fault.field.as_deref(),
        _ => None,
    }
}

#[tokio::test]
async fn a_customers_events_are_walked_by_time_and_everyones_by_arrival() {
    let bench = Bench::open().await;
    let hours = ["09", "11", "10", "10", "08"];
    for (index, hour) in hours.iter().enumerate() {
        let customer = if index == 4 { "beta" } else { "acme" };
        let input = event_at(customer, "call", &format!("2026-03-10T{hour}:00:00Z"), &[]);
        bench.engine.record(&actor(), input).await.unwrap();
    }
    for rows in 1..5 {
        let list = ListEvents { limit: size(rows), ..ListEvents::default() };
        let all = walk(&bench.engine, &list).await;
        assert!(all.is_sorted_by(|a, b| a.id > b.id), "newest recorded first");
        assert_eq!(all.len(), hours.len());
        let acme = walk(&bench.engine, &ListEvents { customer_id: Some("acme".to_owned()), ..list.clone() }).await;
        let expected = ["11", "10", "10", "09"].map(|hour| format!("2026-03-10T{hour}:00:00Z"));
        assert_eq!(times(&acme), expected);
        assert!(acme[1].id > acme[2].id, "of one instant the later recorded first");
        let range = ListEvents { from: Some(at("2026-03-10T09:00:00Z")), to: Some(at("2026-03-10T11:00:00Z")), ..list };
        assert_eq!(walk(&bench.engine, &range).await.len(), 3, "half-open");
        let acme = ListEvents { customer_id: Some("acme".to_owned()), ..range };
        assert_eq!(times(&walk(&bench.engine, &acme).await), expected[1..]);
    }
}

#[tokio::test]
async fn filters_take_every_dimension_the_built_in_two_included() {
    let bench = Bench::open().await;
    let when = "2026-03-10T10:00:00Z";
    for input in [
        event_at("acme", "call", when, &[("model", "large"), ("0", "zero"), ("a.b-c", "x")]),
        event_at("acme", "upload", when, &[("model", "large")]),
        event_at("beta", "call", when, &[("model", "\"quoted\" 'é' \\")]),
        event_at("beta", "call", when, &[]),
    ] {
        bench.engine.record(&actor(), input).await.unwrap();
    }
    let count = async |customer: Option<&str>, event_type: Option<&str>, dimensions: &[(&str, &str)]| {
        let list = ListEvents {
            customer_id: customer.map(str::to_owned),
            event_type: event_type.map(str::to_owned),
            dimensions: text(dimensions),
            limit: size(1),
            ..ListEvents::default()
        };
        walk(&bench.engine, &list).await.len()
    };
    assert_eq!(count(None, Some("call"), &[]).await, 3);
    assert_eq!(count(None, Some("unheard of"), &[]).await, 0);
    assert_eq!(count(None, None, &[("model", "large")]).await, 2);
    assert_eq!(count(None, Some("call"), &[("model", "large")]).await, 1);
    assert_eq!(count(None, None, &[("0", "zero")]).await, 1);
    assert_eq!(count(None, None, &[("a.b-c", "x"), ("model", "large")]).await, 1);
    assert_eq!(count(None, None, &[("model", "\"quoted\" 'é' \\")]).await, 1);
    assert_eq!(count(None, None, &[("customer_id", "beta")]).await, 2);
    assert_eq!(count(Some("acme"), None, &[("customer_id", "beta")]).await, 0);
    assert_eq!(count(Some("beta"), None, &[("customer_id", "beta"), ("event_type", "call")]).await, 2);
    assert_eq!(count(None, Some("call"), &[("event_type", "upload")]).await, 0);
    assert_eq!(count(None, None, &[("customer_id", "nobody")]).await, 0);
}

#[tokio::test]
async fn a_page_looks_at_so_many_events_and_the_walk_still_finds_all() {
    let bench = Bench::open().await;
    let start = at("2026-03-01T00:00:00Z");
    let mut rare = BTreeSet::new();
    for batch in 0..42 {
        let events = (0..1_000).map(|index| {
            let number = batch * 1_000 + index;
            let event_type = if [0, 1, 20_500, 41_999].contains(&number) { "rare" } else { "call" };
            let input = event_at("acme", event_type, "2026-03-01", &[]);
            EventInput { timestamp: Some(start.saturating_add_micros(number * 1_000_000)), ..input }
        });
        bench.engine.record_batch(&actor(), events.collect()).await.unwrap();
    }
    for customer in [None, Some("acme".to_owned())] {
        let list = ListEvents {
            customer_id: customer,
            event_type: Some("rare".to_owned()),
            limit: size(10),
            ..ListEvents::default()
        };
        let first = bench.engine.events(list.clone()).await.unwrap();
        assert_eq!((first.data.len(), first.has_more), (1, true), "a short page with more to come");
        let all = walk(&bench.engine, &list).await;
        assert_eq!(all.len(), 4);
        rare.insert(times(&all));
    }
    assert_eq!(rare.len(), 1, "both walks find the same");
    bench.engine.close().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_list_is_named() {
    let bench = Bench::open().await;
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    let refused = async |list: ListEvents| bench.engine.events(list).await.unwrap_err();
    for cursor in [Cursor::of(&["1"]), Cursor::of(&["x", "1"]), Cursor::of(&["1", "2", "3"])] {
        let list = ListEvents { customer_id: Some("acme".to_owned()), cursor: Some(cursor), ..ListEvents::default() };
        assert_eq!(field(&refused(list).await), Some("cursor"));
    }
    let list = ListEvents { cursor: Some(Cursor::of(&["1", "2"])), ..ListEvents::default() };
    assert_eq!(field(&refused(list).await), Some("cursor"), "of another list");
    let (early, late) = (at("2026-03-01"), at("2026-03-02"));
    let list = ListEvents { from: Some(late), to: Some(early), ..ListEvents::default() };
    assert_eq!(field(&refused(list).await), Some("to"));
    let list = ListEvents { event_type: Some(String::new()), ..ListEvents::default() };
    assert_eq!(field(&refused(list).await), Some("eventType"));
    let list = ListEvents { dimensions: text(&[("a b", "x")]), ..ListEvents::default() };
    assert_eq!(field(&refused(list).await), Some("dimensions.a b"));
    let list = ListEvents { customer_id: Some("nobody".to_owned()), ..ListEvents::default() };
    assert_eq!(refused(list).await.code(), Code::CustomerNotFound);
}

#[tokio::test]
async fn an_event_tells_what_it_counted_on() {
    let bench = Bench::open().await;
    let users = bench.meter("users", Aggregation::Unique, "dimensions.user").await;
    let largest = bench.meter("largest", Aggregation::Max, "values.tokens").await;
    let mut large = limit("large only", largest, "100", Period::Day);
    large.dimension_filters = text(&[("model", "large")]);
    bench.engine.create_limit(&actor(), large).await.unwrap();
    bench.engine.create_limit(&actor(), limit("everyone", users, "5", Period::Month)).await.unwrap();
    let properties = serde_json::from_str(r#"{"z": 1, "note": "hello"}"#).unwrap();
    let input = EventInput {
        properties: Some(properties),
        ..event_at("acme", "call", "2026-03-10T10:00:00.123456Z", &[("user", "u"), ("model", "small")])
    };
    let id = bench.engine.record(&actor(), input).await.unwrap().id;
    let detail = bench.engine.event(id).await.unwrap();
    assert_eq!(detail.event.customer_id, "acme");
    assert_eq!(detail.event.timestamp, at("2026-03-10T10:00:00.123456Z"));
    assert_eq!(detail.event.created_at, bench.engine.now());
    assert_eq!(detail.event.dimensions, text(&[("model", "small"), ("note", "hello"), ("user", "u")]));
    assert_eq!(detail.event.properties.as_json(), r#"{"note":"hello","z":1}"#);
    let meters: Vec<_> = detail.meters.iter().map(|meter| (meter.name.as_str(), meter.value)).collect();
    let one = Some(quantity("1"));
    assert_eq!(meters, [("total_events", one), ("total_tokens", one), ("users", None), ("largest", one)]);
    let limits: Vec<_> = detail.limits.iter().map(|limit| limit.name.as_str()).collect();
    assert_eq!(limits, ["everyone"], "the other limit is for another model");
    let unknown = EventId::new(uuid::Uuid::from_u128(7));
    assert_eq!(bench.engine.event(unknown).await.unwrap_err().code(), Code::EventNotFound);
}

#[tokio::test]
async fn a_voided_event_shows_only_when_asked_for_and_counts_on_nothing() {
    let bench = Bench::open().await;
    let id = bench.engine.record(&actor(), event("acme", "1")).await.unwrap().id;
    bench.engine.record(&actor(), event("acme", "2")).await.unwrap();
    bench.engine.void_event(&actor(), id, Some("mistake".to_owned())).await.unwrap();
    for customer_id in [None, Some("acme".to_owned())] {
        let list = ListEvents { customer_id, ..ListEvents::default() };
        assert_eq!(walk(&bench.engine, &list).await.len(), 1);
        let with = walk(&bench.engine, &ListEvents { include_voided: true, ..list }).await;
        assert_eq!(with.len(), 2);
        assert_eq!(with[1].void_reason.as_deref(), Some("mistake"));
        assert_eq!(with[1].voided_at, Some(bench.engine.now()));
    }
    assert!(bench.engine.event(id).await.unwrap().meters.is_empty());
}

#[tokio::test]
async fn summaries_count_by_type_on_and_off_the_grid() {
    let bench = Bench::open().await;
    for (customer, event_type, when, tokens) in [
        ("acme", "call", "2026-03-10T09:05:00Z", "0.1"),
        ("acme", "call", "2026-03-10T09:20:00Z", "0.2"),
        ("acme", "upload", "2026-03-10T09:50:00Z", "-7"),
        ("beta", "call", "2026-03-10T10:00:00Z", "4"),
    ] {
        let mut input = event_at(customer, event_type, when, &[]);
        input.values = BTreeMap::from([(format!("{event_type}.tokens"), quantity(tokens))]);
        bench.engine.record(&actor(), input).await.unwrap();
    }
    let summary = async |customer: Option<&str>, from: Option<&str>, to: Option<&str>| {
        let answer = bench.engine.summary(customer, from.map(at), to.map(at)).await.unwrap();
        let types = answer.types.iter().map(|counted| {
            let values: Vec<_> = counted.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{} {} {}", counted.event_type, counted.count, values.join(","))
        });
        (answer.total_events, types.collect::<Vec<_>>())
    };
    let expect = |total: u64, types: &[&str]| (total, types.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>());
    assert_eq!(summary(None, None, None).await, expect(4, &["call 3 call.tokens=4.3", "upload 1 upload.tokens=-7"]));
    assert_eq!(
        summary(Some("acme"), None, None).await,
        expect(3, &["call 2 call.tokens=0.3", "upload 1 upload.tokens=-7"])
    );
    let (from, to) = (Some("2026-03-10T09:05:00.000001Z"), Some("2026-03-10T09:50:00Z"));
    assert_eq!(summary(Some("acme"), from, to).await, expect(1, &["call 1 call.tokens=0.2"]));
    assert_eq!(summary(None, from, Some("2026-03-10T09:50:00.000001Z")).await.0, 2);
    assert_eq!(summary(None, None, Some("2026-01-01")).await, expect(0, &[]));
    let whole = bench.engine.summary(None, None, None).await.unwrap();
    assert_eq!((whole.from, whole.to), (Some(at("2026-03-10T09:00:00Z")), Some(at("2026-03-10T10:15:00Z"))));
    assert_eq!(bench.engine.summary(Some("nobody"), None, None).await.unwrap_err().code(), Code::CustomerNotFound);

    let totals = async |from: Option<&str>, to: Option<&str>| {
        let answer = bench.engine.usage_totals(from.map(at), to.map(at)).await.unwrap();
        (answer.events, answer.active_customers)
    };
    assert_eq!(totals(None, None).await, (4, 2));
    assert_eq!(totals(from, None).await, (3, 2));
    assert_eq!(totals(None, Some("2026-03-10T10:00:00Z")).await, (3, 1));
    // Between acme's first and last event, in a stretch without any.
    assert_eq!(totals(Some("2026-03-10T09:21:00Z"), Some("2026-03-10T09:49:00Z")).await, (0, 0));
    assert_eq!(totals(Some("2026-03-10T09:19:00Z"), Some("2026-03-10T09:49:00Z")).await, (1, 1));
    let refused = bench.engine.usage_totals(Some(at("2026-03-02")), Some(at("2026-03-01"))).await.unwrap_err();
    assert_eq!(field(&refused), Some("to"));
}

#[tokio::test]
async fn a_fresh_engine_answers_with_nothing() {
    let bench = Bench::open().await;
    let summary = bench.engine.summary(None, None, None).await.unwrap();
    assert_eq!((summary.from, summary.to, summary.total_events), (None, None, 0));
    let totals = bench.engine.usage_totals(None, None).await.unwrap();
    assert_eq!((totals.from, totals.events, totals.active_customers), (None, 0, 0));
    assert!(bench.engine.events(ListEvents::default()).await.unwrap().data.is_empty());
}

#[tokio::test]
async fn a_customers_usage_holds_every_live_meter() {
    let bench = Bench::open().await;
    bench.meter("users", Aggregation::Unique, "dimensions.user").await;
    bench.meter("mean", Aggregation::Avg, "values.tokens").await;
    let archived = bench.meter("archived", Aggregation::Max, "values.tokens").await;
    bench.engine.archive_meter(&actor(), archived).await.unwrap();
    for (user, when) in [("u1", "09:05"), ("u2", "09:20"), ("u1", "09:40")] {
        let input = event_at("acme", "call", &format!("2026-03-10T{when}:00Z"), &[("user", user)]);
        bench.engine.record(&actor(), input).await.unwrap();
    }
    bench.engine.record(&actor(), event("beta", "100")).await.unwrap();
    let usage = async |id: &str, from: Option<&str>, to: Option<&str>| {
        let answer = bench.engine.customer_usage(id, from.map(at), to.map(at)).await.unwrap();
        assert_eq!(answer.customer_id, "acme");
        let show = |value: Option<_>| {
            value.map_or("none".to_owned(), |value: weir_core::quantity::Quantity| value.to_string())
        };
        answer.meters.iter().map(|meter| format!("{}={}", meter.name, show(meter.value))).collect::<Vec<_>>().join(" ")
    };
    let all = "total_events=3 total_tokens=3 total_cost_cents=0 users=2 mean=1";
    assert_eq!(usage("acme", None, None).await, all);
    let internal = bench.engine.customer("acme").await.unwrap().id.to_string();
    assert_eq!(usage(&internal, None, None).await, all, "by internal id too");
    let edges = usage("acme", Some("2026-03-10T09:10:00Z"), Some("2026-03-10T09:40:00Z")).await;
    assert_eq!(edges, "total_events=1 total_tokens=1 total_cost_cents=0 users=1 mean=1");
    let nothing = usage("acme", Some("2026-03-10T09:41:00Z"), Some("2026-03-10T09:42:00Z")).await;
    assert_eq!(nothing, "total_events=0 total_tokens=0 total_cost_cents=0 users=0 mean=none");
    assert_eq!(bench.engine.customer_usage("nobody", None, None).await.unwrap_err().code(), Code::CustomerNotFound);
}

//! Summaries of usage: of each day, week and month that is over, told once, in the project's zone.

mod common;

use common::hooks::{body, types};
use common::{Bench, actor, at, event};
use serde_json::{Value, json};
use weir_core::aggregate::Aggregation;
use weir_core::quantity::Quantity;
use weir_core::time::{Timestamp, Zone};
use weir_engine::model::{ProjectPatch, QueryMeter, WebhookEventType};

const SUMMARY: &[WebhookEventType] = &[WebhookEventType::UsageSummary];

async fn open(now: &str, zone: &str) -> Bench {
    let bench = Bench::open_at(now).await;
    let patch = ProjectPatch { timezone: Some(Zone::parse(zone).unwrap()), ..ProjectPatch::default() };
    bench.engine.update_project(&actor(), patch).await.unwrap();
    bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.meter("largest", Aggregation::Max, "values.tokens").await;
    bench.meter("calls", Aggregation::Count, "*").await;
    bench
}

/// What is told by now, as the courier has it told.
async fn told(bench: &Bench) -> Vec<Value> {
    bench.engine.tell_summaries().await.unwrap();
    let sent = bench.deliver().await;
    assert!(types(&sent).iter().all(|kind| kind == "usage.summary"));
    sent.iter().map(|outgoing| body(outgoing)["data"].clone()).collect()
}

/// Interval, start and end.
fn spans(told: &[Value]) -> Vec<(String, Timestamp, Timestamp)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    told.iter()
        .map(|data| (text(&data["interval"]), at(&text(&data["windowStart"])), at(&text(&data["windowEnd"]))))
        .collect()
}

fn span(interval: &str, start: &str, end: &str) -> (String, Timestamp, Timestamp) {
    (interval.to_owned(), at(start), at(end))
}

/// Every number is the one that the meters answer.
async fn agrees(bench: &Bench, data: &Value) {
    let (_, start, end) = spans(std::slice::from_ref(data))[0].clone();
    let meters = data["meters"].as_array().unwrap();
    assert!(meters.len() >= 3);
    for meter in meters {
        let id = meter["meterId"].as_str().unwrap().parse().unwrap();
        let query = QueryMeter { from: Some(start), to: Some(end), ..QueryMeter::default() };
        let value = bench.engine.query_meter(id, query).await.unwrap().value;
        let told: Option<Quantity> = serde_json::from_str(&meter["value"].to_string()).unwrap();
        assert_eq!(told, value, "{meter}");
    }
    let totals = bench.engine.usage_totals(Some(start), Some(end)).await.unwrap();
    assert_eq!((&data["events"], &data["activeCustomers"]), (&json!(totals.events), &json!(totals.active_customers)));
}

fn value<'a>(data: &'a Value, meter: &str) -> &'a Value {
    &data["meters"].as_array().unwrap().iter().find(|each| each["meterName"] == meter).unwrap()["value"]
}

#[tokio::test]
async fn each_day_week_and_month_is_told_once_in_the_projects_zone_whatever_its_length() {
    // Clocks go forward in New York on the 8th of March 2026.
    let bench = open("2026-03-07T12:00:00Z", "America/New_York").await;
    bench.hook(Some(SUMMARY)).await;
    bench.hook(Some(&[WebhookEventType::LimitExceeded])).await;
    assert_eq!(bench.engine.tell_summaries().await.unwrap(), Some(at("2026-03-08T05:00:00Z")));
    assert_eq!(told(&bench).await.len(), 0, "nothing of before anybody wanted it");
    bench.record("acme", "10").await;
    bench.record("beta", "0.5").await;
    bench.clock.set(at("2026-03-08T04:59:59.999999Z"));
    assert_eq!(told(&bench).await.len(), 0);
    bench.clock.set(at("2026-03-08T05:00:00Z"));
    let day = told(&bench).await;
    assert_eq!(spans(&day), [span("day", "2026-03-07T05:00:00Z", "2026-03-08T05:00:00Z")]);
    assert_eq!(
        (&day[0]["events"], &day[0]["activeCustomers"], &day[0]["timezone"]),
        (&json!(2), &json!(2), &json!("America/New_York"))
    );
    assert_eq!(
        (value(&day[0], "tokens"), value(&day[0], "largest"), value(&day[0], "calls")),
        (&json!(10.5), &json!(10), &json!(2))
    );
    agrees(&bench, &day[0]).await;
    assert_eq!(told(&bench).await.len(), 0);
    let bench = bench.reopen().await;
    assert_eq!(told(&bench).await.len(), 0);
    bench.record("acme", "7").await;
    assert_eq!(bench.engine.tell_summaries().await.unwrap(), Some(at("2026-03-09T04:00:00Z")), "a day of 23 hours");
    bench.clock.set(at("2026-03-09T04:00:00Z"));
    let copy = Bench::open_copy(&bench).await;
    let mut ids = Vec::new();
    for bench in [&bench, &copy] {
        bench.engine.tell_summaries().await.unwrap();
        ids.push(bench.deliver().await.iter().map(|sent| (sent.message, sent.body.clone())).collect::<Vec<_>>());
    }
    assert_eq!(ids[0], ids[1], "told again after a crash, it is the same");
    let both: Vec<_> =
        ids[0].iter().map(|(_, body)| serde_json::from_str::<Value>(body).unwrap()["data"].clone()).collect();
    assert_eq!(
        spans(&both),
        [
            span("day", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"),
            span("week", "2026-03-02T05:00:00Z", "2026-03-09T04:00:00Z")
        ]
    );
    assert_eq!((value(&both[0], "tokens"), value(&both[1], "tokens")), (&json!(7), &json!(17.5)));
    for data in &both {
        agrees(&bench, data).await;
    }
    bench.clock.set(at("2026-04-01T04:00:00Z"));
    let month = told(&bench).await;
    let last = month.iter().find(|data| data["interval"] == "month").unwrap();
    assert_eq!(spans(std::slice::from_ref(last)), [span("month", "2026-03-01T05:00:00Z", "2026-04-01T04:00:00Z")]);
    assert_eq!(value(last, "tokens"), &json!(17.5));
    agrees(&bench, last).await;
}

#[tokio::test]
async fn after_weeks_closed_the_last_one_of_each_length_is_told() {
    let bench = open("2026-03-07T12:00:00Z", "UTC").await;
    bench.hook(Some(SUMMARY)).await;
    assert_eq!(told(&bench).await.len(), 0);
    bench.engine.record(&actor(), event("acme", "3")).await.unwrap();
    bench.clock.set(at("2026-04-22T09:00:00Z"));
    let bench = bench.reopen().await;
    let told_late = told(&bench).await;
    assert_eq!(
        spans(&told_late),
        [
            span("day", "2026-04-21T00:00:00Z", "2026-04-22T00:00:00Z"),
            span("week", "2026-04-13T00:00:00Z", "2026-04-20T00:00:00Z"),
            span("month", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
        ]
    );
    assert_eq!((value(&told_late[0], "tokens"), value(&told_late[0], "largest")), (&json!(0), &Value::Null));
    assert_eq!(value(&told_late[2], "tokens"), &json!(3));
    for data in &told_late {
        agrees(&bench, data).await;
    }
    assert_eq!(told(&bench).await.len(), 0);
}

#[tokio::test]
async fn nothing_is_told_of_a_time_in_which_nobody_wanted_to_know() {
    let bench = open("2026-03-10T12:00:00Z", "UTC").await;
    assert_eq!(bench.engine.tell_summaries().await.unwrap(), None);
    let first = bench.hook(Some(SUMMARY)).await;
    assert_eq!(told(&bench).await.len(), 0);
    bench.clock.set(at("2026-03-11T00:00:00Z"));
    assert_eq!(told(&bench).await.len(), 1);
    bench.engine.archive_webhook(&actor(), first).await.unwrap();
    assert_eq!(bench.engine.tell_summaries().await.unwrap(), None);
    bench.clock.set(at("2026-04-20T12:00:00Z"));
    let bench = bench.reopen().await;
    assert_eq!(bench.engine.tell_summaries().await.unwrap(), None);
    bench.hook(None).await;
    assert_eq!(told(&bench).await, Vec::<Value>::new(), "they ended before this one wanted to know");
    bench.clock.set(at("2026-04-21T00:00:00Z"));
    assert_eq!(spans(&told(&bench).await), [span("day", "2026-04-20T00:00:00Z", "2026-04-21T00:00:00Z")]);
}

#[tokio::test]
async fn another_zone_tells_no_interval_twice() {
    let bench = open("2026-03-10T12:00:00Z", "UTC").await;
    bench.hook(Some(SUMMARY)).await;
    assert_eq!(told(&bench).await.len(), 0);
    bench.clock.set(at("2026-03-11T00:00:00Z"));
    let mut seen = told(&bench).await.len();
    for (zone, now) in [
        ("Asia/Tokyo", "2026-03-11T01:00:00Z"),
        ("America/Los_Angeles", "2026-03-11T02:00:00Z"),
        ("UTC", "2026-03-11T03:00:00Z"),
    ] {
        bench.clock.set(at(now));
        let patch = ProjectPatch { timezone: Some(Zone::parse(zone).unwrap()), ..ProjectPatch::default() };
        bench.engine.update_project(&actor(), patch).await.unwrap();
        seen += told(&bench).await.len();
    }
    assert_eq!(seen, 1, "the day that was told lies within each of them");
    bench.clock.set(at("2026-03-12T00:00:00Z"));
    assert_eq!(spans(&told(&bench).await), [span("day", "2026-03-11T00:00:00Z", "2026-03-12T00:00:00Z")]);
}

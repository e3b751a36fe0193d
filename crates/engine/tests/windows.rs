//! Counters of limits over time: what windows they keep, and what they are recognised by.

mod common;

use common::{Bench, actor, at, check, event, limit, quantity};
use weir_core::aggregate::Aggregation;
use weir_core::event::EventInput;
use weir_core::period::Period;
use weir_engine::model::{LimitPatch, NewLimit, ProjectPatch};

async fn used(bench: &Bench, customer: &str) -> Vec<(String, String)> {
    let answer = bench.engine.check(check(customer)).await.unwrap();
    let mut used: Vec<_> = answer.limits.into_iter().map(|limit| (limit.name, limit.used.to_string())).collect();
    used.sort();
    used
}

fn one(name: &str, used: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), used.to_owned())]
}

fn at_time(customer: &str, tokens: &str, time: &str) -> EventInput {
    EventInput { timestamp: Some(at(time)), ..event(customer, tokens) }
}

/// The counter of an earlier window is put away when the next window already has an event, and the current one has none yet.
#[tokio::test]
async fn an_event_ahead_does_not_hide_the_current_window() {
    for kind in [Aggregation::Sum, Aggregation::Max, Aggregation::Latest] {
        let bench = Bench::open_at("2026-03-10T10:00:00Z").await;
        let meter = bench.meter("tokens", kind, "values.tokens").await;
        bench.engine.create_limit(&actor(), limit("hourly", meter, "10", Period::Hour)).await.unwrap();
        bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
        bench.clock.set(at("2026-03-10T12:57:00Z"));
        bench.engine.record(&actor(), at_time("acme", "4", "2026-03-10T13:01:00Z")).await.unwrap();
        bench.engine.record(&actor(), event("acme", "7")).await.unwrap();
        assert_eq!(used(&bench, "acme").await, one("hourly", "7"), "{kind}");
        bench.clock.set(at("2026-03-10T13:00:00Z"));
        assert_eq!(used(&bench, "acme").await, one("hourly", "4"), "{kind}");
        let bench = bench.reopen().await;
        assert_eq!(used(&bench, "acme").await, one("hourly", "4"), "{kind}");
    }
}

/// After a restart, limits are numbered anew; no number may come twice for two ways of counting of one limit.
#[tokio::test]
async fn a_limit_changed_after_a_restart_is_counted_anew() {
    let bench = Bench::open_at("2026-03-10T12:00:00Z").await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    let mut ids = Vec::new();
    for (name, period) in [("a", Period::Hour), ("b", Period::Day), ("c", Period::Week), ("d", Period::Month)] {
        let own = NewLimit { customer_id: Some("acme".to_owned()), ..limit(name, meter, "100", period) };
        ids.push(bench.engine.create_limit(&actor(), own).await.unwrap().id);
    }
    bench.engine.record(&actor(), at_time("acme", "1", "2026-01-01T00:00:00Z")).await.unwrap();
    bench.engine.record(&actor(), at_time("acme", "2", "2026-03-10T11:59:00Z")).await.unwrap();
    for id in ids {
        let bench = Bench::open_copy(&bench).await;
        assert_eq!(used(&bench, "acme").await.len(), 4);
        let patch = LimitPatch { period: Some(Period::AllTime), ..LimitPatch::default() };
        bench.engine.update_limit(&actor(), id, patch).await.unwrap();
        let standing = bench.engine.customer_standing("acme").await.unwrap();
        let changed = standing.limits.iter().find(|limit| limit.limit_id == id).unwrap();
        assert_eq!(changed.used, quantity("3"), "{}", changed.name);
    }
}

/// Until 1972 Monrovia's midnight was at 00:44:30 UTC, off the quarter hours that usage is rolled up by.
#[tokio::test]
async fn windows_off_the_quarter_hour_are_counted_to_the_second() {
    for kind in [Aggregation::Sum, Aggregation::Max, Aggregation::Latest, Aggregation::Count] {
        let bench = Bench::open_at("1971-12-30T12:00:00Z").await;
        let field = if kind == Aggregation::Count { "*" } else { "values.tokens" };
        let meter = bench.meter("usage", kind, field).await;
        bench.engine.create_limit(&actor(), limit("daily", meter, "100", Period::Day)).await.unwrap();
        let monrovia = ProjectPatch { timezone: Some("Africa/Monrovia".parse().unwrap()), ..ProjectPatch::default() };
        bench.engine.update_project(&actor(), monrovia).await.unwrap();
        bench.clock.set(at("1971-12-31T20:00:00Z"));
        let times = ["00:44:29.999999", "00:44:30", "00:44:59", "00:45:00", "12:00:00"];
        for (time, tokens) in times.into_iter().zip(["16", "8", "4", "2", "1"]) {
            bench.engine.record(&actor(), at_time("acme", tokens, &format!("1971-12-31T{time}Z"))).await.unwrap();
        }
        let expected = match kind {
            Aggregation::Sum => "15",
            Aggregation::Max => "8",
            Aggregation::Latest => "1",
            _ => "4",
        };
        assert_eq!(used(&bench, "acme").await, one("daily", expected), "{kind}");
        let bench = bench.reopen().await;
        assert_eq!(used(&bench, "acme").await, one("daily", expected), "{kind}, counted anew");
    }
}

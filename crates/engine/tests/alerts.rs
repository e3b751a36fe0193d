//! Alerts: one for each limit, customer, window and threshold, whatever happens how often.

mod common;

use common::{Bench, actor, at, event, limit, quantity};
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::event::EventInput;
use weir_core::id::{EventId, LimitId, MeterId};
use weir_core::period::Period;
use weir_core::time::Zone;
use weir_engine::model::{
    AcknowledgeAll, Alert, AlertState, Change, CustomerPatch, LimitPatch, ListAlerts, NewLimit, NewRaise, PageSize,
    ProjectPatch, ResetUsage,
};
use weir_engine::{Engine, doctor};

const NOW: &str = "2026-03-10T12:00:00Z";
const OPEN: AlertState = AlertState::Open;
const ACKNOWLEDGED: AlertState = AlertState::Acknowledged;
const RESOLVED: AlertState = AlertState::Resolved;

async fn open_at(now: &str) -> (Bench, MeterId) {
    let bench = Bench::open_at(now).await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    (bench, meter)
}

fn told(at: &[u16], limit: NewLimit) -> NewLimit {
    NewLimit { alert_thresholds: at.to_vec(), ..limit }
}

async fn daily(bench: &Bench, meter: MeterId, thresholds: &[u16]) -> LimitId {
    let new = told(thresholds, limit("daily", meter, "100", Period::Day));
    bench.engine.create_limit(&actor(), new).await.unwrap().id
}

async fn record(bench: &Bench, customer: &str, tokens: &str) -> EventId {
    bench.engine.record(&actor(), event(customer, tokens)).await.unwrap().id
}

fn dated(when: &str, event: EventInput) -> EventInput {
    EventInput { timestamp: Some(at(when)), ..event }
}

/// Lets work in the background be done: each command that is served lets a chunk of it be.
async fn settle(engine: &Engine) {
    for _ in 0..8 {
        engine.update_project(&actor(), ProjectPatch::default()).await.unwrap();
    }
}

/// Every alert, oldest first.
async fn all(bench: &Bench) -> Vec<Alert> {
    settle(&bench.engine).await;
    let mut list = ListAlerts { limit: PageSize::MAX, ..ListAlerts::default() };
    let mut alerts = Vec::new();
    loop {
        let page = bench.engine.alerts(list.clone()).await.unwrap();
        alerts.extend(page.data);
        list.cursor = page.next_cursor;
        if list.cursor.is_none() {
            break;
        }
    }
    alerts.reverse();
    alerts
}

/// Customer, threshold and state of every alert, oldest first.
async fn alerts(bench: &Bench) -> Vec<(String, u16, AlertState)> {
    all(bench).await.into_iter().map(|alert| (alert.customer_id, alert.limit.unwrap().threshold, alert.state)).collect()
}

fn of(customer: &str, alerts: &[(u16, AlertState)]) -> Vec<(String, u16, AlertState)> {
    alerts.iter().map(|(threshold, state)| (customer.to_owned(), *threshold, *state)).collect()
}

#[tokio::test]
async fn a_threshold_is_told_once_and_exactly_when_it_is_reached() {
    let (bench, meter) = open_at(NOW).await;
    let id = daily(&bench, meter, &[80, 100]).await;
    record(&bench, "acme", "79.999999999").await;
    assert_eq!(alerts(&bench).await, []);
    record(&bench, "acme", "0.000000001").await;
    let alert = all(&bench).await[0].clone();
    let crossed = alert.limit.as_ref().unwrap();
    assert_eq!((crossed.id, crossed.threshold, alert.state), (id, 80, OPEN));
    assert_eq!((crossed.used, crossed.value, crossed.percentage), (quantity("80"), quantity("100"), quantity("80")));
    assert_eq!((alert.created_at, crossed.window_start), (at(NOW), Some(at("2026-03-10T00:00:00Z"))));
    for _ in 0..3 {
        record(&bench, "acme", "1").await;
    }
    assert_eq!(alerts(&bench).await, of("acme", &[(80, OPEN)]));
    record(&bench, "acme", "500").await;
    assert_eq!(alerts(&bench).await, of("acme", &[(80, OPEN), (100, OPEN)]));
    // Both by one event, and nobody else's.
    record(&bench, "beta", "100").await;
    assert_eq!(alerts(&bench).await.len(), 4);
    let bench = bench.reopen().await;
    record(&bench, "acme", "1").await;
    let copy = Bench::open_copy(&bench).await;
    record(&copy, "beta", "1").await;
    for bench in [bench, copy] {
        assert_eq!(alerts(&bench).await.len(), 4, "neither a restart nor a crash repeats one");
        bench.engine.close().await;
        assert!(doctor::examine(bench.dir.path()).await.unwrap().is_clean());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_call_at_once_each_threshold_is_told_once() {
    let (bench, meter) = open_at(NOW).await;
    let thresholds: Vec<u16> = (1..=20).map(|step| step * 5).collect();
    daily(&bench, meter, &thresholds).await;
    let callers = (0..32).map(|_| {
        let engine = bench.engine.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                // Beyond the limit, tracks are refused.
                let _ = engine.track(&actor(), event("acme", "1")).await;
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    let expected: Vec<_> = thresholds.iter().map(|threshold| (*threshold, OPEN)).collect();
    assert_eq!(alerts(&bench).await, of("acme", &expected));
}

#[tokio::test]
async fn the_end_of_a_window_resolves_and_the_next_one_tells_anew() {
    let (bench, meter) = open_at(NOW).await;
    daily(&bench, meter, &[50]).await;
    record(&bench, "acme", "50").await;
    // Minutes ahead, in the next window: told there.
    bench.clock.set(at("2026-03-10T23:58:00Z"));
    bench.engine.record(&actor(), dated("2026-03-11T00:01:00Z", event("acme", "60"))).await.unwrap();
    assert_eq!(alerts(&bench).await, of("acme", &[(50, OPEN), (50, OPEN)]));
    bench.clock.set(at("2026-03-11T00:00:00Z"));
    let page = bench.engine.alerts(ListAlerts::default()).await.unwrap().data;
    assert_eq!(page.iter().map(|alert| alert.state).collect::<Vec<_>>(), [OPEN, RESOLVED], "by the clock alone");
    assert_eq!(page[1].resolved_at, Some(at("2026-03-11T00:00:00Z")));
    let before = all(&bench).await;
    bench.clock.set(at("2026-03-13T00:00:00Z"));
    let bench = bench.reopen().await;
    assert_eq!(alerts(&bench).await, of("acme", &[(50, RESOLVED), (50, RESOLVED)]));
    assert_eq!(all(&bench).await[0], before[0]);
    // Of a window that is over, nothing is told.
    bench.engine.record(&actor(), dated("2026-03-12T12:00:00Z", event("acme", "99"))).await.unwrap();
    assert_eq!(alerts(&bench).await.len(), 2);
    record(&bench, "acme", "50").await;
    assert_eq!(alerts(&bench).await.len(), 3);
    assert_eq!(bench.engine.status().await.unwrap().open_alerts, 1);
}

#[tokio::test]
async fn a_void_below_resolves_and_reaching_it_again_reopens_silently() {
    let (bench, meter) = open_at(NOW).await;
    daily(&bench, meter, &[50, 100]).await;
    record(&bench, "acme", "40").await;
    let large = record(&bench, "acme", "70").await;
    bench.engine.acknowledge(&actor(), all(&bench).await[0].id).await.unwrap();
    bench.engine.void_event(&actor(), large, None).await.unwrap();
    assert_eq!(alerts(&bench).await, of("acme", &[(50, RESOLVED), (100, RESOLVED)]));
    let bench = bench.reopen().await;
    record(&bench, "acme", "10").await;
    assert_eq!(alerts(&bench).await, of("acme", &[(50, ACKNOWLEDGED), (100, RESOLVED)]), "no second one");
    // A correction is no other news than a void.
    record(&bench, "acme", "-10").await;
    assert_eq!(alerts(&bench).await, of("acme", &[(50, RESOLVED), (100, RESOLVED)]));
    record(&bench, "acme", "60").await;
    assert_eq!(alerts(&bench).await, of("acme", &[(50, ACKNOWLEDGED), (100, OPEN)]));
}

#[tokio::test]
async fn another_value_or_other_thresholds_are_judged_at_once() {
    let (bench, meter) = open_at(NOW).await;
    let own = NewLimit { customer_id: Some("acme".to_owned()), ..limit("own", meter, "100", Period::Day) };
    let id = bench.engine.create_limit(&actor(), told(&[80], own)).await.unwrap().id;
    record(&bench, "acme", "50").await;
    assert_eq!(alerts(&bench).await, []);
    let operator = actor();
    let change = |patch: LimitPatch| bench.engine.update_limit(&operator, id, patch);
    let value = |value: &str| LimitPatch { limit_value: Some(quantity(value)), ..LimitPatch::default() };
    change(value("60")).await.unwrap();
    assert_eq!(alerts(&bench).await, of("acme", &[(80, OPEN)]));
    change(value("55")).await.unwrap();
    assert_eq!(alerts(&bench).await, of("acme", &[(80, RESOLVED), (80, OPEN)]), "armed anew");
    change(value("1000")).await.unwrap();
    assert_eq!(alerts(&bench).await, of("acme", &[(80, RESOLVED), (80, RESOLVED)]));
    change(LimitPatch { alert_thresholds: Some(vec![5, 90]), ..LimitPatch::default() }).await.unwrap();
    let five = of("acme", &[(80, RESOLVED), (80, RESOLVED), (5, OPEN)]);
    assert_eq!(alerts(&bench).await, five);
    // What does not change what is counted or told, tells nothing.
    change(LimitPatch { name: Some("other".to_owned()), ..LimitPatch::default() }).await.unwrap();
    assert_eq!(alerts(&bench).await, five);
    let resolved = of("acme", &[(80, RESOLVED), (80, RESOLVED), (5, RESOLVED)]);
    change(LimitPatch { enabled: Some(false), ..LimitPatch::default() }).await.unwrap();
    assert_eq!(alerts(&bench).await, resolved);
    change(LimitPatch { enabled: Some(true), ..LimitPatch::default() }).await.unwrap();
    assert_eq!(alerts(&bench).await, five);
    bench.engine.archive_limit(&actor(), id).await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(alerts(&bench).await, resolved);
    bench.engine.restore_limit(&actor(), id).await.unwrap();
    assert_eq!(alerts(&bench).await, five, "the same one again");
}

#[tokio::test]
async fn a_new_default_is_judged_for_everyone_once_however_often_it_is_cut_off() {
    let (bench, meter) = open_at(NOW).await;
    let events = (0..1_200).map(|n| event(&format!("customer-{n:04}"), if n % 3 == 0 { "100" } else { "1" }));
    let events: Vec<_> = events.collect();
    for events in events.chunks(600) {
        bench.engine.record_batch(&actor(), events.to_vec()).await.unwrap();
    }
    daily(&bench, meter, &[80, 100]).await;
    // The first chunk may be done, the rest is not.
    let copy = Bench::open_copy(&bench).await;
    for bench in [bench, copy] {
        let bench = bench.reopen().await;
        let alerts = alerts(&bench).await;
        assert_eq!(alerts.len(), 800);
        let mut about: Vec<_> = alerts.iter().map(|(customer, threshold, _)| (customer, threshold)).collect();
        about.sort_unstable();
        about.dedup();
        assert_eq!(about.len(), 800);
        // A customer's own limit in its place: the default's alerts are of no use any more.
        let own = NewLimit { customer_id: Some("customer-0000".to_owned()), ..limit("own", meter, "101", Period::Day) };
        bench.engine.create_limit(&actor(), own).await.unwrap();
        assert_eq!(bench.engine.status().await.unwrap().open_alerts, 798);
    }
}

#[tokio::test]
async fn a_value_that_falls_and_rises_again_is_news() {
    let bench = Bench::open_at(NOW).await;
    let meter = bench.meter("seats", Aggregation::Latest, "values.tokens").await;
    daily(&bench, meter, &[80]).await;
    for (seats, expected) in [
        ("80", vec![(80, OPEN)]),
        ("90", vec![(80, OPEN)]),
        ("79", vec![(80, RESOLVED)]),
        ("80", vec![(80, RESOLVED), (80, OPEN)]),
        ("10", vec![(80, RESOLVED), (80, RESOLVED)]),
    ] {
        record(&bench, "acme", seats).await;
        assert_eq!(alerts(&bench).await, of("acme", &expected), "{seats}");
    }
    let bench = bench.reopen().await;
    record(&bench, "acme", "95").await;
    let all = all(&bench).await;
    assert_eq!(all.len(), 3);
    assert!(all[0].id != all[1].id && all[1].id != all[2].id && all[0].id != all[2].id);
}

#[tokio::test]
async fn a_raise_arms_anew_when_it_begins_and_when_it_ends() {
    let (bench, meter) = open_at(NOW).await;
    let id = daily(&bench, meter, &[100]).await;
    record(&bench, "acme", "110").await;
    record(&bench, "beta", "110").await;
    let raise = NewRaise {
        customer_id: "acme".to_owned(),
        limit_value: quantity("120"),
        until: at("2026-03-10T18:00:00Z"),
        note: "n".to_owned(),
    };
    bench.engine.raise_limit(&actor(), id, raise.clone()).await.unwrap();
    let states = |alerts: Vec<Alert>| {
        let mine = alerts.into_iter().filter(|alert| alert.customer_id == "acme");
        mine.map(|alert| (alert.limit.as_ref().unwrap().value.to_string(), alert.state)).collect::<Vec<_>>()
    };
    assert_eq!(states(all(&bench).await), [("100".to_owned(), RESOLVED)]);
    record(&bench, "acme", "10").await;
    let during = [("100".to_owned(), RESOLVED), ("120".to_owned(), OPEN)];
    assert_eq!(states(all(&bench).await), during);
    // Another one's ends by itself while the engine runs.
    let other = NewRaise { customer_id: "beta".to_owned(), until: at("2026-03-10T13:00:00Z"), ..raise };
    bench.engine.raise_limit(&actor(), id, other).await.unwrap();
    bench.clock.set(at("2026-03-10T13:00:00Z"));
    assert_eq!(alerts(&bench).await.last(), Some(&("beta".to_owned(), 100, OPEN)));
    assert_eq!(bench.engine.status().await.unwrap().open_alerts, 2);
    // It ends while nothing runs.
    bench.engine.close().await;
    bench.clock.set(at("2026-03-10T18:00:00Z"));
    let bench = bench.reopen().await;
    let after = [("100".to_owned(), RESOLVED), ("120".to_owned(), RESOLVED), ("100".to_owned(), OPEN)];
    assert_eq!(states(all(&bench).await), after, "the limit's own value is back, and reached");
    assert_eq!(states(all(&bench.reopen().await).await), after);
}

#[tokio::test]
async fn a_goodwill_reset_resolves() {
    let (bench, meter) = open_at(NOW).await;
    let id = daily(&bench, meter, &[80]).await;
    record(&bench, "acme", "80").await;
    let reset = ResetUsage { customer_id: "acme".to_owned(), note: "n".to_owned() };
    bench.engine.reset_usage(&actor(), id, reset).await.unwrap();
    assert_eq!(alerts(&bench).await, of("acme", &[(80, RESOLVED)]));
    record(&bench, "acme", "80").await;
    assert_eq!(alerts(&bench).await, of("acme", &[(80, OPEN)]), "the same window: one");
}

#[tokio::test]
async fn windows_that_are_cut_anew_repeat_nothing() {
    let (bench, meter) = open_at(NOW).await;
    daily(&bench, meter, &[50]).await;
    record(&bench, "acme", "60").await;
    record(&bench, "beta", "60").await;
    let moved = CustomerPatch { timezone: Change::Set(Zone::parse("Asia/Tokyo").unwrap()), ..CustomerPatch::default() };
    bench.engine.update_customer(&actor(), "acme", moved).await.unwrap();
    let first = all(&bench).await;
    assert_eq!(first.iter().map(|alert| alert.state).collect::<Vec<_>>(), [OPEN, OPEN]);
    assert_eq!(
        first[0].limit.as_ref().unwrap().window_end,
        Some(at("2026-03-10T15:00:00Z")),
        "it went over into the new window"
    );
    record(&bench, "acme", "1").await;
    let zone = ProjectPatch { timezone: Some(Zone::parse("America/New_York").unwrap()), ..ProjectPatch::default() };
    bench.engine.update_project(&actor(), zone).await.unwrap();
    record(&bench, "beta", "1").await;
    let all_of = all(&bench.reopen().await).await;
    assert_eq!(all_of.iter().map(|alert| alert.id).collect::<Vec<_>>(), [first[0].id, first[1].id]);
    assert_eq!(all_of[1].limit.as_ref().unwrap().window_end, Some(at("2026-03-11T04:00:00Z")));
}

#[tokio::test]
async fn alerts_are_found_and_acknowledged() {
    let (bench, meter) = open_at(NOW).await;
    let id = daily(&bench, meter, &[50, 100]).await;
    for customer in ["acme", "beta", "gamma"] {
        record(&bench, customer, "100").await;
    }
    let all = all(&bench).await;
    let list = |list: ListAlerts| {
        let engine = bench.engine.clone();
        async move { engine.alerts(list).await.unwrap().data.len() }
    };
    assert_eq!(list(ListAlerts { customer_id: Some("acme".to_owned()), ..ListAlerts::default() }).await, 2);
    assert_eq!(list(ListAlerts { customer_id: Some("nobody".to_owned()), ..ListAlerts::default() }).await, 0);
    assert_eq!(list(ListAlerts { limit_id: Some(id), ..ListAlerts::default() }).await, 6);
    assert_eq!(list(ListAlerts { from: Some(at("2026-03-10T12:00:00.000001Z")), ..ListAlerts::default() }).await, 0);
    let done = bench.engine.acknowledge(&actor(), all[1].id).await.unwrap();
    assert_eq!((done.state, done.acknowledged_at), (ACKNOWLEDGED, Some(at(NOW))));
    assert_eq!(done.acknowledged_by.as_ref().map(|by| by.kind.as_str()), Some("operator"));
    bench.clock.set(at("2026-03-10T12:00:01Z"));
    assert_eq!(bench.engine.acknowledge(&actor(), all[1].id).await.unwrap(), done, "the first one's");
    assert_eq!(list(ListAlerts { state: Some(ACKNOWLEDGED), ..ListAlerts::default() }).await, 1);
    assert_eq!(bench.engine.status().await.unwrap().open_alerts, 5);
    let upto = AcknowledgeAll { up_to: all[3].id, customer_id: None, limit_id: Some(id) };
    assert_eq!(bench.engine.acknowledge_all(&actor(), upto.clone()).await.unwrap().acknowledged, 3);
    assert_eq!(bench.engine.acknowledge_all(&actor(), upto).await.unwrap().acknowledged, 0);
    assert_eq!(
        list(ListAlerts { state: Some(OPEN), ..ListAlerts::default() }).await,
        2,
        "what came later was not seen"
    );
    let nothing = weir_core::id::AlertId::new(uuid::Uuid::nil());
    assert_eq!(bench.engine.acknowledge(&actor(), nothing).await.unwrap_err().code(), Code::AlertNotFound);
}

//! What endpoints are told: each thing once, in the transaction of its cause, to everyone who wants to know.

mod common;

use std::collections::BTreeSet;

use common::hooks::{body, of, types};
use common::purse::{Purse, debit, plain};
use common::{Bench, actor, at, event, limit, quantity};
use serde_json::json;
use weir_core::aggregate::Aggregation;
use weir_core::id::MeterId;
use weir_core::period::Period;
use weir_engine::doctor;
use weir_engine::model::{LimitPatch, NewBalance, NewLimit, TopUp, WebhookEventType, WebhookPatch};

const NOW: &str = "2026-03-10T12:00:00Z";
const REACHED: WebhookEventType = WebhookEventType::LimitThresholdReached;
const EXCEEDED: WebhookEventType = WebhookEventType::LimitExceeded;

async fn open() -> (Bench, MeterId) {
    let bench = Bench::open_at(NOW).await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    (bench, meter)
}

fn enabled(enabled: bool) -> WebhookPatch {
    WebhookPatch { enabled: Some(enabled), ..WebhookPatch::default() }
}

#[tokio::test]
async fn every_endpoint_that_wants_it_is_told_of_each_alert_once_under_one_id() {
    let (bench, meter) = open().await;
    bench.daily(meter, &[80, 100]).await;
    let all = bench.hook(None).await;
    let exceeded = bench.hook(Some(&[EXCEEDED])).await;
    let reached = bench.hook(Some(&[REACHED, WebhookEventType::BalanceLow])).await;
    let other = bench.hook(Some(&[WebhookEventType::BalanceLow, WebhookEventType::AlertsSummary])).await;
    let archived = bench.hook(None).await;
    bench.engine.archive_webhook(&actor(), archived).await.unwrap();
    bench.record("acme", "79.5").await;
    assert_eq!(bench.deliver().await.len(), 0);
    bench.record("acme", "0.5").await;
    bench.record("acme", "45").await;
    let sent = bench.deliver().await;
    assert_eq!(types(&of(&sent, all)), ["limit.threshold_reached", "limit.exceeded"]);
    assert_eq!(types(&of(&sent, exceeded)), ["limit.exceeded"]);
    assert_eq!(types(&of(&sent, reached)), ["limit.threshold_reached"]);
    assert_eq!((of(&sent, other).len(), of(&sent, archived).len()), (0, 0));
    let texts: BTreeSet<_> = sent.iter().map(|outgoing| (outgoing.message, outgoing.body.clone())).collect();
    assert_eq!(texts.len(), 2, "one id and one body for all");
    // Judged again, also by another process on the same file, and on a copy of it.
    bench.record("acme", "1").await;
    bench.settle().await;
    let copy = Bench::open_copy(&bench).await;
    let bench = bench.reopen().await;
    for bench in [bench, copy] {
        bench.record("acme", "1").await;
        bench.settle().await;
        assert_eq!(bench.deliver().await.len(), 0);
        bench.engine.close().await;
        assert!(doctor::examine(bench.dir.path()).await.unwrap().is_clean());
    }
}

#[tokio::test]
async fn a_message_says_what_happened_exactly() {
    let (bench, meter) = open().await;
    let own = NewLimit {
        customer_id: Some("acme \"über\"".to_owned()),
        alert_thresholds: vec![50],
        ..limit("own", meter, "0.3", Period::Month)
    };
    let id = bench.engine.create_limit(&actor(), own).await.unwrap().id;
    bench.hook(None).await;
    bench.record("acme \"über\"", "0.200000001").await;
    let outgoing = bench.only().await;
    let told = body(&outgoing);
    let alert = told["data"]["alertId"].clone();
    assert_eq!(
        told,
        json!({
            "id": outgoing.message.to_string(), "type": "limit.threshold_reached", "event": "limit.threshold_reached",
            "timestamp": at(NOW).to_string(),
            "data": {
                "alertId": alert, "projectId": bench.engine.project().await.unwrap().id,
                "customerId": "acme \"über\"", "customerName": null, "limitId": id, "limitName": "own", "threshold": 50,
                "limit": 0.3, "currentUsage": 0.200000001, "percentage": 66.66, "remaining": 0.099999999,
                "unit": null, "period": "month",
                "windowStart": "2026-03-10T00:00:00Z", "windowEnd": "2026-04-10T00:00:00Z",
            }
        })
    );
    assert!(alert.as_str().unwrap().starts_with("alr_") && told["id"].as_str().unwrap().starts_with("msg_"));
    // More than the limit leaves nothing, not less than nothing.
    bench.deliver().await;
    let operator = actor();
    let patch = LimitPatch { alert_thresholds: Some(vec![100]), ..LimitPatch::default() };
    bench.engine.update_limit(&operator, id, patch).await.unwrap();
    bench.record("acme \"über\"", "5").await;
    assert_eq!(body(&bench.only().await)["data"]["remaining"], json!(0));
}

#[tokio::test]
async fn the_same_crossing_has_the_same_id_wherever_it_is_judged() {
    let (bench, meter) = open().await;
    bench.daily(meter, &[100]).await;
    bench.hook(None).await;
    bench.record("acme", "1").await;
    let copy = Bench::open_copy(&bench).await;
    let mut told = Vec::new();
    for bench in [bench, copy] {
        bench.record("acme", "100").await;
        told.push(bench.only().await.message);
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn voids_and_what_is_reached_again_are_no_news() {
    let (bench, meter) = open().await;
    bench.daily(meter, &[100]).await;
    bench.hook(None).await;
    let large = bench.engine.record(&actor(), event("acme", "100")).await.unwrap().id;
    assert_eq!(types(&bench.deliver().await), ["limit.exceeded"]);
    bench.engine.void_event(&actor(), large, None).await.unwrap();
    let bench = bench.reopen().await;
    for tokens in ["100", "-50", "50"] {
        bench.record("acme", tokens).await;
    }
    bench.settle().await;
    assert_eq!(bench.deliver().await.len(), 0);
    // The next window is.
    bench.clock.set(at("2026-03-11T00:00:00Z"));
    bench.record("acme", "100").await;
    assert_eq!(types(&bench.deliver().await), ["limit.exceeded"]);
}

#[tokio::test]
async fn a_value_that_falls_and_rises_and_a_limit_armed_anew_are_news() {
    let bench = Bench::open_at(NOW).await;
    let meter = bench.meter("seats", Aggregation::Latest, "values.tokens").await;
    let new = NewLimit { alert_thresholds: vec![100], ..limit("seats", meter, "100", Period::Day) };
    let id = bench.engine.create_limit(&actor(), new).await.unwrap().id;
    bench.hook(None).await;
    let mut ids = BTreeSet::new();
    for (seats, count) in [("100", 1), ("120", 0), ("99", 0), ("100", 1), ("5", 0)] {
        bench.record("acme", seats).await;
        let sent = bench.deliver().await;
        assert_eq!(sent.len(), count, "{seats}");
        ids.extend(sent.iter().map(|outgoing| outgoing.message));
    }
    let patch = LimitPatch { limit_value: Some(quantity("50")), ..LimitPatch::default() };
    bench.engine.update_limit(&actor(), id, patch).await.unwrap();
    bench.record("acme", "50").await;
    ids.extend(bench.deliver().await.iter().map(|outgoing| outgoing.message));
    assert_eq!(ids.len(), 3, "each under an id of its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_call_at_once_each_endpoint_is_told_of_each_threshold_once() {
    let (bench, meter) = open().await;
    let thresholds: Vec<u16> = (1..=20).map(|step| step * 5).collect();
    bench.daily(meter, &thresholds).await;
    let hooks = [bench.hook(None).await, bench.hook(None).await];
    let callers = (0..16).map(|_| {
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
    let sent = bench.deliver().await;
    for id in hooks {
        let told: Vec<_> = of(&sent, id).iter().map(|outgoing| body(outgoing)["data"]["threshold"].clone()).collect();
        assert_eq!(told, thresholds.iter().map(|threshold| json!(threshold)).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn while_disabled_nothing_is_told_and_what_waited_comes_once_enabled() {
    let (bench, meter) = open().await;
    bench.daily(meter, &[80, 100]).await;
    let id = bench.hook(None).await;
    let unborn =
        bench.create_hook(weir_engine::model::NewWebhook { enabled: false, ..common::hooks::hook(None) }).await;
    bench.record("acme", "80").await;
    let first = bench.only().await;
    bench.engine.update_webhook(&actor(), id, enabled(false)).await.unwrap();
    assert_eq!((bench.due().await.len(), bench.engine.backlog().await.unwrap()), (0, 0));
    bench.record("acme", "20").await;
    let bench = bench.reopen().await;
    assert_eq!(bench.deliver().await.len(), 0);
    assert_eq!(bench.the_hook(id).await.waiting, 1);
    let hook = bench.engine.enable_webhook(&actor(), id).await.unwrap();
    assert!(hook.enabled && hook.waiting == 1 && hook.disabled_at.is_none());
    assert_eq!(bench.engine.backlog().await.unwrap(), 1);
    bench.engine.enable_webhook(&actor(), unborn.webhook.id).await.unwrap();
    let sent = bench.deliver().await;
    assert_eq!(sent.iter().map(|sent| (sent.webhook, sent.message)).collect::<Vec<_>>(), [(id, first.message)]);
    bench.record("beta", "80").await;
    assert_eq!(bench.deliver().await.len(), 2);
}

#[tokio::test]
async fn what_is_wanted_can_be_changed() {
    let (bench, meter) = open().await;
    bench.daily(meter, &[80, 100]).await;
    let id = bench.hook(Some(&[EXCEEDED])).await;
    let operator = actor();
    let wants = |types| {
        let patch = WebhookPatch { event_types: types, ..WebhookPatch::default() };
        bench.engine.update_webhook(&operator, id, patch)
    };
    bench.record("acme", "80").await;
    wants(weir_engine::model::Change::Set(vec![REACHED, REACHED])).await.unwrap();
    assert_eq!(bench.the_hook(id).await.event_types, Some(vec![REACHED]));
    bench.record("acme", "20").await;
    bench.record("beta", "80").await;
    assert_eq!(types(&bench.deliver().await), ["limit.threshold_reached"]);
    wants(weir_engine::model::Change::Clear).await.unwrap();
    bench.record("corp", "100").await;
    assert_eq!(types(&bench.deliver().await), ["limit.threshold_reached", "limit.exceeded"]);
}

#[tokio::test]
async fn balances_tell_that_they_are_low_and_want_money() {
    let new = NewBalance {
        initial_balance: Some(quantity("100")),
        low_balance_threshold: Some(quantity("20")),
        top_up: Some(TopUp { below: quantity("10"), amount: quantity("50.5") }),
        unit: Some("credits".to_owned()),
        ..plain()
    };
    let purse = Purse::open_at(NOW, new).await;
    let bench = &purse.bench;
    let id = bench.hook(Some(&[WebhookEventType::BalanceLow, WebhookEventType::BalanceTopUp])).await;
    assert!(purse.debit("79").await);
    assert_eq!(bench.deliver().await.len(), 0);
    assert!(purse.debit("1").await);
    let low = bench.deliver().await;
    assert_eq!(types(&low), ["balance.low"]);
    let data = body(&low[0])["data"].clone();
    let expected = json!({
        "alertId": data["alertId"], "projectId": data["projectId"], "customerId": "acme", "customerName": null,
        "balanceId": purse.id, "balanceName": "credits", "unit": "credits", "threshold": 20, "currentBalance": 20
    });
    assert_eq!(data, expected, "and no topUpAmount");
    assert!(purse.debit("15").await);
    let want = bench.deliver().await;
    assert_eq!(types(&want), ["balance.top_up"]);
    let data = &body(&want[0])["data"];
    assert_eq!(
        (&data["threshold"], &data["currentBalance"], &data["topUpAmount"]),
        (&json!(10), &json!(5), &json!(50.5))
    );
    assert!(purse.debit("1").await);
    assert_eq!(bench.deliver().await.len(), 0, "told once");
    // Credited above, both are armed anew.
    purse.credit(common::purse::credit("100")).await;
    assert!(bench.engine.debit_balance(&actor(), debit("100", None)).await.unwrap().success);
    let mut again = types(&bench.deliver().await);
    again.sort();
    assert_eq!(again, ["balance.low", "balance.top_up"]);
    let ids: BTreeSet<_> = bench.deliveries(id).await.iter().map(|delivery| delivery.message_id).collect();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn what_a_change_for_everyone_makes_due_is_told_in_one_summary_also_when_cut_off() {
    let (bench, meter) = open().await;
    let events = (0..1_200).map(|n| event(&format!("customer-{n:04}"), if n % 3 == 0 { "100" } else { "85" }));
    let events: Vec<_> = events.collect();
    for events in events.chunks(600) {
        bench.engine.record_batch(&actor(), events.to_vec()).await.unwrap();
    }
    bench.hook(None).await;
    bench.hook(Some(&[REACHED, EXCEEDED])).await;
    bench.daily(meter, &[80, 100]).await;
    // The first chunk may be done, the rest is not.
    let copy = Bench::open_copy(&bench).await;
    let mut told = Vec::new();
    for bench in [bench, copy] {
        let bench = bench.reopen().await;
        bench.settle().await;
        let outgoing = bench.only().await;
        let message = body(&outgoing);
        assert_eq!(message["type"], "alerts.summary");
        let data = &message["data"];
        assert_eq!((&data["alerts"], &data["customers"]), (&json!(1_600), &json!(1_200)));
        let limits = data["limits"].as_array().unwrap();
        let counts: Vec<_> = limits.iter().map(|limit| (limit["threshold"].clone(), limit["alerts"].clone())).collect();
        assert_eq!(counts, [(json!(80), json!(1_200)), (json!(100), json!(400))]);
        assert!(limits.iter().all(|limit| limit["limitName"] == "daily" && limit["limitId"].is_string()));
        told.push(outgoing.message);
        bench.deliver().await;
        let bench = bench.reopen().await;
        bench.settle().await;
        assert_eq!(bench.deliver().await.len(), 0, "told once");
        // What events cross from then on is told by itself, and another change of everyone by another summary.
        bench.record("customer-0001", "15").await;
        assert_eq!(types(&bench.deliver().await), ["limit.exceeded", "limit.exceeded"]);
        let more = NewLimit { alert_thresholds: vec![50], ..limit("weekly", meter, "100", Period::Week) };
        bench.engine.create_limit(&actor(), more).await.unwrap();
        bench.settle().await;
        let outgoing = bench.only().await;
        let data = body(&outgoing)["data"].clone();
        assert_eq!((&data["alerts"], &data["customers"]), (&json!(1_200), &json!(1_200)));
        assert!(!told.contains(&outgoing.message));
    }
}

/// Whoever sends looks when alerts change: the last word of it comes once the summary is there.
#[tokio::test]
async fn when_a_summary_is_there_it_is_said() {
    let (bench, meter) = open().await;
    bench.hook(None).await;
    bench.record("acme", "90").await;
    let mut changes = bench.engine.changes();
    bench.daily(meter, &[80]).await;
    let heard = async {
        loop {
            let topics = changes.recv().await.unwrap();
            if topics.names().any(|topic| topic == "alerts") && !bench.engine.outbox(&[]).await.unwrap().due.is_empty()
            {
                return;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), heard).await.expect("it is said");
    assert_eq!(body(&bench.only().await)["type"], "alerts.summary");
}

#[tokio::test]
async fn a_change_that_nobody_crosses_tells_nothing() {
    let (bench, meter) = open().await;
    bench.hook(None).await;
    bench.record("acme", "1").await;
    bench.daily(meter, &[80]).await;
    bench.settle().await;
    assert_eq!(bench.deliver().await.len(), 0);
}

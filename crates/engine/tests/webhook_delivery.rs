//! How messages are delivered: in order, again until they arrive or are given up, and what is remembered of it.

mod common;

use std::collections::BTreeSet;

use common::hooks::{answered, hook};
use common::{Bench, actor, at};
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::id::WebhookId;
use weir_core::time::Timestamp;
use weir_engine::model::{
    Change, Delivery, DeliveryState, ListAudit, ListDeliveries, ListWebhooks, WebhookEventType, WebhookPatch,
};

const NOW: &str = "2026-03-10T12:00:00Z";
const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const WAITING: DeliveryState = DeliveryState::Waiting;
const DELIVERED: DeliveryState = DeliveryState::Delivered;
const FAILED: DeliveryState = DeliveryState::Failed;

async fn open() -> (Bench, WebhookId) {
    let bench = Bench::open_at(NOW).await;
    let id = bench.hook(None).await;
    (bench, id)
}

fn later(bench: &Bench, micros: i64) {
    bench.clock.set(bench.now().saturating_add_micros(micros));
}

/// When something is due next.
async fn next(bench: &Bench) -> Option<Timestamp> {
    bench.engine.outbox(&[]).await.unwrap().next
}

/// The next thing fails as soon as it is due; nothing was due before.
async fn fail(bench: &Bench) {
    if let Some(next) = next(bench).await {
        bench.clock.set(next.saturating_add_micros(-1));
        assert_eq!(bench.due().await.len(), 0, "too early");
        bench.clock.set(next);
    }
    let outgoing = bench.only().await;
    bench.answer(&outgoing, 500).await;
}

#[tokio::test]
async fn a_failure_is_tried_again_ever_later_for_three_days_and_then_the_next_follows() {
    let (bench, id) = open().await;
    let (first, second) = (bench.ping(id).await, bench.ping(id).await);
    let begun = bench.now();
    let pauses = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400].map(|seconds| seconds * SECOND);
    let mut tries = 0;
    loop {
        fail(&bench).await;
        tries += 1;
        let known = &bench.deliveries(id).await[0];
        assert_eq!((known.id, known.attempts.len()), (first.id, tries));
        if known.state != WAITING {
            break;
        }
        let next = next(&bench).await.expect("another time");
        assert_eq!(known.next_attempt_at, Some(next));
        let pause = next.micros_since(bench.now());
        let usual = pauses.get(tries - 1).copied().unwrap_or(8 * HOUR);
        assert!((usual * 4 / 5..=usual * 6 / 5).contains(&pause), "{tries}: {pause}");
    }
    let lasted = bench.now().micros_since(begun);
    assert!((60 * HOUR..=72 * HOUR).contains(&lasted), "{lasted}");
    assert!((14..20).contains(&tries), "{tries}");
    assert_eq!(bench.states(id).await, [FAILED, WAITING]);
    let ended = &bench.deliveries(id).await[0];
    assert_eq!((ended.ended_at, ended.next_attempt_at), (Some(bench.now()), None));
    // The one behind has its own three days.
    assert_eq!(bench.only().await.delivery, second.id);
    bench.answer(&bench.only().await, 503).await;
    assert_eq!(bench.states(id).await, [FAILED, WAITING]);
    let pause = next(&bench).await.unwrap().micros_since(bench.now());
    assert!((4 * SECOND..=6 * SECOND).contains(&pause), "{pause}");
}

#[tokio::test]
async fn an_endpoint_is_told_in_order_and_endpoints_do_not_wait_for_each_other() {
    let (bench, slow) = open().await;
    let quick = bench.hook(None).await;
    for _ in 0..3 {
        bench.ping(slow).await;
        bench.ping(quick).await;
    }
    let first = bench.due().await.into_iter().find(|outgoing| outgoing.webhook == slow).unwrap();
    assert_eq!(bench.engine.outbox(&[slow]).await.unwrap().due.len(), 1, "one that is being told is left out");
    bench.answer(&first, 500).await;
    // Later messages are due, but the first comes before them.
    let sent = bench.deliver().await;
    assert!(sent.len() == 3 && sent.iter().all(|outgoing| outgoing.webhook == quick));
    later(&bench, 10 * SECOND);
    let order: Vec<_> = bench.deliver().await.iter().map(|outgoing| outgoing.delivery).collect();
    let known: Vec<_> = bench.deliveries(slow).await.iter().map(|delivery| delivery.id).collect();
    assert_eq!((order.len(), &order), (3, &known));
}

#[tokio::test]
async fn twenty_failures_in_a_row_disable_an_endpoint_and_that_is_on_record() {
    let (bench, id) = open().await;
    for _ in 0..3 {
        bench.ping(id).await;
    }
    for _ in 0..19 {
        fail(&bench).await;
    }
    let hook = bench.the_hook(id).await;
    assert!(hook.enabled && hook.failures_in_a_row == 19);
    // One that goes well begins the count anew.
    bench.clock.set(next(&bench).await.unwrap_or(bench.now()));
    bench.answer(&bench.only().await, 204).await;
    assert_eq!(bench.the_hook(id).await.failures_in_a_row, 0);
    bench.ping(id).await;
    bench.ping(id).await;
    for _ in 0..20 {
        assert!(bench.the_hook(id).await.enabled);
        fail(&bench).await;
    }
    let bench = bench.reopen().await;
    let hook = bench.the_hook(id).await;
    assert_eq!((hook.enabled, hook.disabled_at, hook.failures_in_a_row), (false, Some(bench.now()), 20));
    let last = hook.last_attempt.unwrap();
    assert_eq!((last.status, last.error.as_deref(), last.duration_ms), (Some(500), Some("it answered 500"), 1));
    assert!(hook.waiting > 0 && bench.due().await.is_empty() && next(&bench).await.is_none());
    let list = ListAudit { operation: Some("webhooks.disable".to_owned()), ..ListAudit::default() };
    let facts = bench.engine.audit(list).await.unwrap().data;
    assert_eq!((facts.len(), facts[0].actor.kind.as_str(), &facts[0].target), (1, "system", &id.to_string()));
    let at_once = bench.engine.enable_webhook(&actor(), id).await.unwrap();
    assert!(at_once.enabled && at_once.disabled_at.is_none() && at_once.failures_in_a_row == 0);
    assert_eq!(bench.deliver().await.len(), usize::try_from(hook.waiting).unwrap());
}

#[tokio::test]
async fn enabling_begins_anew_with_what_waits_however_long_ago_it_was_first_tried() {
    let (bench, id) = open().await;
    bench.ping(id).await;
    for _ in 0..6 {
        fail(&bench).await;
    }
    bench
        .engine
        .update_webhook(&actor(), id, WebhookPatch { enabled: Some(false), ..WebhookPatch::default() })
        .await
        .unwrap();
    later(&bench, 7 * 24 * HOUR);
    bench.engine.enable_webhook(&actor(), id).await.unwrap();
    // The receiver is not quite back yet.
    fail(&bench).await;
    assert_eq!(bench.states(id).await, [WAITING], "three days have begun anew");
    let pause = next(&bench).await.unwrap().micros_since(bench.now());
    assert!((4 * SECOND..=6 * SECOND).contains(&pause), "and so has the pause: {pause}");
    later(&bench, 6 * SECOND);
    assert_eq!(bench.deliver().await.len(), 1);
    assert_eq!(bench.deliveries(id).await[0].attempts.len(), 8, "every attempt is on record");
}

#[tokio::test]
async fn enabling_and_another_address_have_what_waits_tried_at_once() {
    let (bench, id) = open().await;
    bench.ping(id).await;
    let operator = actor();
    for _ in 0..5 {
        fail(&bench).await;
    }
    let change = |patch: WebhookPatch| bench.engine.update_webhook(&operator, id, patch);
    change(WebhookPatch { description: Change::Set("x".to_owned()), ..WebhookPatch::default() }).await.unwrap();
    assert_eq!(bench.due().await.len(), 0, "what does not change where it is told is no reason");
    change(WebhookPatch { enabled: Some(true), ..WebhookPatch::default() }).await.unwrap();
    fail(&bench).await;
    bench.engine.enable_webhook(&operator, id).await.unwrap();
    fail(&bench).await;
    assert_eq!(bench.due().await.len(), 0);
    change(WebhookPatch { url: Some("https://other.example.com".to_owned()), ..WebhookPatch::default() })
        .await
        .unwrap();
    let outgoing = bench.only().await;
    assert_eq!(outgoing.url, "https://other.example.com");
    bench.answer(&outgoing, 500).await;
    change(WebhookPatch { allow_private: Some(true), ..WebhookPatch::default() }).await.unwrap();
    assert!(bench.only().await.allow_private);
}

#[tokio::test]
async fn another_address_is_tried_at_once_even_while_the_old_one_is_being_told() {
    let (bench, id) = open().await;
    bench.ping(id).await;
    for _ in 0..5 {
        fail(&bench).await;
    }
    bench.clock.set(next(&bench).await.unwrap());
    // It hangs, and meanwhile somebody sees why.
    let hanging = bench.only().await;
    later(&bench, SECOND);
    let patch = WebhookPatch { url: Some("https://other.example.com".to_owned()), ..WebhookPatch::default() };
    bench.engine.update_webhook(&actor(), id, patch).await.unwrap();
    later(&bench, SECOND);
    bench
        .engine
        .note_attempt(hanging.delivery, answered(bench.now().saturating_add_micros(-2 * SECOND), 500))
        .await
        .unwrap();
    assert_eq!(bench.only().await.url, "https://other.example.com");
}

#[tokio::test]
async fn archiving_gives_up_what_waits() {
    let (bench, id) = open().await;
    bench.ping(id).await;
    bench.ping(id).await;
    let under_way = bench.only().await;
    bench.engine.archive_webhook(&actor(), id).await.unwrap();
    bench.engine.archive_webhook(&actor(), id).await.unwrap();
    assert_eq!((bench.states(id).await, bench.due().await.len()), (vec![FAILED, FAILED], 0));
    // What was under way may still have arrived.
    bench.answer(&under_way, 200).await;
    assert_eq!(bench.states(id).await, [DELIVERED, FAILED]);
    let refused = |answer: weir_engine::Result<Delivery>| answer.unwrap_err().code();
    assert_eq!(refused(bench.engine.test_webhook(&actor(), id).await), Code::Conflict);
    assert_eq!(refused(bench.engine.redeliver(&actor(), id, under_way.delivery).await), Code::Conflict);
    let enabling = bench.engine.enable_webhook(&actor(), id).await;
    assert_eq!(enabling.unwrap_err().code(), Code::Conflict);
    assert_eq!(bench.engine.webhooks(ListWebhooks::default()).await.unwrap().data.len(), 0);
    let all = ListWebhooks { include_archived: true, ..ListWebhooks::default() };
    assert_eq!(bench.engine.webhooks(all).await.unwrap().data.len(), 1);
}

#[tokio::test]
async fn what_is_delivered_again_keeps_its_id_and_comes_after_what_waits() {
    let (bench, id) = open().await;
    let first = bench.ping(id).await;
    let original = bench.deliver().await.remove(0);
    let waiting = bench.ping(id).await;
    let operator = actor();
    let again = bench.engine.redeliver(&operator, id, first.id).await.unwrap();
    let and_again = bench.engine.redeliver(&operator, id, again.id).await;
    assert_eq!(and_again.unwrap().id, again.id, "one that waits is the one");
    assert!(again.id != first.id && again.message_id == first.message_id && again.state == WAITING);
    let sent = bench.deliver().await;
    assert_eq!(sent.iter().map(|sent| sent.delivery).collect::<Vec<_>>(), [waiting.id, again.id]);
    assert_eq!((sent[1].message, &sent[1].body), (original.message, &original.body));
    let third = bench.engine.redeliver(&operator, id, first.id).await.unwrap();
    let ids: BTreeSet<_> = [first.id, again.id, third.id].into();
    assert_eq!((ids.len(), bench.deliver().await.len()), (3, 1));
    // What waits is tried at once.
    let slow = bench.ping(id).await;
    for _ in 0..5 {
        fail(&bench).await;
    }
    assert_eq!(bench.due().await.len(), 0);
    bench.engine.redeliver(&operator, id, slow.id).await.unwrap();
    assert_eq!(bench.only().await.delivery, slow.id);
    let other = bench.hook(None).await;
    let foreign = bench.engine.redeliver(&operator, other, slow.id).await.unwrap_err();
    assert_eq!(foreign.code(), Code::DeliveryNotFound);
    bench
        .engine
        .update_webhook(&operator, id, WebhookPatch { enabled: Some(false), ..WebhookPatch::default() })
        .await
        .unwrap();
    assert_eq!(bench.engine.redeliver(&operator, id, slow.id).await.unwrap_err().code(), Code::Conflict);
}

#[tokio::test]
async fn a_ping_goes_to_one_endpoint_whatever_it_wants() {
    let bench = Bench::open_at(NOW).await;
    let id = bench.hook(Some(&[WebhookEventType::UsageSummary])).await;
    bench.hook(None).await;
    let ping = bench.ping(id).await;
    assert_eq!(
        (ping.state, ping.next_attempt_at, ping.event_type),
        (WAITING, Some(bench.now()), WebhookEventType::Ping)
    );
    let outgoing = bench.only().await;
    assert_eq!((outgoing.webhook, outgoing.delivery), (id, ping.id));
    assert_eq!(outgoing.body, ping.payload.as_json());
    assert_eq!(common::hooks::body(&outgoing)["data"], serde_json::json!({ "webhookId": id }));
    let disabled = bench.create_hook(weir_engine::model::NewWebhook { enabled: false, ..hook(None) }).await.webhook.id;
    assert_eq!(bench.engine.test_webhook(&actor(), disabled).await.unwrap_err().code(), Code::Conflict);
}

#[tokio::test]
async fn power_lost_between_sending_and_noting_sends_once_more_under_the_same_id() {
    let (bench, id) = open().await;
    bench.ping(id).await;
    bench.ping(id).await;
    let sent = bench.only().await;
    let copy = Bench::open_copy(&bench).await;
    std::fs::copy(bench.dir.path().join("secret.key"), copy.dir.path().join("secret.key")).unwrap();
    let copy = copy.reopen().await;
    let again = copy.only().await;
    assert_eq!((again.delivery, again.message, &again.body), (sent.delivery, sent.message, &sent.body));
    assert!(!sent.secrets.is_empty() && again.secrets == sent.secrets);
    // And once it is noted, not once more.
    bench.answer(&sent, 200).await;
    let copy = Bench::open_copy(&bench).await;
    assert_ne!(copy.only().await.message, sent.message);
    assert_eq!(copy.states(id).await, [DELIVERED, WAITING]);
}

#[tokio::test]
async fn what_arrived_stays_delivered_whatever_is_noted_of_it_later() {
    let (bench, id) = open().await;
    bench.ping(id).await;
    let outgoing = bench.only().await;
    bench.answer(&outgoing, 200).await;
    let ended = bench.deliveries(id).await[0].ended_at;
    later(&bench, SECOND);
    bench.answer(&outgoing, 500).await;
    let known = &bench.deliveries(id).await[0];
    assert_eq!((known.state, known.attempts.len(), known.ended_at), (DELIVERED, 2, ended));
    assert_eq!(bench.due().await.len(), 0);
}

#[tokio::test]
async fn deliveries_are_listed_by_page_state_and_type_with_every_attempt() {
    let (bench, id) = open().await;
    let other = bench.hook(None).await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.daily(meter, &[100]).await;
    bench.settle().await;
    bench.record("acme", "100").await;
    for _ in 0..6 {
        bench.ping(id).await;
    }
    let first = bench.due().await.into_iter().find(|outgoing| outgoing.webhook == id).unwrap();
    let mut long = answered(bench.now(), 500);
    long.response = Some("ü".repeat(3_000));
    bench.engine.note_attempt(first.delivery, long).await.unwrap();
    later(&bench, 10 * SECOND);
    for _ in 0..3 {
        let due = bench.due().await.into_iter().find(|outgoing| outgoing.webhook == id).unwrap();
        bench.answer(&due, 200).await;
    }
    let listed = async |list: ListDeliveries| bench.engine.deliveries(id, list).await.unwrap();
    let of_state = |state| ListDeliveries { state: Some(state), ..ListDeliveries::default() };
    let of_type = |kind| ListDeliveries { event_type: Some(kind), ..ListDeliveries::default() };
    let everything = listed(ListDeliveries::default()).await.data;
    assert!(everything.len() == 7 && everything.iter().all(|delivery| delivery.webhook_id == id));
    assert_eq!(listed(of_state(DELIVERED)).await.data.len(), 3);
    assert_eq!(listed(of_state(WAITING)).await.data.len(), 4);
    assert_eq!(listed(of_state(FAILED)).await.data.len(), 0);
    assert_eq!(listed(of_type(WebhookEventType::Ping)).await.data.len(), 6);
    assert_eq!(listed(of_type(WebhookEventType::LimitExceeded)).await.data.len(), 1);
    let (mut list, mut pages) =
        (ListDeliveries { limit: serde_json::from_str("3").unwrap(), ..ListDeliveries::default() }, Vec::new());
    loop {
        let page = listed(list.clone()).await;
        pages.extend(page.data);
        assert_eq!(page.has_more, page.next_cursor.is_some());
        list.cursor = page.next_cursor;
        if list.cursor.is_none() {
            break;
        }
    }
    assert_eq!(pages, everything, "newest first, each once");
    let waiting: Vec<_> = everything.iter().filter(|delivery| delivery.next_attempt_at.is_some()).collect();
    assert_eq!((waiting.len(), waiting[0].state), (1, WAITING), "only the first that waits has a time");
    let oldest = everything.last().unwrap();
    assert_eq!((oldest.id, oldest.attempts.len()), (first.delivery, 2));
    let (failure, success) = (&oldest.attempts[0], &oldest.attempts[1]);
    assert_eq!((failure.attempt.status, failure.attempt.error.as_deref()), (Some(500), Some("it answered 500")));
    assert_eq!(failure.response_body.as_deref(), Some("ü".repeat(2_000).as_str()));
    assert_eq!((success.attempt.status, &success.attempt.error), (Some(200), &None));
    assert_eq!(success.request_headers["content-type"], "application/json");
    assert_eq!(bench.deliveries(other).await.len(), 1);
}

#[tokio::test]
async fn deliveries_are_forgotten_after_thirty_days() {
    let (bench, id) = open().await;
    for _ in 0..250 {
        bench.ping(id).await;
    }
    bench.deliver().await;
    bench.clock.set(at("2026-03-20T12:00:00Z"));
    bench.ping(id).await;
    bench.deliver().await;
    assert_eq!(bench.deliveries(id).await.len(), 251);
    bench.clock.set(at("2026-04-09T12:00:00Z"));
    bench.ping(id).await;
    bench.deliver().await;
    assert_eq!(bench.deliveries(id).await.len(), 252, "thirty days to the microsecond are kept");
    later(&bench, 1);
    for _ in 0..3 {
        bench.ping(id).await;
    }
    bench.deliver().await;
    let kept = bench.deliveries(id).await;
    assert_eq!(kept.len(), 5);
    assert_eq!(kept[0].created_at, at("2026-03-20T12:00:00Z"));
    let bench = bench.reopen().await;
    assert!(bench.deliveries(id).await == kept && bench.the_hook(id).await.last_attempt.is_some());
}

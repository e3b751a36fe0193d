//! Voiding an event over the wire.

use serde_json::{Value, json};
use weir_engine::model::Scope;

use crate::harness::{Host, key};

#[tokio::test]
async fn a_voided_event_counts_nowhere_and_stays_to_be_seen() {
    let host = Host::start().await;
    let meter = json!({ "name": "m", "aggregation": "sum", "field": "values.n", "groupBy": ["model"] });
    let meter = host.ok("meters.create", meter).await["id"].clone();
    let limit = json!({ "name": "l", "meterId": meter, "limitValue": 10, "period": "month" });
    host.ok("limits.create", limit).await;
    let event = |n: &str, key: &str| json!({ "customerId": "acme", "eventType": "t", "values": { "n": n }, "model": "x", "idempotencyKey": key });
    let kept = host.ok("events.record", event("0.1", "a")).await["id"].clone();
    let id = host.ok("events.record", event("12.5", "b")).await["id"].clone();
    let check = json!({ "customerId": "acme" });
    assert_eq!(host.ok("limits.check", check.clone()).await["allowed"], false);

    let voided = host.ok("events.void", json!({ "id": id, "reason": "sent by mistake" })).await;
    assert_eq!((&voided["id"], &voided["voidReason"]), (&id, &json!("sent by mistake")));
    assert!(voided["voidedAt"].is_string(), "{voided}");
    assert_eq!(host.ok("events.void", json!({ "id": id })).await, voided, "the first reason stands");

    let checked = host.ok("limits.check", check).await;
    assert_eq!((&checked["allowed"], &checked["limits"][0]["used"]), (&json!(true), &json!(0.1)));
    let answer = host.ok("meters.query", json!({ "id": meter, "groupBy": ["model"] })).await;
    assert_eq!((&answer["value"], &answer["groups"][0]["value"]), (&json!(0.1), &json!(0.1)));
    let ids = |list: Value| list["data"].as_array().unwrap().iter().map(|event| event["id"].clone()).collect::<Value>();
    assert_eq!(ids(host.ok("events.list", json!({})).await), json!([kept]));
    assert_eq!(ids(host.ok("events.list", json!({ "includeVoided": true })).await), json!([id, kept]));
    let detail = host.ok("events.get", json!({ "id": id })).await;
    assert_eq!(detail, json!({ "event": voided, "meters": [], "limits": [] }));
    assert_eq!(host.ok("events.record", event("12.5", "b")).await["id"], id, "its key stays taken");
    assert_eq!(host.ok("events.summary", json!({})).await["totalEvents"], 1);
    host.stop().await;
}

#[tokio::test]
async fn what_cannot_be_voided_is_said() {
    let mut host = Host::start().await;
    let event = json!({ "customerId": "acme", "eventType": "t" });
    let id = host.ok("events.record", event).await["id"].clone();
    for unknown in ["nothing", "evt_00000000-0000-7000-8000-000000000000"] {
        let reply = host.call("events.void", json!({ "id": unknown })).await;
        assert_eq!((reply.status.as_u16(), reply.refusal().0.as_str()), (404, "event_not_found"));
    }
    for (body, code, field) in [
        (json!({ "reason": "" }), "invalid_field_value", "reason"),
        (json!({ "reason": "x".repeat(257) }), "invalid_field_value", "reason"),
        (json!({ "reason": "a\u{7}b" }), "invalid_field_value", "reason"),
        (json!({ "reason": 5 }), "invalid_field_value", "reason"),
        (json!({ "reasons": "x" }), "unknown_field", "reasons"),
    ] {
        let mut request = body.clone();
        request["id"] = id.clone();
        assert_eq!(host.refused("events.void", request).await, (code.to_owned(), field.to_owned()), "{body}");
    }
    let manage = std::mem::replace(&mut host.key, key(&host.app, Scope::Ingest).await);
    assert_eq!(host.refused("events.void", json!({ "id": id })).await.0, "insufficient_permissions");
    host.key = manage;
    assert_eq!(host.ok("events.get", json!({ "id": id })).await["event"]["voidedAt"], Value::Null);
    // Without a reason, and without a body at all.
    let path = format!("/v1/events/{}/void", id.as_str().unwrap());
    let reply = host.send(host.request(reqwest::Method::POST, &path)).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.text);
    assert_eq!((&reply.json()["id"], &reply.json()["voidReason"]), (&id, &Value::Null));
    host.stop().await;
}

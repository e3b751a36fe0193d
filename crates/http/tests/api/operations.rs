//! Every operation once, over the wire.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use weir_api::{Reach, TABLE};
use weir_core::time::Timestamp;

use crate::harness::Host;

#[tokio::test]
async fn every_operation_works_over_http() {
    let host = Host::start().await;
    project(&host).await;
    customers(&host).await;
    let meter = meters(&host).await;
    let limit = limits(&host, &meter).await;
    events(&host, &meter, &limit).await;
    exceptions(&host, &limit).await;
    rate_limits(&host).await;
    reservations(&host).await;
    alerts(&host, &limit).await;
    balances(&host, &meter).await;
    keys(&host).await;
    webhooks(&host).await;
    client_tokens(&host).await;
    imports(&host).await;
    charts(&host, &meter).await;
    host.ok("sample.create", json!({})).await;
    let file = host.ok("limits.file", json!({})).await;
    let applied = host.ok("limits.apply", json!({ "text": file["text"], "archiveMissing": true })).await;
    assert_eq!((&applied["unchanged"], &applied["changes"]), (&file["limits"], &json!([])));
    let file = host.ok("limits.file", json!({ "format": "json" })).await;
    let list: Value = serde_json::from_str(file["text"].as_str().unwrap()).unwrap();
    assert_eq!(host.ok("limits.sync", list).await["unchanged"], file["limits"]);
    assert_eq!(host.ok("audit.list", json!({ "operation": "keys" })).await["data"][0]["operation"], "keys.revoke");
    host.ok("meters.archive", json!({ "id": create_meter(&host, "short-lived").await })).await;
    let public: BTreeSet<_> = TABLE.iter().filter(|row| row.reach == Reach::Public).map(|row| row.name).collect();
    assert_eq!(host.called(), public);
    host.stop().await;
}

async fn project(host: &Host) {
    let patch = json!({ "name": "Ours", "timezone": "Europe/Berlin", "clientOrigins": ["https://App.example:443"] });
    let project = host.ok("project.update", patch).await;
    assert_eq!((&project["name"], &project["timezone"]), (&json!("Ours"), &json!("Europe/Berlin")));
    assert_eq!(project["clientOrigins"], json!(["https://app.example"]));
    assert_eq!(host.ok("project.get", json!({})).await, project);
    let status = host.ok("status.get", json!({})).await;
    assert_eq!((&status["events"], &status["version"]), (&json!(0), &json!(env!("CARGO_PKG_VERSION"))));
    assert_eq!(host.ok("usage.get", json!({})).await["events"], 0);
}

async fn customers(host: &Host) {
    // An external id may hold anything that is no control character.
    let id = "a/c m+e%2F é?";
    let made =
        host.ok("customers.create", json!({ "externalId": id, "name": "Acme", "metadata": { "plan": "pro" } })).await;
    assert_eq!((&made["externalId"], &made["timezone"]), (&json!(id), &Value::Null));
    for id in [id, made["id"].as_str().unwrap()] {
        assert_eq!(host.ok("customers.get", json!({ "id": id })).await["id"], made["id"]);
    }
    let changed = host.ok("customers.update", json!({ "id": id, "name": null, "timezone": "Asia/Kathmandu" })).await;
    assert_eq!((&changed["name"], &changed["timezone"]), (&Value::Null, &json!("Asia/Kathmandu")));
    assert_eq!(changed["metadata"], made["metadata"], "what is not given stays");
    let listed = host.ok("customers.list", json!({ "query": "PRO", "limit": 10, "sort": "externalId" })).await;
    assert_eq!(
        (&listed["total"], &listed["data"][0]["id"], &listed["hasMore"]),
        (&json!(1), &made["id"], &json!(false))
    );
    assert_eq!(host.ok("customers.archive", json!({ "id": id })).await, json!({ "success": true }));
    assert_eq!(host.ok("customers.list", json!({})).await["total"], 0);
    assert_eq!(host.ok("customers.list", json!({ "includeArchived": true })).await["total"], 1);
    assert_eq!(host.ok("customers.restore", json!({ "id": id })).await["archivedAt"], Value::Null);
    assert_eq!(host.ok("customers.standing", json!({ "id": id })).await["limits"], json!([]));
    assert_eq!(host.ok("customers.usage", json!({ "id": id })).await["customerId"], id);
}

async fn create_meter(host: &Host, name: &str) -> String {
    let new =
        json!({ "name": name, "aggregation": "sum", "field": "values.tokens", "unit": "tokens", "groupBy": ["model"] });
    host.ok("meters.create", new).await["id"].as_str().unwrap().to_owned()
}

async fn meters(host: &Host) -> String {
    let id = create_meter(host, "tokens used").await;
    let changed = host.ok("meters.update", json!({ "id": id, "description": "All of them", "unit": null })).await;
    assert_eq!((&changed["description"], &changed["unit"]), (&json!("All of them"), &Value::Null));
    assert_eq!(host.ok("meters.get", json!({ "id": id })).await["name"], "tokens used");
    assert_eq!(host.ok("meters.list", json!({ "query": "TOKENS USED" })).await["data"][0]["id"], *id);
    host.ok("meters.archive", json!({ "id": id })).await;
    assert_eq!(host.ok("meters.restore", json!({ "id": id })).await["archivedAt"], Value::Null);
    id
}

async fn limits(host: &Host, meter: &str) -> String {
    let new = json!({ "name": "Daily", "meterId": meter, "limitValue": "10.5", "period": "day", "alertThresholds": [100, 80] });
    let made = host.ok("limits.create", new).await;
    assert_eq!(
        (&made["limitValue"], &made["alertThresholds"], &made["version"]),
        (&json!(10.5), &json!([80, 100]), &json!(1))
    );
    let id = made["id"].as_str().unwrap().to_owned();
    let changed = host.ok("limits.update", json!({ "id": id, "limitValue": 100, "period": "all_time" })).await;
    assert_eq!((&changed["limitValue"], &changed["version"]), (&json!(100), &json!(2)));
    assert_eq!(host.ok("limits.get", json!({ "id": id })).await["name"], "Daily");
    assert_eq!(host.ok("limits.list", json!({ "meterId": meter })).await["data"][0]["id"], *id);
    host.ok("limits.archive", json!({ "id": id })).await;
    assert_eq!(host.ok("limits.restore", json!({ "id": id })).await["archivedAt"], Value::Null);
    id
}

async fn exceptions(host: &Host, limit: &str) {
    let raise = json!({ "id": limit, "customerId": "acme", "limitValue": "150.5", "until": "2100-01-01T00:00:00Z", "note": "a pilot" });
    let (code, field) = host.refused("limits.raise", raise.clone()).await;
    assert_eq!((code.as_str(), field.as_str()), ("invalid_field_value", "until"), "more than ten years ahead");
    let now: Timestamp = serde_json::from_value(host.ok("status.get", json!({})).await["now"].clone()).unwrap();
    let mut raise = raise;
    raise["until"] = json!(now.saturating_add_micros(2 * 86_400_000_000));
    let given = host.ok("limits.raise", raise.clone()).await;
    assert_eq!(
        (&given["limitValue"], &given["until"], &given["limitId"]),
        (&json!(150.5), &raise["until"], &json!(limit))
    );
    let standing = host.ok("customers.standing", json!({ "id": "acme" })).await;
    assert_eq!(
        (&standing["limits"][0]["limit"], &standing["limits"][0]["raised"]["ownValue"]),
        (&json!(150.5), &json!(100))
    );
    let ended = host.ok("limits.end_raise", json!({ "id": limit, "customerId": "acme" })).await;
    assert_eq!(ended, json!({ "success": true }));
    let reset = host.ok("limits.reset", json!({ "id": limit, "customerId": "acme", "note": "our mistake" })).await;
    assert_eq!((&reset["used"], &reset["limit"], &reset["raised"]), (&json!(0), &json!(100), &Value::Null));
    let facts = host.ok("audit.list", json!({ "customerId": "acme", "operation": "limits.reset" })).await;
    assert_eq!(facts["data"][0]["after"]["note"], "our mistake");
}

async fn rate_limits(host: &Host) {
    let new = json!({ "name": "Burst", "window": "minute", "limitValue": 60, "customerId": "tracked" });
    let made = host.ok("rate_limits.create", new).await;
    let id = &made["id"];
    assert!(id.as_str().unwrap().starts_with("rl_"));
    let changed = host.ok("rate_limits.update", json!({ "id": id, "limitValue": 1 })).await;
    assert_eq!((&changed["limitValue"], &changed["version"]), (&json!(1), &json!(2)));
    assert_eq!(host.ok("rate_limits.get", json!({ "id": id })).await, changed);
    let event = json!({ "customerId": "tracked", "eventType": "llm" });
    assert_eq!(host.ok("events.track", event.clone()).await["recorded"], true);
    assert_eq!(host.refused("events.track", event).await.0, "customer_rate_limited");
    assert_eq!(host.ok("rate_limits.check", json!({ "customerId": "tracked" })).await["allowed"], false);
    assert_eq!(host.ok("refusals.list", json!({})).await["data"][0]["call"]["rateLimits"][0]["id"], *id);
    let counted = host.ok("refusals.series", json!({ "customerId": "tracked", "interval": "15m" })).await;
    assert_eq!((&counted["value"], &counted["truncatedBefore"]), (&json!(1), &Value::Null));
    assert_eq!(counted["points"].as_array().unwrap().last().unwrap()["value"], 1);
    host.ok("rate_limits.archive", json!({ "id": id })).await;
    assert_eq!(host.ok("rate_limits.list", json!({})).await["data"], json!([]));
}

async fn reservations(host: &Host) {
    let new = json!({ "customerId": "acme", "eventType": "llm", "values": { "tokens": "2.5" }, "dimensions": { "model": "m" }, "ttlSeconds": 60 });
    let made = host.ok("reservations.create", new.clone()).await;
    assert!(made["id"].as_str().unwrap().starts_with("rsv_"));
    assert_eq!((&made["state"], &made["limits"][0]["held"]), (&json!("live"), &json!(2.5)));
    let id = &made["id"];
    let extended = host.ok("reservations.extend", json!({ "id": id, "ttlSeconds": 600 })).await;
    assert!(extended["expiresAt"].as_str() > made["expiresAt"].as_str());
    assert_eq!(host.ok("reservations.get", json!({ "id": id })).await, extended);
    let done = host.ok("reservations.commit", json!({ "id": id, "values": { "tokens": 1 } })).await;
    assert_eq!(
        (&done["state"], &done["late"], &done["overdrawn"]),
        (&json!("committed"), &json!(false), &json!(false))
    );
    assert_eq!(host.ok("events.get", json!({ "id": done["eventId"] })).await["event"]["values"]["tokens"], 1);
    assert_eq!(host.refused("reservations.release", json!({ "id": id })).await.0, "conflict");
    let other = host.ok("reservations.create", new.clone()).await;
    assert_eq!(host.ok("reservations.release", json!({ "id": other["id"] })).await["state"], "released");
    let released = host.ok("reservations.list", json!({ "customerId": "acme", "state": "released" })).await;
    assert_eq!(released["data"][0]["id"], other["id"]);
    let mut more = new;
    more["values"]["tokens"] = json!(1_000);
    assert_eq!(host.refused("reservations.create", more).await.0, "limit_exceeded");
}

async fn alerts(host: &Host, limit: &str) {
    // 80 % and 100 % of 100 are the limit's thresholds.
    for tokens in [95, 5] {
        let event = json!({ "customerId": "loud", "eventType": "llm", "values": { "tokens": tokens } });
        host.ok("events.record", event).await;
    }
    let list = json!({ "customerId": "loud", "limitId": limit, "state": "open" });
    let listed = host.ok("alerts.list", list.clone()).await;
    let thresholds: Vec<_> =
        listed["data"].as_array().unwrap().iter().map(|alert| alert["limit"]["threshold"].clone()).collect();
    assert_eq!(thresholds, [json!(100), json!(80)], "newest first");
    let first = &listed["data"][1];
    let of = &first["limit"];
    assert_eq!((&of["used"], &of["percentage"], &of["period"]), (&json!(95), &json!(95), &json!("all_time")));
    assert_eq!(&host.ok("alerts.get", json!({ "id": first["id"] })).await, first);
    assert!(host.ok("status.get", json!({})).await["openAlerts"].as_u64() >= Some(2));
    let done = host.ok("alerts.acknowledge", json!({ "id": first["id"] })).await;
    assert_eq!((&done["state"], &done["acknowledgedBy"]["kind"]), (&json!("acknowledged"), &json!("key")));
    let all = json!({ "upTo": listed["data"][0]["id"], "customerId": "loud" });
    assert_eq!(host.ok("alerts.acknowledge_all", all).await, json!({ "acknowledged": 1 }));
    assert_eq!(host.ok("alerts.list", list).await["data"], json!([]));
}

async fn balances(host: &Host, meter: &str) {
    let new = json!({
        "customerId": "prepaid", "name": "credits", "unit": "credits", "initialBalance": "10.5", "lowBalanceThreshold": 2,
        "metered": { "meterId": meter, "amount": 3, "per": 10 }, "recurringCredit": { "amount": 5, "period": "month" },
    });
    let made = host.ok("balances.create", new).await;
    let id = made["id"].clone();
    assert_eq!(
        (&made["currentBalance"], &made["low"], &made["metered"]["per"]),
        (&json!(10.5), &json!(false), &json!(10))
    );
    assert_eq!(host.ok("balances.get", json!({ "id": id })).await["id"], id);
    assert_eq!(host.ok("balances.list", json!({ "sort": "lowest", "query": "CRED" })).await["data"][0]["id"], id);
    assert_eq!(host.ok("customers.balances", json!({ "id": "prepaid" })).await["balances"][0]["id"], id);
    let changed = host.ok("balances.update", json!({ "id": id, "minimumBalance": -1, "unit": null })).await;
    assert_eq!((&changed["availableBalance"], &changed["unit"]), (&json!(11.5), &Value::Null));
    let of = |amount: &str| json!({ "customerId": "prepaid", "name": "credits", "amount": amount });
    let with = |mut request: Value, name: &str, value: &str| {
        request[name] = json!(value);
        request
    };
    let credit = with(of("4.5"), "idempotencyKey", "k");
    let credited = host.ok("balances.credit", credit.clone()).await;
    assert_eq!((&credited["success"], &credited["transaction"]["balanceAfter"]), (&json!(true), &json!(15)));
    assert_eq!(host.ok("balances.credit", credit).await["transaction"], credited["transaction"]);
    assert_eq!(host.refused("balances.credit", with(of("5"), "idempotencyKey", "k")).await.0, "idempotency_conflict");
    let past = with(of("5"), "expiresAt", "2020-01-01T00:00:00Z");
    assert_eq!(host.refused("balances.credit", past).await, ("invalid_field_value".to_owned(), "expiresAt".to_owned()));
    let debited = host.ok("balances.debit", of("5")).await;
    assert_eq!(debited["transaction"]["paidBy"][0]["amount"], 5);
    let refused = host.ok("balances.debit", of("50")).await;
    assert_eq!((&refused["success"], &refused["error"]["code"]), (&json!(false), &json!("insufficient_balance")));
    assert!(refused.get("transaction").is_none());
    assert_eq!(
        host.ok("balances.adjust", with(of("-1"), "note", "counted twice")).await["balance"]["currentBalance"],
        9
    );
    let checked = host.ok("balances.check", of("10")).await;
    assert_eq!((&checked["sufficient"], &checked["availableBalance"]), (&json!(true), &json!(10)));
    let held = host.ok("balances.hold", of("2")).await;
    let hold = held["hold"]["id"].clone();
    assert_eq!((&held["balance"]["heldBalance"], &held["hold"]["state"]), (&json!(2), &json!("live")));
    host.ok("balances.extend", json!({ "id": hold, "ttlSeconds": 600 })).await;
    let captured = host.ok("balances.capture", json!({ "id": hold, "amount": 1.5 })).await;
    assert_eq!((&captured["transaction"]["cause"]["holdId"], &captured["hold"]["captured"]), (&hold, &json!(1.5)));
    assert_eq!(host.ok("balances.capture", json!({ "id": hold, "amount": "1.50" })).await, captured);
    let other = host.ok("balances.hold", of("1")).await["hold"]["id"].clone();
    assert_eq!(host.refused("balances.archive", json!({ "id": id })).await.0, "conflict");
    assert_eq!(host.ok("balances.release", json!({ "id": other })).await["hold"]["state"], "released");
    let listed = host.ok("balances.holds", json!({ "id": id, "state": "captured" })).await;
    assert_eq!(listed["data"][0]["id"], hold);
    let event = json!({ "customerId": "prepaid", "eventType": "llm", "values": { "tokens": 5 } });
    let tracked = host.ok("events.track", event.clone()).await;
    assert_eq!(
        (&tracked["balances"][0]["amount"], &tracked["balances"][0]["currentBalance"]),
        (&json!(1.5), &json!(6))
    );
    let mut dear = event;
    dear["values"]["tokens"] = json!(50);
    let refused = host.call("events.track", dear.clone()).await;
    assert_eq!((refused.status.as_u16(), refused.refusal().0.as_str()), (429, "limit_exceeded"));
    assert_eq!(refused.json()["error"]["details"]["balances"][0]["requestedAmount"], 15);
    assert_eq!(host.ok("events.record", dear).await["overdrawn"], true);
    let page = host.ok("balances.transactions", json!({ "id": id, "type": "debit", "limit": 2 })).await;
    assert_eq!((&page["data"][0]["balanceAfter"], &page["hasMore"]), (&json!(-9), &json!(true)));
    let rest = json!({ "id": id, "type": "debit", "limit": 2, "cursor": page["nextCursor"] });
    assert_eq!(host.ok("balances.transactions", rest).await["data"][0]["amount"], 1.5);
    let statement = host.ok("balances.statement", json!({ "id": id })).await;
    assert_eq!((&statement["credited"], &statement["closingBalance"]), (&json!(15), &json!(-9)));
    let grants = host.ok("balances.grants", json!({ "id": id })).await;
    assert_eq!(grants["data"].as_array().unwrap().len(), 2);
    let alert = &host.ok("alerts.list", json!({ "balanceId": id })).await["data"][0];
    assert_eq!((&alert["kind"], &alert["balance"]["currentBalance"]), (&json!("balance_low"), &json!(-9)));
    assert_eq!(host.ok("balances.archive", json!({ "id": id })).await, json!({ "success": true }));
    assert_eq!(host.refused("balances.debit", of("1")).await.0, "balance_not_found");
    assert_eq!(host.ok("balances.restore", json!({ "id": id })).await["currentBalance"], -9);
    host.ok("balances.archive", json!({ "id": id })).await;
}

async fn events(host: &Host, meter: &str, limit: &str) {
    let event = |key: &str, tokens: &str| json!({ "customerId": "acme", "eventType": "llm", "values": { "tokens": tokens }, "model": "m", "idempotencyKey": key });
    let first = host.ok("events.record", event("a", "0.1")).await;
    assert_eq!(host.ok("events.record", event("a", "0.10")).await, first, "a repeat answers as the first did");
    let batch = json!({ "events": [event("a", "0.1"), event("b", "99"), event("c", "0.000000001")] });
    assert_eq!(host.ok("events.batch", batch).await, json!({ "count": 2, "duplicates": 1 }));
    let listed =
        host.ok("events.list", json!({ "customerId": "acme", "dimensions": { "model": "m" }, "limit": 2 })).await;
    assert_eq!((listed["data"].as_array().unwrap().len(), &listed["hasMore"]), (2, &json!(true)));
    let rest =
        host.ok("events.list", json!({ "customerId": "acme", "limit": 2, "cursor": listed["nextCursor"] })).await;
    assert_eq!(rest["data"].as_array().unwrap().len(), 1);
    let detail = host.ok("events.get", json!({ "id": first["id"] })).await;
    assert_eq!(detail["event"]["values"]["tokens"], 0.1);
    let on = |list: &Value, id: &str| list.as_array().unwrap().iter().any(|item| item["id"] == id);
    assert!(on(&detail["meters"], meter) && on(&detail["limits"], limit), "{detail}");
    let summary = host.ok("events.summary", json!({ "customerId": "acme" })).await;
    assert_eq!((&summary["totalEvents"], &summary["types"][0]["count"]), (&json!(3), &json!(3)));
    let query = json!({ "id": meter, "customerId": "acme", "interval": "hour", "groupBy": ["model"] });
    let answer = host.until("meters.query", query, |answer| answer["value"].is_number()).await;
    assert_eq!(answer["groups"][0]["key"], json!({ "model": "m" }));
    let preview = host.ok("meters.preview", json!({ "aggregation": "max", "field": "values.tokens" })).await;
    assert_eq!((&preview["answer"]["value"], &preview["matchedEvents"]), (&json!(99), &json!(3)));
    let check = host.ok("limits.check", json!({ "customerId": "acme" })).await;
    assert_eq!((&check["allowed"], &check["limits"][0]["id"]), (&json!(true), &json!(limit)));
    let more = json!({ "customerId": "acme", "values": { "tokens": 0.9 } });
    assert_eq!(host.ok("limits.check", more).await["allowed"], false, "0.9 more would be beyond 100");
    let asked = json!({ "customerId": "acme", "eventType": "llm", "values": { "tokens": 0.9 }, "dimensions": {} });
    let told = host.ok("limits.explain", asked).await;
    assert_eq!((&told["allowed"], &told["track"]["reason"]), (&json!(false), &json!("limit_exceeded")));
    let why = told["limits"].as_array().unwrap().iter().find(|told| told["limitId"] == limit).unwrap();
    assert_eq!((&why["verdict"], &why["share"]["after"]), (&json!("would_exceed"), &json!(100.000000001)));
    assert_eq!((&why["events"][0]["value"], &why["eventsComplete"]), (&json!(99), &json!(true)));
    let voided = host.ok("events.void", json!({ "id": first["id"], "reason": "sent by mistake" })).await;
    assert_eq!(voided["voidReason"], "sent by mistake");
    let standings = host.ok("limits.standings", json!({ "limitId": limit })).await;
    assert_eq!(standings["data"][0]["customerId"], "acme");
    let ahead = json!({ "outlook": "too_early", "runsOutAt": null, "basis": null });
    assert_eq!(standings["data"][0]["standing"]["forecast"], ahead, "of an event recorded just now");
}

async fn keys(host: &Host) {
    let made = host
        .ok("keys.create", json!({ "name": "worker", "scope": "ingest", "expiresAt": "2100-01-01T00:00:00Z" }))
        .await;
    assert!(made["key"].as_str().unwrap().starts_with("weir_sk_"));
    let listed = host.ok("keys.list", json!({ "limit": 1 })).await;
    assert_eq!((&listed["data"][0]["id"], &listed["hasMore"]), (&made["id"], &json!(true)), "newest first");
    assert!(listed["data"][0].get("key").is_none());
    let rest = host.ok("keys.list", json!({ "limit": 1, "cursor": listed["nextCursor"] })).await;
    assert_ne!(rest["data"][0]["id"], made["id"]);
    let patch = json!({ "id": made["id"], "name": "workers", "perMinute": 5, "perDay": null });
    let changed = host.ok("keys.update", patch).await;
    assert_eq!(
        (&changed["name"], &changed["perMinute"], &changed["perDay"]),
        (&json!("workers"), &json!(5), &Value::Null)
    );
    let rotated = host.ok("keys.rotate", json!({ "id": made["id"] })).await;
    assert!(rotated["key"] != made["key"] && rotated["id"] == made["id"]);
    let listed = host.ok("keys.list", json!({ "limit": 1 })).await;
    assert!(listed["data"][0]["oldSecretUntil"].is_string(), "{listed}");
    assert_eq!(host.ok("keys.revoke", json!({ "id": made["id"] })).await["success"], true);
}

async fn webhooks(host: &Host) {
    let new = json!({ "url": "http://127.0.0.1:9/", "allowPrivate": true, "eventTypes": ["ping", "limit.exceeded"] });
    let made = host.ok("webhooks.create", new).await;
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(made["eventTypes"], json!(["limit.exceeded", "ping"]), "in one order");
    let id = &made["id"];
    let listed = host.ok("webhooks.list", json!({})).await;
    assert!(listed["data"][0]["id"] == *id && listed["data"][0].get("secret").is_none());
    assert_eq!(host.ok("webhooks.get", json!({ "id": id })).await["secret"], made["secret"]);
    let changed = host.ok("webhooks.update", json!({ "id": id, "eventTypes": null, "enabled": false })).await;
    assert_eq!((&changed["eventTypes"], &changed["enabled"]), (&Value::Null, &json!(false)));
    assert_eq!(host.ok("webhooks.enable", json!({ "id": id })).await["enabled"], true);
    let ping = host.ok("webhooks.test", json!({ "id": id })).await;
    assert_eq!((&ping["state"], &ping["payload"]["event"]), (&json!("waiting"), &json!("ping")));
    let listed = host.ok("webhooks.deliveries", json!({ "id": id, "state": "waiting", "eventType": "ping" })).await;
    assert_eq!(listed["data"][0], ping);
    let again = host.ok("webhooks.redeliver", json!({ "id": id, "deliveryId": ping["id"] })).await;
    assert_eq!(again["id"], ping["id"], "what waits is tried at once");
    let rotated = host.ok("webhooks.rotate", json!({ "id": id })).await;
    assert!(rotated["secret"] != made["secret"] && rotated["oldSecretUntil"].is_string());
    let told = host.ok("secrets.get", json!({})).await;
    assert_eq!((&told["store"], &told["hasKey"], &told["error"]), (&json!("file"), &json!(true), &Value::Null));
    let moved = host.ok("secrets.update", json!({ "store": "keyring" })).await;
    assert_eq!(
        (&moved["store"], &moved["hasKey"], &moved["fileLeft"]),
        (&json!("keyring"), &json!(true), &json!(false))
    );
    assert_eq!(host.ok("webhooks.get", json!({ "id": id })).await["secret"], rotated["secret"]);
    assert_eq!(host.ok("webhooks.archive", json!({ "id": id })).await["success"], true);
    let server = host.ok("server.get", json!({})).await;
    assert_eq!((&server["canChange"], &server["lan"]), (&json!(false), &json!(false)));
}

async fn client_tokens(host: &Host) {
    let new = json!({
        "context": { "customer_id": "acme", "price": 0.5, "nested": [{ "a": [1] }] },
        "serverContext": [1, { "tier": [2] }],
        "ttlSeconds": 60,
    });
    let made = host.ok("client_tokens.create", new.clone()).await;
    assert!(made["token"].as_str().unwrap().starts_with("weir_ct_") && made["id"].as_str().unwrap().starts_with("ct_"));
    let known = host.ok("client_tokens.get", json!({ "id": made["id"] })).await;
    assert_eq!(
        (&known["customerId"], &known["publicMetadata"], &known["serverContext"]),
        (&json!("acme"), &new["context"], &new["serverContext"])
    );
    assert_eq!((&known["expiresAt"], &known["revokedAt"]), (&made["expiresAt"], &Value::Null));
    let other = host.ok("client_tokens.create", json!({ "publicMetadata": { "customerId": "beta" } })).await;
    let listed = host.ok("client_tokens.list", json!({ "limit": 1 })).await;
    assert_eq!((&listed["data"][0]["id"], &listed["hasMore"]), (&other["id"], &json!(true)), "newest first");
    let of_acme = host.ok("client_tokens.list", json!({ "customerId": "acme" })).await;
    assert_eq!(of_acme["data"], json!([known]));
    let told = host.ok("client_tokens.introspect", json!({ "token": made["token"] })).await;
    assert_eq!(
        (&told["active"], &told["id"], &told["serverContext"]),
        (&json!(true), &made["id"], &new["serverContext"])
    );
    assert_eq!(host.ok("client_tokens.revoke", json!({ "id": made["id"] })).await["success"], true);
    let told = host.ok("client_tokens.introspect", json!({ "token": made["token"] })).await;
    assert!(told["active"] == false && told["revokedAt"].is_string(), "{told}");
    let unknown = host.refused("client_tokens.introspect", json!({ "token": "weir_ct_0" })).await;
    assert_eq!(unknown.0, "client_token_not_found");
    assert_eq!(host.refused("client_tokens.get", json!({ "id": "ct_1" })).await.0, "client_token_not_found");
}

async fn imports(host: &Host) {
    let file = b"at,who,n\n2024-01-01T00:00:00Z,zed,1\nnever,zed,2\n";
    let made = host.ok("imports.create", json!({ "fileName": "u.csv", "size": file.len() })).await;
    let id = &made["id"];
    let piece = json!({ "id": id, "offset": 0, "data": STANDARD.encode(file) });
    assert_eq!(host.ok("imports.upload", piece).await["state"], "ready");
    let preview = host.ok("imports.preview", json!({ "id": id })).await;
    assert_eq!(preview["columns"], json!(["at", "who", "n"]));
    let mapping = json!({
        "customer": { "column": "who" }, "eventType": { "value": "t" }, "timestamp": { "column": "at" },
        "values": [{ "name": "n", "columns": ["n"] }],
    });
    host.ok("imports.start", json!({ "id": id, "mapping": mapping })).await;
    let done = host.until("imports.get", json!({ "id": id }), |import| import["state"] == "done").await;
    assert_eq!((&done["recorded"], &done["refused"], &done["rows"]), (&json!(1), &json!(1), &json!(2)));
    let report = host.ok("imports.report", json!({ "id": id })).await;
    assert_eq!((&report["total"], &report["refused"][0]["line"]), (&json!(1), &json!(3)));
    assert_eq!(host.ok("imports.cancel", json!({ "id": id })).await["success"], true);
}

async fn charts(host: &Host, meter: &str) {
    for (format, content_type, begins) in
        [("svg", "image/svg+xml", &b"<?xml"[..]), ("png", "image/png", &b"\x89PNG"[..])]
    {
        let picture = host.ok("charts.render", json!({ "meterId": meter, "format": format, "theme": "dark" })).await;
        assert_eq!(picture["contentType"], content_type);
        let file = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        assert!(file.starts_with(begins) || file.starts_with(b"<svg"), "{format}");
    }
}

//! Every operation once, over the wire.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use weir_api::{Reach, TABLE};

use crate::harness::Host;

#[tokio::test]
async fn every_operation_works_over_http() {
    let host = Host::start().await;
    project(&host).await;
    customers(&host).await;
    let meter = meters(&host).await;
    let limit = limits(&host, &meter).await;
    events(&host, &meter, &limit).await;
    rate_limits(&host).await;
    keys(&host).await;
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
    let project = host.ok("project.update", json!({ "name": "Ours", "timezone": "Europe/Berlin" })).await;
    assert_eq!((&project["name"], &project["timezone"]), (&json!("Ours"), &json!("Europe/Berlin")));
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
    host.ok("rate_limits.archive", json!({ "id": id })).await;
    assert_eq!(host.ok("rate_limits.list", json!({})).await["data"], json!([]));
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
    let voided = host.ok("events.void", json!({ "id": first["id"], "reason": "sent by mistake" })).await;
    assert_eq!(voided["voidReason"], "sent by mistake");
    let standings = host.ok("limits.standings", json!({ "limitId": limit })).await;
    assert_eq!(standings["data"][0]["customerId"], "acme");
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
    assert_eq!(host.ok("keys.revoke", json!({ "id": made["id"] })).await["success"], true);
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

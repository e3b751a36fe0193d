//! The audit: every change is there once, with who, before and after, and nothing secret.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use weir_api::{Kind, Reach, TABLE};

use crate::harness::{Host, Reply};

/// Every fact, newest first, walked in small pages.
async fn facts(host: &Host, filters: Value) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let mut request = filters.clone();
        request["limit"] = json!(7);
        if cursor.is_string() {
            request["cursor"] = cursor;
        }
        let page = host.ok("audit.list", request).await;
        all.extend(page["data"].as_array().unwrap().clone());
        cursor = page["nextCursor"].clone();
        assert_eq!(page["hasMore"], cursor.is_string());
        if cursor.is_null() {
            return all;
        }
    }
}

async fn count(host: &Host) -> usize {
    facts(host, json!({})).await.len()
}

/// Steps through operations, counting what each adds to the audit.
struct Steps<'a> {
    host: &'a Host,
    done: BTreeSet<&'static str>,
}

impl Steps<'_> {
    /// Changes something: one fact, of this operation.
    async fn changes(&mut self, name: &str, request: Value) -> Value {
        let before = count(self.host).await;
        let answer = self.host.ok(name, request).await;
        let all = facts(self.host, json!({})).await;
        assert_eq!(all.len(), before + 1, "{name} writes one fact: {:?}", all.first());
        assert_eq!((&all[0]["operation"], &all[0]["actor"]["kind"]), (&json!(name), &json!("key")));
        self.done.insert(Host::row(name).name);
        answer
    }

    /// Succeeds and changes nothing.
    async fn changes_nothing(&self, name: &str, request: Value) {
        let before = count(self.host).await;
        self.host.ok(name, request).await;
        assert_eq!(count(self.host).await, before, "{name} changed nothing");
    }

    /// Is refused.
    async fn fails(&self, name: &str, request: Value) {
        let before = count(self.host).await;
        let reply = self.host.call(name, request).await;
        assert!(reply.status.is_client_error(), "{name}: {}", reply.text);
        assert_eq!(count(self.host).await, before, "{name} was refused");
    }
}

fn id(answer: &Value) -> Value {
    answer["id"].clone()
}

#[tokio::test]
async fn every_change_is_one_fact_and_what_changes_nothing_is_none() {
    let host = Host::start().await;
    let mut steps = Steps { host: &host, done: BTreeSet::new() };

    steps.changes("project.update", json!({ "name": "Ours", "timezone": "Europe/Berlin" })).await;
    steps.changes_nothing("project.update", json!({ "name": "Ours" })).await;
    steps.changes_nothing("project.update", json!({})).await;
    steps.changes("project.update", json!({ "clientOrigins": ["https://app.example"] })).await;
    steps.changes_nothing("project.update", json!({ "clientOrigins": ["https://APP.example:443"] })).await;
    steps.fails("project.update", json!({ "clientOrigins": ["https://app.example/path"] })).await;
    steps.fails("project.update", json!({ "name": "" })).await;

    let acme = json!({ "id": "acme" });
    steps.changes("customers.create", json!({ "externalId": "acme", "name": "Acme" })).await;
    steps.fails("customers.create", json!({ "externalId": "acme" })).await;
    steps
        .changes("customers.update", json!({ "id": "acme", "email": "a@example.com", "timezone": "Asia/Tokyo" }))
        .await;
    steps.changes_nothing("customers.update", json!({ "id": "acme", "name": "Acme", "timezone": "Asia/Tokyo" })).await;
    steps.changes_nothing("customers.update", acme.clone()).await;
    steps.fails("customers.update", json!({ "id": "acme", "billingCycleStart": "soon" })).await;
    steps.fails("customers.update", json!({ "id": "nobody", "name": "x" })).await;
    steps.changes("customers.archive", acme.clone()).await;
    steps.changes_nothing("customers.archive", acme.clone()).await;
    steps.changes("customers.restore", acme.clone()).await;
    steps.changes_nothing("customers.restore", acme).await;
    steps.fails("customers.restore", json!({ "id": "nobody" })).await;

    let new = json!({ "name": "used", "aggregation": "sum", "field": "values.tokens" });
    let meter = id(&steps.changes("meters.create", new.clone()).await);
    steps.fails("meters.create", new).await;
    steps.changes("meters.update", json!({ "id": meter, "groupBy": ["model"], "unit": "tokens" })).await;
    steps.changes_nothing("meters.update", json!({ "id": meter, "unit": "tokens", "groupBy": ["model"] })).await;
    steps.fails("meters.update", json!({ "id": meter, "field": "tokens" })).await;
    steps.changes("meters.archive", json!({ "id": meter })).await;
    steps.changes_nothing("meters.archive", json!({ "id": meter })).await;
    steps.changes("meters.restore", json!({ "id": meter })).await;
    steps.changes_nothing("meters.restore", json!({ "id": meter })).await;

    // The first limit of a customer who is not known yet creates the customer with it.
    let new = json!({ "name": "day", "meterId": meter, "limitValue": 5, "period": "day", "customerId": "newcomer" });
    let limit = id(&steps.changes("limits.create", new.clone()).await);
    steps.fails("limits.create", new).await;
    steps.changes("limits.update", json!({ "id": limit, "limitValue": 6 })).await;
    steps.changes_nothing("limits.update", json!({ "id": limit, "limitValue": "6.0", "period": "day" })).await;
    steps.fails("limits.update", json!({ "id": limit, "limitValue": 0 })).await;
    steps.fails("meters.archive", json!({ "id": meter })).await;
    steps.changes("limits.archive", json!({ "id": limit })).await;
    steps.changes_nothing("limits.archive", json!({ "id": limit })).await;
    steps.changes("limits.restore", json!({ "id": limit })).await;
    steps.changes_nothing("limits.restore", json!({ "id": limit })).await;

    let raise = |value: u32| json!({ "id": limit, "customerId": "newcomer", "limitValue": value, "until": "2032-01-01T00:00:00Z", "note": "n" });
    steps.changes("limits.raise", raise(9)).await;
    steps.fails("limits.raise", raise(6)).await;
    steps.changes("limits.end_raise", json!({ "id": limit, "customerId": "newcomer" })).await;
    steps.changes_nothing("limits.end_raise", json!({ "id": limit, "customerId": "newcomer" })).await;
    steps.changes("limits.reset", json!({ "id": limit, "customerId": "newcomer", "note": "n" })).await;
    steps.fails("limits.reset", json!({ "id": limit, "customerId": "newcomer", "note": "" })).await;
    steps.fails("limits.reset", json!({ "id": limit, "customerId": "nobody", "note": "n" })).await;
    assert_eq!(facts(&host, json!({ "operation": "limits", "customerId": "newcomer" })).await.len(), 7);

    host.ok("limits.update", json!({ "id": limit, "alertThresholds": [50, 100] })).await;
    host.ok("events.record", json!({ "customerId": "newcomer", "eventType": "t", "values": { "tokens": 6 } })).await;
    let alerts = host.ok("alerts.list", json!({})).await["data"].clone();
    steps.changes("alerts.acknowledge", json!({ "id": alerts[1]["id"] })).await;
    steps.changes_nothing("alerts.acknowledge", json!({ "id": alerts[1]["id"] })).await;
    steps.changes("alerts.acknowledge_all", json!({ "upTo": alerts[0]["id"] })).await;
    steps.changes_nothing("alerts.acknowledge_all", json!({ "upTo": alerts[0]["id"] })).await;
    steps.fails("alerts.acknowledge", json!({ "id": "alr_00000000-0000-8000-8000-000000000000" })).await;
    host.ok("limits.update", json!({ "id": limit, "alertThresholds": [] })).await;

    let new = json!({ "customerId": "newcomer", "name": "credits", "metered": { "meterId": meter, "amount": 1 } });
    let balance = id(&steps.changes("balances.create", new.clone()).await);
    steps.fails("balances.create", new).await;
    steps.fails("meters.archive", json!({ "id": meter })).await;
    steps.changes("balances.update", json!({ "id": balance, "priority": 5, "metered": null })).await;
    steps.changes_nothing("balances.update", json!({ "id": balance, "priority": 5, "unit": null })).await;
    steps.fails("balances.update", json!({ "id": balance, "priority": 1001 })).await;
    let of = |amount: &str| json!({ "customerId": "newcomer", "name": "credits", "amount": amount, "idempotencyKey": amount });
    let noted = |mut request: Value, note: &str| {
        request["note"] = json!(note);
        request
    };
    steps.changes("balances.credit", of("9")).await;
    steps.changes_nothing("balances.credit", of("9")).await;
    steps.fails("balances.credit", of("0")).await;
    steps.changes("balances.adjust", noted(of("-1"), "n")).await;
    steps.changes_nothing("balances.adjust", noted(of("-1"), "n")).await;
    steps.fails("balances.adjust", noted(of("-2"), "")).await;
    steps.changes("balances.archive", json!({ "id": balance })).await;
    steps.changes_nothing("balances.archive", json!({ "id": balance })).await;
    steps.fails("balances.credit", of("8")).await;
    steps.changes("balances.restore", json!({ "id": balance })).await;
    steps.changes_nothing("balances.restore", json!({ "id": balance })).await;
    assert_eq!(facts(&host, json!({ "operation": "balances", "customerId": "newcomer" })).await.len(), 6);

    let new = json!({ "name": "burst", "window": "minute", "limitValue": 5, "customerId": "newcomer" });
    let rate = id(&steps.changes("rate_limits.create", new.clone()).await);
    steps.fails("rate_limits.create", new).await;
    steps.changes("rate_limits.update", json!({ "id": rate, "window": "hour" })).await;
    steps.changes_nothing("rate_limits.update", json!({ "id": rate, "limitValue": 5 })).await;
    steps.fails("rate_limits.update", json!({ "id": rate, "limitValue": 0 })).await;
    steps.changes("rate_limits.archive", json!({ "id": rate })).await;
    steps.changes_nothing("rate_limits.archive", json!({ "id": rate })).await;
    assert_eq!(facts(&host, json!({ "operation": "rate_limits", "customerId": "newcomer" })).await.len(), 3);

    let stated = |value: &str| json!({ "limits": [{ "name": "day", "customerId": "newcomer", "meter": "used", "limitValue": value, "period": "day" }] });
    let with = |mut request: Value, name: &str| {
        request[name] = json!(true);
        request
    };
    steps.changes_nothing("limits.sync", stated("6")).await;
    steps.changes_nothing("limits.sync", with(stated("7"), "preview")).await;
    steps.fails("limits.sync", stated("0")).await;
    let before = count(&host).await;
    host.ok("limits.sync", stated("7")).await;
    assert_eq!(facts(&host, json!({})).await[0]["operation"], "limits.update");
    let file = |value: &str| json!({ "text": format!("[[limit]]\nname = 'day'\ncustomerId = 'newcomer'\nmeter = 'used'\nperiod = 'day'\nlimitValue = {value}\n") });
    steps.changes_nothing("limits.apply", file("7.0")).await;
    steps.changes_nothing("limits.apply", with(file("8"), "preview")).await;
    steps.fails("limits.apply", file("0")).await;
    host.ok("limits.apply", file("8")).await;
    assert_eq!(count(&host).await, before + 2, "one for each limit changed, as its own operation writes it");
    steps.done.extend(["limits.sync", "limits.apply"]);

    let key = id(&steps.changes("keys.create", json!({ "name": "worker", "scope": "ingest" })).await);
    steps.fails("keys.create", json!({ "name": "", "scope": "ingest" })).await;
    steps.changes("keys.update", json!({ "id": key, "perMinute": 5 })).await;
    steps.changes_nothing("keys.update", json!({ "id": key, "perMinute": 5, "name": "worker" })).await;
    steps.fails("keys.update", json!({ "id": key, "perDay": 0 })).await;
    steps.changes("keys.rotate", json!({ "id": key })).await;
    steps.fails("keys.rotate", json!({ "id": key, "overlapSeconds": 9_999_999 })).await;
    steps.changes("keys.revoke", json!({ "id": key })).await;
    steps.changes_nothing("keys.revoke", json!({ "id": key })).await;

    let new = json!({ "url": "http://127.0.0.1:9/", "allowPrivate": true });
    let webhook = id(&steps.changes("webhooks.create", new).await);
    steps.fails("webhooks.create", json!({ "url": "http://127.0.0.1:9/" })).await;
    steps.changes("webhooks.update", json!({ "id": webhook, "description": "ours" })).await;
    steps.changes_nothing("webhooks.update", json!({ "id": webhook, "description": "ours", "enabled": true })).await;
    steps.fails("webhooks.update", json!({ "id": webhook, "eventTypes": [] })).await;
    let ping = id(&steps.changes("webhooks.test", json!({ "id": webhook })).await);
    steps.changes("webhooks.redeliver", json!({ "id": webhook, "deliveryId": ping })).await;
    steps.changes("webhooks.rotate", json!({ "id": webhook })).await;
    steps.changes("webhooks.update", json!({ "id": webhook, "enabled": false })).await;
    steps.fails("webhooks.test", json!({ "id": webhook })).await;
    steps.changes("webhooks.enable", json!({ "id": webhook })).await;
    steps.changes_nothing("webhooks.enable", json!({ "id": webhook })).await;
    steps.changes("webhooks.archive", json!({ "id": webhook })).await;
    steps.changes_nothing("webhooks.archive", json!({ "id": webhook })).await;
    steps.changes("secrets.update", json!({ "store": "keyring" })).await;
    steps.changes_nothing("secrets.update", json!({ "store": "keyring" })).await;
    steps.fails("secrets.update", json!({ "store": "environment" })).await;
    let new = json!({ "publicMetadata": { "customerId": "newcomer" }, "serverContext": { "tier": "confidential" } });
    let token = steps.changes("client_tokens.create", new).await;
    steps.fails("client_tokens.create", json!({ "publicMetadata": {} })).await;
    steps.changes("client_tokens.revoke", json!({ "id": token["id"] })).await;
    steps.changes_nothing("client_tokens.revoke", json!({ "id": token["id"] })).await;
    steps.changes_nothing("client_tokens.introspect", json!({ "token": token["token"] })).await;
    let about = facts(&host, json!({ "operation": "client_tokens", "customerId": "newcomer" })).await;
    assert_eq!(about.len(), 2);
    let told = serde_json::to_string(&about).unwrap();
    assert!(!told.contains("confidential") && !told.contains(token["token"].as_str().unwrap()), "{told}");

    // The sample is made of meters, limits and balances, each a change of its own, and a credit for each balance.
    let before = count(&host).await;
    let made = host.ok("sample.create", json!({})).await;
    let [meters, limits, balances] = ["meters", "limits", "balances"].map(|part| made[part].as_array().unwrap().len());
    assert_eq!(count(&host).await, before + meters + limits + 2 * balances);
    steps.changes_nothing("sample.create", json!({})).await;
    steps.done.insert("sample.create");

    // Recording is no change of configuration; taking back what was recorded is one to be answered for.
    steps.changes_nothing("events.record", json!({ "customerId": "other", "eventType": "t" })).await;
    let event = id(&host.ok("events.record", json!({ "customerId": "other", "eventType": "t" })).await);
    steps.changes("events.void", json!({ "id": event, "reason": "a test" })).await;
    steps.changes_nothing("events.void", json!({ "id": event })).await;
    steps.fails("events.void", json!({ "id": "evt_00000000-0000-7000-8000-000000000000" })).await;
    assert_eq!(facts(&host, json!({ "customerId": "other" })).await.len(), 1);
    assert_eq!(facts(&host, json!({ "customerId": "othe" })).await.len(), 0);

    let public = TABLE.iter().filter(|row| row.kind == Kind::Change && row.reach == Reach::Public);
    assert_eq!(
        steps.done,
        public.map(|row| row.name).collect(),
        "each operation that changes something is tried above"
    );
    host.stop().await;
}

#[tokio::test]
async fn facts_are_found_by_who_what_whom_and_when() {
    let host = Host::start().await;
    let meter = id(&host.ok("meters.create", json!({ "name": "m", "aggregation": "count", "field": "*" })).await);
    // The second customer's id is the beginning of the first one's, and stands in its texts.
    for (customer, email) in [("acme-2", "sales@acme.example"), ("acme", "Größe \"A\"")] {
        host.ok("customers.create", json!({ "externalId": customer, "email": email })).await;
        let new = json!({ "name": format!("of {customer}"), "meterId": meter, "limitValue": "123456789012345678.123456789", "period": "day", "customerId": customer });
        let limit = id(&host.ok("limits.create", new).await);
        host.ok("limits.archive", json!({ "id": limit })).await;
    }
    let operations = |facts: &[Value]| -> Vec<String> {
        facts.iter().map(|fact| fact["operation"].as_str().unwrap().to_owned()).collect()
    };
    let about = facts(&host, json!({ "customerId": "acme" })).await;
    assert_eq!(operations(&about), ["limits.archive", "limits.create", "customers.create"], "archived or not");
    assert!(about.iter().all(|fact| !fact.to_string().contains("acme-2")), "{about:?}");
    assert_eq!(facts(&host, json!({ "customerId": "nobody" })).await, [] as [Value; 0]);
    assert_eq!(host.refused("audit.list", json!({ "customerId": "" })).await.1, "customerId");

    assert_eq!(facts(&host, json!({ "operation": "limits.create" })).await.len(), 2);
    assert_eq!(facts(&host, json!({ "operation": "limits" })).await.len(), 4);
    assert_eq!(facts(&host, json!({ "operation": "limit" })).await.len(), 0, "whole words");

    for (text, found) in [("GRÖSSE", 0), ("GRÖßE \"a\"", 1), ("LIMITS.ARCHIVE", 2), ("of acme-2", 2), ("%", 0), ("", 8)]
    {
        assert_eq!(facts(&host, json!({ "query": text })).await.len(), found, "{text}");
    }

    // The keys are the test's own, made by the command line, and everything was done with one.
    let all = facts(&host, json!({})).await;
    let key = host.ok("keys.list", json!({})).await["data"][0].clone();
    assert_eq!(all[0]["actor"], json!({ "kind": "key", "name": key["id"], "label": "test" }));
    assert_eq!(facts(&host, json!({ "actor": key["id"] })).await.len(), 7);
    assert_eq!(facts(&host, json!({ "actor": "key" })).await.len(), 7);
    let made = facts(&host, json!({ "actor": "cli" })).await;
    assert_eq!(
        (operations(&made), &made[0]["actor"]),
        (vec!["keys.create".to_owned()], &json!({ "kind": "cli", "name": "" }))
    );
    assert_eq!(facts(&host, json!({ "query": "TEST" })).await.len(), 8, "by the key's name, and the key itself");
    assert_eq!(facts(&host, json!({ "actor": "key_00000000-0000-7000-8000-000000000000" })).await.len(), 0);
    assert_eq!(host.refused("audit.list", json!({ "actor": "somebody" })).await.1, "actor");

    let third = all[2]["at"].clone();
    let since = facts(&host, json!({ "from": third })).await;
    let until = facts(&host, json!({ "to": third })).await;
    assert_eq!((since.len() + until.len(), &since[..3]), (8, &all[..3]));
    assert!(until.iter().all(|fact| fact["at"].as_str() < third.as_str()));
    assert_eq!(host.refused("audit.list", json!({ "cursor": "5b5d" })).await.1, "cursor");
    let oldest = facts(&host, json!({ "sort": "oldest" })).await;
    assert!(oldest.iter().eq(all.iter().rev()));
    host.stop().await;
}

#[tokio::test]
async fn before_and_after_keep_every_digit_and_no_secret() {
    let host = Host::start().await;
    let meter = id(&host.ok("meters.create", json!({ "name": "m", "aggregation": "count", "field": "*" })).await);
    let new = json!({ "name": "l", "meterId": meter, "limitValue": "123456789012345678.123456789", "period": "day", "alertThresholds": [80] });
    host.ok("limits.create", new).await;
    let made = host.ok("keys.create", json!({ "name": "worker", "scope": "read" })).await;
    let exact = host.get("/v1/audit").await;
    assert!(exact.text.contains(r#""limitValue":123456789012345678.123456789,"#), "{}", exact.text);
    assert!(exact.text.contains(r#""before":null"#));
    let request = host.request("GET".parse().unwrap(), "/v1/audit");
    let texts: Reply = host.send(request.header("accept", "application/json; quantities=string")).await;
    let limit = &texts.json()["data"][1]["after"];
    assert_eq!(
        (&limit["limitValue"], &limit["alertThresholds"], &limit["enabled"]),
        (&json!("123456789012345678.123456789"), &json!(["80"]), &json!(true))
    );
    let secret = made["key"].as_str().unwrap();
    for text in [&exact.text, &texts.text] {
        assert!(text.contains("worker") && !text.contains(secret) && !text.contains("hash"), "{text}");
    }
    host.stop().await;
}

/// A fact is found by what its target is called and whose it is, also where what was done to it does not say so.
#[tokio::test]
async fn facts_lead_to_what_they_are_about() {
    let host = Host::start().await;
    let balance = host.ok("balances.create", json!({ "customerId": "acme", "name": "prepaid" })).await["id"].clone();
    host.ok("balances.credit", json!({ "customerId": "acme", "name": "prepaid", "amount": 5 })).await;
    host.ok("customers.create", json!({ "externalId": "beta" })).await;
    let meter = host.ok("meters.list", json!({})).await["data"][0]["id"].clone();
    let new = json!({ "name": "Everyone's", "meterId": meter, "limitValue": 5, "period": "day" });
    let limit = host.ok("limits.create", new).await["id"].clone();
    let until = "2999-01-01T00:00:00Z";
    let far = json!({ "id": limit, "customerId": "beta", "limitValue": 9, "until": until, "note": "n" });
    assert_eq!(host.refused("limits.raise", far.clone()).await.1, "until");
    host.ok("limits.reset", json!({ "id": limit, "customerId": "beta", "note": "goodwill" })).await;
    let found = async |query: &str| {
        let page = host.ok("audit.list", json!({ "query": query })).await;
        let facts = page["data"].as_array().unwrap().iter();
        facts
            .map(|fact| {
                let word = |name: &str| fact[name].as_str().unwrap_or("-").to_owned();
                [word("operation"), word("targetName"), word("customerId")].join(" ")
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(found("ACME").await, ["balances.credit prepaid acme", "balances.create prepaid acme"]);
    assert_eq!(found("prepaid").await.len(), 2);
    assert_eq!(found("beta").await, ["limits.reset Everyone's beta", "customers.create beta beta"]);
    assert_eq!(found(balance.as_str().unwrap()).await.len(), 2);
    host.stop().await;
}

//! What a customer's own front end may do with a client token, and everything else that it may try.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use weir_api::{Context, Reach, TABLE, operations};
use weir_core::error::Code;

use crate::harness::{Host, Reply};

/// Stands in every token's server context, and must never come back.
const CONFIDENTIAL: &str = "confidential-tier-9f2c";

/// A token for a customer: its id and itself.
async fn token(host: &Host, customer: &str) -> (String, String) {
    let new = json!({
        "publicMetadata": { "customerId": customer, "seat": "7" },
        "serverContext": { "tier": CONFIDENTIAL },
        "ttlSeconds": 600,
    });
    let made = host.ok("client_tokens.create", new).await;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("token"))
}

/// Calls as a front end does. No answer tells what only the operator's programs may know.
async fn call(host: &Host, token: &str, method: Method, path: &str, body: &str) -> Reply {
    let mut request = host.client.request(method, format!("{}{path}", host.base)).bearer_auth(token);
    if !body.is_empty() {
        request = request.header("content-type", "application/json").body(body.to_owned());
    }
    let reply = host.send(request).await;
    let all = format!("{:?} {}", reply.headers, reply.text);
    let is_secret = token.len() > 60;
    assert!(!all.contains(CONFIDENTIAL), "{path} {body}: {all}");
    assert!(!is_secret || !all.contains(token), "{path} {body}: {all}");
    reply
}

async fn get(host: &Host, token: &str, path: &str) -> Reply {
    call(host, token, Method::GET, path, "").await
}

async fn post(host: &Host, token: &str, path: &str, body: &str) -> Reply {
    call(host, token, Method::POST, path, body).await
}

/// A meter of tokens, a limit of 10 over it, and another customer who has used 3.
async fn furnish(host: &Host) -> Value {
    let meter = host.ok("meters.create", json!({ "name": "m", "aggregation": "sum", "field": "values.tokens" })).await;
    let limit = json!({ "name": "in all", "meterId": meter["id"], "limitValue": 10, "period": "all_time" });
    host.ok("limits.create", limit).await;
    let of_beta = json!({ "name": "beta's own", "meterId": meter["id"], "limitValue": 77, "period": "day", "customerId": "beta" });
    host.ok("limits.create", of_beta).await;
    let event = json!({ "customerId": "beta", "eventType": "secret.type", "values": { "tokens": 3 }, "idempotencyKey": "taken" });
    host.ok("events.record", event).await;
    meter["id"].clone()
}

#[tokio::test]
async fn the_four_routes_work_for_the_tokens_own_customer_also_under_v1() {
    let host = Host::start().await;
    furnish(&host).await;
    for (prefix, customer) in [("", "acme"), ("/v1", "zeta")] {
        let (_, token) = token(&host, customer).await;
        let own = get(&host, &token, &format!("{prefix}/client/token")).await.json();
        let project = host.ok("project.get", json!({})).await;
        assert_eq!(own["publicMetadata"], json!({ "customerId": customer, "seat": "7" }));
        assert_eq!(own["projectId"], project["id"]);
        assert_eq!(own.as_object().unwrap().len(), 3, "and when it ends, and nothing else: {own}");
        assert!(own["expiresAt"].is_string());

        // Before the customer is known the answers are those of a customer made now.
        let (check, record) = (format!("{prefix}/client/limits/check"), format!("{prefix}/client/events/record"));
        let summary = format!("{prefix}/client/events/summary");
        let asked = post(&host, &token, &check, "{}").await.json();
        assert_eq!((&asked["allowed"], &asked["limits"][0]["remaining"]), (&json!(true), &json!(10)));
        assert_eq!(get(&host, &token, &summary).await.json()["totalEvents"], 0);

        let body = format!(r#"{{"customerId":"{customer}","eventType":"click","values":{{"tokens":"6.5"}}}}"#);
        let recorded = post(&host, &token, &record, &body).await;
        assert_eq!(recorded.status.as_u16(), 201, "{}", recorded.text);
        let without = post(&host, &token, &record, r#"{"eventType":"click","totalTokens":3.5}"#).await;
        assert_eq!(without.status.as_u16(), 201, "{}", without.text);
        let asked = post(&host, &token, &check, &format!(r#"{{"customerId":"{customer}"}}"#)).await.json();
        assert_eq!(
            (&asked["allowed"], &asked["limits"][0]["used"], asked["limits"].as_array().unwrap().len()),
            (&json!(false), &json!(10), 1)
        );
        let more = post(&host, &token, &check, r#"{"eventType":"click","values":{"tokens":1}}"#).await.json();
        assert_eq!(more["allowed"], false);
        let told = get(&host, &token, &format!("{summary}?customerId={customer}&from=2020-01-01")).await.json();
        assert_eq!((&told["totalEvents"], &told["types"][0]["eventType"]), (&json!(2), &json!("click")));
        assert_eq!(told["types"].as_array().unwrap().len(), 1);
        let event = host.ok("events.get", json!({ "id": recorded.json()["id"] })).await;
        assert_eq!(event["event"]["customerId"], customer);
    }
    let tried: BTreeSet<&str> = ["client.token", "client.check", "client.record", "client.summary"].into();
    let rows: BTreeSet<&str> = TABLE.iter().filter(|row| row.reach == Reach::Client).map(|row| row.name).collect();
    assert_eq!(tried, rows, "each is called above");
    host.stop().await;
}

#[tokio::test]
async fn nothing_but_the_tokens_own_customer_is_reached() {
    let host = Host::start().await;
    furnish(&host).await;
    let beta = host.ok("customers.get", json!({ "id": "beta" })).await;
    let acme = host.ok("customers.create", json!({ "externalId": "acme" })).await;
    let (_, token) = token(&host, "acme").await;
    let events = || async { host.ok("status.get", json!({})).await["events"].clone() };
    let before = events().await;
    let others = ["beta", "Acme", "acme ", " acme", "ACME", "acme\u{200b}", "", "nobody", "a", "acme,beta"];
    let ids = [beta["id"].as_str().unwrap(), acme["id"].as_str().unwrap()];
    for other in others.iter().chain(&ids) {
        let named = json!(other);
        for (path, body) in [
            ("/client/limits/check", format!(r#"{{"customerId":{named}}}"#)),
            ("/client/events/record", format!(r#"{{"customerId":{named},"eventType":"t"}}"#)),
        ] {
            let reply = post(&host, &token, path, &body).await;
            assert_eq!(reply.status.as_u16(), 403, "{body}");
            assert_eq!(reply.refusal(), ("insufficient_permissions".to_owned(), "customerId".to_owned()), "{body}");
            assert!(!reply.text.contains("beta"), "{}", reply.text);
        }
        let query = format!("/client/events/summary?customerId={}", crate::harness::escape(other));
        assert_eq!(get(&host, &token, &query).await.status.as_u16(), 403, "{query}");
    }
    let (unknown, invalid) = ("unknown_field", "invalid_field_value");
    for (path, body, code, field) in [
        ("/client/limits/check?customerId=beta", r#"{"customerId":"acme"}"#, invalid, "customerId"),
        ("/client/limits/check", r#"{"customerId":"acme","customerId":"beta"}"#, invalid, "customerId"),
        ("/client/limits/check", r#"{"customerId":"acme","\u0063ustomerId":"beta"}"#, invalid, "customerId"),
        ("/client/limits/check", r#"{"customerId":["acme","beta"]}"#, invalid, "customerId"),
        ("/client/limits/check", r#"{"customerId":{"eq":"beta"}}"#, invalid, "customerId"),
        ("/client/limits/check", r#"{"customer_id":"beta"}"#, unknown, "customer_id"),
        ("/client/limits/check", r#"{"externalId":"beta"}"#, unknown, "externalId"),
        ("/client/limits/check", r#"{"values":{"tokens":-1}}"#, invalid, "values.tokens"),
        ("/client/limits/check", r#"{"values":{"tokens":"-0.000000001"}}"#, invalid, "values.tokens"),
        (
            "/client/events/record",
            r#"{"eventType":"t","dimensions":{"customer_id":"beta"}}"#,
            invalid,
            "dimensions.customer_id",
        ),
        ("/client/events/record", r#"{"eventType":"t","values":{"tokens":-1}}"#, invalid, "values.tokens"),
        ("/client/events/record", r#"{"eventType":"t","values":{"tokens":"-1"}}"#, invalid, "values.tokens"),
        ("/client/events/record", r#"{"eventType":"t","values":{"a":1,"b":-0.000000001}}"#, invalid, "values.b"),
        ("/client/events/record", r#"{"eventType":"t","inputTokens":-1}"#, invalid, "inputTokens"),
        ("/client/events/record", r#"{"eventType":"t","outputTokens":-1}"#, invalid, "outputTokens"),
        ("/client/events/record", r#"{"eventType":"t","totalTokens":-1}"#, invalid, "totalTokens"),
        ("/client/events/record", r#"{"eventType":"t","costCents":"-1"}"#, invalid, "costCents"),
        ("/client/events/record", r#"{"eventType":"t","latencyMs":-5}"#, invalid, "latencyMs"),
        ("/client/events/record", r#"{"eventType":"t","timestamp":"2024-01-01T00:00:00Z"}"#, unknown, "timestamp"),
        ("/client/events/record", r#"{"eventType":"t","timestamp":null}"#, unknown, "timestamp"),
        ("/client/events/record", r#"{"eventType":"t","\u0074imestamp":"2024-01-01"}"#, unknown, "timestamp"),
        ("/client/events/record?timestamp=2024-01-01", r#"{"eventType":"t"}"#, unknown, "timestamp"),
        ("/client/events/record", r#"{"eventType":"t","time":"2024-01-01"}"#, unknown, "time"),
        ("/client/events/record", r#"{"eventType":"t","createdAt":"2024-01-01"}"#, unknown, "createdAt"),
        ("/client/events/record", r#"{"eventType":"t","serverContext":{}}"#, unknown, "serverContext"),
        ("/client/events/record", r#"{"events":[{"eventType":"t"}]}"#, unknown, "events"),
        ("/client/events/record", r#"{"eventType":""}"#, invalid, "eventType"),
        ("/client/events/record", "{}", "missing_required_field", "eventType"),
    ] {
        let reply = post(&host, &token, path, body).await;
        assert_eq!(reply.status.as_u16(), 400, "{path} {body}: {}", reply.text);
        assert_eq!(reply.refusal(), (code.to_owned(), field.to_owned()), "{path} {body}: {}", reply.text);
    }
    for (query, code) in [
        ("customer_id=beta", unknown),
        ("eventType=secret.type", unknown),
        ("customerId=acme&customerId=beta", invalid),
    ] {
        assert_eq!(get(&host, &token, &format!("/client/events/summary?{query}")).await.refusal().0, code, "{query}");
    }
    assert_eq!(post(&host, &token, "/client/events/record", "[]").await.refusal().0, "invalid_request");
    assert_eq!(events().await, before, "nothing of it was recorded");
    let zero = post(&host, &token, "/client/events/record", r#"{"eventType":"t","values":{"a":-0,"b":"-0.0"}}"#).await;
    assert_eq!(zero.status.as_u16(), 201, "minus nothing is nothing: {}", zero.text);
    host.stop().await;
}

#[tokio::test]
async fn a_token_opens_no_other_route_and_a_key_opens_none_of_these() {
    let host = Host::start().await;
    let (_, token) = token(&host, "acme").await;
    for row in TABLE.iter().filter(|row| row.reach == Reach::Public) {
        let path = format!("/v1{}", row.path.replace("{id}", "nothing"));
        let reply = call(&host, &token, row.method.as_str().parse().unwrap(), &path, "{}").await;
        assert_eq!((reply.status.as_u16(), reply.refusal().0.as_str()), (401, "invalid_api_key"), "{path}");
    }
    for path in ["/v1/changes", "/metrics"] {
        assert_eq!(get(&host, &token, path).await.status.as_u16(), 401, "{path}");
    }
    for row in TABLE.iter().filter(|row| row.reach == Reach::Client) {
        for path in [row.path.to_owned(), format!("/v1{}", row.path)] {
            let method: Method = row.method.as_str().parse().unwrap();
            for bad in [host.key.as_str(), "weir_ct_", "x", &token[..71], &format!("{token}0"), &token.to_uppercase()] {
                let reply = call(&host, bad, method.clone(), &path, "{}").await;
                assert_eq!(
                    (reply.status.as_u16(), reply.refusal().0.as_str()),
                    (401, "invalid_api_key"),
                    "{path} {bad}"
                );
                assert_eq!(reply.headers["www-authenticate"], "Bearer");
            }
            let bare = host.send(host.client.request(method, format!("{}{path}?key={token}", host.base))).await;
            assert_eq!((bare.status.as_u16(), bare.refusal().0.as_str()), (401, "missing_api_key"), "{path}");
        }
    }
    // Beyond HTTP the same is decided in one place.
    let front = Context::client(host.app.clone(), host.app.engine.authenticate_client(&token).await.unwrap());
    let operator = Context::operator(host.app.clone());
    for operation in operations() {
        let is_for_clients = operation.row.reach == Reach::Client;
        for (ctx, allowed) in [(&front, is_for_clients), (&operator, !is_for_clients)] {
            let code = operation.authorise(ctx).err().map(|error| error.code);
            assert_eq!(code, (!allowed).then_some(Code::InsufficientPermissions), "{}", operation.row.name);
        }
    }
    host.stop().await;
}

#[tokio::test]
async fn a_token_that_is_revoked_past_its_date_or_of_an_archived_customer_is_refused_at_once() {
    let host = Host::start().await;
    let (id, revoked) = token(&host, "acme").await;
    assert_eq!(get(&host, &revoked, "/client/token").await.status.as_u16(), 200);
    let brief = json!({ "publicMetadata": { "customerId": "acme" }, "ttlSeconds": 1 });
    let brief = host.ok("client_tokens.create", brief).await["token"].as_str().unwrap().to_owned();
    host.ok("client_tokens.revoke", json!({ "id": id })).await;
    host.until("client_tokens.introspect", json!({ "token": brief }), |told| told["active"] == false).await;
    let (_, archived) = token(&host, "gone").await;
    host.ok("customers.create", json!({ "externalId": "gone" })).await;
    host.ok("customers.archive", json!({ "id": "gone" })).await;
    for (token, code) in [(&revoked, "invalid_api_key"), (&brief, "expired_api_key"), (&archived, "invalid_api_key")] {
        for row in TABLE.iter().filter(|row| row.reach == Reach::Client) {
            let body = r#"{"eventType":"t"}"#;
            let reply = call(&host, token, row.method.as_str().parse().unwrap(), row.path, body).await;
            assert_eq!((reply.status.as_u16(), reply.refusal().0.as_str()), (401, code), "{}", row.name);
        }
    }
    assert_eq!(host.ok("status.get", json!({})).await["events"], 0);
    host.stop().await;
}

#[tokio::test]
async fn a_token_that_calls_too_often_is_told_when_to_come_back() {
    let host = Host::start().await;
    let (_, busy) = token(&host, "acme").await;
    let (_, other) = token(&host, "acme").await;
    for _ in 0..weir_engine::CLIENT_CALLS_PER_MINUTE {
        assert_eq!(get(&host, &busy, "/client/token").await.status.as_u16(), 200);
    }
    let refused = post(&host, &busy, "/client/events/record", r#"{"eventType":"t"}"#).await;
    assert_eq!((refused.status.as_u16(), refused.refusal().0.as_str()), (429, "rate_limit_exceeded"));
    let wait: u32 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    assert_eq!(get(&host, &other, "/client/token").await.status.as_u16(), 200, "another token is another one's");
    assert_eq!(host.ok("status.get", json!({})).await["events"], 0);
    host.stop().await;
}

#[tokio::test]
async fn keys_of_front_ends_are_their_customers_own() {
    let host = Host::start().await;
    furnish(&host).await;
    let (_, one) = token(&host, "acme").await;
    let (_, same) = token(&host, "acme").await;
    let (_, beta) = token(&host, "beta").await;
    let record = "/client/events/record";
    let id = |reply: &Reply| reply.json()["id"].as_str().unwrap().to_owned();
    // A program has used the key `taken` for beta, with another body: beta's front end learns nothing of it.
    let body = r#"{"eventType":"t","idempotencyKey":"taken"}"#;
    let of_beta = post(&host, &beta, record, body).await;
    assert_eq!(of_beta.status.as_u16(), 201, "{}", of_beta.text);
    let program = host.ok("events.list", json!({ "customerId": "beta", "eventType": "secret.type" })).await;
    assert_ne!(program["data"][0]["id"], of_beta.json()["id"]);
    let first = post(&host, &one, record, body).await;
    assert_ne!(id(&first), id(&of_beta), "another customer's is another one");
    assert_eq!(id(&post(&host, &same, record, body).await), id(&first), "a new token goes on with the old one's keys");
    let other = post(&host, &one, record, r#"{"eventType":"u","id":"taken"}"#).await;
    assert_eq!((other.status.as_u16(), other.refusal().0.as_str()), (409, "idempotency_conflict"));
    // And a program's key is not taken by a front end.
    post(&host, &one, record, r#"{"eventType":"t","idempotencyKey":"invoice"}"#).await;
    let event = json!({ "customerId": "acme", "eventType": "charge", "idempotencyKey": "invoice" });
    assert_ne!(host.ok("events.record", event).await["id"], first.json()["id"]);
    host.stop().await;
}

#[tokio::test]
async fn a_repeat_under_an_idempotency_key_is_answered_byte_for_byte_to_the_same_token_alone() {
    let host = Host::start().await;
    let (id, one) = token(&host, "acme").await;
    let (_, other) = token(&host, "beta").await;
    let record = |token: &str, body: &'static str| {
        let request = host.client.post(format!("{}/client/events/record", host.base)).bearer_auth(token);
        host.send(request.header("idempotency-key", "k").header("content-type", "application/json").body(body))
    };
    let body = r#"{"eventType":"t"}"#;
    let first = record(&one, body).await;
    assert_eq!(first.status.as_u16(), 201, "{}", first.text);
    assert_eq!(record(&one, body).await.text, first.text);
    assert_eq!(record(&one, r#"{"eventType":"u"}"#).await.refusal().0, "idempotency_conflict");
    assert_ne!(record(&other, body).await.text, first.text);
    host.ok("client_tokens.revoke", json!({ "id": id })).await;
    assert_eq!(record(&one, body).await.refusal().0, "invalid_api_key", "what was kept is not told any more");
    assert_eq!(host.ok("status.get", json!({})).await["events"], 2);
    host.stop().await;
}

#[tokio::test]
async fn the_ledger_remembers_which_token_an_event_came_with() {
    let host = Host::start().await;
    let meter = furnish(&host).await;
    let new = json!({ "customerId": "acme", "name": "credits", "initialBalance": 10, "metered": { "meterId": meter, "amount": 2 } });
    let balance = host.ok("balances.create", new).await;
    let (id, token) = token(&host, "acme").await;
    let recorded = post(&host, &token, "/client/events/record", r#"{"eventType":"t","values":{"tokens":3}}"#).await;
    assert_eq!(recorded.status.as_u16(), 201, "{}", recorded.text);
    let entries = host.ok("balances.transactions", json!({ "id": balance["id"] })).await;
    let debit = &entries["data"][0];
    assert_eq!((&debit["type"], &debit["amount"]), (&json!("debit"), &json!(6)), "{debit}");
    assert_eq!(debit["cause"]["actor"], json!({ "kind": "client", "name": id }));
    host.stop().await;
}

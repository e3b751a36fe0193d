//! Who may do what: every operation of the table, asked by every kind of caller.
//!
//! What is expected is written down here a second time, from the contract, and not read from the table.

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue, ORIGIN};
use serde_json::json;
use weir_api::{Reach, TABLE};
use weir_core::time::Timestamp;
use weir_engine::model::Scope;
use weir_engine::{Clock, ManualClock};

use crate::harness::{Host, key};
use crate::sessions::Browser;

const HOUR: i64 = 3_600 * 1_000_000;

/// The contract's table of routes: who may, then what. `PUT` stands for `PATCH` too, `{}` for any id.
const CONTRACT: &str = "
manage  POST /customers
read    GET /customers
read    GET /customers/{}
manage  PUT /customers/{}
manage  DELETE /customers/{}
manage  POST /customers/{}/restore
read    GET /customers/{}/balances
read    GET /customers/{}/usage
read    GET /customers/{}/standing

ingest  POST /events/record
ingest  POST /events/batch
ingest  POST /track
ingest  POST /reservations
ingest  POST /reservations/{}/commit
ingest  POST /reservations/{}/release
ingest  POST /reservations/{}/extend

read    GET /events
read    GET /events/{}
read    GET /events/summary
manage  POST /events/{}/void

manage  POST /meters
read    GET /meters
read    GET /meters/{}
manage  PUT /meters/{}
manage  DELETE /meters/{}
manage  POST /meters/{}/restore
read    POST /meters/{}/query
read    POST /meters/preview

manage  POST /limits
read    GET /limits
read    GET /limits/{}
manage  PUT /limits/{}
manage  DELETE /limits/{}
manage  POST /limits/{}/restore
manage  POST /limits/{}/reset
manage  POST /limits/{}/overrides
manage  POST /limits/sync
read    POST /limits/check
read    POST /limits/explain

manage  POST /rate-limits
read    GET /rate-limits
read    GET /rate-limits/{}
manage  PUT /rate-limits/{}
manage  DELETE /rate-limits/{}
read    POST /rate-limits/check

manage  POST /balances
read    GET /balances
read    GET /balances/{}
manage  PUT /balances/{}
manage  DELETE /balances/{}
read    GET /balances/{}/transactions
read    GET /balances/{}/grants
read    GET /balances/{}/holds
manage  POST /balances/credit
manage  POST /balances/adjust
ingest  POST /balances/hold
ingest  POST /balances/holds/{}/capture
ingest  POST /balances/holds/{}/release
ingest  POST /balances/holds/{}/extend
ingest  POST /balances/debit
read    POST /balances/check

read    GET /alerts
manage  POST /alerts/{}/acknowledge
read    GET /refusals
read    GET /audit

manage  POST /webhooks
manage  GET /webhooks
manage  GET /webhooks/{}
manage  PUT /webhooks/{}
manage  DELETE /webhooks/{}
manage  POST /webhooks/{}/enable
manage  POST /webhooks/{}/test
manage  POST /webhooks/{}/rotate
manage  GET /webhooks/{}/deliveries
manage  POST /webhooks/{}/deliveries/{}/redeliver

manage  POST /keys
manage  GET /keys
manage  PUT /keys/{}
manage  DELETE /keys/{}
manage  POST /keys/{}/rotate
manage  POST /client-tokens
manage  GET /client-tokens
manage  GET /client-tokens/{}
manage  DELETE /client-tokens/{}
manage  POST /client-tokens/introspect

read    GET /project
manage  PUT /project
read    GET /usage
";

/// Routes that the contract does not list, by its rule: read reads and checks, ingest records, manage does the rest.
const BESIDES: &str = "
read    GET /status
read    GET /alerts/{}
manage  POST /alerts/acknowledge
manage  POST /balances/{}/restore
read    GET /balances/{}/statement
read    POST /charts
ingest  POST /imports
ingest  GET /imports/{}
ingest  DELETE /imports/{}
ingest  POST /imports/{}/upload
ingest  POST /imports/{}/preview
ingest  POST /imports/{}/start
ingest  GET /imports/{}/report
manage  DELETE /limits/{}/overrides
read    GET /limits/file
manage  POST /limits/file
read    GET /limits/standings
read    GET /refusals/series
read    GET /reservations
read    GET /reservations/{}
manage  POST /sample
manage  GET /secrets
manage  PUT /secrets
manage  GET /server
";

/// Who asks.
struct Caller {
    who: &'static str,
    headers: HeaderMap,
    may: May,
}

/// What a caller may.
enum May {
    /// Nothing: who it is, is refused with this code.
    Nothing(&'static str),
    /// What needs this scope, or less.
    Up(Scope),
    /// What front ends may.
    Client,
}

impl Caller {
    fn new(who: &'static str, authorization: impl Into<Option<String>>, may: May) -> Self {
        let authorization = authorization.into().map(|text| HeaderValue::from_bytes(text.as_bytes()).unwrap());
        let headers = authorization.map(|value| (AUTHORIZATION, value)).into_iter().collect();
        Caller { who, headers, may }
    }

    fn bearer(who: &'static str, token: &str, may: May) -> Self {
        Caller::new(who, format!("Bearer {token}"), may)
    }

    /// The console in a browser.
    fn page(who: &'static str, browser: &Browser, may: May) -> Self {
        let headers = [(COOKIE, &browser.cookie), (ORIGIN, &browser.origin)];
        Caller { who, headers: headers.map(|(name, text)| (name, text.parse().unwrap())).into_iter().collect(), may }
    }

    fn asks(&self, request: RequestBuilder) -> RequestBuilder {
        request.headers(self.headers.clone())
    }
}

/// A client token of `acme`.
async fn client_token(host: &Host) -> (serde_json::Value, String) {
    let new = json!({ "publicMetadata": { "customerId": "acme" }, "ttlSeconds": 3_600 });
    let made = host.ok("client_tokens.create", new).await;
    (made["id"].clone(), made["token"].as_str().unwrap().to_owned())
}

/// Every kind of caller.
async fn callers(host: &Host, clock: &ManualClock) -> Vec<Caller> {
    let make = async |more: serde_json::Value| {
        let mut new = json!({ "name": "k", "scope": "manage", "perMinute": null, "perDay": null });
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = host.ok("keys.create", new).await;
        (made["id"].clone(), made["key"].as_str().unwrap().to_owned())
    };
    let now = clock.now();
    let (revoked_id, revoked) = make(json!({})).await;
    host.ok("keys.revoke", json!({ "id": revoked_id })).await;
    let (_, expired) = make(json!({ "expiresAt": now.saturating_add_micros(HOUR) })).await;
    let (_, lasting) = make(json!({ "expiresAt": now.saturating_add_micros(9 * HOUR) })).await;
    let (rotated_id, rotated) = make(json!({})).await;
    let fresh = host.ok("keys.rotate", json!({ "id": rotated_id, "overlapSeconds": 3_600 })).await;
    let (beside_id, beside) = make(json!({})).await;
    host.ok("keys.rotate", json!({ "id": beside_id, "overlapSeconds": 36_000 })).await;
    let (gone_id, gone) = make(json!({})).await;
    for _ in 0..2 {
        host.ok("keys.rotate", json!({ "id": gone_id, "overlapSeconds": 36_000 })).await;
    }
    let signed_in = async |key: &str| Browser::signed_in(host, key).await;
    let (ended_id, ended) = make(json!({})).await;
    let ended = signed_in(&ended).await;
    host.ok("keys.revoke", json!({ "id": ended_id })).await;
    let over_page = signed_in(&expired).await;
    let mut of_another = signed_in(&lasting).await;
    of_another.cookie = of_another.cookie.replace("weir_session_", "weir_session_1");
    let (_, late) = client_token(host).await;
    clock.set(now.saturating_add_micros(2 * HOUR));
    let (taken_id, taken) = client_token(host).await;
    host.ok("client_tokens.revoke", json!({ "id": taken_id })).await;
    let (_, front_end) = client_token(host).await;
    let mut wrong = host.key.clone();
    let last = if wrong.ends_with('0') { "1" } else { "0" };
    wrong.replace_range(wrong.len() - 1.., last);
    let (missing, invalid, over) =
        (|| May::Nothing("missing_api_key"), || May::Nothing("invalid_api_key"), || May::Nothing("expired_api_key"));
    let manage = || May::Up(Scope::Manage);
    vec![
        Caller::new("no key", None, missing()),
        Caller::new("an empty header", String::new(), missing()),
        Caller::new("a scheme alone", "Bearer".to_owned(), missing()),
        Caller::new("another scheme", format!("Basic {}", host.key), missing()),
        Caller::new("a key without a scheme", host.key.clone(), missing()),
        Caller::new("a header that is no text", "Bearer weir_sk_é".to_owned(), invalid()),
        Caller::bearer("two keys", &format!("{0} {0}", host.key), invalid()),
        Caller::bearer("a key in capitals", &host.key.to_uppercase(), invalid()),
        Caller::bearer("part of a key", &host.key[..host.key.len() - 1], invalid()),
        Caller::bearer("a wrong key", &wrong, invalid()),
        Caller::bearer("a revoked key", &revoked, invalid()),
        Caller::bearer("an expired key", &expired, over()),
        Caller::bearer("a key that expires later", &lasting, manage()),
        Caller::bearer("a secret that was rotated out", &rotated, over()),
        Caller::bearer("the secret that replaced it", fresh["key"].as_str().unwrap(), manage()),
        Caller::bearer("a rotated secret that is still good", &beside, manage()),
        Caller::bearer("a secret rotated twice", &gone, invalid()),
        Caller::bearer("a read key", &key(&host.app, Scope::Read).await, May::Up(Scope::Read)),
        Caller::bearer("an ingest key", &key(&host.app, Scope::Ingest).await, May::Up(Scope::Ingest)),
        Caller::bearer("a manage key", &key(&host.app, Scope::Manage).await, manage()),
        Caller::bearer("a client token", &front_end, May::Client),
        Caller::bearer("a revoked client token", &taken, invalid()),
        Caller::bearer("an expired client token", &late, invalid()),
        Caller::page(
            "a session of a read key",
            &signed_in(&key(&host.app, Scope::Read).await).await,
            May::Up(Scope::Read),
        ),
        Caller::page(
            "a session of an ingest key",
            &signed_in(&key(&host.app, Scope::Ingest).await).await,
            May::Up(Scope::Ingest),
        ),
        Caller::page("a session of a manage key", &signed_in(&host.key).await, manage()),
        Caller::page("a session of a revoked key", &ended, invalid()),
        Caller::page("a session of an expired key", &over_page, over()),
        Caller::page("a session of another port", &of_another, missing()),
    ]
}

/// Who may take each route: by `METHOD /path` with `{}` for ids.
fn expected() -> BTreeMap<&'static str, Scope> {
    let lines = CONTRACT.lines().chain(BESIDES.lines()).filter_map(|line| line.split_once(' '));
    let mut routes = BTreeMap::new();
    for (scope, route) in lines {
        let scope = match scope {
            "read" => Scope::Read,
            "ingest" => Scope::Ingest,
            "manage" => Scope::Manage,
            other => panic!("{other} is no scope"),
        };
        assert!(routes.insert(route.trim(), scope).is_none(), "{route} stands there twice");
    }
    routes
}

fn without_names(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
    parts.join("/")
}

/// What a request that no operation accepts is answered: who may do it is refused for that reason alone, and nothing is done.
fn answer(caller: &Caller, needed: Scope) -> (u16, &'static str) {
    match &caller.may {
        May::Nothing(code) => (401, code),
        May::Client => (401, "invalid_api_key"),
        May::Up(scope) if *scope < needed => (403, "insufficient_permissions"),
        May::Up(_) => (400, "unknown_field"),
    }
}

#[tokio::test]
async fn only_what_the_contract_allows_passes() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_750_000_000_000_000)));
    let host = Host::with(clock.clone()).await;
    let (callers, expected) = (callers(&host, &clock).await, expected());
    for row in TABLE.iter().filter(|row| row.reach == Reach::Public) {
        let route = format!("{} {}", row.method.as_str(), without_names(row.path));
        let needed =
            *expected.get(route.as_str()).unwrap_or_else(|| panic!("{route}: write down who may, by the contract"));
        let path = format!("/v1{}?no_such_parameter=1", without_names(row.path).replace("{}", "nothing"));
        let methods = if row.method.as_str() == "PUT" { &["PUT", "PATCH"][..] } else { &[row.method.as_str()] };
        for caller in &callers {
            for method in methods {
                let request = host.client.request(method.parse().unwrap(), format!("{}{path}", host.base));
                let reply = host.send(caller.asks(request)).await;
                let got = (reply.status.as_u16(), reply.refusal().0);
                let (status, code) = answer(caller, needed);
                assert_eq!(got, (status, code.to_owned()), "{} by {}", row.name, caller.who);
                assert_eq!(reply.headers.contains_key("www-authenticate"), status == 401, "{}", row.name);
            }
        }
    }
    host.stop().await;
}

#[tokio::test]
async fn front_ends_may_do_four_things_and_nobody_else_may() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_750_000_000_000_000)));
    let host = Host::with(clock.clone()).await;
    let callers = callers(&host, &clock).await;
    let four = ["GET /token", "POST /limits/check", "POST /events/record", "GET /events/summary"];
    let rows: Vec<_> = TABLE.iter().filter(|row| row.reach == Reach::Client).collect();
    assert_eq!(
        rows.iter().map(|row| format!("{} {}", row.method.as_str(), &row.path["/client".len()..])).collect::<Vec<_>>(),
        four
    );
    for (row, under) in rows.iter().flat_map(|row| ["", "/v1"].map(|under| (row, under))) {
        let url = format!("{}{under}{}", host.base, row.path);
        let ask = |caller: &Caller, query: &str| {
            let request = host.client.request(row.method.as_str().parse().unwrap(), format!("{url}?{query}"));
            caller.asks(request)
        };
        for caller in &callers {
            let reply = host.send(ask(caller, "no_such_parameter=1")).await;
            let expected = match &caller.may {
                May::Client => (400, "unknown_field"),
                May::Nothing("missing_api_key") => (401, "missing_api_key"),
                _ if caller.headers.contains_key(COOKIE) => (401, "missing_api_key"),
                _ if caller.who == "an expired client token" => (401, "expired_api_key"),
                _ => (401, "invalid_api_key"),
            };
            let got = (reply.status.as_u16(), reply.refusal().0);
            assert_eq!(got, (expected.0, expected.1.to_owned()), "{} by {}", row.name, caller.who);
        }
        // Of another customer.
        let front_end = callers.iter().find(|caller| matches!(caller.may, May::Client)).unwrap();
        let reply = match row.method.as_str() {
            "POST" => {
                let mut body = json!({ "customerId": "beta" });
                if row.name == "client.record" {
                    body["eventType"] = json!("call");
                }
                host.send(ask(front_end, "").header("content-type", "application/json").body(body.to_string())).await
            }
            _ => host.send(ask(front_end, "customerId=beta")).await,
        };
        let expected = if row.path == "/client/token" { "unknown_field" } else { "insufficient_permissions" };
        assert_eq!(reply.refusal().0, expected, "{}", row.name);
    }
    host.stop().await;
}

#[tokio::test]
async fn what_is_no_operation_has_its_rule_too() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_750_000_000_000_000)));
    let host = Host::with(clock.clone()).await;
    for caller in callers(&host, &clock).await {
        let ask = |path: &str| {
            let request = host.client.get(format!("{}{path}", host.base));
            caller.asks(request)
        };
        for path in ["/healthz", "/readyz", "/v1/openapi.json"] {
            assert_eq!(host.send(ask(path)).await.status, 200, "{path} is for all, {} too", caller.who);
        }
        // The head of the stream is the answer; the rest never ends.
        for path in ["/metrics", "/v1/changes"] {
            let response = ask(path).send().await.unwrap();
            let allowed = matches!(caller.may, May::Up(_));
            assert_eq!(response.status() == 200, allowed, "{path} by {}", caller.who);
            assert!(allowed || response.status() == 401, "{path} by {}", caller.who);
        }
    }
    host.stop().await;
}

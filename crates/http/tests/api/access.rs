//! Who may do what: the matrix comes from the table.

use reqwest::StatusCode;
use serde_json::json;
use weir_api::{Reach, TABLE};
use weir_engine::Actor;
use weir_engine::model::{NewKey, Scope};

use crate::harness::{Host, key};

#[tokio::test]
async fn each_scope_reaches_what_the_table_says() {
    let mut host = Host::start().await;
    for scope in [Scope::Read, Scope::Ingest, Scope::Manage] {
        host.key = key(&host.app, scope).await;
        for row in TABLE.iter().filter(|row| row.reach == Reach::Public) {
            // A request that no operation accepts: whoever may do it is refused for another reason.
            let path = row.path.replace("{id}", "nothing");
            let method = row.method.as_str().parse().unwrap();
            let reply = host.post(method, &format!("/v1{path}?no_such_parameter=1"), "{}").await;
            let forbidden = reply.status == StatusCode::FORBIDDEN;
            assert_eq!(forbidden, scope < row.scope, "{scope:?} {}: {}", row.name, reply.text);
            if forbidden {
                assert_eq!(reply.refusal().0, "insufficient_permissions");
            } else {
                assert_eq!(reply.refusal().0, "unknown_field", "{}: {}", row.name, reply.text);
            }
        }
    }
    host.stop().await;
}

#[tokio::test]
async fn every_route_wants_a_key_that_is_good() {
    let mut host = Host::start().await;
    let manage = host.key.clone();
    let revoked = {
        let made = host.ok("keys.create", json!({ "name": "r", "scope": "manage" })).await;
        host.ok("keys.revoke", json!({ "id": made["id"] })).await;
        made["key"].as_str().unwrap().to_owned()
    };
    let other = {
        let mut text = manage.clone();
        let last = if text.ends_with('0') { "1" } else { "0" };
        text.replace_range(text.len() - 1.., last);
        text
    };
    for bad in [revoked.as_str(), other.as_str(), "weir_sk_", "x", "weir_sk_é"] {
        host.key = bad.to_owned();
        for row in TABLE.iter().filter(|row| row.reach == Reach::Public) {
            let path = format!("/v1{}", row.path.replace("{id}", "nothing"));
            let reply = host.post(row.method.as_str().parse().unwrap(), &path, "{}").await;
            assert_eq!((reply.status.as_u16(), reply.refusal().0.as_str()), (401, "invalid_api_key"), "{}", row.name);
            assert_eq!(reply.headers["www-authenticate"], "Bearer");
        }
        assert_eq!(host.get("/v1/changes").await.status.as_u16(), 401);
    }
    let bare = host.send(host.client.get(format!("{}/v1/status", host.base))).await;
    assert_eq!((bare.status.as_u16(), bare.refusal().0.as_str()), (401, "missing_api_key"));
    host.stop().await;
}

#[tokio::test]
async fn a_key_past_its_date_says_so() {
    let mut host = Host::start().await;
    let soon = weir_engine::Clock::now(&weir_engine::SystemClock).saturating_add_micros(300_000);
    let new = NewKey { name: "brief".to_owned(), scope: Scope::Manage, expires_at: Some(soon) };
    host.key = host.app.engine.create_key(&Actor::cli(), new).await.unwrap().key;
    let deadline = tokio::time::Instant::now() + crate::harness::DEADLINE;
    loop {
        let reply = host.get("/v1/status").await;
        if reply.status == StatusCode::UNAUTHORIZED {
            assert_eq!(reply.refusal().0, "expired_api_key");
            break;
        }
        assert!(tokio::time::Instant::now() < deadline);
    }
    host.stop().await;
}

#[tokio::test]
async fn what_names_files_is_not_for_keys() {
    let host = Host::start().await;
    let reply = host.post(reqwest::Method::POST, "/v1/backup", r#"{"path":"/tmp/x"}"#).await;
    assert_eq!(reply.status.as_u16(), 404);
    host.stop().await;
}

//! What keys cannot do at all, and how often they may call. Who may do what is in `matrix`.

use reqwest::StatusCode;
use serde_json::json;

use crate::harness::Host;

#[tokio::test]
async fn what_names_files_is_not_for_keys() {
    let host = Host::start().await;
    let reply = host.post(reqwest::Method::POST, "/v1/backup", r#"{"path":"/tmp/x"}"#).await;
    assert_eq!(reply.status.as_u16(), 404);
    host.stop().await;
}

#[tokio::test]
async fn a_key_that_calls_too_often_is_told_when_to_come_back() {
    let mut host = Host::start().await;
    let made = host.ok("keys.create", json!({ "name": "brief", "scope": "read", "perMinute": 2 })).await;
    let manage = std::mem::replace(&mut host.key, made["key"].as_str().unwrap().to_owned());
    for _ in 0..2 {
        assert_eq!(host.get("/v1/project").await.status, StatusCode::OK);
    }
    let refused = host.get("/v1/project").await;
    assert_eq!((refused.status.as_u16(), refused.refusal().0.as_str()), (429, "rate_limit_exceeded"));
    let wait: u32 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    host.key = manage;
    assert_eq!(host.get("/v1/project").await.status, StatusCode::OK, "another key is another one's");
    host.stop().await;
}

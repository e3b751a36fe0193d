//! Repeats under an `Idempotency-Key`.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Host, Reply, key};

async fn post(host: &Host, path: &str, key: &str, body: &str) -> Reply {
    let request =
        host.request(Method::POST, path).header("idempotency-key", key).header("content-type", "application/json");
    host.send(request.body(body.to_owned())).await
}

#[tokio::test]
async fn a_repeat_is_answered_byte_for_byte_and_done_once() {
    let mut host = Host::start().await;
    let body = r#"{"externalId":"acme"}"#;
    let first = post(&host, "/v1/customers", "k1", body).await;
    assert_eq!(first.status.as_u16(), 201);
    let again = post(&host, "/v1/customers", "k1", body).await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(
        post(&host, "/v1/customers", "k1", r#"{"externalId":"other"}"#).await.refusal().0,
        "idempotency_conflict"
    );
    assert_eq!(
        post(&host, "/v1/customers", "k2", body).await.refusal().0,
        "conflict",
        "another key is another request"
    );
    // A refusal is final too.
    let refused = post(&host, "/v1/meters", "k1", r#"{"name":"m"}"#).await;
    assert_eq!(refused.refusal().0, "missing_required_field", "another route is another request");
    assert_eq!(post(&host, "/v1/meters", "k1", r#"{"name":"m"}"#).await.text, refused.text);
    // Keys belong to the credential.
    host.key = key(&host.app, weir_engine::model::Scope::Manage).await;
    assert_eq!(post(&host, "/v1/customers", "k1", body).await.refusal().0, "conflict");
    assert_eq!(host.ok("status.get", json!({})).await["customers"], 1);
    for bad in ["", &"k".repeat(257)] {
        assert_eq!(post(&host, "/v1/customers", bad, body).await.refusal().1, "Idempotency-Key");
    }
    host.stop().await;
}

#[tokio::test]
async fn answers_with_a_secret_and_answers_to_questions_are_not_kept() {
    let host = Host::start().await;
    let secret = |reply: Reply| reply.json()["key"].as_str().unwrap().to_owned();
    let body = r#"{"name":"k","scope":"read"}"#;
    let (first, other) = (post(&host, "/v1/keys", "k", body).await, post(&host, "/v1/keys", "k", body).await);
    assert_ne!(secret(first), secret(other));
    let check = r#"{"customerId":"acme"}"#;
    assert_eq!(post(&host, "/v1/limits/check", "k", check).await.status.as_u16(), 200);
    assert_eq!(post(&host, "/v1/limits/check", "k", r#"{"customerId":"b"}"#).await.status.as_u16(), 200);
    host.stop().await;
}

#[tokio::test]
async fn of_many_at_once_one_is_done() {
    let host = std::sync::Arc::new(Host::start().await);
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let host = host.clone();
            tokio::spawn(
                async move { post(&host, "/v1/events/record", "k", r#"{"customerId":"a","eventType":"t"}"#).await },
            )
        })
        .collect();
    for task in tasks {
        let reply = task.await.unwrap();
        assert!(reply.status.as_u16() == 201 || reply.refusal().0 == "idempotency_in_progress", "{}", reply.text);
    }
    assert_eq!(host.ok("status.get", json!({})).await["events"], 1);
    std::sync::Arc::into_inner(host).unwrap().stop().await;
}

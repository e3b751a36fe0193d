//! Repeats under an `Idempotency-Key`.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;
use uuid::Uuid;
use weir_api::examples::story;
use weir_api::{Context, Input, Quantities, Reach};
use weir_core::error::Code;
use weir_core::time::Timestamp;
use weir_engine::model::Scope;
use weir_engine::{Keeping, ManualClock, ReceiptKey};

use crate::examples;
use crate::harness::{DEADLINE, Host, Reply, key};

/// What changes nothing in the data file in one go, and is answered once it is done: files on their way in, a copy of the file, and
/// the sample, whose customers and events have names and keys of their own.
const BESIDE_THE_FILE: [&str; 5] =
    ["imports.create", "imports.upload", "imports.start", "sample.create", "backup.create"];

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
    host.key = key(&host.app, Scope::Manage).await;
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

/// Whatever breaks off after the change, a repeat finds its answer: it stands in the file since that very commit.
#[tokio::test]
async fn every_answer_to_a_change_is_kept_with_the_change() {
    let host = Host::with(Arc::new(ManualClock::at(Timestamp::from_micros(examples::NOW)))).await;
    let (mut answers, mut kept) = (HashMap::<String, Value>::new(), BTreeSet::new());
    for step in story() {
        let operation = weir_api::find(&step.operation).unwrap();
        let request = step.request(&answers).to_string();
        let ctx = match operation.row.reach {
            Reach::Client => {
                let token = answers["client_tokens.create"]["token"].as_str().unwrap();
                Context::client(host.app.clone(), host.app.engine.authenticate_client(token).await.unwrap())
            }
            _ => Context::operator(host.app.clone()),
        };
        let under = ReceiptKey { credential: Uuid::nil(), route: step.name().to_owned(), key: "k".to_owned() };
        let deadline = Instant::now() + DEADLINE;
        loop {
            let write = |value: &dyn std::any::Any| (operation.row.write)(value, Quantities::Numbers);
            let keeping = Keeping::new(under.clone(), [7; 16], operation.row.status, write, ());
            let input = Input { path: &[], query: &[], body: request.as_bytes() };
            match keeping.during(operation.call(&ctx, input, Quantities::Numbers)).await {
                Ok(answered) => {
                    let text = String::from_utf8(answered.body.clone()).unwrap();
                    if operation.row.keeps_answers() && !BESIDE_THE_FILE.contains(&operation.row.name) {
                        assert_eq!(keeping.answer(), Some(&answered), "{}", step.name());
                        let receipt = host.app.engine.receipt(&under).await.unwrap().unwrap();
                        assert_eq!((receipt.request, receipt.status), ([7; 16], operation.row.status));
                        assert_eq!(receipt.answer, answered, "{}", step.name());
                        kept.insert(operation.row.name);
                    }
                    answers.insert(step.name().to_owned(), serde_json::from_str(&text).unwrap());
                    break;
                }
                // A meter may still be counting.
                Err(error) if error.code == Code::Busy && Instant::now() < deadline => {}
                Err(error) => panic!("{}: {error:?}", step.name()),
            }
        }
    }
    let keeping = weir_api::TABLE.iter().filter(|row| row.keeps_answers() && row.reach != Reach::Local);
    let missing: Vec<_> = keeping.map(|row| row.name).filter(|name| !kept.contains(name)).collect();
    assert_eq!(missing, BESIDE_THE_FILE.iter().filter(|name| **name != "backup.create").copied().collect::<Vec<_>>());
    host.stop().await;
}

/// Whoever hangs up before the answer comes finds it done once, and answered, however soon they ask again.
#[tokio::test]
async fn who_hung_up_is_answered_when_asking_again() {
    const CALLS: usize = 40;
    let host = Host::start().await;
    host.ok("balances.create", json!({ "customerId": "acme", "name": "credits" })).await;
    let (address, credit) =
        (host.base.strip_prefix("http://").unwrap(), r#"{"customerId":"acme","name":"credits","amount":1}"#);
    for call in 0..CALLS {
        let request = format!(
            "POST /v1/balances/credit HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nIdempotency-Key: call-{call}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{credit}",
            host.key,
            credit.len(),
        );
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        drop(connection);
        let deadline = Instant::now() + DEADLINE;
        loop {
            let reply = post(&host, "/v1/balances/credit", &format!("call-{call}"), credit).await;
            if reply.status == 200 {
                break;
            }
            assert_eq!(reply.refusal().0, "idempotency_in_progress");
            assert!(Instant::now() < deadline, "call {call} stayed in progress");
        }
    }
    let balance = host.ok("customers.balances", json!({ "id": "acme" })).await;
    assert_eq!(balance["balances"][0]["currentBalance"], CALLS, "{balance}");
    host.stop().await;
}

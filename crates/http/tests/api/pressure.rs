//! More than can be written: whoever finds no room is told at once to come back, and nothing that was acknowledged is lost.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tokio::sync::mpsc;
use weir_engine::SystemClock;
use weir_http::Limits;

use crate::harness::{Host, Reply};
use crate::metrics;

const CALLS: usize = 300;
/// About this many of them fill the queue.
const FIT: usize = 100;

fn call(host: &Host, n: usize) -> reqwest::RequestBuilder {
    let event = json!({ "customerId": "acme", "eventType": "t", "idempotencyKey": format!("call-{n}"),
        "properties": { "text": "x".repeat((1 << 20) / FIT) } });
    let path = if n.is_multiple_of(2) { "/v1/events/record" } else { "/v1/track" };
    host.request(Method::POST, path).header("content-type", "application/json").body(event.to_string())
}

fn id(reply: &Reply) -> String {
    assert_eq!(reply.status.as_u16(), 201, "{}", reply.text);
    reply.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_full_queue_answers_503_and_loses_nothing_that_it_took() {
    let host = Host::of(Limits::default(), SystemClock, |options| options.queue_mib = 1).await;
    // Somebody else holds the data file, so that nothing can be written.
    let file = format!("sqlite://{}", host.app.engine.data_dir().join("weir.db").display());
    let mut other = SqliteConnection::connect(&file).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();

    let (answered, mut answers) = mpsc::unbounded_channel();
    for n in 0..CALLS {
        let (request, answered) = (call(&host, n), answered.clone());
        tokio::spawn(async move {
            let response = request.send().await.unwrap();
            let (status, headers) = (response.status(), response.headers().clone());
            answered.send((n, Reply { status, headers, text: response.text().await.unwrap() })).unwrap();
        });
    }
    drop(answered);
    let mut refused = Vec::new();
    // Whoever finds room waits for the disk; only the others are answered, and some more than those that fit now.
    while refused.len() < CALLS - FIT - FIT / 10 {
        let (n, reply) = answers.recv().await.unwrap();
        assert_eq!((reply.status.as_u16(), reply.refusal().0.as_str()), (503, "busy"), "{}", reply.text);
        assert_eq!(reply.headers["retry-after"], "1");
        assert_eq!(reply.json()["error"]["details"]["retryAfterSeconds"], 1);
        refused.push(n);
    }
    // What needs no writing goes on.
    assert_eq!(host.ok("limits.check", json!({ "customerId": "someone" })).await["allowed"], true);
    let figures = metrics::read(&host).await;
    assert_eq!(figures["weir_queue_limit_bytes"], f64::from(1 << 20));
    assert!(figures["weir_queue_bytes"] > 0.9 * figures["weir_queue_limit_bytes"], "{figures:?}");
    assert!(figures["weir_http_errors_total{code=\"busy\"}"] >= refused.len() as f64, "{figures:?}");
    assert_eq!(figures["weir_events_recorded_total"], 0.0);

    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    let mut acknowledged = BTreeSet::new();
    while let Some((n, reply)) = answers.recv().await {
        match reply.status.as_u16() {
            503 => refused.push(n),
            _ => assert!(acknowledged.insert(id(&reply))),
        }
    }
    assert!(acknowledged.len() >= FIT / 2, "the queue took {}", acknowledged.len());
    assert_eq!(ids(&host).await, acknowledged, "what was acknowledged, and nothing that was refused");

    for n in refused {
        assert!(acknowledged.insert(id(&host.send(call(&host, n)).await)), "nothing of call {n} was done before");
    }
    assert_eq!(acknowledged.len(), CALLS);
    assert_eq!(ids(&host).await, acknowledged);
    host.stop().await;
}

/// Every event there is.
async fn ids(host: &Host) -> BTreeSet<String> {
    let (mut ids, mut request) = (BTreeSet::new(), json!({ "limit": 100 }));
    loop {
        let page = host.ok("events.list", request.clone()).await;
        ids.extend(page["data"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned()));
        match &page["nextCursor"] {
            Value::Null => return ids,
            next => request["cursor"] = next.clone(),
        }
    }
}

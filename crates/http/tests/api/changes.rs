//! Live changes.

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{DEADLINE, Host};

/// Reads the stream until an event names a topic.
async fn hear(stream: &mut reqwest::Response, topic: &str) {
    let mut text = String::new();
    loop {
        let chunk =
            timeout(DEADLINE, stream.chunk()).await.expect("a change in time").unwrap().expect("an open stream");
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        let mut events = text.split("\n\n").filter_map(|event| event.strip_prefix("event: change\ndata: "));
        let told = events.any(|data| {
            let data: Value = serde_json::from_str(data).unwrap_or_default();
            data["topics"].as_array().is_some_and(|topics| topics.iter().any(|told| told == topic))
        });
        if told {
            return;
        }
    }
}

async fn listen(host: &Host) -> reqwest::Response {
    let mut stream = host.request(reqwest::Method::GET, "/v1/changes").send().await.unwrap();
    assert_eq!(stream.status().as_u16(), 200);
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let first = timeout(DEADLINE, stream.chunk()).await.unwrap().unwrap().unwrap();
    assert_eq!(&first[..], b": listening\n\n");
    stream
}

#[tokio::test]
async fn a_change_is_told_to_who_listens() {
    let host = Host::start().await;
    let mut stream = listen(&host).await;
    host.ok("events.record", json!({ "customerId": "acme", "eventType": "t" })).await;
    hear(&mut stream, "events").await;
    host.ok("project.update", json!({ "name": "New" })).await;
    hear(&mut stream, "project").await;
    host.stop().await;
}

#[tokio::test]
async fn the_stream_ends_with_the_server() {
    let mut host = Host::start().await;
    let mut stream = listen(&host).await;
    host.stop_server().await;
    while timeout(DEADLINE, stream.chunk()).await.expect("the end in time").unwrap().is_some() {}
    host.app.close().await;
}

#[tokio::test]
async fn the_stream_ends_when_its_key_is_revoked() {
    let mut host = Host::start().await;
    let manage = host.key.clone();
    let made = host.ok("keys.create", json!({ "name": "viewer", "scope": "read" })).await;
    host.key = made["key"].as_str().unwrap().to_owned();
    let mut stream = listen(&host).await;
    host.key = manage;
    host.ok("keys.revoke", json!({ "id": made["id"] })).await;
    while timeout(DEADLINE, stream.chunk()).await.expect("the end in time").unwrap().is_some() {}
    host.stop().await;
}

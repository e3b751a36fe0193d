//! Files in pieces, and everything that can go wrong with them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::Host;

fn mapping() -> Value {
    json!({
        "customer": { "column": "who" }, "eventType": { "value": "t" }, "timestamp": { "column": "at" },
        "values": [{ "name": "n", "columns": ["n"] }], "dimensions": [{ "name": "d", "value": "x" }],
    })
}

fn file(rows: usize) -> String {
    let lines: String = (0..rows).map(|n| format!("2024-01-01T00:00:00Z,c{},{n}\n", n % 7)).collect();
    format!("at,who,n\n{lines}")
}

async fn upload(host: &Host, name: &str, content: &[u8], piece: usize) -> Value {
    let made = host.ok("imports.create", json!({ "fileName": name, "size": content.len() })).await;
    let mut view = made.clone();
    for (index, part) in content.chunks(piece).enumerate() {
        let request = json!({ "id": made["id"], "offset": index * piece, "data": STANDARD.encode(part) });
        view = host.ok("imports.upload", request).await;
    }
    assert_eq!(view["state"], "ready", "{view}");
    made["id"].clone()
}

async fn finish(host: &Host, id: &Value) -> Value {
    host.until("imports.get", json!({ "id": id }), |view| view["finishedAt"].is_string()).await
}

#[tokio::test]
async fn a_file_in_pieces_is_recorded_once_however_often_it_comes() {
    let host = Host::start().await;
    let content = file(2_500);
    for (expected, duplicates) in [(2_500, 0), (0, 2_500)] {
        let id = upload(&host, "u.csv", content.as_bytes(), 10_000).await;
        host.ok("imports.start", json!({ "id": id, "mapping": mapping() })).await;
        let done = finish(&host, &id).await;
        assert_eq!(
            (&done["state"], &done["recorded"], &done["duplicates"]),
            (&json!("done"), &json!(expected), &json!(duplicates))
        );
        assert_eq!((&done["rows"], &done["bytesDone"]), (&json!(2_500), &json!(content.len())));
    }
    let grown = file(2_600);
    let id = upload(&host, "u.csv", grown.as_bytes(), 1 << 20).await;
    host.ok("imports.start", json!({ "id": id, "mapping": mapping() })).await;
    assert_eq!(finish(&host, &id).await["recorded"], 100, "a file that has grown adds its new rows");
    assert_eq!(host.ok("status.get", json!({})).await["events"], 2_600);
    host.stop().await;
}

#[tokio::test]
async fn pieces_fit_end_to_end_or_are_refused() {
    let host = Host::start().await;
    let made = host.ok("imports.create", json!({ "fileName": "u.csv", "size": 10 })).await;
    let id = &made["id"];
    let piece = |offset: u64, data: &str| json!({ "id": id, "offset": offset, "data": data });
    let refused = |code: &str, field: &str| (code.to_owned(), field.to_owned());
    assert_eq!(host.refused("imports.upload", piece(0, "!!")).await, refused("invalid_field_value", "data"));
    assert_eq!(host.refused("imports.upload", piece(5, "YWJj")).await, refused("invalid_field_value", "offset"));
    assert_eq!(host.ok("imports.upload", piece(0, "YWJj")).await["uploaded"], 3);
    assert_eq!(host.ok("imports.upload", piece(0, "YWJj")).await["uploaded"], 3, "sent again, its answer was lost");
    assert_eq!(host.refused("imports.upload", piece(3, "YWJjYWJjYWJj")).await, refused("invalid_field_value", "data"));
    let start = json!({ "id": id, "mapping": mapping() });
    assert_eq!(host.refused("imports.start", start.clone()).await.0, "conflict", "not all of it is here");
    assert_eq!(host.refused("imports.preview", json!({ "id": id })).await.0, "conflict");
    host.ok("imports.cancel", json!({ "id": id })).await;
    assert_eq!(host.ok("imports.get", json!({ "id": id })).await["state"], "cancelled");
    assert_eq!(host.refused("imports.upload", piece(3, "YWJj")).await.0, "conflict");
    let too_large = json!({ "fileName": "x", "size": (4_u64 << 30) + 1 });
    assert_eq!(host.refused("imports.create", too_large).await, refused("invalid_field_value", "size"));
    host.stop().await;
}

#[tokio::test]
async fn a_mapping_that_does_not_fit_says_why_and_starts_nothing() {
    let host = Host::start().await;
    let id = upload(&host, "u.csv", file(3).as_bytes(), 1 << 20).await;
    let mut wrong = mapping();
    wrong["timestamp"]["column"] = json!("when");
    let preview = host.ok("imports.preview", json!({ "id": id, "mapping": wrong })).await;
    assert!(preview["problem"].as_str().unwrap().contains("`when`"), "{preview}");
    let (code, field) = host.refused("imports.start", json!({ "id": id, "mapping": wrong })).await;
    assert_eq!((code.as_str(), field.as_str()), ("invalid_field_value", "mapping"));
    assert_eq!(host.ok("imports.get", json!({ "id": id })).await["state"], "ready");
    let preview = host.ok("imports.preview", json!({ "id": id, "mapping": mapping() })).await;
    assert_eq!((&preview["problem"], preview["events"].as_array().unwrap().len()), (&Value::Null, 3));
    assert_eq!(preview["events"][0]["event"]["customerId"], "c0");
    host.stop().await;
}

#[tokio::test]
async fn room_is_bounded_and_given_back() {
    let host = Host::start().await;
    let new = json!({ "fileName": "u.csv", "size": 10 });
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(host.ok("imports.create", new.clone()).await["id"].clone());
    }
    assert_eq!(host.refused("imports.create", new.clone()).await.0, "conflict");
    host.ok("imports.cancel", json!({ "id": ids[3] })).await;
    host.ok("imports.create", new).await;
    let staged = std::fs::read_dir(host.app.engine.data_dir().join("imports")).unwrap().count();
    assert_eq!(staged, 8, "what was cancelled is gone from the disk");
    host.stop().await;
}

#[tokio::test]
async fn a_running_import_stops_when_cancelled() {
    let host = Host::start().await;
    let id = upload(&host, "u.csv", file(60_000).as_bytes(), 1 << 20).await;
    host.ok("imports.start", json!({ "id": id, "mapping": mapping() })).await;
    host.ok("imports.cancel", json!({ "id": id })).await;
    let over = finish(&host, &id).await;
    assert_eq!(over["state"], "cancelled", "{over}");
    assert!(over["recorded"].as_u64().unwrap() < 60_000);
    assert_eq!(host.ok("status.get", json!({})).await["events"], over["recorded"], "it tells what it recorded");
    host.stop().await;
}

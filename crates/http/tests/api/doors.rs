//! A data folder reached from two sides: by its owner, and through the owner's private channel.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use weir_engine::{OpenOptions, owner};
use weir_http::{Door, DoorError, Remote};

async fn ask(door: &Door, name: &str, request: Value) -> Value {
    serde_json::from_str(&door.call(name, &request.to_string()).await.unwrap()).unwrap()
}

#[tokio::test]
async fn whoever_comes_second_works_through_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let first = Door::open(OpenOptions::new(dir.path())).await.unwrap();
    assert!(matches!(first, Door::Owned { .. }));
    let second = Door::open(OpenOptions::new(dir.path())).await.unwrap();
    assert!(matches!(second, Door::Remote(_)));
    let event = json!({ "customerId": "acme", "eventType": "t", "values": { "n": "0.000000001" } });
    let made = ask(&second, "events.record", event).await;
    let seen = ask(&first, "events.get", json!({ "id": made["id"] })).await;
    assert_eq!(seen["event"]["values"]["n"], "0.000000001", "this door answers quantities as strings");
    let refusal = second.call("events.record", "{}").await.unwrap_err();
    assert_eq!(
        (refusal.code.as_str(), refusal.message.as_str()),
        ("missing_required_field", "`customerId` is required")
    );
    assert_eq!(second.call("events.recrod", "{}").await.unwrap_err().code, "not_found");
    let backup = dir.path().join("copy.db");
    ask(&second, "backup.create", json!({ "path": backup })).await;
    assert!(backup.is_file());
    assert_eq!(
        second.call("backup.create", &json!({ "path": backup }).to_string()).await.unwrap_err().code,
        "invalid_field_value"
    );
    second.close().await;
    first.close().await;
    let third = Door::open(OpenOptions::new(dir.path())).await.unwrap();
    assert!(matches!(third, Door::Owned { .. }), "the folder was given back");
    third.close().await;
}

#[tokio::test]
async fn the_private_channel_wants_the_secret() {
    let dir = tempfile::tempdir().unwrap();
    let door = Door::open(OpenOptions::new(dir.path())).await.unwrap();
    let note = owner::read(dir.path()).unwrap().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = |secret: Option<&str>, host: Option<&str>| {
        let mut request =
            client.post(format!("http://{}/rpc/project.get", note.address)).header("content-type", "application/json");
        if let Some(secret) = secret {
            request = request.bearer_auth(secret);
        }
        if let Some(host) = host {
            request = request.header("host", host);
        }
        async { request.body("{}").send().await.unwrap().status().as_u16() }
    };
    assert_eq!(post(Some(&note.secret), None).await, 200);
    assert_eq!(post(None, None).await, 401);
    assert_eq!(post(Some("wrong"), None).await, 401);
    assert_eq!(post(Some(&note.secret), Some("evil.example")).await, 403);
    door.close().await;
    assert!(owner::read(dir.path()).unwrap().is_none(), "the note goes with its owner");
}

#[tokio::test]
async fn a_note_left_by_a_dead_owner_misleads_nobody() {
    let dir = tempfile::tempdir().unwrap();
    Door::open(OpenOptions::new(dir.path())).await.unwrap().close().await;
    let stale = owner::OwnerFile { address: "127.0.0.1:9".into(), secret: "x".into(), pid: 1 };
    owner::write(dir.path(), &stale).unwrap();
    assert!(Remote::find(dir.path()).await.unwrap().is_none());
    let door = Door::open(OpenOptions::new(dir.path())).await.unwrap();
    assert!(matches!(door, Door::Owned { .. }));
    door.close().await;
}

#[tokio::test]
async fn an_owner_that_hangs_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    owner::write(dir.path(), &owner::OwnerFile { address, secret: "x".into(), pid: 1 }).unwrap();
    let hang = async {
        let (connection, _) = listener.accept().await.unwrap();
        // From here on time passes by itself wherever nothing else is left to wait for.
        tokio::time::pause();
        connection
    };
    let (found, _connection) = tokio::join!(Remote::find(dir.path()), hang);
    assert!(found.unwrap().is_none());
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let Err(error) = Door::open(OpenOptions::new(&file)).await else { panic!("a file was opened as a folder") };
    assert!(matches!(error, DoorError::Open(_)));
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
}

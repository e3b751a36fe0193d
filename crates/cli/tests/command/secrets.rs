//! `weir secrets`: where the key of signing secrets is kept is chosen, and nothing is kept anywhere before.

use std::process::{Command, Output, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Place, Serving, client, text};

/// A command without a key in its environment, and on a bus that nobody is on.
fn bare(place: &Place, args: &[&str]) -> Command {
    let mut command = place.weir(args);
    command.env_remove("WEIR_SECRET_KEY");
    command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", place.path("no-bus").display()));
    command
}

fn run(place: &Place, args: &[&str]) -> Output {
    bare(place, args).output().unwrap()
}

fn ok(place: &Place, args: &[&str]) -> String {
    let output = run(place, args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn fails(place: &Place, args: &[&str]) -> String {
    let output = run(place, args);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {}", text(&output.stdout));
    text(&output.stderr)
}

fn serve(place: &Place) -> Serving {
    Serving::of(bare(place, &["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::null()))
}

async fn make(serving: &Serving, key: &str) -> (u16, Value) {
    let request = client().post(format!("{}/v1/webhooks", serving.address)).bearer_auth(key);
    let body = json!({ "url": "https://hooks.example.com/" }).to_string();
    let reply = request.header("content-type", "application/json").body(body).send().await.unwrap();
    let status = reply.status().as_u16();
    (status, serde_json::from_str(&reply.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn an_endpoint_waits_for_a_choice_and_the_choice_works_through_the_server() {
    let place = Place::new();
    assert!(fails(&place, &["secrets"]).contains("there is no Weir data"));
    let key = place.key("manage");
    let serving = serve(&place);
    assert!(ok(&place, &["secrets"]).contains("Nobody has chosen yet"));
    let (status, refused) = make(&serving, &key).await;
    let said = refused["error"]["message"].as_str().unwrap();
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("conflict")));
    assert!(said.contains("WEIR_SECRET_KEY") && said.contains("weir secrets use file --data"), "{said}");
    // There is no keyring: that is said, and nothing else done.
    assert!(fails(&place, &["secrets", "use", "keyring"]).contains("does not answer"));
    assert!(ok(&place, &["secrets"]).contains("Nobody has chosen yet"));
    assert!(ok(&place, &["secrets", "use", "file"]).contains("in secret.key beside the data"));
    let (status, made) = make(&serving, &key).await;
    assert_eq!(status, 201, "{made}");
    assert!(place.path("data/secret.key").is_file());
    assert_eq!(serving.stop(Signal::TERM), 0);
    // And without a server, after a restart.
    let state = ok(&place, &["secrets"]);
    assert!(state.contains("in secret.key beside the data") && !state.contains("It is made"), "{state}");
    assert!(fails(&place, &["secrets", "use", "keyring"]).contains("does not answer"));
    let serving = serve(&place);
    let read = serving.get(&format!("/v1/webhooks/{}", made["id"].as_str().unwrap()), &key);
    assert_eq!(read["secret"], made["secret"]);
}

#[test]
fn a_key_in_the_environment_is_used_and_a_damaged_one_said_at_once() {
    let place = Place::new();
    let key = place.key("manage");
    let told = place.ok(&["secrets"]);
    assert!(told.contains("in WEIR_SECRET_KEY"), "{told}");
    let refused = place.run(&["secrets", "use", "file"]);
    assert!(text(&refused.stderr).contains("changed where Weir is started"), "{}", text(&refused.stderr));
    for damaged in ["", "00", &"g".repeat(64)] {
        for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["secrets"], &["keys", "list"]] {
            let output = place.weir(args).env("WEIR_SECRET_KEY", damaged).output().unwrap();
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{args:?}");
            assert!(said.contains("WEIR_SECRET_KEY is not a key of 64 hex digits"), "{said}");
        }
    }
    assert!(!place.path("data/secret.key").exists() && !key.is_empty());
}

//! Where the key of signing secrets is kept, over HTTP: what needs it is refused before somebody chose, and says how.

use serde_json::{Value, json};
use weir_engine::SystemClock;
use weir_engine::secrets::{SecretKey, Secrets};
use weir_http::Limits;

use crate::harness::Host;

async fn with(secrets: Secrets) -> Host {
    Host::of(Limits::default(), SystemClock, |options| options.secrets = secrets).await
}

fn hook() -> Value {
    json!({ "url": "https://hooks.example.com/" })
}

#[tokio::test]
async fn an_endpoint_is_refused_before_somebody_chose_and_made_after() {
    let host = with(Secrets::default()).await;
    let refused = host.call("webhooks.create", hook()).await;
    assert_eq!((refused.status.as_u16(), refused.refusal().0.as_str()), (409, "conflict"));
    for way in ["WEIR_SECRET_KEY", "weir secrets use file --data", "weir secrets use keyring --data"] {
        assert!(refused.text.contains(way), "{}", refused.text);
    }
    let told = host.ok("secrets.get", json!({})).await;
    let nowhere = json!({ "store": null, "hasKey": false, "canChange": true, "fileLeft": false, "error": null, "errorCode": null });
    assert_eq!(told, nowhere);
    // No keyring answers here, and nothing takes its place.
    let refused = host.call("secrets.update", json!({ "store": "keyring" })).await;
    assert_eq!((refused.status.as_u16(), refused.refusal().0.as_str()), (409, "keyring_unavailable"));
    assert!(refused.text.contains("does not answer"), "{}", refused.text);
    assert_eq!(host.ok("secrets.get", json!({})).await, told);
    for (request, code, field) in [
        (json!({}), "missing_required_field", "store"),
        (json!({ "store": "environment" }), "invalid_field_value", "store"),
        (json!({ "store": "file", "key": "00" }), "unknown_field", "key"),
    ] {
        assert_eq!(host.refused("secrets.update", request).await, (code.to_owned(), field.to_owned()));
    }
    assert_eq!(host.ok("secrets.update", json!({ "store": "file" })).await["store"], "file");
    let made = host.ok("webhooks.create", hook()).await;
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    host.stop().await;
}

#[tokio::test]
async fn what_the_environment_holds_is_changed_there() {
    let key = SecretKey::new([7; 32]);
    let host = with(Secrets { environment: Some(key), ..Secrets::default() }).await;
    host.ok("webhooks.create", hook()).await;
    let told = host.ok("secrets.get", json!({})).await;
    assert_eq!((&told["store"], &told["canChange"]), (&json!("environment"), &json!(false)));
    let refused = host.call("secrets.update", json!({ "store": "file" })).await;
    assert_eq!(refused.refusal().0, "conflict");
    assert!(refused.text.contains("WEIR_SECRET_KEY"), "{}", refused.text);
    host.stop().await;
}

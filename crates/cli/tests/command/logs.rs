//! What `weir serve` says of the requests that it answers, and what it never says.

use reqwest::{Client, Method, RequestBuilder};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Place, Serving, client};

/// Stands in everything that is nobody else's business.
const MARK: &str = "Qm4rk";

/// A caller, and every secret that it was told.
struct Caller<'a> {
    client: Client,
    serving: &'a Serving,
    key: String,
    secrets: Vec<String>,
}

impl Caller<'_> {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.serving.address)).bearer_auth(&self.key)
    }

    async fn status(&self, request: RequestBuilder) -> u16 {
        let reply = request.send().await.unwrap();
        let status = reply.status().as_u16();
        reply.text().await.unwrap();
        status
    }

    async fn post(&self, path: &str, body: impl ToString) -> u16 {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        self.status(request.body(body.to_string())).await
    }

    /// Makes a secret at a path.
    async fn secret(&mut self, path: &str, body: Value) -> Value {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        let made: Value = request.body(body.to_string()).send().await.unwrap().json().await.unwrap();
        self.secrets.push(made["key"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned());
        made
    }
}

/// Calls in every way that could bring a secret into a log.
async fn call(serving: &Serving, key: &str) -> Vec<String> {
    let client = client();
    let mut caller = Caller { client, serving, key: key.to_owned(), secrets: vec![key.to_owned()] };
    let made = caller.secret("/v1/keys", json!({ "name": MARK, "scope": "read" })).await;
    let id = made["id"].as_str().unwrap();
    caller.secret(&format!("/v1/keys/{id}/rotate"), json!({})).await;
    let reply = caller.request(Method::POST, "/console/session").send().await.unwrap();
    let cookie = reply.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    for (path, status) in [("/console/session", 200), ("/v1/status", 200)] {
        let page = caller.client.get(format!("{}{path}", serving.address)).header("cookie", &cookie);
        assert_eq!(caller.status(page).await, status, "{path}");
    }
    let (name, session) = cookie.split_once('=').unwrap();
    caller.secrets.push(session.to_owned());
    let wrong = caller.client.get(format!("{}/v1/status", serving.address)).header("cookie", format!("{name}={MARK}"));
    assert_eq!(caller.status(wrong).await, 401);
    let event = json!({ "customerId": MARK, "eventType": MARK, "values": { MARK: 1 }, "properties": { MARK: MARK } });
    assert_eq!(caller.post("/v1/events/record", &event).await, 201);
    assert_eq!(caller.post("/v1/track", &event).await, 201);
    assert_eq!(caller.post("/v1/limits/check", json!({ "customerId": MARK, MARK: "whsec_Qm4rk" })).await, 400);
    assert_eq!(caller.post("/v1/limits/check", format!("{{ {MARK}")).await, 400);
    let keyed = caller.request(Method::POST, "/v1/customers").header("content-type", "application/json");
    let keyed = keyed.header("idempotency-key", MARK).body(json!({ "externalId": format!("{MARK}-2") }).to_string());
    assert_eq!(caller.status(keyed).await, 201);
    for (path, status) in [
        (format!("/v1/customers/{MARK}"), 200),
        (format!("/v1/customers/weir_sk_{MARK}"), 404),
        (format!("/v1/customers?query={MARK}"), 200),
        (format!("/v1/status?token=weir_ct_{MARK}"), 400),
        (format!("/{MARK}/weir_sk_{MARK}"), 404),
    ] {
        assert_eq!(caller.status(caller.request(Method::GET, &path)).await, status, "{path}");
    }
    let made_up = Method::from_bytes(MARK.as_bytes()).unwrap();
    assert_eq!(caller.status(caller.request(made_up, "/v1/status")).await, 405);
    let basic = caller.client.get(format!("{}/v1/status", serving.address)).basic_auth(MARK, Some(MARK));
    assert_eq!(caller.status(basic).await, 401);
    let elsewhere = caller.request(Method::GET, "/v1/status").header("origin", format!("https://{MARK}.example"));
    assert_eq!(caller.status(elsewhere).await, 403);
    for wrong in ["weir_sk_", "weir_ct_", "whsec_"] {
        caller.key = format!("{wrong}{MARK}");
        assert_eq!(caller.status(caller.request(Method::GET, "/v1/status")).await, 401);
    }
    caller.secrets
}

#[tokio::test]
async fn however_much_is_logged_no_secret_and_no_body_is() {
    let place = Place::new();
    let key = place.key("manage");
    for format in ["text", "json"] {
        let serving = place.serve_logging(&["--log-format", format], "trace", "log");
        let secrets = call(&serving, &key).await;
        let owner: Value =
            serde_json::from_slice(&std::fs::read(place.path("data").join("owner.json")).unwrap()).unwrap();
        // The private channel is used as well.
        place.ok(&["keys", "list"]);
        assert_eq!(serving.stop(Signal::TERM), 0);
        let log = std::fs::read_to_string(place.path("log")).unwrap();
        let routes =
            ["/v1/events/record", "/v1/keys/{id}/rotate", "/v1/customers/{id}", "/rpc/{name}", "/console/session"];
        for said in routes.into_iter().chain(["answered", "invalid_api_key", "key_", "req_"]) {
            assert!(log.contains(said), "{said} in {log}");
        }
        let owners = owner["secret"].as_str().unwrap().to_owned();
        for secret in secrets.iter().chain([&owners]) {
            assert!(!log.contains(secret.as_str()), "a secret is in the log");
        }
        for word in [MARK, "weir_sk_", "weir_ct_", "weir_cs_", "whsec_"] {
            let line = log.lines().find(|line| line.to_lowercase().contains(&word.to_lowercase()));
            assert_eq!(line, None, "{word}");
        }
    }
}

#[tokio::test]
async fn every_request_is_a_line_that_programs_can_read() {
    let place = Place::new();
    let key = place.key("read");
    let serving = place.serve_logging(&["--log-format", "json"], "debug", "log");
    let client = client();
    let ask = |path: &str, id: &str| {
        let request = client.get(format!("{}{path}", serving.address)).bearer_auth(&key).header("x-request-id", id);
        async { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!(ask("/v1/status", "first").await, 200);
    assert_eq!(ask("/v1/customers/nobody", "second").await, 404);
    assert_eq!(ask("/v1/keys", "third").await, 403);
    assert_eq!(serving.stop(Signal::TERM), 0);
    let log = std::fs::read_to_string(place.path("log")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (id, route, status, code) in [
        ("first", "/v1/status", 200, None),
        ("second", "/v1/customers/{id}", 404, Some("customer_not_found")),
        ("third", "/v1/keys", 403, Some("insufficient_permissions")),
    ] {
        let mine: Vec<_> = lines.iter().filter(|line| line["request_id"] == id).collect();
        let [line] = mine[..] else { panic!("one line for {id}: {mine:?}") };
        assert_eq!((&line["message"], &line["level"]), (&json!("answered"), &json!("DEBUG")));
        assert_eq!((&line["method"], &line["route"], &line["status"]), (&json!("GET"), &json!(route), &json!(status)));
        assert_eq!(line.get("code").and_then(Value::as_str), code);
        assert!(line["duration_ms"].as_f64().is_some_and(|ms| ms >= 0.0), "{line}");
        assert!(line["key"].as_str().is_some_and(|key| key.starts_with("key_")), "{line}");
        assert!(line["timestamp"].is_string(), "{line}");
    }
}

#[test]
fn a_wish_for_the_log_that_cannot_be_read_is_refused() {
    let place = Place::new();
    let output = place.weir(&["keys", "list"]).env("WEIR_LOG", "a=b=c").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(crate::harness::text(&output.stderr).starts_with("weir: WEIR_LOG: "));
}

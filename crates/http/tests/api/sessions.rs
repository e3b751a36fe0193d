//! The console's session: a browser signs in with a key, and from then on its own pages call by a cookie.

use std::sync::Arc;

use reqwest::header::{HeaderMap, SET_COOKIE};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::time::timeout;
use weir_core::time::Timestamp;
use weir_engine::model::Scope;
use weir_engine::{Clock, ManualClock};

use crate::harness::{DEADLINE, Host, Reply, key};

const WEEK: i64 = 7 * 86_400 * 1_000_000;

/// A browser that was signed in: the cookie as it sends it.
pub struct Browser {
    pub cookie: String,
    /// Its page.
    pub origin: String,
}

impl Browser {
    pub async fn signed_in(host: &Host, key: &str) -> Self {
        let reply = sign_in(host, key).await;
        assert_eq!(reply.status.as_u16(), 201, "{}", reply.text);
        let (cookie, _) = set_cookie(&reply.headers).split_once(';').unwrap();
        Browser { cookie: cookie.to_owned(), origin: host.base.clone() }
    }

    /// A request of the console's page.
    fn request(&self, host: &Host, method: Method, path: &str) -> RequestBuilder {
        self.bare(host, method, path).header("origin", &self.origin).header("sec-fetch-site", "same-origin")
    }

    /// A request with nothing but the cookie.
    fn bare(&self, host: &Host, method: Method, path: &str) -> RequestBuilder {
        host.client.request(method, format!("{}{path}", host.base)).header("cookie", &self.cookie)
    }

    async fn get(&self, host: &Host, path: &str) -> Reply {
        host.send(self.request(host, Method::GET, path)).await
    }

    async fn post(&self, host: &Host, path: &str, body: &str) -> Reply {
        let request = self.request(host, Method::POST, path).header("content-type", "application/json");
        host.send(request.body(body.to_owned())).await
    }

    async fn sign_out(&self, host: &Host) -> Reply {
        host.send(self.request(host, Method::DELETE, "/console/session")).await
    }

    /// What the cookie is called.
    fn name(&self) -> &str {
        self.cookie.split_once('=').unwrap().0
    }
}

async fn sign_in(host: &Host, key: &str) -> Reply {
    host.send(host.client.post(format!("{}/console/session", host.base)).bearer_auth(key)).await
}

fn set_cookie(headers: &HeaderMap) -> &str {
    headers[SET_COOKIE].to_str().unwrap()
}

/// The refusal, and whether the browser is to forget the cookie.
fn refusal(reply: &Reply) -> (u16, String, bool) {
    let forgets = reply.headers.get(SET_COOKIE).map(|cookie| {
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.contains("=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    });
    (reply.status.as_u16(), reply.refusal().0, forgets.is_some())
}

fn refused(status: u16, code: &str, forgets: bool) -> (u16, String, bool) {
    (status, code.to_owned(), forgets)
}

/// A server whose clock is moved by hand.
async fn start() -> (Host, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_750_000_000_000_000)));
    (Host::with(clock.clone()).await, clock)
}

#[tokio::test]
async fn a_key_is_changed_for_a_cookie_that_no_page_can_read() {
    let (host, clock) = start().await;
    let ends = clock.now().saturating_add_micros(WEEK).to_string();
    let shown = json!({ "keyName": "test", "scope": "manage", "expiresAt": ends });
    let reply = sign_in(&host, &host.key).await;
    assert_eq!((reply.status.as_u16(), reply.json()), (201, shown.clone()));
    assert_eq!(reply.headers["cache-control"], "no-store");
    let port = host.base.rsplit_once(':').unwrap().1;
    let (pair, attributes) = set_cookie(&reply.headers).split_once("; ").unwrap();
    let token = pair.strip_prefix(&format!("weir_session_{port}=weir_cs_")).expect("named after the port");
    assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(attributes, "Max-Age=604800; Path=/; HttpOnly; SameSite=Strict");
    assert!(!reply.text.contains(token) && !reply.text.contains(&host.key));

    let browser = Browser { cookie: pair.to_owned(), origin: host.base.clone() };
    let found = browser.get(&host, "/console/session").await;
    assert_eq!((found.status.as_u16(), found.json()), (200, shown));
    assert!(!found.headers.contains_key(SET_COOKIE), "its time is fixed");
    // An address is one way to call a server, a name another.
    let by_name = browser.bare(&host, Method::GET, "/console/session").header("host", format!("localhost:{port}"));
    assert_eq!(host.send(by_name).await.status, 200);
    host.stop().await;
}

#[tokio::test]
async fn the_cookie_is_for_encrypted_connections_where_the_page_came_over_one() {
    let host = Host::start().await;
    let port = host.base.rsplit_once(':').unwrap().1;
    for (page, secure) in [(format!("https://127.0.0.1:{port}"), true), (host.base.clone(), false)] {
        let request = host.request(Method::POST, "/console/session").header("origin", page);
        let reply = host.send(request).await;
        assert_eq!(set_cookie(&reply.headers).ends_with("; SameSite=Strict; Secure"), secure);
    }
    // As a proxy passes on what was asked on the usual port.
    let request = host.request(Method::POST, "/console/session").header("host", "localhost");
    let reply = host.send(request.header("origin", "https://localhost")).await;
    assert!(set_cookie(&reply.headers).starts_with("weir_session=weir_cs_"), "{:?}", reply.headers);
    host.stop().await;
}

#[tokio::test]
async fn only_a_key_signs_in() {
    let host = Host::start().await;
    let door = format!("{}/console/session", host.base);
    let browser = Browser::signed_in(&host, &host.key).await;
    for (request, code) in [
        (host.client.post(&door), "missing_api_key"),
        (host.client.post(&door).basic_auth("console", Some(&host.key)), "missing_api_key"),
        (host.client.post(&door).bearer_auth("weir_sk_0"), "invalid_api_key"),
        (host.client.post(&door).bearer_auth(browser.cookie.split_once('=').unwrap().1), "invalid_api_key"),
        (browser.request(&host, Method::POST, "/console/session"), "missing_api_key"),
    ] {
        let reply = host.send(request).await;
        assert_eq!(refusal(&reply), refused(401, code, false));
        assert_eq!(reply.headers["www-authenticate"], "Bearer");
    }
    let of_another_site = host.request(Method::POST, "/console/session").header("origin", "https://evil.example");
    assert_eq!(refusal(&host.send(of_another_site).await), refused(403, "insufficient_permissions", false));
    let nobody = host.send(host.client.get(&door)).await;
    assert_eq!(refusal(&nobody), refused(401, "missing_api_key", false));
    let key_alone = host.send(host.request(Method::GET, "/console/session")).await;
    assert_eq!(refusal(&key_alone), refused(401, "missing_api_key", false), "a key is no session");
    let put = host.send(host.request(Method::PUT, "/console/session")).await;
    assert_eq!(refusal(&put), refused(405, "method_not_allowed", false));
    host.stop().await;
}

#[tokio::test]
async fn a_session_may_what_its_key_may_and_is_remembered_as_the_key() {
    let host = Host::start().await;
    let reader = Browser::signed_in(&host, &key(&host.app, Scope::Read).await).await;
    assert_eq!(reader.get(&host, "/console/session").await.json()["scope"], "read");
    assert_eq!(reader.get(&host, "/v1/customers").await.status, 200);
    let body = r#"{"externalId":"acme"}"#;
    let refused_to = reader.post(&host, "/v1/customers", body).await;
    assert_eq!(refusal(&refused_to), refused(403, "insufficient_permissions", false));

    let manager = Browser::signed_in(&host, &host.key).await;
    assert_eq!(manager.post(&host, "/v1/customers", body).await.status, 201);
    let audit = host.ok("audit.list", json!({ "operation": "customers.create" })).await;
    let actor = &audit["data"][0]["actor"];
    assert_eq!((&actor["kind"], &actor["label"]), (&json!("key"), &json!("test")), "{audit}");
    host.stop().await;
}

#[tokio::test]
async fn only_the_servers_own_page_calls_by_a_cookie() {
    let host = Host::start().await;
    let browser = Browser::signed_in(&host, &host.key).await;
    let port = host.base.rsplit_once(':').unwrap().1;
    let (own, by_name) = (host.base.clone(), format!("http://localhost:{port}"));
    let doors = [
        (Method::GET, "/v1/project", ""),
        (Method::PUT, "/v1/project", r#"{"name":"New"}"#),
        (Method::POST, "/v1/events/record", r#"{"customerId":"acme","eventType":"t"}"#),
        (Method::GET, "/v1/changes", ""),
        (Method::GET, "/metrics", ""),
        (Method::GET, "/console/session", ""),
        (Method::DELETE, "/v1/customers/nobody", ""),
        (Method::DELETE, "/console/session", ""),
    ];
    // The origin, the site, and what passes: everything, reading alone, or nothing.
    let cases: [(Option<&str>, Option<&str>, [bool; 2]); 12] = [
        (Some(&own), Some("same-origin"), [true, true]),
        (Some(&own), None, [true, true]),
        (None, Some("same-origin"), [true, true]),
        (None, Some("none"), [true, true]),
        (None, None, [true, false]),
        (Some(&by_name), None, [false, false]),
        (Some("http://localhost:5173"), None, [false, false]),
        (Some("http://127.0.0.1"), None, [false, false]),
        (Some("https://evil.example"), Some("same-origin"), [false, false]),
        (Some("null"), None, [false, false]),
        (Some(&own), Some("cross-site"), [false, false]),
        (None, Some("same-site"), [false, false]),
    ];
    for (origin, site, passes) in cases {
        for (method, path, body) in &doors {
            // Each on a session of its own, as some end it.
            let browser = Browser::signed_in(&host, &host.key).await;
            let mut request = browser.bare(&host, method.clone(), path);
            for (name, value) in [("origin", origin), ("sec-fetch-site", site)] {
                request = value.into_iter().fold(request, |request, value| request.header(name, value));
            }
            if !body.is_empty() {
                request = request.header("content-type", "application/json").body(*body);
            }
            // The head of a stream is the answer; the rest never ends.
            let status = request.send().await.unwrap().status().as_u16();
            let [reads, changes] = passes;
            let passed = if *method == Method::GET { reads } else { changes };
            let what = format!("{method} {path} of {origin:?} {site:?}: {status}");
            assert_eq!(status != 403, passed, "{what}");
            assert_ne!(status, 401, "{what}");
            let still = browser.get(&host, "/console/session").await.status == 200;
            assert_eq!(still, !(passed && *path == "/console/session" && *method == Method::DELETE), "{what}");
        }
    }
    assert_eq!(browser.get(&host, "/console/session").await.status, 200);
    host.stop().await;
}

#[tokio::test]
async fn a_key_counts_before_a_cookie() {
    let host = Host::start().await;
    let reader = Browser::signed_in(&host, &key(&host.app, Scope::Read).await).await;
    let both = |token: &str| reader.bare(&host, Method::PUT, "/v1/project").bearer_auth(token);
    let body = |request: RequestBuilder| request.header("content-type", "application/json").body(r#"{"name":"New"}"#);
    // With a key it is a program that asks: no page has to be named, and the key's scope is what counts.
    assert_eq!(host.send(body(both(&host.key))).await.status, 200);
    let wrong = host.send(body(both("weir_sk_0"))).await;
    assert_eq!(refusal(&wrong), refused(401, "invalid_api_key", false), "the session has not ended");
    let other = reader.request(&host, Method::GET, "/v1/project").header("authorization", "Basic abc");
    assert_eq!(refusal(&host.send(other).await), refused(401, "missing_api_key", false));
    assert_eq!(reader.get(&host, "/v1/project").await.status, 200);
    host.stop().await;
}

#[tokio::test]
async fn a_cookie_of_another_port_is_another_ones() {
    let host = Host::start().await;
    let browser = Browser::signed_in(&host, &host.key).await;
    let token = browser.cookie.split_once('=').unwrap().1;
    for name in ["weir_session_1", "weir_session", "weir_session_", "session"] {
        let other = Browser { cookie: format!("{name}={token}"), origin: host.base.clone() };
        assert_eq!(refusal(&other.get(&host, "/v1/project").await), refused(401, "missing_api_key", false), "{name}");
    }
    let both = Browser { cookie: format!("weir_session_1=weir_cs_1; {}", browser.cookie), origin: host.base.clone() };
    assert_eq!(both.get(&host, "/v1/project").await.status, 200);
    host.stop().await;
}

#[tokio::test]
async fn signing_out_ends_the_session_for_every_tab_and_may_be_repeated() {
    let host = Host::start().await;
    let (browser, other) = (Browser::signed_in(&host, &host.key).await, Browser::signed_in(&host, &host.key).await);
    for _ in 0..2 {
        let out = browser.sign_out(&host).await;
        assert_eq!((out.status.as_u16(), out.json()), (200, json!({ "success": true })));
        let gone = format!("{}=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict", browser.name());
        assert_eq!(set_cookie(&out.headers), gone);
    }
    // A tab that asks with it all the same is told, and forgets it.
    assert_eq!(refusal(&browser.get(&host, "/v1/project").await), refused(401, "invalid_api_key", true));
    assert_eq!(other.get(&host, "/v1/project").await.status, 200);
    let nobody = host.send(host.client.delete(format!("{}/console/session", host.base))).await;
    assert_eq!(nobody.status, 200);
    host.stop().await;
}

#[tokio::test]
async fn an_ended_session_is_refused_and_forgotten_on_every_door() {
    let (host, clock) = start().await;
    let made = host.ok("keys.create", json!({ "name": "viewer", "scope": "read" })).await;
    let revoked = Browser::signed_in(&host, made["key"].as_str().unwrap()).await;
    host.ok("keys.revoke", json!({ "id": made["id"] })).await;
    let over = Browser::signed_in(&host, &host.key).await;
    clock.set(clock.now().saturating_add_micros(WEEK));
    for path in ["/v1/project", "/v1/changes", "/metrics", "/console/session"] {
        assert_eq!(refusal(&revoked.get(&host, path).await), refused(401, "invalid_api_key", true), "{path}");
        assert_eq!(refusal(&over.get(&host, path).await), refused(401, "expired_api_key", true), "{path}");
    }
    // A key that is no longer good is refused without a word of cookies.
    let key = host.client.get(format!("{}/v1/project", host.base)).bearer_auth(made["key"].as_str().unwrap());
    assert_eq!(refusal(&host.send(key).await), refused(401, "invalid_api_key", false));
    host.stop().await;
}

#[tokio::test]
async fn the_cookie_lasts_no_longer_than_the_key() {
    let (host, clock) = start().await;
    let expires = clock.now().saturating_add_micros(90_000_000);
    let made = host.ok("keys.create", json!({ "name": "brief", "scope": "read", "expiresAt": expires })).await;
    let reply = sign_in(&host, made["key"].as_str().unwrap()).await;
    assert_eq!(reply.json()["expiresAt"], expires.to_string());
    assert!(set_cookie(&reply.headers).contains("; Max-Age=90; "), "{:?}", reply.headers);
    host.stop().await;
}

#[tokio::test]
async fn front_ends_routes_know_no_sessions() {
    let host = Host::start().await;
    let browser = Browser::signed_in(&host, &host.key).await;
    for path in ["/client/token", "/v1/client/token", "/client/events/summary"] {
        assert_eq!(refusal(&browser.get(&host, path).await), refused(401, "missing_api_key", false), "{path}");
    }
    let check = browser.post(&host, "/client/limits/check", "{}").await;
    assert_eq!(refusal(&check), refused(401, "missing_api_key", false));
    host.stop().await;
}

#[tokio::test]
async fn a_session_reads_the_figures_and_what_the_console_draws_and_saves() {
    let host = Host::start().await;
    let meter = host.ok("meters.create", json!({ "name": "calls", "aggregation": "count", "field": "*" })).await;
    let browser = Browser::signed_in(&host, &key(&host.app, Scope::Read).await).await;
    assert!(browser.get(&host, "/metrics").await.text.contains("weir_customers 0\n"));
    let chart = json!({ "meterId": meter["id"], "format": "svg", "theme": "dark" });
    assert_eq!(browser.post(&host, "/v1/charts", &chart.to_string()).await.status, 200);
    assert_eq!(browser.get(&host, "/v1/limits/file").await.status, 200);
    host.stop().await;
}

#[tokio::test]
async fn repeats_are_those_of_the_key() {
    let host = Host::start().await;
    let browser = Browser::signed_in(&host, &host.key).await;
    let post = async |request: RequestBuilder| {
        let request = request.header("idempotency-key", "k").header("content-type", "application/json");
        host.send(request.body(r#"{"externalId":"acme"}"#)).await
    };
    let first = post(browser.request(&host, Method::POST, "/v1/customers")).await;
    assert_eq!(first.status, 201);
    let second = Browser::signed_in(&host, &host.key).await;
    for again in [
        browser.request(&host, Method::POST, "/v1/customers"),
        second.request(&host, Method::POST, "/v1/customers"),
        host.request(Method::POST, "/v1/customers"),
    ] {
        assert_eq!(post(again).await.text, first.text);
    }
    host.stop().await;
}

#[tokio::test]
async fn a_session_makes_the_calls_of_its_key() {
    let host = Host::start().await;
    let made = host.ok("keys.create", json!({ "name": "few", "scope": "read", "perMinute": 2 })).await;
    let browser = Browser::signed_in(&host, made["key"].as_str().unwrap()).await;
    assert_eq!(browser.get(&host, "/v1/project").await.status, 200);
    assert_eq!(refusal(&browser.get(&host, "/v1/project").await), refused(429, "rate_limit_exceeded", false));
    assert_eq!(browser.sign_out(&host).await.status, 200, "out one can always get");
    host.stop().await;
}

/// Listens to changes, and has heard that it does.
async fn listen(host: &Host, browser: &Browser) -> reqwest::Response {
    let mut stream = browser.request(host, Method::GET, "/v1/changes").send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let first = timeout(DEADLINE, stream.chunk()).await.unwrap().unwrap().unwrap();
    assert_eq!(&first[..], b": listening\n\n");
    stream
}

/// Reads a stream to its end.
async fn end_of(stream: &mut reqwest::Response) {
    while timeout(DEADLINE, stream.chunk()).await.expect("the end in time").unwrap().is_some() {}
}

#[tokio::test]
async fn the_stream_ends_when_the_session_or_its_key_does() {
    let (host, clock) = start().await;
    let stays = Browser::signed_in(&host, &host.key).await;
    let mut heard = listen(&host, &stays).await;

    let browser = Browser::signed_in(&host, &host.key).await;
    let mut stream = listen(&host, &browser).await;
    browser.sign_out(&host).await;
    end_of(&mut stream).await;

    let made = host.ok("keys.create", json!({ "name": "viewer", "scope": "read" })).await;
    let browser = Browser::signed_in(&host, made["key"].as_str().unwrap()).await;
    let mut stream = listen(&host, &browser).await;
    host.ok("keys.revoke", json!({ "id": made["id"] })).await;
    end_of(&mut stream).await;

    // Nothing is told to one that is over.
    let browser = Browser::signed_in(&host, &host.key).await;
    let mut stream = listen(&host, &browser).await;
    clock.set(clock.now().saturating_add_micros(WEEK));
    host.ok("project.update", json!({ "name": "New" })).await;
    let mut text = Vec::new();
    while let Some(chunk) = timeout(DEADLINE, stream.chunk()).await.expect("the end in time").unwrap() {
        text.extend_from_slice(&chunk);
    }
    assert_eq!(String::from_utf8(text).unwrap(), "");
    end_of(&mut heard).await;
    host.stop().await;
}

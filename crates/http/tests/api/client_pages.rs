//! Pages of other sites: those of the project's origins may call what is made for front ends, and nothing else.

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Host, Reply};

const PAGE: &str = "https://app.example.com";
const ROUTES: [(&str, &str); 4] = [
    ("GET", "/client/token"),
    ("POST", "/client/limits/check"),
    ("POST", "/client/events/record"),
    ("GET", "/client/events/summary"),
];

async fn start() -> (Host, String) {
    let host = Host::start().await;
    host.ok("project.update", json!({ "clientOrigins": [PAGE, "http://127.0.0.1:5173"] })).await;
    let made = host.ok("client_tokens.create", json!({ "publicMetadata": { "customerId": "acme" } })).await;
    let token = made["token"].as_str().unwrap().to_owned();
    (host, token)
}

async fn call(host: &Host, method: &str, path: &str, token: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = host.client.request(method.parse().unwrap(), format!("{}{path}", host.base));
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if method == "POST" {
        request = request.header("content-type", "application/json").body(r#"{"eventType":"t"}"#);
    }
    host.send(request).await
}

fn allowed(reply: &Reply) -> Option<&str> {
    reply.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap())
}

/// No header that would let a page read anything.
fn is_closed(reply: &Reply) -> bool {
    reply.headers.keys().all(|name| !name.as_str().starts_with("access-control-"))
}

fn varies(reply: &Reply) -> bool {
    reply.headers.get_all("vary").iter().any(|value| value.to_str().unwrap().to_ascii_lowercase().contains("origin"))
}

#[tokio::test]
async fn pages_of_the_projects_origins_may_call_the_four_routes() {
    let (host, token) = start().await;
    for (method, route) in ROUTES {
        for path in [route.to_owned(), format!("/v1{route}")] {
            for origin in [PAGE, "http://127.0.0.1:5173"] {
                let reply = call(&host, method, &path, &token, &[("origin", origin)]).await;
                assert!(reply.status.is_success(), "{path}: {}", reply.text);
                assert_eq!((allowed(&reply), varies(&reply)), (Some(origin), true), "{path}");
                let exposed = reply.headers["access-control-expose-headers"].to_str().unwrap();
                for name in ["retry-after", "x-request-id", "x-ratelimit-remaining"] {
                    assert!(exposed.split(", ").any(|exposed| exposed == name), "{name}: {exposed}");
                }
                assert!(!reply.headers.contains_key("access-control-allow-credentials"));

                let asked = "Authorization, content-type,idempotency-key, x-request-id , accept";
                let preflight = [
                    ("origin", origin),
                    ("access-control-request-method", method),
                    ("access-control-request-headers", asked),
                ];
                let reply = call(&host, "OPTIONS", &path, "", &preflight).await;
                assert_eq!((reply.status.as_u16(), reply.text.as_str()), (204, ""), "{path}");
                assert_eq!((allowed(&reply), varies(&reply)), (Some(origin), true));
                assert_eq!(reply.headers["access-control-allow-methods"], method);
                let names: Vec<_> = reply.headers.get_all("access-control-allow-headers").iter().collect();
                assert_eq!(names, ["authorization", "content-type", "accept", "idempotency-key", "x-request-id"]);
                assert_eq!(reply.headers["access-control-max-age"], "600");
                assert!(!reply.headers.contains_key("access-control-allow-credentials"));
            }
            let bare = call(&host, method, &path, &token, &[]).await;
            assert!(bare.status.is_success() && allowed(&bare).is_none() && varies(&bare), "no page asks");
        }
    }
    host.stop().await;
}

#[tokio::test]
async fn a_page_can_read_why_it_was_refused() {
    let (host, token) = start().await;
    let from = [("origin", PAGE)];
    let large = vec![b' '; 9 << 20];
    let post = |body: Vec<u8>, media: &'static str| {
        let request = host.client.post(format!("{}/client/events/record", host.base)).bearer_auth(&token);
        host.send(request.header("origin", PAGE).header("content-type", media).body(body))
    };
    let replies = [
        (401, call(&host, "GET", "/client/token", "", &from).await),
        (401, call(&host, "GET", "/client/token", &host.key, &from).await),
        (403, call(&host, "GET", "/client/events/summary?customerId=beta", &token, &from).await),
        (400, call(&host, "GET", "/client/token?x=1", &token, &from).await),
        (405, call(&host, "POST", "/client/token", &token, &from).await),
        (405, call(&host, "DELETE", "/client/events/record", &token, &from).await),
        (405, call(&host, "OPTIONS", "/client/events/record", &token, &from).await),
        (415, post(b"{}".to_vec(), "text/plain").await),
        (413, post(large, "application/json").await),
    ];
    for (status, reply) in replies {
        assert_eq!((reply.status.as_u16(), allowed(&reply)), (status, Some(PAGE)), "{}", reply.text);
        assert!(!reply.refusal().0.is_empty() && varies(&reply));
    }
    for _ in 0..weir_engine::CLIENT_CALLS_PER_MINUTE {
        call(&host, "GET", "/client/token", &token, &from).await;
    }
    let late = call(&host, "GET", "/client/token", &token, &from).await;
    assert_eq!((late.status.as_u16(), allowed(&late)), (429, Some(PAGE)));
    assert!(late.headers.contains_key("retry-after"));
    host.stop().await;
}

#[tokio::test]
async fn no_other_page_is_let_in() {
    let (host, token) = start().await;
    let before = host.ok("status.get", json!({})).await["events"].clone();
    let port = host.base.rsplit_once(':').unwrap().1.to_owned();
    for origin in [
        "null",
        "https://evil.example",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com:443",
        "https://app.example.com/",
        "https://app.example.com.evil.example",
        "https://sub.app.example.com",
        "https://APP.example.com",
        "https://app.example.com, https://evil.example",
        "http://127.0.0.1:5174",
        "http://localhost:5173",
        &format!("http://localhost:{port}"),
        "file://",
        "",
        "*",
    ] {
        for (method, route) in ROUTES {
            for path in [route.to_owned(), format!("/v1{route}")] {
                let reply = call(&host, method, &path, &token, &[("origin", origin)]).await;
                assert_eq!((reply.status.as_u16(), is_closed(&reply)), (403, true), "{origin} {path}");
                assert_eq!(reply.refusal().0, "insufficient_permissions");
                let preflight = [("origin", origin), ("access-control-request-method", method)];
                let reply = call(&host, "OPTIONS", &path, "", &preflight).await;
                assert_eq!((reply.status.as_u16(), is_closed(&reply)), (403, true), "{origin} {path}");
            }
        }
    }
    let own = call(&host, "GET", "/client/token", &token, &[("origin", &host.base)]).await;
    assert!(own.status.is_success() && is_closed(&own), "a page of this server needs no leave");
    assert_eq!(host.ok("status.get", json!({})).await["events"], before);
    // What the project no longer names is refused at once.
    host.ok("project.update", json!({ "clientOrigins": [] })).await;
    let reply = call(&host, "GET", "/client/token", &token, &[("origin", PAGE)]).await;
    assert_eq!((reply.status.as_u16(), is_closed(&reply)), (403, true));
    host.stop().await;
}

#[tokio::test]
async fn a_page_asks_for_no_other_method_and_sends_no_other_header() {
    let (host, _) = start().await;
    for (path, method, headers) in [
        ("/client/token", "POST", ""),
        ("/client/token", "get", ""),
        ("/client/token", "DELETE", ""),
        ("/client/events/record", "GET", ""),
        ("/client/events/record", "PUT", ""),
        ("/client/events/record", "POST", "authorization, cookie"),
        ("/client/events/record", "POST", "x-forwarded-for"),
        ("/client/events/record", "POST", "*"),
    ] {
        let preflight =
            [("origin", PAGE), ("access-control-request-method", method), ("access-control-request-headers", headers)];
        let reply = call(&host, "OPTIONS", path, "", &preflight).await;
        assert_eq!(reply.status.as_u16(), 403, "{path} {method} {headers}");
        assert!(!reply.headers.contains_key("access-control-allow-methods"));
    }
    host.stop().await;
}

#[tokio::test]
async fn every_other_route_stays_closed_to_pages_of_the_projects_origins() {
    let (host, token) = start().await;
    let paths: Vec<String> = weir_api::TABLE
        .iter()
        .filter(|row| row.reach == weir_api::Reach::Public)
        .map(|row| format!("/v1{}", row.path.replace("{id}", "nothing")))
        .chain(
            ["/v1/changes", "/v1/openapi.json", "/metrics", "/healthz", "/", "/client", "/client/", "/client/x"]
                .map(String::from),
        )
        .collect();
    for path in paths {
        for credential in [host.key.as_str(), &token] {
            for method in [Method::GET, Method::POST] {
                let reply = call(&host, method.as_str(), &path, credential, &[("origin", PAGE)]).await;
                assert_eq!((reply.status.as_u16(), is_closed(&reply)), (403, true), "{path}");
            }
        }
        let preflight = [("origin", PAGE), ("access-control-request-method", "GET")];
        let reply = call(&host, "OPTIONS", &path, "", &preflight).await;
        assert_eq!((reply.status.as_u16(), is_closed(&reply)), (403, true), "{path}");
    }
    host.stop().await;
}

/// Sends a request line as it stands; answers the status and everything else in lower case.
async fn raw(host: &Host, target: &str, headers: &str) -> (u16, String) {
    let address = host.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
    (text[9..12].parse().unwrap(), text)
}

#[tokio::test]
async fn no_way_of_writing_a_path_or_a_host_leads_past_the_guard() {
    let (host, token) = start().await;
    let address = host.base.strip_prefix("http://").unwrap().to_owned();
    let from = |credential: &str, host: &str| {
        format!("Host: {host}\r\nOrigin: {PAGE}\r\nAuthorization: Bearer {credential}\r\n")
    };
    for target in [
        "/client/../v1/customers",
        "/client/token/../../v1/customers",
        "/client/token/..%2f..%2fv1/customers",
        "/client/%2e%2e/v1/customers",
        "/client//../v1/customers",
        "//client/token",
        "/client//token",
        "/client/./token",
        "/client/token/",
        "/client/%74oken",
        "/%63lient/token",
        "/CLIENT/token",
        "/client\\token",
        "/client;/token",
        "/v1/v1/client/token",
        "/v1//client/token",
        "/v1/client/../customers",
        "/client/token%00",
        "/client/token%2f",
        "*",
    ] {
        for credential in [&host.key, &token] {
            let (status, answer) = raw(&host, target, &from(credential, &address)).await;
            // A page gets nothing, and nobody gets at anything: 403 by the guard, or 400 by what reads requests.
            assert!(matches!(status, 400 | 403), "{target}: {status}");
            assert!(!answer.contains("access-control-"), "{target}: {answer}");
        }
        let (status, _) = raw(&host, target, &format!("Host: {address}\r\nAuthorization: Bearer {token}\r\n")).await;
        assert!(matches!(status, 400 | 401 | 404), "{target}: {status} without a page");
    }
    assert_eq!(raw(&host, "/client/token", &from(&token, &address)).await.0, 200);
    let absolute = format!("http://{address}/client/token");
    assert_eq!(raw(&host, &absolute, &from(&token, &address)).await.0, 200, "the form for proxies");
    for name in ["app.example.com", "evil.example", &format!("evil.example:{}", address.rsplit_once(':').unwrap().1)] {
        let (status, answer) = raw(&host, "/client/token", &from(&token, name)).await;
        assert_eq!(status, 403, "a name that was pointed here: {name}");
        assert!(!answer.contains("access-control-"), "{answer}");
    }
    host.stop().await;
}

//! HTTP manners: exact quantities either way, hosts and pages, sizes, forms, and the description of it all.

use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::json;
use weir_http::Limits;

use crate::harness::{DEADLINE, Host};

#[tokio::test]
async fn quantities_are_exact_numbers_or_strings() {
    let host = Host::start().await;
    let body = r#"{"customerId":"acme","eventType":"t","values":{"big":123456789012345678.123456789,"small":"0.000000001"},"properties":{"n":1.50}}"#;
    let made = host.post(Method::POST, "/v1/events/record", body).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.text);
    let path = format!("/v1/events/{}", made.json()["id"].as_str().unwrap());
    let numbers = host.get(&path).await.text;
    assert!(numbers.contains(r#""values":{"big":123456789012345678.123456789,"small":0.000000001}"#), "{numbers}");
    let accept = "application/json; quantities=string";
    let strings = host.send(host.request(Method::GET, &path).header("accept", accept)).await.text;
    assert!(strings.contains(r#""values":{"big":"123456789012345678.123456789","small":"0.000000001"}"#), "{strings}");
    assert!(strings.contains(r#""properties":{"n":1.50}"#), "what the caller kept is not touched: {strings}");
    host.stop().await;
}

#[tokio::test]
async fn names_that_are_not_ours_and_pages_of_others_are_refused() {
    let host = Host::start().await;
    for (header, value) in [("host", "evil.example"), ("origin", "https://evil.example"), ("origin", "null")] {
        for path in ["/v1/status", "/", "/healthz", "/v1/changes", "/nothing"] {
            let reply = host.send(host.request(Method::GET, path).header(header, value)).await;
            assert_eq!(
                (reply.status.as_u16(), reply.refusal().0.as_str()),
                (403, "insufficient_permissions"),
                "{path}"
            );
        }
    }
    for origin in [host.base.clone(), "http://localhost:5173".to_owned()] {
        assert_eq!(
            host.send(host.request(Method::GET, "/v1/status").header("origin", origin)).await.status.as_u16(),
            200
        );
    }
    host.stop().await;
}

#[tokio::test]
async fn wrong_routes_methods_sizes_and_types_are_told_apart() {
    let host = Host::start().await;
    for (method, path, status, code) in [
        (Method::GET, "/v1/nothing", 404, "not_found"),
        (Method::GET, "/nothing", 404, "not_found"),
        (Method::POST, "/", 404, "not_found"),
        (Method::PUT, "/v1/events/record", 405, "method_not_allowed"),
        (Method::GET, "/v1/limits/check", 405, "method_not_allowed"),
        (Method::POST, "/v1/changes", 405, "method_not_allowed"),
        (Method::GET, "/v1/customers/nobody", 404, "customer_not_found"),
        (Method::GET, "/v1/meters/nothing", 404, "meter_not_found"),
        (Method::GET, "/v1/meters/mtr_00000000-0000-7000-8000-000000000000", 404, "meter_not_found"),
        (Method::DELETE, "/v1/limits/nothing", 404, "limit_not_found"),
        (Method::GET, "/v1/events/nothing", 404, "event_not_found"),
        (Method::DELETE, "/v1/keys/nothing", 404, "key_not_found"),
        (Method::GET, "/v1/imports/nothing", 404, "import_not_found"),
        (Method::GET, "/v1/customers/%ff", 400, "invalid_request"),
    ] {
        let reply = host.send(host.request(method.clone(), path)).await;
        assert_eq!((reply.status.as_u16(), reply.refusal().0.as_str()), (status, code), "{method} {path}");
    }
    let typed = |content_type: &str| {
        host.request(Method::POST, "/v1/limits/check")
            .header("content-type", content_type)
            .body(r#"{"customerId":"a"}"#)
    };
    assert_eq!(host.send(typed("text/plain")).await.refusal().0, "unsupported_media_type");
    assert_eq!(host.send(typed("application/json; charset=utf-8")).await.status.as_u16(), 200);
    let large = format!(r#"{{"customerId":"{}"}}"#, "a".repeat(8 << 20));
    let reply = host.post(Method::POST, "/v1/limits/check", large).await;
    assert_eq!((reply.status.as_u16(), reply.refusal().0.as_str()), (413, "payload_too_large"));
    host.stop().await;
}

#[tokio::test]
async fn the_pages_of_the_description_need_no_key_and_load_nothing_from_elsewhere() {
    let host = Host::start().await;
    let get = async |path: &str| host.send(host.client.get(format!("{}{path}", host.base))).await;
    for (path, form) in [("/docs", "text/html"), ("/docs/meters", "text/html"), ("/docs/style.css", "text/css")] {
        let page = get(path).await;
        assert_eq!(page.status.as_u16(), 200, "{path}");
        assert_eq!(page.headers["content-type"], format!("{form}; charset=utf-8"));
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("script"), "{policy}");
    }
    assert!(get("/docs").await.text.contains("href=\"/docs/meters#meters.create\""));
    for path in ["/docs/nothing", "/docs/%ff", "/docs/meters/create", "/docs/..%2fv1"] {
        assert_eq!(get(path).await.status.as_u16(), 404, "{path}");
    }
    let posted = host.send(host.client.post(format!("{}/docs", host.base))).await;
    assert_eq!((posted.status.as_u16(), &posted.headers["allow"]), (405, &"GET,HEAD".parse().unwrap()));
    host.stop().await;
}

#[tokio::test]
async fn the_description_and_the_health_need_no_key() {
    let host = Host::start().await;
    let bare = |path: &str| host.client.get(format!("{}{path}", host.base));
    let described = host.send(bare("/v1/openapi.json")).await.json();
    assert_eq!(described["openapi"], "3.1.0");
    assert!(described["paths"]["/v1/limits/check"]["post"].is_object());
    assert_eq!(host.send(bare("/healthz")).await.json(), json!({ "status": "ok" }));
    assert_eq!(host.send(bare("/readyz")).await.json(), json!({ "status": "ready" }));
    host.stop().await;
}

#[tokio::test]
async fn a_request_keeps_the_name_that_its_caller_gives_it_if_it_is_one() {
    let host = Host::start().await;
    let long = "x".repeat(129);
    for (given, kept) in [
        ("my-request/1", true),
        (&long[1..], true),
        (&long, false),
        ("two words", false),
        ("caf\u{e9}", false),
        ("", false),
        ("weir_sk_0123456789abcdef", false),
    ] {
        let given = HeaderValue::from_bytes(given.as_bytes()).unwrap();
        let reply = host.send(host.request(Method::GET, "/v1/nothing").header("x-request-id", &given)).await;
        let (name, said) = (&reply.headers["x-request-id"], reply.json()["error"]["requestId"].clone());
        assert_eq!(name.to_str().unwrap(), said.as_str().unwrap());
        assert_eq!(name == given, kept, "{given:?} became {name:?}");
        assert!(kept || name.to_str().unwrap().starts_with("req_"));
    }
    host.stop().await;
}

#[tokio::test]
async fn null_empties_what_may_be_empty_and_is_refused_elsewhere() {
    let host = Host::start().await;
    let meter = host.ok("meters.list", json!({})).await["data"][0]["id"].clone();
    let new = json!({ "name": "l", "meterId": meter, "limitValue": 5, "period": "day", "dimensionFilters": { "a": "b" },
        "alertThresholds": [80] });
    let limit = host.ok("limits.create", new).await["id"].clone();
    let cleared = json!({ "id": limit, "dimensionFilters": null, "alertThresholds": null });
    let cleared = host.ok("limits.update", cleared).await;
    assert_eq!((&cleared["dimensionFilters"], &cleared["alertThresholds"]), (&json!({}), &json!([])));
    for field in ["name", "limitValue", "period", "enabled", "enforcement", "meterId"] {
        let refused = host.refused("limits.update", json!({ "id": limit, field: null })).await;
        assert_eq!(refused, ("invalid_field_value".to_owned(), field.to_owned()));
    }
    host.stop().await;
}

#[tokio::test]
async fn patch_is_put() {
    let host = Host::start().await;
    let patched = host.post(Method::PATCH, "/v1/project", r#"{"name":"Patched"}"#).await;
    assert_eq!(patched.json()["name"], "Patched");
    host.stop().await;
}

#[tokio::test]
async fn a_request_under_way_ends_when_the_server_is_stopped() {
    // However slow the machine is.
    let mut host = Host::within(Limits { drain: DEADLINE, ..Limits::default() }).await;
    let sample = host.request(Method::POST, "/v1/sample");
    let under_way = tokio::spawn(sample.send());
    // The first sample event being there shows that the request is being worked on.
    host.until("status.get", json!({}), |status| status["events"].as_u64() > Some(0)).await;
    host.stop_server().await;
    let answered = under_way.await.unwrap().unwrap();
    assert_eq!(answered.status().as_u16(), 201);
    host.app.close().await;
}

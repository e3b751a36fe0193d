//! Tracking over REST: what is admitted and refused, and what the answers say beside their bodies.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Method;
use serde_json::json;

use crate::harness::{Host, Reply};

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.get(name).map(|value| value.to_str().unwrap())
}

async fn daily(host: &Host, name: &str, aggregation: &str, field: &str, value: u32) -> String {
    let meter = json!({"name": name, "aggregation": aggregation, "field": field});
    let meter = host.ok("meters.create", meter).await["id"].clone();
    let limit = json!({"name": name, "meterId": meter, "limitValue": value, "period": "day"});
    host.ok("limits.create", limit).await["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_repeat_under_a_key_says_the_same_in_its_headers() {
    let host = Host::start().await;
    daily(&host, "tokens", "sum", "values.tokens", 10).await;
    host.ok("rate_limits.create", json!({"name": "burst", "window": "hour", "limitValue": 3})).await;
    let body =
        |key: &str| format!(r#"{{"customerId":"acme","eventType":"call","totalTokens":1,"idempotencyKey":"{key}"}}"#);
    let send = async |key: Option<&str>, event: &str| {
        let request = host.request(Method::POST, "/v1/track").header("content-type", "application/json");
        let request = key.iter().fold(request, |request, key| request.header("idempotency-key", *key));
        host.send(request.body(body(event))).await
    };
    for (key, remaining) in [(None, "2"), (Some("k"), "1")] {
        let event = key.unwrap_or("e");
        let first = send(key, event).await;
        assert_eq!(header(&first, "x-ratelimit-remaining"), Some(remaining));
        host.ok("events.record", json!({"customerId": "acme", "eventType": "call", "totalTokens": 1})).await;
        let again = send(key, event).await;
        assert_eq!((first.status, &first.text), (again.status, &again.text));
        for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            assert_eq!(header(&first, name), header(&again, name), "{name}");
        }
    }
    host.stop().await;
}

#[tokio::test]
async fn a_refusal_says_what_refused_and_when_to_come_back() {
    let host = Host::start().await;
    let id = daily(&host, "tokens", "sum", "values.tokens", 10).await;
    let rate = json!({"name": "burst", "window": "hour", "limitValue": 3});
    host.ok("rate_limits.create", rate).await;
    let event = |tokens: u32| json!({"customerId": "acme", "eventType": "call", "totalTokens": tokens});

    let reply = host.call("events.track", event(8)).await;
    assert_eq!(reply.status, 201);
    assert!(reply.json()["id"].as_str().unwrap().starts_with("evt_"));
    assert_eq!((&reply.json()["recorded"], &reply.json()["limits"][0]["used"]), (&json!(true), &json!(8)));
    assert_eq!((header(&reply, "x-ratelimit-limit"), header(&reply, "x-ratelimit-remaining")), (Some("3"), Some("2")));

    let reply = host.call("events.track", event(3)).await;
    let error = &reply.json()["error"];
    assert_eq!((reply.status.as_u16(), &error["code"]), (429, &json!("limit_exceeded")));
    let limits = &error["details"]["limits"];
    assert_eq!((&limits[0]["id"], &limits[0]["used"], limits.as_array().unwrap().len()), (&json!(id), &json!(8), 1));
    assert_eq!((header(&reply, "x-quota-metric"), header(&reply, "x-quota-period")), (Some("tokens"), Some("day")));
    let reset = limits[0]["reset"].to_string();
    assert_eq!(header(&reply, "x-quota-reset"), Some(reset.as_str()));
    let retry: i64 = header(&reply, "retry-after").unwrap().parse().unwrap();
    assert!((1..=86_400).contains(&retry), "{retry}");
    assert_eq!(header(&reply, "x-ratelimit-remaining"), Some("2"), "a refusal consumes nothing");

    for _ in 0..2 {
        assert_eq!(host.call("events.track", event(0)).await.status, 201);
    }
    let reply = host.call("events.track", event(0)).await;
    let error = &reply.json()["error"];
    assert_eq!((reply.status.as_u16(), &error["code"]), (429, &json!("customer_rate_limited")));
    assert_eq!(error["details"]["rateLimits"][0]["name"], "burst");
    assert_eq!((header(&reply, "x-ratelimit-remaining"), header(&reply, "x-quota-metric")), (Some("0"), None));
    assert!(header(&reply, "retry-after").unwrap().parse::<i64>().unwrap() > 3_500);
    let asked = host.ok("rate_limits.check", json!({"customerId": "acme"})).await;
    assert_eq!((&asked["allowed"], &asked["rateLimits"][0]["exceeded"]), (&json!(false), &json!(true)));

    let refusals = host.ok("refusals.list", json!({"customerId": "acme"})).await;
    let reasons: Vec<_> =
        refusals["data"].as_array().unwrap().iter().map(|row| row["call"]["reason"].clone()).collect();
    assert_eq!(reasons, [json!("customer_rate_limited"), json!("limit_exceeded")]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_64_connections_exactly_the_limit_is_admitted_in_every_round() {
    const CONNECTIONS: usize = 64;
    const LIMIT: usize = 20;
    let host = Arc::new(Host::start().await);
    daily(&host, "calls", "count", "*", LIMIT as u32).await;
    let meter =
        host.ok("meters.create", json!({"name": "tokens", "aggregation": "sum", "field": "values.tokens"})).await;
    // A second limit in play, on part of the calls alone.
    let small = json!({"name": "small", "meterId": meter["id"], "limitValue": 8, "period": "month",
        "dimensionFilters": {"model": "small"}});
    host.ok("limits.create", small).await;
    for round in 0..20 {
        let (next, admitted, admitted_small) =
            (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let callers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (host, next) = (host.clone(), next.clone());
                let (admitted, admitted_small) = (admitted.clone(), admitted_small.clone());
                tokio::spawn(async move {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= 10 * LIMIT {
                            return;
                        }
                        let model = if n % 2 == 0 { "small" } else { "large" };
                        let event = json!({"customerId": format!("c{round}"), "eventType": "call", "totalTokens": 1, "model": model});
                        let reply = host.call("events.track", event).await;
                        match reply.status.as_u16() {
                            201 => {
                                admitted.fetch_add(1, Ordering::Relaxed);
                                admitted_small.fetch_add((n + 1) % 2, Ordering::Relaxed);
                            }
                            429 => assert_eq!(reply.refusal().0, "limit_exceeded"),
                            _ => panic!("{}", reply.text),
                        }
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
        assert_eq!(admitted.load(Ordering::Relaxed), LIMIT, "round {round}");
        assert!(admitted_small.load(Ordering::Relaxed) <= 8, "round {round}");
    }
}

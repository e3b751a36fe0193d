//! The figures for a monitor: well formed, and moving with what happens.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;

use crate::harness::Host;

/// Every sample by its name and labels. Each belongs to a family that was announced, and stands there once.
pub async fn read(host: &Host) -> BTreeMap<String, f64> {
    let reply = host.get("/metrics").await;
    assert_eq!(reply.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let (mut samples, mut kinds) = (BTreeMap::new(), BTreeMap::new());
    for line in reply.text.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
        } else if !line.starts_with("# HELP ") {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let name = sample.split('{').next().unwrap();
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|part| {
                    name.strip_suffix(part).filter(|family| kinds.get(*family).is_some_and(|k| k == "histogram"))
                })
                .unwrap_or(name);
            let kind = kinds.get(family).unwrap_or_else(|| panic!("no TYPE before {line}"));
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(samples.insert(sample.to_owned(), value.parse().unwrap()).is_none(), "{line} twice");
        }
    }
    for (name, kind) in kinds.iter().filter(|(_, kind)| *kind == "histogram") {
        let buckets = samples.iter().filter(|(sample, _)| sample.starts_with(&format!("{name}_bucket")));
        assert!(buckets.count() > 5, "{name} {kind}");
        assert_eq!(samples[&format!("{name}_bucket{{le=\"+Inf\"}}")], samples[&format!("{name}_count")]);
    }
    samples
}

#[tokio::test]
async fn every_figure_moves_with_what_it_counts() {
    let host = Host::start().await;
    let meter = host.ok("meters.create", json!({ "name": "calls", "aggregation": "count", "field": "*" })).await;
    let limit =
        json!({ "name": "one", "meterId": meter["id"], "limitValue": 1, "period": "day", "customerId": "acme" });
    host.ok("limits.create", limit).await;
    host.ok("rate_limits.create", json!({ "name": "one", "window": "day", "limitValue": 1, "customerId": "swift" }))
        .await;
    let before = read(&host).await;

    let event = |customer: &str| json!({ "customerId": customer, "eventType": "t" });
    host.ok("events.batch", json!({ "events": [event("a"), event("b"), event("c")] })).await;
    for (customer, code) in [("acme", "limit_exceeded"), ("swift", "customer_rate_limited")] {
        host.ok("events.track", event(customer)).await;
        assert_eq!(host.refused("events.track", event(customer)).await.0, code);
    }
    host.ok("limits.check", json!({ "customerId": "acme" })).await;
    host.ok("limits.check", json!({ "customerId": "swift" })).await;
    host.get("/nothing").await;
    host.get("/healthz").await;

    let after = read(&host).await;
    let moved = |sample: &str| after[sample] - before[sample];
    for (sample, by) in [
        ("weir_events_recorded_total", 5.0),
        ("weir_customers", 3.0),
        ("weir_check_duration_seconds_count", 2.0),
        ("weir_refusals_total{reason=\"limit_exceeded\"}", 1.0),
        ("weir_refusals_total{reason=\"customer_rate_limited\"}", 1.0),
        ("weir_refusals_total{reason=\"insufficient_balance\"}", 0.0),
        // Two tracks, a batch, two checks, the health, and the page before.
        ("weir_http_requests_total{status=\"2xx\"}", 7.0),
        ("weir_http_requests_total{status=\"4xx\"}", 3.0),
        ("weir_http_requests_total{status=\"5xx\"}", 0.0),
        ("weir_http_request_duration_seconds_count", 10.0),
        ("weir_http_errors_total{code=\"limit_exceeded\"}", 1.0),
        ("weir_http_errors_total{code=\"not_found\"}", 1.0),
        ("weir_http_errors_total{code=\"busy\"}", 0.0),
    ] {
        assert_eq!(moved(sample), by, "{sample}");
    }
    // The batch, two tracks and two refusals, none of them sent before the last one was answered.
    assert_eq!(moved("weir_commit_duration_seconds_count"), 5.0);
    for sum in [
        "weir_commit_duration_seconds_sum",
        "weir_check_duration_seconds_sum",
        "weir_http_request_duration_seconds_sum",
    ] {
        assert!(moved(sum) > 0.0, "{sum}");
    }
    assert_eq!((after["weir_queue_bytes"], after["weir_queue_commands"]), (0.0, 0.0));
    assert_eq!(after["weir_queue_limit_bytes"], f64::from(64 << 20));
    assert!(after["weir_http_connections"] >= 1.0 && after["weir_http_limit_connections"] == 768.0);
    assert!(after["weir_data_bytes"] > 0.0);
    host.stop().await;
}

#[tokio::test]
async fn the_figures_are_for_who_has_a_key() {
    let host = Host::start().await;
    let bare = host.client.request(Method::GET, format!("{}/metrics", host.base));
    assert_eq!(host.send(bare).await.refusal().0, "missing_api_key");
    host.stop().await;
}

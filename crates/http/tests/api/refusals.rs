//! Bad input, all of it: each gets its code, names its field, and nothing of it is applied.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::Host;

/// A body that is refused, with what code and for which field.
type Case = (&'static str, String, &'static str, &'static str);

fn long(length: usize) -> String {
    "x".repeat(length)
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

fn events() -> Vec<Case> {
    let with = |members: &str| format!(r#"{{"customerId":"a","eventType":"t"{members}}}"#);
    let record = |body: String, code, field| ("/events/record", body, code, field);
    let value = |value: &str| with(&format!(r#","values":{{"n":{value}}}"#));
    let many: String = (0..65).map(|n| format!(r#""k{n}":1,"#)).collect();
    let many = many.trim_end_matches(',');
    let invalid = "invalid_field_value";
    vec![
        record("".into(), "missing_required_field", "customerId"),
        record("{}".into(), "missing_required_field", "customerId"),
        record(r#"{"customerId":"a"}"#.into(), "missing_required_field", "eventType"),
        record("[]".into(), "invalid_request", ""),
        record("null".into(), "invalid_request", ""),
        record("{".into(), "invalid_request", ""),
        record(with("").replace('}', ",}"), "invalid_request", ""),
        record(with("") + "x", "invalid_request", ""),
        record(r#"{"customerId":1,"eventType":"t"}"#.into(), invalid, "customerId"),
        record(r#"{"customerId":"","eventType":"t"}"#.into(), invalid, "customerId"),
        record(r#"{"customerId":"a\u0000b","eventType":"t"}"#.into(), invalid, "customerId"),
        record(format!(r#"{{"customerId":"{}","eventType":"t"}}"#, long(257)), invalid, "customerId"),
        record(
            r#"{"customerId":"cus_00000000-0000-7000-8000-000000000000","eventType":"t"}"#.into(),
            invalid,
            "customerId",
        ),
        record(r#"{"customerId":"\ud800","eventType":"t"}"#.into(), invalid, "customerId"),
        record(r#"{"customerId":"a","customerId":"b","eventType":"t"}"#.into(), invalid, "customerId"),
        record(r#"{"customerId":"a","eventType":["t"]}"#.into(), invalid, "eventType"),
        record(format!(r#"{{"customerId":"a","eventType":"{}"}}"#, long(1 << 20)), invalid, "eventType"),
        record(value("NaN"), "invalid_request", "values.n"),
        record(value("Infinity"), "invalid_request", "values.n"),
        record(value("1e400"), invalid, "values.n"),
        record(value("-1e400"), invalid, "values.n"),
        record(value("1e-400"), invalid, "values.n"),
        record(value("123456789012345678901234567890"), invalid, "values.n"),
        record(value("0.0000000001"), invalid, "values.n"),
        record(value("true"), invalid, "values.n"),
        record(value("null"), invalid, "values.n"),
        record(value("\"1,5\""), invalid, "values.n"),
        record(value("{}"), invalid, "values.n"),
        record(value("01"), "invalid_request", "values.n"),
        record(with(r#","values":{"n":1,"n":2}"#), invalid, "values.n"),
        record(with(r#","values":{"a b":1}"#), invalid, "values.a b"),
        record(with(r#","values":{"":1}"#), invalid, "values."),
        record(with(&format!(r#","values":{{"{}":1}}"#, long(65))), invalid, "values.xxxxx"),
        record(with(&format!(r#","values":{{{many}}}"#)), invalid, "values"),
        record(with(r#","values":[1]"#), invalid, "values"),
        record(with(r#","dimensions":{"d":1}"#), invalid, "dimensions.d"),
        record(with(r#","dimensions":{"d":"\u001b[31m"}"#), invalid, "dimensions.d"),
        record(with(&format!(r#","dimensions":{{"d":"{}"}}"#, long(257))), invalid, "dimensions.d"),
        record(with(r#","dimensions":{"event_type":"other"}"#), invalid, "dimensions.event_type"),
        record(with(r#","model":"a","dimensions":{"model":"b"}"#), invalid, "model"),
        record(with(r#","inputTokens":1,"values":{"input_tokens":2}"#), invalid, "inputTokens"),
        record(with(r#","properties":[]"#), invalid, "properties"),
        record(with(r#","properties":"x""#), invalid, "properties"),
        record(with(&format!(r#","properties":{{"a":"{}"}}"#, long(17 << 10))), invalid, "properties"),
        record(with(&format!(r#","properties":{{"a":{}}}"#, nested(40))), invalid, "properties"),
        record(with(&format!(r#","properties":{{"a":{}}}"#, nested(100_000))), "invalid_request", "properties"),
        record(with(r#","timestamp":"yesterday""#), invalid, "timestamp"),
        record(with(r#","timestamp":1700000000"#), invalid, "timestamp"),
        record(with(r#","timestamp":"1969-12-31T23:59:59Z""#), invalid, "timestamp"),
        record(with(r#","timestamp":"2999-01-01T00:00:00Z""#), invalid, "timestamp"),
        record(with(r#","idempotencyKey":"""#), invalid, "idempotencyKey"),
        record(with(r#","idempotencyKey":"a","id":"b""#), invalid, "idempotencyKey"),
        record(with(r#","evenType":"x""#), "unknown_field", "evenType"),
        record(with(r#","projectId":"x""#), "unknown_field", "projectId"),
    ]
}

fn batches() -> Vec<Case> {
    let batch = |body: String, code, field| ("/events/batch", body, code, field);
    let good = r#"{"customerId":"a","eventType":"t"}"#;
    let many = vec![good; 1001].join(",");
    vec![
        batch("{}".into(), "missing_required_field", "events"),
        batch(r#"{"events":[]}"#.into(), "invalid_field_value", "events"),
        batch(format!(r#"{{"events":[{many}]}}"#), "invalid_field_value", "events"),
        batch(format!(r#"{{"events":{good}}}"#), "invalid_field_value", "events"),
        batch(format!(r#"{{"events":[{good},["a","t"]]}}"#), "invalid_field_value", "events[1]"),
        batch(format!(r#"{{"events":[{good},7]}}"#), "invalid_request", "events[1]"),
        batch(
            format!(r#"{{"events":[{good},{{"customerId":"a"}}]}}"#),
            "missing_required_field",
            "events[1].eventType",
        ),
        batch(
            format!(r#"{{"events":[{good},{{"customerId":"","eventType":"t"}}]}}"#),
            "invalid_field_value",
            "events[1].customerId",
        ),
        batch(format!(r#"{{"events":[{good}],"atomic":true}}"#), "unknown_field", "atomic"),
    ]
}

fn configuration() -> Vec<Case> {
    let invalid = "invalid_field_value";
    let customer =
        |members: &str, code, field| ("/customers", format!(r#"{{"externalId":"z"{members}}}"#), code, field);
    let meter = |members: &str, code, field| ("/meters", format!(r#"{{"name":"m"{members}}}"#), code, field);
    let balance =
        |members: &str, code, field| ("/balances", format!(r#"{{"customerId":"a","name":"c"{members}}}"#), code, field);
    let moved =
        |path, members: &str, code, field| (path, format!(r#"{{"customerId":"a","name":"c"{members}}}"#), code, field);
    let token = |metadata: &str, more: &str, code, field| {
        ("/client-tokens", format!(r#"{{"publicMetadata":{{"customerId":"a",{metadata}}}{more}}}"#), code, field)
    };
    let sum = r#","aggregation":"sum","field":"values.n""#;
    vec![
        ("/customers", "{}".into(), "missing_required_field", "externalId"),
        ("/customers", r#"{"externalId":""}"#.into(), invalid, "externalId"),
        customer(r#","timezone":"Mars/Olympus""#, invalid, "timezone"),
        customer(r#","timezone":"""#, invalid, "timezone"),
        customer(r#","billingCycleStart":"2024-02-30""#, invalid, "billingCycleStart"),
        customer(r#","billingCycleStart":5"#, invalid, "billingCycleStart"),
        customer(r#","metadata":{"a":1}"#, invalid, "metadata.a"),
        customer(&format!(r#","name":"{}""#, long(257)), invalid, "name"),
        customer(r#","external_id":"y""#, "unknown_field", "external_id"),
        meter("", "missing_required_field", "aggregation"),
        meter(r#","aggregation":"median","field":"values.n""#, invalid, "aggregation"),
        meter(r#","aggregation":"sum","field":"tokens""#, invalid, "field"),
        meter(r#","aggregation":"count","field":"values.n""#, invalid, "field"),
        meter(&format!(r#"{sum},"eventFilter":[]"#), invalid, "eventFilter"),
        meter(&format!(r#"{sum},"eventFilter":{{"type":"t"}}"#), "unknown_field", "eventFilter.type"),
        meter(&format!(r#"{sum},"eventFilter":{{"dimensions":{{"a b":"x"}}}}"#), invalid, "eventFilter.dimensions.a b"),
        meter(&format!(r#"{sum},"groupBy":"model""#), invalid, "groupBy"),
        meter(&format!(r#"{sum},"groupBy":[1]"#), invalid, "groupBy[0]"),
        ("/meters/preview", r#"{"aggregation":"sum","field":"*"}"#.into(), invalid, "field"),
        ("/limits", r#"{"name":"l","meterId":"m","limitValue":1,"period":"day"}"#.into(), invalid, "meterId"),
        ("/limits/check", "{}".into(), "missing_required_field", "customerId"),
        ("/limits/check", r#"{"customerId":"a","values":{"n":"x"}}"#.into(), invalid, "values.n"),
        ("/limits/check", r#"{"customerId":"a","dimension":{}}"#.into(), "unknown_field", "dimension"),
        ("/limits/explain", "{}".into(), "missing_required_field", "customerId"),
        ("/limits/explain", r#"{"customerId":"a","eventType":""}"#.into(), invalid, "eventType"),
        (
            "/limits/explain",
            r#"{"customerId":"a","eventType":"y","dimensions":{"event_type":"x"}}"#.into(),
            invalid,
            "dimensions.event_type",
        ),
        ("/limits/explain", r#"{"customerId":"a","value":{}}"#.into(), "unknown_field", "value"),
        ("/alerts/acknowledge", "{}".into(), "missing_required_field", "upTo"),
        ("/alerts/acknowledge", r#"{"upTo":"5"}"#.into(), invalid, "upTo"),
        ("/reservations", "{}".into(), "missing_required_field", "customerId"),
        ("/reservations", r#"{"customerId":"a","eventType":"t","ttlSeconds":0}"#.into(), invalid, "ttlSeconds"),
        ("/reservations", r#"{"customerId":"a","eventType":"t","ttlSeconds":3601}"#.into(), invalid, "ttlSeconds"),
        ("/reservations", r#"{"customerId":"a","eventType":"t","ttlSeconds":1.5}"#.into(), invalid, "ttlSeconds"),
        ("/reservations", r#"{"customerId":"a","eventType":"t","values":{"n":"x"}}"#.into(), invalid, "values.n"),
        ("/reservations", r#"{"customerId":"a","eventType":"t","ttl":5}"#.into(), "unknown_field", "ttl"),
        (
            "/reservations/rsv_00000000-0000-7000-8000-000000000000/commit",
            r#"{"values":{"a b":1}}"#.into(),
            invalid,
            "values.a b",
        ),
        (
            "/reservations/rsv_00000000-0000-7000-8000-000000000000/extend",
            r#"{"ttlSeconds":-1}"#.into(),
            invalid,
            "ttlSeconds",
        ),
        ("/balances", r#"{"customerId":"a"}"#.into(), "missing_required_field", "name"),
        balance(r#","initialBalance":-1"#, invalid, "initialBalance"),
        balance(r#","priority":1001"#, invalid, "priority"),
        balance(r#","topUp":{"below":1,"amount":0}"#, invalid, "topUp.amount"),
        balance(r#","metered":{"meterId":"m","amount":1}"#, invalid, "metered.meterId"),
        balance(
            r#","metered":{"meterId":"mtr_00000000-0000-7000-8000-000000000000","amount":1}"#,
            invalid,
            "metered.meterId",
        ),
        balance(
            r#","metered":{"meterId":"mtr_00000000-0000-7000-8000-000000000000","amount":0}"#,
            invalid,
            "metered.amount",
        ),
        balance(r#","recurringCredit":{"amount":1,"period":"all_time"}"#, invalid, "recurringCredit.period"),
        balance(r#","recurringCredit":{"amount":0,"period":"day"}"#, invalid, "recurringCredit.amount"),
        balance(r#","dimensionFilters":{"a b":"x"}"#, invalid, "dimensionFilters.a b"),
        balance(r#","minimum":1"#, "unknown_field", "minimum"),
        moved("/balances/credit", r#","amount":0"#, invalid, "amount"),
        moved("/balances/credit", r#","amount":1,"source":"found""#, invalid, "source"),
        moved("/balances/debit", "", "missing_required_field", "amount"),
        moved("/balances/debit", r#","amount":"1e3""#, invalid, "amount"),
        moved("/balances/debit", r#","amount":1,"idempotencyKey":"""#, invalid, "idempotencyKey"),
        moved("/balances/debit", r#","amount":1,"reference":"""#, invalid, "reference"),
        moved("/balances/adjust", r#","amount":0,"note":"n""#, invalid, "amount"),
        moved("/balances/adjust", r#","amount":1"#, "missing_required_field", "note"),
        moved("/balances/hold", r#","amount":1,"ttlSeconds":86401"#, invalid, "ttlSeconds"),
        moved("/balances/check", r#","amount":1,"dimensions":{"a b":"x"}"#, invalid, "dimensions.a b"),
        (
            "/balances/holds/hld_00000000-0000-7000-8000-000000000000/capture",
            r#"{"amount":0}"#.into(),
            invalid,
            "amount",
        ),
        (
            "/balances/holds/hld_00000000-0000-7000-8000-000000000000/extend",
            r#"{"ttlSeconds":0}"#.into(),
            invalid,
            "ttlSeconds",
        ),
        ("/keys", r#"{"name":"k"}"#.into(), "missing_required_field", "scope"),
        ("/keys", r#"{"name":"k","scope":"root"}"#.into(), invalid, "scope"),
        ("/keys", r#"{"name":"","scope":"read"}"#.into(), invalid, "name"),
        ("/keys", r#"{"name":"k","scope":"read","perMinute":0}"#.into(), invalid, "perMinute"),
        ("/keys", r#"{"name":"k","scope":"read","perDay":"none"}"#.into(), invalid, "perDay"),
        (
            "/keys/key_00000000-0000-7000-8000-000000000000/rotate",
            r#"{"overlapSeconds":2592001}"#.into(),
            invalid,
            "overlapSeconds",
        ),
        ("/webhooks", "{}".into(), "missing_required_field", "url"),
        ("/webhooks", r#"{"url":"https://localhost/"}"#.into(), invalid, "url"),
        ("/webhooks", r#"{"url":"ftp://example.com"}"#.into(), invalid, "url"),
        ("/webhooks", r#"{"url":"https://example.com","eventTypes":[]}"#.into(), invalid, "eventTypes"),
        ("/webhooks", r#"{"url":"https://example.com","eventTypes":["nothing"]}"#.into(), invalid, "eventTypes[0]"),
        ("/webhooks", r#"{"url":"https://example.com","secret":"mine"}"#.into(), "unknown_field", "secret"),
        (
            "/webhooks/whk_00000000-0000-7000-8000-000000000000/rotate",
            r#"{"overlapSeconds":604801}"#.into(),
            invalid,
            "overlapSeconds",
        ),
        ("/client-tokens", "{}".into(), "missing_required_field", "publicMetadata"),
        ("/client-tokens", r#"{"publicMetadata":{}}"#.into(), "missing_required_field", "publicMetadata.customerId"),
        ("/client-tokens", r#"{"publicMetadata":[]}"#.into(), invalid, "publicMetadata"),
        ("/client-tokens", r#"{"publicMetadata":{"customerId":7}}"#.into(), invalid, "publicMetadata.customerId"),
        token(r#""customer_id":"b""#, "", invalid, "publicMetadata.customer_id"),
        token(r#""n":{"a":1,"a":2}"#, "", invalid, "publicMetadata.n.a"),
        token("\"n\":0", r#","ttlSeconds":0"#, invalid, "ttlSeconds"),
        token("\"n\":0", r#","ttlSeconds":86401"#, invalid, "ttlSeconds"),
        token("\"n\":0", r#","ttlSeconds":1.5"#, invalid, "ttlSeconds"),
        token("\"n\":0", r#","ttl":60"#, "unknown_field", "ttl"),
        token("\"n\":0", &format!(r#","serverContext":"{}""#, "x".repeat(17 << 10)), invalid, "serverContext"),
        token(&format!(r#""n":"{}""#, "x".repeat(17 << 10)), "", invalid, "publicMetadata"),
        token(&format!(r#""n":{}{}"#, "[".repeat(40), "]".repeat(40)), "", invalid, "publicMetadata"),
        ("/client-tokens/introspect", "{}".into(), "missing_required_field", "token"),
        ("/imports", r#"{"fileName":"f","size":-1}"#.into(), invalid, "size"),
        ("/imports", r#"{"fileName":"f","size":1.5}"#.into(), invalid, "size"),
        ("/imports", r#"{"fileName":"f","size":1e400}"#.into(), invalid, "size"),
        ("/sample", r#"{"x":1}"#.into(), "unknown_field", "x"),
        ("/charts", r#"{"format":"svg"}"#.into(), "missing_required_field", "meterId"),
    ]
}

#[tokio::test]
async fn bad_bodies_are_refused_and_change_nothing() {
    let host = Host::start().await;
    let before = everything(&host).await;
    for (path, body, code, field) in [events(), batches(), configuration()].concat() {
        let shown: String = body.chars().take(200).collect();
        let reply = host.post(Method::POST, &format!("/v1{path}"), body).await;
        let (got_code, got_field) = reply.refusal();
        assert_eq!(reply.status.as_u16(), 400, "{path} {shown}: {}", reply.text);
        assert_eq!(got_code, code, "{path} {shown}: {}", reply.text);
        assert!(
            got_field == field || (field.ends_with("xxxxx") && got_field.starts_with(field)),
            "{path} {shown}: {}",
            reply.text
        );
        assert!(reply.text.len() < 5_000, "{path} {shown}: an answer of {} bytes", reply.text.len());
    }
    for bytes in [&b"\xff\xfe"[..], b"{\"customerId\":\"\xc3\x28\",\"eventType\":\"t\"}"] {
        let reply = host.post(Method::POST, "/v1/events/record", bytes.to_vec()).await;
        assert_eq!(reply.refusal().0, "invalid_request");
    }
    assert_eq!(everything(&host).await, before);
    host.stop().await;
}

#[tokio::test]
async fn unknown_and_wrong_parameters_are_refused() {
    let host = Host::start().await;
    for (path, code, field) in [
        ("/customers?limit=0", "invalid_field_value", "limit"),
        ("/customers?limit=101", "invalid_field_value", "limit"),
        ("/customers?limit=ten", "invalid_field_value", "limit"),
        ("/customers?limit=1e400", "invalid_field_value", "limit"),
        ("/customers?limit=5&limit=6", "invalid_field_value", "limit"),
        ("/customers?cursor=nonsense", "invalid_field_value", "cursor"),
        ("/customers?sort=name", "invalid_field_value", "sort"),
        ("/customers?includeArchived=maybe", "invalid_field_value", "includeArchived"),
        ("/customers?limt=5", "unknown_field", "limt"),
        ("/events?customer_id=a", "unknown_field", "customer_id"),
        ("/events?from=yesterday", "invalid_field_value", "from"),
        ("/events?from=%ff", "invalid_field_value", "from"),
        ("/events?dimensions=x", "invalid_field_value", "dimensions"),
        ("/events?cursor=5b5d", "invalid_field_value", "cursor"),
        ("/usage?interval=day", "unknown_field", "interval"),
        ("/project?x=1", "unknown_field", "x"),
        ("/keys?cursor=00", "invalid_field_value", "cursor"),
        ("/alerts?state=loud", "invalid_field_value", "state"),
        ("/alerts?cursor=5b5d", "invalid_field_value", "cursor"),
        ("/alerts?sort=name", "invalid_field_value", "sort"),
        ("/refusals?sort=latest", "invalid_field_value", "sort"),
        ("/audit?sort=utilisation", "invalid_field_value", "sort"),
        ("/limits?sort=oldest", "invalid_field_value", "sort"),
        ("/rate-limits?sort=utilisation", "invalid_field_value", "sort"),
        ("/meters?sort=oldest", "invalid_field_value", "sort"),
        ("/balances?sort=highest", "invalid_field_value", "sort"),
        ("/balances?cursor=5b5d", "invalid_field_value", "cursor"),
        ("/reservations?state=held", "invalid_field_value", "state"),
        ("/limits?meterId=nothing", "invalid_field_value", "meterId"),
        ("/refusals/series?interval=decade", "invalid_field_value", "interval"),
        ("/refusals/series?limitId=nothing", "invalid_field_value", "limitId"),
        ("/refusals/series?from=2024-01-02&to=2024-01-01", "invalid_field_value", "to"),
        ("/refusals/series?customer=a", "unknown_field", "customer"),
    ] {
        let reply = host.get(&format!("/v1{path}")).await;
        assert_eq!(reply.refusal(), (code.to_owned(), field.to_owned()), "{path}: {}", reply.text);
        assert_eq!(reply.status.as_u16(), 400, "{path}");
    }
    let nearest = host.get("/v1/customers?limt=5").await.json()["error"]["details"]["nearest"].clone();
    assert_eq!(nearest, "limit");
    assert_eq!(
        host.get("/v1/events?startDate=2024-01-01&endDate=2024-01-02").await.status.as_u16(),
        200,
        "names of old"
    );
    host.stop().await;
}

#[tokio::test]
async fn every_fault_of_a_batch_is_listed_and_nothing_is_recorded() {
    let host = Host::start().await;
    let batch = json!({ "events": [
        { "customerId": "a", "eventType": "t" },
        { "customerId": "a", "eventType": "t", "values": { "tokens": "many" } },
        { "customerId": "a", "eventType": "t", "timestamp": "1960-01-01T00:00:00Z" },
        { "customerId": "a", "eventType": "t", "colour": "red" },
    ]});
    let reply = host.call("events.batch", batch).await;
    let listed: Vec<_> = reply.json()["error"]["details"]["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            (error["index"].as_u64().unwrap(), error["field"].as_str().unwrap().to_owned(), error["code"].clone())
        })
        .collect();
    let invalid = json!("invalid_field_value");
    assert_eq!(
        listed,
        [
            (1, "events[1].values.tokens".to_owned(), invalid.clone()),
            (2, "events[2].timestamp".to_owned(), invalid.clone()),
            (3, "events[3].colour".to_owned(), json!("unknown_field")),
        ]
    );
    // The same where each event can be read and only the engine refuses.
    let batch = json!({ "events": [
        { "customerId": "a", "eventType": "t" },
        { "customerId": "", "eventType": "t" },
        { "customerId": "a", "eventType": "" },
    ]});
    let reply = host.call("events.batch", batch).await;
    let fields: Vec<_> =
        reply.json()["error"]["details"]["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
    assert_eq!(fields, [json!("events[1].customerId"), json!("events[2].eventType")]);
    assert_eq!(host.ok("status.get", json!({})).await["events"], 0);
    host.stop().await;
}

#[tokio::test]
async fn conflicts_name_what_is_there() {
    let host = Host::start().await;
    let event = |n: u32| json!({ "customerId": "a", "eventType": "t", "values": { "n": n }, "idempotencyKey": "k" });
    host.ok("events.record", event(1)).await;
    let reply = host.call("events.record", event(2)).await;
    assert_eq!((reply.status.as_u16(), reply.refusal().0.as_str()), (409, "idempotency_conflict"));
    let reply = host.call("customers.create", json!({ "externalId": "a" })).await;
    assert_eq!((reply.status.as_u16(), reply.refusal().0.as_str()), (409, "conflict"));
    let meter = json!({ "name": "m", "aggregation": "count", "field": "*" });
    let made = host.ok("meters.create", meter.clone()).await;
    assert_eq!(host.call("meters.create", meter).await.refusal().0, "conflict");
    let limit = json!({ "name": "the limit", "meterId": made["id"], "limitValue": 1, "period": "day" });
    host.ok("limits.create", limit.clone()).await;
    assert_eq!(host.call("limits.create", limit).await.refusal().0, "conflict");
    let reply = host.call("meters.archive", json!({ "id": made["id"] })).await;
    assert_eq!(reply.status.as_u16(), 409);
    assert!(reply.text.contains("the limit"), "{}", reply.text);
    host.stop().await;
}

/// Everything that a refused request could have changed.
async fn everything(host: &Host) -> Vec<Value> {
    let status = host.ok("status.get", json!({})).await;
    let mut all = vec![status["events"].clone(), status["customers"].clone(), host.ok("project.get", json!({})).await];
    for list in ["customers.list", "meters.list", "limits.list"] {
        all.push(host.ok(list, json!({ "includeArchived": true, "limit": 100 })).await);
    }
    all.push(host.ok("client_tokens.list", json!({ "limit": 100 })).await);
    // Keys remember when they were last used.
    all.push(host.ok("keys.list", json!({ "limit": 100 })).await["data"].as_array().unwrap().len().into());
    all
}

/// What callers send has at most 18 digits before the point; what it adds up to may have more, and is told wherever it stands.
#[tokio::test]
async fn a_total_beyond_what_one_caller_may_send_is_told_in_alerts_and_refusals() {
    let host = Host::start().await;
    let most = "999999999999999999";
    let meter = json!({ "name": "all", "aggregation": "sum", "field": "values.n" });
    let meter = host.ok("meters.create", meter).await["id"].clone();
    let limit = json!({ "name": "q", "meterId": meter, "limitValue": format!("{most}.5"), "period": "month", "alertThresholds": [100] });
    host.ok("limits.create", limit).await;
    let event = json!({ "customerId": "x", "eventType": "e", "values": { "n": most } });
    for _ in 0..2 {
        host.ok("events.record", event.clone()).await;
    }
    let alerts = host.call("alerts.list", json!({})).await;
    assert!(alerts.text.contains("1999999999999999998"), "{}", alerts.text);
    assert_eq!(host.call("events.track", event).await.status.as_u16(), 429);
    let refusals = host.call("refusals.list", json!({})).await;
    assert!(refusals.text.contains("1999999999999999998"), "{}", refusals.text);
    host.stop().await;
}

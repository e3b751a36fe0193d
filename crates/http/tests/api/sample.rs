//! The sample: every number is what an independent sum over the files gives.

use serde_json::{Value, json};

use crate::harness::Host;

const FILES: [(&str, &str); 2] = [
    ("code", include_str!("../../../../data/azure-llm-2023-code.csv")),
    ("conv", include_str!("../../../../data/azure-llm-2023-conv.csv")),
];

/// Rows of a file: minute, input and output tokens.
fn rows(file: &str) -> impl Iterator<Item = (&str, u64, u64)> {
    file.lines().skip(1).map(|line| {
        let mut cells = line.trim_end().split(',');
        let mut next = || cells.next().unwrap();
        (&next()[..16], next().parse().unwrap(), next().parse().unwrap())
    })
}

#[tokio::test]
async fn the_sample_sums_to_its_files() {
    let host = Host::start().await;
    let made = host.ok("sample.create", json!({})).await;
    assert_eq!((&made["events"], &made["customers"]), (&json!(28_185), &json!(2)));
    let (tokens, requests) = (made["meters"][0].clone(), made["meters"][1].clone());
    let mut all = 0;
    for (feature, file) in FILES {
        let customer = format!("azure-{feature}");
        let total: u64 = rows(file).map(|(_, input, output)| input + output).sum();
        let calls = rows(file).count();
        all += total;
        let ready = |answer: &Value| answer["value"].is_number();
        let answer =
            host.until("meters.query", json!({ "id": tokens, "customerId": customer, "interval": "1m" }), ready).await;
        assert_eq!(answer["value"], total);
        for point in answer["points"].as_array().unwrap() {
            let minute = point["start"].as_str().unwrap()[..16].replace('T', " ");
            let sum: u64 = rows(file).filter(|row| row.0 == minute).map(|(_, input, output)| input + output).sum();
            assert_eq!(point["value"].as_u64().unwrap_or(0), sum, "{customer} {minute}");
        }
        assert_eq!(host.ok("meters.query", json!({ "id": requests, "customerId": customer })).await["value"], calls);
        let summary = host.ok("events.summary", json!({ "customerId": customer })).await;
        let sums = &summary["types"][0];
        assert_eq!((&sums["eventType"], &sums["count"]), (&json!("llm.completion"), &json!(calls)));
        assert_eq!(sums["values"]["input_tokens"], rows(file).map(|row| row.1).sum::<u64>());
        assert_eq!(sums["values"]["output_tokens"], rows(file).map(|row| row.2).sum::<u64>());
        for limit in host.ok("customers.standing", json!({ "id": customer })).await["limits"].as_array().unwrap() {
            let used = if limit["meterId"] == tokens { total } else { calls as u64 };
            assert_eq!(limit["used"], used, "{limit}");
            let share = limit["utilisation"].as_f64().unwrap();
            assert!((60.0..=110.0).contains(&share), "{limit}");
        }
    }
    let answer = host.ok("meters.query", json!({ "id": tokens, "groupBy": ["feature"] })).await;
    assert_eq!((&answer["value"], answer["groups"].as_array().unwrap().len()), (&json!(all), 2));
    host.stop().await;
}

/// What the calls cost is left, to the last digit; the trial credits went first.
#[tokio::test]
async fn the_sample_pays_for_its_calls_and_refuses_those_beyond() {
    let host = Host::start().await;
    let made = host.ok("sample.create", json!({})).await;
    for (n, (feature, file)) in FILES.into_iter().enumerate() {
        let id = &made["balances"][n];
        let balance = host.ok("balances.get", json!({ "id": id })).await;
        let tokens: u64 = rows(file).map(|(_, input, output)| input + output).sum();
        let thousandths = |field: &Value| (field.as_f64().unwrap() * 1_000.0).round() as u64;
        let grants = host.ok("balances.grants", json!({ "id": id })).await;
        let grant = |source: &str| {
            grants["data"].as_array().unwrap().iter().find(|grant| grant["source"] == source).unwrap().clone()
        };
        let (paid, trial) = (grant("paid"), grant("promotional"));
        assert_eq!(balance["customerId"], format!("azure-{feature}"));
        assert_eq!(
            thousandths(&balance["currentBalance"]) + 2 * tokens,
            thousandths(&paid["amount"]) + thousandths(&trial["amount"])
        );
        assert_eq!((&trial["remaining"], &balance["currentBalance"]), (&json!(0), &paid["remaining"]));
        assert_eq!(balance["low"], feature == "code");
    }
    let alerts = host.ok("alerts.list", json!({})).await;
    let about = |kind: &str| alerts["data"].as_array().unwrap().iter().filter(|alert| alert["kind"] == kind).count();
    assert_eq!(about("balance_low"), 1, "{alerts}");
    let refusals = host.ok("refusals.list", json!({})).await;
    let refused = refusals["data"].as_array().unwrap();
    assert_eq!(refused.len(), 3);
    for refusal in refused {
        let call = &refusal["call"];
        assert_eq!((&call["customerId"], &call["reason"]), (&json!("azure-conv"), &json!("limit_exceeded")));
    }
    host.stop().await;
}

#[tokio::test]
async fn repeating_the_sample_adds_nothing() {
    let host = Host::start().await;
    let first = host.ok("sample.create", json!({})).await;
    let again = host.ok("sample.create", json!({})).await;
    assert_eq!(again["events"], 0);
    for part in ["meters", "limits", "balances"] {
        assert_eq!(again[part], first[part]);
    }
    let count = |list: Value| list["data"].as_array().unwrap().len();
    assert_eq!(count(host.ok("limits.list", json!({})).await), 3);
    assert_eq!(count(host.ok("balances.list", json!({})).await), 2);
    assert_eq!(count(host.ok("balances.grants", json!({ "id": first["balances"][0] })).await), 2);
    assert_eq!(count(host.ok("refusals.list", json!({})).await), 3);
    assert_eq!(host.ok("status.get", json!({})).await["events"], 28_185);
    host.stop().await;
}

//! The examples of the description, told to a server: each is accepted as it stands, and both sides fit their schemas.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::{Value, json};
use tokio::time::Instant;
use weir_api::Reach;
use weir_api::examples::{Example, story};
use weir_core::time::Timestamp;
use weir_engine::ManualClock;

use crate::harness::{DEADLINE, Host, document};

/// When the story is told: 2026-12-01T09:30:00Z.
pub const NOW: i64 = 1_796_117_400_000_000;
/// Longer texts and lists are cut: a picture, a year's points.
const LONGEST_TEXT: usize = 300;
const MOST_ITEMS: usize = 2;

#[tokio::test]
async fn every_example_is_answered_as_it_says() {
    let mut host = Host::with(Arc::new(ManualClock::at(Timestamp::from_micros(NOW)))).await;
    let (mut answers, mut told) = (HashMap::<String, Value>::new(), Vec::new());
    let update = std::env::var_os("UPDATE").is_some();
    for step in story() {
        let request = step.request(&answers);
        let answer = if Host::row(&step.operation).reach == Reach::Client {
            let token = answers["client_tokens.create"]["token"].as_str().unwrap().to_owned();
            let key = std::mem::replace(&mut host.key, token);
            let answer = answer(&host, &step, &request).await;
            host.key = key;
            answer
        } else {
            answer(&host, &step, &request).await
        };
        check_request(&step, &request);
        let schema = answer_schema(&step.operation);
        check(schema, &answer, &format!("the answer of {}", step.name()));
        if !update {
            check(schema, &step.answer, &format!("the example's answer of {}", step.name()));
            same_shape(step.name(), &step.answer, &cut(answer.clone()));
        }
        told.push(Example { answer: cut(answer.clone()), ..step.clone() });
        answers.insert(step.name().to_owned(), answer);
    }
    if update {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/examples.json");
        std::fs::write(path, serde_json::to_string_pretty(&told).unwrap() + "\n").unwrap();
    }
    host.stop().await;
}

#[tokio::test]
async fn what_is_answered_may_be_beyond_what_may_be_sent() {
    let host = Host::start().await;
    let most = "999999999999999999";
    let new = json!({ "customerId": "a", "name": "c", "minimumBalance": format!("-{most}"), "initialBalance": most });
    let made = host.ok("balances.create", new).await;
    assert!(made["availableBalance"].as_f64() > Some(1.5e18), "{made}");
    check(answer_schema("balances.get"), &made, "a balance with debt allowed");
    host.stop().await;
}

async fn answer(host: &Host, step: &Example, request: &Value) -> Value {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let reply = host.call(&step.operation, request.clone()).await;
        // A meter may still be counting.
        if reply.status != 503 {
            assert_eq!(reply.status.as_u16(), Host::row(&step.operation).status, "{}: {}", step.name(), reply.text);
            return reply.json();
        }
        assert!(Instant::now() < deadline, "{}: {}", step.name(), reply.text);
    }
}

fn described(operation: &str) -> &'static Value {
    let row = Host::row(operation);
    &document()["paths"][row.served_at()][row.method.as_str().to_ascii_lowercase()]
}

fn answer_schema(operation: &str) -> &'static Value {
    let status = Host::row(operation).status.to_string();
    &described(operation)["responses"][status]["content"]["application/json"]["schema"]
}

fn check_request(step: &Example, request: &Value) {
    let described = described(&step.operation);
    let mut body = request.as_object().unwrap().clone();
    for parameter in described["parameters"].as_array().into_iter().flatten() {
        if let Some(given) = body.remove(parameter["name"].as_str().unwrap()) {
            check(&parameter["schema"], &given, &format!("{} of {}", parameter["name"], step.name()));
        }
    }
    let schema = &described["requestBody"]["content"]["application/json"]["schema"];
    if schema.is_null() {
        assert!(body.is_empty(), "{} takes no body: {body:?}", step.name());
    } else {
        check(schema, &Value::Object(body), &format!("the request of {}", step.name()));
    }
}

fn check(schema: &Value, value: &Value, what: &str) {
    let mut whole = schema.clone();
    whole["components"]["schemas"] = document()["components"]["schemas"].clone();
    let validator = Validator::options().should_validate_formats(true).build(&whole).unwrap();
    let faults: Vec<String> =
        validator.iter_errors(value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{what}: {faults:#?}\n{value}");
}

fn cut(value: Value) -> Value {
    match value {
        Value::String(text) if text.len() > LONGEST_TEXT => {
            let begin: String = text.chars().take(60).collect();
            Value::String(begin + "…")
        }
        Value::Array(items) => items.into_iter().take(MOST_ITEMS).map(cut).collect(),
        Value::Object(members) => {
            let shown = |name: String, member| match name.as_str() {
                // Where a server's data lies, not this test's.
                "dataDir" => (name, Value::from("/var/lib/weir/data")),
                _ => (name, cut(member)),
            };
            members.into_iter().map(|(name, member)| shown(name, member)).collect()
        }
        other => other,
    }
}

/// The same members, whatever they hold: ids, sizes and how far work in the background is differ from run to run.
fn same_shape(what: &str, told: &Value, got: &Value) {
    match (told, got) {
        (Value::Object(told), Value::Object(got)) => {
            let names = |members: &serde_json::Map<String, Value>| members.keys().cloned().collect::<BTreeSet<_>>();
            assert_eq!(names(told), names(got), "{what} is not answered as the example says");
            told.iter().for_each(|(name, member)| same_shape(&format!("{what}.{name}"), member, &got[name]));
        }
        (Value::Array(told), Value::Array(got)) => {
            told.iter().zip(got).for_each(|(told, got)| same_shape(what, told, got));
        }
        _ => {}
    }
}

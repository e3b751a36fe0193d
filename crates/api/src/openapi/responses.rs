//! What operations answer, status by status, and what stands in the headers.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use weir_core::error::Code;

use crate::codes::meaning;
use crate::examples;
use crate::schemas::Described;

/// The operations that rate limits and limits of a customer decide.
const ADMITTED: [&str; 2] = ["events.track", "reservations.create"];

/// The refusals that operations share: one response for each set of codes of a status.
#[derive(Default)]
pub(super) struct Responses(BTreeMap<String, Value>);

impl Responses {
    /// Every answer of an operation.
    pub fn of(&mut self, operation: &Described, codes: &[Code]) -> Value {
        let row = operation.row;
        let mut responses = self.refusals(codes);
        let mut headers = headers(row.status, &[]);
        if ADMITTED.contains(&row.name) {
            add(&mut headers, &RATE);
        }
        responses[row.status.to_string()] = json!({
            "description": row.summary,
            "headers": headers,
            "content": { "application/json": { "schema": operation.answer } },
        });
        if let Some((_, answer)) = examples::of(row.name) {
            responses[row.status.to_string()]["content"]["application/json"]["example"] = answer.clone();
        }
        responses
    }

    /// The refusals with these codes, by status.
    pub fn refusals(&mut self, codes: &[Code]) -> Value {
        let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
        for code in codes {
            by_status.entry(code.status()).or_default().push(*code);
        }
        let mut responses = json!({});
        for (status, codes) in by_status {
            let words: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
            let name = format!("{status}.{}", words.join("."));
            responses[status.to_string()] = json!({ "$ref": format!("#/components/responses/{name}") });
            self.0.entry(name).or_insert_with(|| refusal(status, &codes));
        }
        responses
    }

    /// The responses that operations refer to.
    pub fn components(self) -> BTreeMap<String, Value> {
        self.0
    }
}

fn refusal(status: u16, codes: &[Code]) -> Value {
    let words: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let description: Vec<String> =
        codes.iter().map(|code| format!("`{}`: {}", code.as_str(), meaning(*code))).collect();
    let examples: Map<String, Value> = codes.iter().map(|code| (code.as_str().to_owned(), example(*code))).collect();
    json!({
        "description": description.join("\n\n"),
        "headers": headers(status, codes),
        "content": { "application/json": {
            "schema": { "allOf": [
                { "$ref": "#/components/schemas/Error" },
                { "properties": { "error": { "properties": { "code": { "enum": words }, "status": { "const": status } } } } },
            ]},
            "examples": examples,
        }},
    })
}

fn example(code: Code) -> Value {
    let mut error = json!({
        "code": code.as_str(),
        "message": meaning(code),
        "status": code.status(),
        "requestId": "req_792b73b1f2d30b3d",
    });
    let details = match code {
        Code::InvalidFieldValue | Code::MissingRequiredField => json!({ "field": "customerId" }),
        Code::UnknownField => json!({ "field": "customer_id", "nearest": "customerId" }),
        Code::Busy | Code::RateLimitExceeded => json!({ "retryAfterSeconds": 1 }),
        _ => Value::Null,
    };
    if !details.is_null() {
        error["details"] = details;
    }
    json!({ "value": { "error": error } })
}

/// Name, whether it always stands there, its schema and what it says.
type Header = (&'static str, bool, &'static str, &'static str);

const REQUEST_ID: Header =
    ("x-request-id", true, "string", "The request's name, by which it is found in the server's log.");
const CHALLENGE: Header = ("WWW-Authenticate", true, "string", "`Bearer`.");
const RETRY: Header = ("Retry-After", false, "integer", "After so many seconds it is worth asking again.");
const RATE: [Header; 3] = [
    (
        "X-RateLimit-Limit",
        false,
        "integer",
        "How many calls the tightest rate limit of the customer admits; not there without rate limits.",
    ),
    ("X-RateLimit-Remaining", false, "integer", "How many of them are left."),
    ("X-RateLimit-Reset", false, "integer", "When all are there again, in Unix seconds."),
];
const QUOTA: [Header; 3] = [
    (
        "X-Quota-Metric",
        false,
        "string",
        "The meter of the limit that refuses; not there when its name cannot stand in a header.",
    ),
    ("X-Quota-Period", false, "string", "The period of the limit that refuses."),
    ("X-Quota-Reset", false, "integer", "When its window ends, in Unix seconds; not there for `all_time`."),
];

/// The headers of an answer, as references to the shared ones.
pub(super) fn headers(status: u16, codes: &[Code]) -> Map<String, Value> {
    let mut headers = Map::new();
    add(&mut headers, &[REQUEST_ID]);
    match status {
        401 => add(&mut headers, &[CHALLENGE]),
        429 | 503 => add(&mut headers, &[RETRY]),
        _ => {}
    }
    if codes.contains(&Code::CustomerRateLimited) {
        add(&mut headers, &RATE);
        add(&mut headers, &QUOTA);
    }
    headers
}

fn add(headers: &mut Map<String, Value>, more: &[Header]) {
    for (name, ..) in more {
        headers.insert((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
    }
}

/// Every header there is.
pub(super) fn shared_headers() -> Map<String, Value> {
    let described = |(name, always, kind, about): Header| {
        (name.to_owned(), json!({ "description": about, "required": always, "schema": { "type": kind } }))
    };
    [REQUEST_ID, CHALLENGE, RETRY].into_iter().chain(RATE).chain(QUOTA).map(described).collect()
}

/// The shape of every refusal.
pub(super) fn error() -> Value {
    let item = json!({
        "type": "object",
        "required": ["index", "code", "message"],
        "properties": {
            "index": { "type": "integer", "minimum": 0, "description": "Which item of the batch, from 0." },
            "field": { "type": "string" },
            "code": { "type": "string" },
            "message": { "type": "string" },
        },
    });
    let refusing = |what: &str| json!({ "type": "array", "items": { "$ref": format!("#/components/schemas/{what}") } });
    let details = json!({
        "type": "object",
        "properties": {
            "field": { "type": "string", "description": "The field at fault, as a path such as `events[3].values.tokens`." },
            "nearest": { "type": "string", "description": "The known field that an unknown one is nearest to." },
            "errors": { "type": "array", "items": item },
            "retryAfterSeconds": { "type": "integer", "minimum": 0 },
            "rateLimits": refusing("RateStanding"),
            "limits": refusing("CheckedLimit"),
            "balances": refusing("CheckedBalance"),
        },
    });
    json!({
        "type": "object",
        "description": "Nothing was done, except perhaps after `timeout`. Programs match `code`; `message` is for people.",
        "required": ["error"],
        "properties": { "error": {
            "type": "object",
            "required": ["code", "message", "status", "requestId"],
            "properties": {
                "code": { "type": "string", "enum": Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>() },
                "message": { "type": "string" },
                "status": { "type": "integer" },
                "requestId": { "type": "string" },
                "details": details,
            },
        }},
    })
}

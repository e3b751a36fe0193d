//! OpenAPI 3.1, made from the table.

mod links;
mod responses;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use weir_core::error::Code;

use self::responses::Responses;
use crate::codes::codes;
use crate::examples;
use crate::operation::{Method, Reach};
use crate::schemas::{Described, can_lack, component, describe, path_ids, properties, required, resolved};

/// Describes the public API.
pub fn openapi() -> Value {
    let (operations, mut components) = describe(&[Reach::Public, Reach::Client]);
    let mut responses = Responses::default();
    let mut paths: Map<String, Value> = Map::new();
    for operation in &operations {
        let path = paths.entry(operation.row.served_at()).or_insert_with(|| json!({}));
        let described = describe_one(operation, &components, &mut responses);
        if operation.row.method == Method::Put {
            let mut patch = described.clone();
            patch["operationId"] = format!("{}.patch", operation.row.name).into();
            patch["description"] = format!("The same as `PUT`. {}", needs(operation)).into();
            path["patch"] = patch;
        }
        path[operation.row.method.as_str().to_ascii_lowercase()] = described;
    }
    links::add(&mut paths, &operations, &components);
    paths.insert("/v1/changes".into(), changes(&mut responses));
    for (path, described) in monitoring(&mut responses) {
        paths.insert(path.into(), described);
    }
    components.insert("Error".into(), responses::error());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Weir",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Usage metering and limits. Quantities are exact decimals: answered as JSON numbers with every digit, or as strings with `Accept: application/json; quantities=string`. A request for a method that a route does not have is answered 405, and the header `Allow` says which it has.",
        },
        "servers": [{ "url": "/" }],
        "security": [{ "apiKey": [] }],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": responses.components(),
            "headers": responses::shared_headers(),
            "securitySchemes": {
                "apiKey": { "type": "http", "scheme": "bearer", "description": "An API key, `weir_sk_...`." },
                "clientToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A client token, `weir_ct_...`: for the front end of one customer, and nothing but what lies under `/client` (or `/v1/client`, alike).",
                },
            },
        },
    })
}

fn needs(operation: &Described) -> String {
    if operation.row.reach == Reach::Client {
        return "Needs a client token, and answers pages of the project's `clientOrigins`.".to_owned();
    }
    format!("Needs a key with the scope `{}`.", operation.row.scope.as_str())
}

fn describe_one(operation: &Described, components: &BTreeMap<String, Value>, responses: &mut Responses) -> Value {
    let row = operation.row;
    let (tag, _) = row.name.split_once('.').unwrap_or((row.name, ""));
    let request = resolved(&operation.request, components);
    let (ids, needed) = (path_ids(row), required(request));
    let mut example: Map<String, Value> =
        examples::of(row.name).and_then(|(request, _)| request.as_object().cloned()).unwrap_or_default();
    let mut parameters: Vec<Value> = Vec::new();
    for id in &ids {
        parameters.push(json!({ "name": id, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1, "maxLength": 256 } }));
    }
    if row.keeps_answers() {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "schema": { "type": "string", "minLength": 1, "maxLength": 256, "pattern": "^[\\x20-\\x7e]*$" },
            "description": "Plain text. A repeat within a day under the same key is answered byte for byte as the first was.",
        }));
    }
    let mut described = json!({
        "operationId": row.name,
        "tags": [tag],
        "summary": row.summary,
        "description": needs(operation),
        "responses": responses.of(operation, &codes(row, can_lack(request, components, &ids))),
    });
    if row.reach == Reach::Client {
        described["security"] = json!([{ "clientToken": [] }]);
    }
    let has_body = !matches!(row.method, Method::Get | Method::Delete);
    if !has_body {
        for (name, mut schema) in properties(request) {
            if ids.contains(&name.as_str()) {
                continue;
            }
            let about = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            let mut parameter =
                json!({ "name": name, "in": "query", "required": needed.contains(name.as_str()), "schema": schema });
            if resolved(&parameter["schema"], components)["type"] == "object" {
                parameter["style"] = "deepObject".into();
            }
            if let Some(about) = about {
                parameter["description"] = about;
            }
            parameters.push(parameter);
        }
    }
    for parameter in &mut parameters {
        if let Some(given) = parameter["name"].as_str().and_then(|name| example.remove(name)) {
            parameter["example"] = given;
        }
    }
    if let Some(schema) = body(&operation.request, request, &ids).filter(|_| has_body) {
        let optional = required(resolved(&schema, components)).is_empty();
        described["requestBody"] =
            json!({ "required": !optional, "content": { "application/json": { "schema": schema } } });
        if !example.is_empty() {
            described["requestBody"]["content"]["application/json"]["example"] = example.into();
        }
    }
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    described
}

/// The schema of the body: the request without what stands in the path. None if nothing is left.
fn body(request: &Value, object: &Value, ids: &[&str]) -> Option<Value> {
    if component(request).is_some() && ids.is_empty() {
        return (!properties(object).is_empty()).then(|| request.clone());
    }
    let mut object = object.clone();
    let members = object.get_mut("properties")?.as_object_mut()?;
    members.retain(|name, _| !ids.contains(&name.as_str()));
    if members.is_empty() {
        return None;
    }
    if let Some(required) = object.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| !ids.iter().any(|id| name == id));
    }
    Some(object)
}

/// Live changes are a stream, not an operation.
fn changes(responses: &mut Responses) -> Value {
    let change = json!({
        "type": "object",
        "required": ["event", "data"],
        "properties": { "event": { "const": "change" }, "data": { "type": "string" } },
        "description": "`event: change`, data `{\"topics\": [...]}`: what is stale and should be asked for again; at most ten a second.",
    });
    let codes = [
        Code::MissingApiKey,
        Code::InvalidApiKey,
        Code::ExpiredApiKey,
        Code::InsufficientPermissions,
        Code::RateLimitExceeded,
    ];
    let mut answers = responses.refusals(&codes);
    answers["200"] = json!({
        "description": "The stream.",
        "headers": responses::headers(200, &[]),
        "content": { "text/event-stream": { "schema": change } },
    });
    json!({ "get": {
        "operationId": "changes",
        "tags": ["changes"],
        "summary": "Streams what changes, as server-sent events.",
        "description": "Needs a key with the scope `read`.",
        "responses": answers,
    }})
}

/// What a monitor asks. It stands beside `/v1`, where monitors look for it.
fn monitoring(responses: &mut Responses) -> [(&'static str, Value); 3] {
    let status = |word: &str| {
        json!({ "application/json": {
            "schema": { "type": "object", "required": ["status"], "properties": { "status": { "const": word } } },
            "example": { "status": word },
        }})
    };
    let mut get = |name: &str, summary: &str, description: &str, codes: &[Code], content: Value| {
        let mut answers = responses.refusals(codes);
        answers["200"] = json!({ "description": summary, "headers": responses::headers(200, &[]), "content": content });
        json!({ "get": {
            "operationId": name, "tags": ["monitoring"], "summary": summary, "description": description, "responses": answers,
        }})
    };
    let mut healthy = get("healthz", "Says that the process answers.", "Needs nothing.", &[], status("ok"));
    let refused = [Code::Busy, Code::InternalError];
    let mut ready = get(
        "readyz",
        "Says that the data can be read, and that the server is not closing.",
        "Needs nothing.",
        &refused,
        status("ready"),
    );
    for open in [&mut healthy, &mut ready] {
        open["get"]["security"] = json!([]);
    }
    let refused = [
        Code::MissingApiKey,
        Code::InvalidApiKey,
        Code::ExpiredApiKey,
        Code::InsufficientPermissions,
        Code::RateLimitExceeded,
    ];
    let text = json!({ "text/plain": { "schema": { "type": "string" } } });
    let figures = "Counts and times, in the text format of Prometheus.";
    let metrics = get("metrics", figures, "Needs a key with the scope `read`.", &refused, text);
    [("/healthz", healthy), ("/readyz", ready), ("/metrics", metrics)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::TABLE;

    fn refs<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| refs(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| refs(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_public_operation_is_described_and_no_other() {
        let document = openapi();
        for row in TABLE {
            let under = if row.reach == Reach::Client { "" } else { "/v1" };
            let described =
                &document["paths"][format!("{under}{}", row.path)][row.method.as_str().to_ascii_lowercase()];
            assert_eq!(described.is_object(), row.reach != Reach::Local, "{}", row.name);
            assert_eq!(described["security"][0]["clientToken"].is_array(), row.reach == Reach::Client, "{}", row.name);
            if row.reach != Reach::Local {
                assert_eq!(described["operationId"], row.name);
                assert!(described["responses"][row.status.to_string()].is_object(), "{}", row.name);
                assert!(described["responses"]["400"].is_object(), "{}", row.name);
            }
        }
        assert_eq!(document["openapi"], "3.1.0");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = openapi();
        let mut found = Vec::new();
        refs(&document, &mut found);
        assert!(found.len() > 100);
        for reference in found {
            let pointer = reference.strip_prefix('#').expect("a local reference");
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn put_may_be_written_patch() {
        let document = openapi();
        let meter = &document["paths"]["/v1/meters/{id}"];
        assert_eq!(meter["patch"]["operationId"], "meters.update.patch");
        assert_eq!(meter["patch"]["requestBody"], meter["put"]["requestBody"]);
        assert!(document["paths"]["/v1/meters"].get("patch").is_none());
    }

    #[test]
    fn each_operation_says_with_which_codes_it_refuses() {
        let document = openapi();
        let codes = |path: &str, method: &str, status: &str| {
            let reference = &document["paths"][path][method]["responses"][status]["$ref"];
            let response = document.pointer(&reference.as_str().expect("a shared response")[1..]).unwrap();
            let schema = &response["content"]["application/json"]["schema"];
            (
                schema["allOf"][1]["properties"]["error"]["properties"]["code"]["enum"].clone(),
                response["headers"].clone(),
            )
        };
        assert_eq!(codes("/v1/meters/{id}/query", "post", "404").0, json!(["customer_not_found", "meter_not_found"]));
        let (refused, headers) = codes("/v1/track", "post", "429");
        assert_eq!(refused, json!(["customer_rate_limited", "limit_exceeded", "rate_limit_exceeded"]));
        assert!(headers["Retry-After"].is_object() && headers["X-Quota-Metric"].is_object());
        assert!(codes("/v1/project", "get", "401").1["WWW-Authenticate"].is_object());
        let lacking =
            |path, method| codes(path, method, "400").0.as_array().unwrap().contains(&json!("missing_required_field"));
        assert!(lacking("/v1/meters", "post") && lacking("/v1/balances/{id}", "put"), "a part of a request counts too");
        assert!(
            !lacking("/v1/project", "get") && !lacking("/v1/customers/{id}", "get"),
            "an id in the path cannot lack"
        );
    }

    #[test]
    fn what_is_created_leads_to_what_can_be_done_with_it() {
        let document = openapi();
        let link = |path: &str, status: &str, to: &str| {
            document["paths"][path]["post"]["responses"][status]["links"][to]["parameters"]["id"].clone()
        };
        for to in ["meters.get", "meters.update", "meters.archive", "meters.restore", "meters.query"] {
            assert_eq!(link("/v1/meters", "201", to), "$response.body#/id", "{to}");
        }
        assert_eq!(link("/v1/balances/hold", "200", "balances.capture"), "$response.body#/hold/id");
        assert_eq!(link("/v1/track", "201", "events.void"), "$response.body#/id");
        assert_eq!(link("/v1/meters", "201", "limits.get"), Value::Null);
    }

    #[test]
    fn no_two_types_share_a_name() {
        let document = openapi();
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            assert!(!name.ends_with(|c: char| c.is_ascii_digit()), "{name}: give one of the types another name");
        }
    }

    #[test]
    fn requests_may_leave_out_what_answers_always_have() {
        let document = openapi();
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["EventFilter"]["required"], json!(["eventType", "dimensions"]));
        assert!(schemas["EventFilterInput"].get("required").is_none());
        assert!(schemas["Customer"]["required"].as_array().unwrap().contains(&json!("archivedAt")));
        let update =
            &document["paths"]["/v1/customers/{id}"]["put"]["requestBody"]["content"]["application/json"]["schema"];
        assert!(update["properties"]["name"].is_object() && update["properties"].get("id").is_none());
    }
}

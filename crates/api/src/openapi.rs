//! OpenAPI 3.1, made from the table.

use serde_json::{Map, Value, json};
use weir_core::error::Code;

use crate::operation::{Kind, Method};
use crate::schemas::{Described, component, describe, path_ids, properties, required, resolved};

/// Describes the public API.
pub fn openapi() -> Value {
    let (operations, mut components) = describe();
    let mut paths: Map<String, Value> = Map::new();
    for operation in &operations {
        let path = paths.entry(format!("/v1{}", operation.row.path)).or_insert_with(|| json!({}));
        path[operation.row.method.as_str().to_ascii_lowercase()] = describe_one(operation, &components);
    }
    paths.insert("/v1/changes".into(), changes());
    components.insert("Error".into(), error());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Weir",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Usage metering and limits. Quantities are exact decimals: answered as JSON numbers with every digit, or as strings with `Accept: application/json; quantities=string`.",
        },
        "servers": [{ "url": "/" }],
        "security": [{ "apiKey": [] }],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": { "Error": {
                "description": "Nothing was done. Programs match `code`; `message` is for people.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
            }},
            "securitySchemes": { "apiKey": { "type": "http", "scheme": "bearer", "description": "An API key, `weir_sk_...`." } },
        },
    })
}

fn describe_one(operation: &Described, components: &std::collections::BTreeMap<String, Value>) -> Value {
    let row = operation.row;
    let (tag, _) = row.name.split_once('.').unwrap_or((row.name, ""));
    let request = resolved(&operation.request, components);
    let (ids, needed) = (path_ids(row), required(request));
    let mut parameters = Vec::new();
    for id in &ids {
        parameters.push(json!({ "name": id, "in": "path", "required": true, "schema": { "type": "string" } }));
    }
    if row.keeps_answers() {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "schema": { "type": "string", "minLength": 1, "maxLength": 256 },
            "description": "A repeat within a day under the same key is answered byte for byte as the first was.",
        }));
    }
    let mut described = json!({
        "operationId": row.name,
        "tags": [tag],
        "summary": row.summary,
        "description": format!("Needs a key with the scope `{}`.", row.scope.as_str()),
        "responses": responses(operation),
    });
    if matches!(row.method, Method::Get | Method::Delete) {
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
    } else if let Some(schema) = body(&operation.request, request, &ids) {
        let optional = required(resolved(&schema, components)).is_empty();
        described["requestBody"] =
            json!({ "required": !optional, "content": { "application/json": { "schema": schema } } });
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

fn responses(operation: &Described) -> Value {
    let row = operation.row;
    let content = json!({ "application/json": { "schema": operation.answer } });
    let mut responses = json!({});
    responses[row.status.to_string()] = json!({ "description": row.summary, "content": content });
    let mut codes = vec![
        Code::InvalidFieldValue,
        Code::InvalidApiKey,
        Code::InsufficientPermissions,
        Code::Busy,
        Code::InternalError,
        Code::Timeout,
    ];
    if row.path.contains('{') || row.name == "charts.render" {
        codes.push(Code::NotFound);
    }
    if row.kind != Kind::Read {
        codes.push(Code::Conflict);
    }
    if matches!(row.method, Method::Post | Method::Put) {
        codes.extend([Code::PayloadTooLarge, Code::UnsupportedMediaType]);
    }
    for code in codes {
        responses[code.status().to_string()] = json!({ "$ref": "#/components/responses/Error" });
    }
    responses
}

/// Live changes are a stream, not an operation.
fn changes() -> Value {
    let change = json!({ "type": "string", "description": "`event: change`, data `{\"topics\": [...]}`: what is stale and should be asked for again; at most ten a second." });
    json!({ "get": {
        "operationId": "changes",
        "tags": ["changes"],
        "summary": "Streams what changes, as server-sent events.",
        "description": "Needs a key with the scope `read`.",
        "responses": {
            "200": { "description": "The stream.", "content": { "text/event-stream": { "schema": change } } },
            "401": { "$ref": "#/components/responses/Error" },
        },
    }})
}

fn error() -> Value {
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
    let details = json!({
        "type": "object",
        "properties": {
            "field": { "type": "string", "description": "The field at fault, as a path such as `events[3].values.tokens`." },
            "nearest": { "type": "string", "description": "The known field that an unknown one is nearest to." },
            "errors": { "type": "array", "items": item },
            "retryAfterSeconds": { "type": "integer", "minimum": 0 },
        },
    });
    json!({
        "type": "object",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Reach;
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
            let described = &document["paths"][format!("/v1{}", row.path)][row.method.as_str().to_ascii_lowercase()];
            assert_eq!(described.is_object(), row.reach == Reach::Public, "{}", row.name);
            if row.reach == Reach::Public {
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

//! Schemas in words: what kind of thing a field is, its bounds, and the fields within it.

use serde_json::Value;

use super::html::{code, escape, prose};

/// How many levels of fields within fields are listed.
const DEEPEST: usize = 3;

/// The component that a schema refers to, or the schema itself.
pub fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    reference.and_then(|pointer| document.pointer(pointer)).unwrap_or(schema)
}

/// The fields of an object, those that must be given first, as a list of terms.
pub fn fields(document: &Value, schema: &Value) -> String {
    let mut rows = String::new();
    collect(document, schema, "", DEEPEST, &mut rows);
    if rows.is_empty() { rows } else { format!("<dl class=\"fields\">{rows}</dl>") }
}

fn collect(document: &Value, schema: &Value, prefix: &str, depth: usize, rows: &mut String) {
    let object = resolved(document, schema);
    let required: Vec<&str> = object["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let Some(members) = object["properties"].as_object() else { return };
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by_key(|(name, _)| !required.contains(&name.as_str()));
    for (name, member) in members {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        rows.push_str(&term(document, &path, member, required.contains(&name.as_str())));
        if depth > 1 {
            let (inner, list) = within(document, member);
            let path = if list { format!("{path}[]") } else { path };
            collect(document, inner, &path, depth - 1, rows);
        }
    }
}

/// One field.
pub fn term(document: &Value, name: &str, schema: &Value, required: bool) -> String {
    let about = schema["description"].as_str().or_else(|| resolved(document, schema)["description"].as_str());
    let required = if required { " <span class=\"required\">required</span>" } else { "" };
    let default = match &schema["default"] {
        Value::Null | Value::Object(_) | Value::Array(_) => String::new(),
        given => format!("<span class=\"kind\">, default {}</span>", code(&plain(given))),
    };
    format!(
        "<div><dt>{} <span class=\"kind\">{}</span>{default}{required}</dt><dd>{}</dd></div>",
        code(name),
        kind(document, schema),
        prose(about.unwrap_or_default())
    )
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The object that a field holds, alone or in a list, past what only says that it may be null.
fn within<'a>(document: &'a Value, schema: &'a Value) -> (&'a Value, bool) {
    let schema = resolved(document, schema);
    if let Some(choice) = only_choice(schema) {
        return within(document, choice);
    }
    match schema.get("items") {
        Some(items) => (within(document, items).0, true),
        None => (schema, false),
    }
}

/// The one choice besides null.
fn only_choice(schema: &Value) -> Option<&Value> {
    let choices = schema.get("anyOf")?.as_array()?;
    let mut given = choices.iter().filter(|choice| choice["type"] != "null");
    given.next().filter(|_| given.next().is_none())
}

/// What kind of thing it is, with its bounds.
pub fn kind(document: &Value, schema: &Value) -> String {
    if schema["$ref"].as_str().is_some_and(|name| name.ends_with("/Quantity") || name.ends_with("/QuantityInput")) {
        return "decimal".to_owned();
    }
    let schema = resolved(document, schema);
    if let Some(value) = schema.get("const") {
        return code(&plain(value));
    }
    for choices in ["enum", "oneOf", "anyOf"] {
        if let Some(choices) = schema.get(choices).and_then(Value::as_array) {
            let words = choices.iter().map(|choice| match choice {
                Value::Object(_) => kind(document, choice),
                value => code(&plain(value)),
            });
            return words.collect::<Vec<_>>().join(" or ");
        }
    }
    match &schema["type"] {
        Value::Array(types) => {
            let words: Vec<_> =
                types.iter().filter_map(Value::as_str).map(|word| simple(document, word, schema)).collect();
            words.join(" or ")
        }
        Value::String(word) => simple(document, word, schema),
        _ => "anything".to_owned(),
    }
}

fn simple(document: &Value, word: &str, schema: &Value) -> String {
    if let Some(prefix) = schema["pattern"].as_str().and_then(id).filter(|_| word == "string") {
        return format!("id, {}…", code(prefix));
    }
    match word {
        "string" => match (schema["format"].as_str(), schema["pattern"].as_str()) {
            (Some("date-time"), _) => "time".to_owned(),
            (Some("date"), _) => "date".to_owned(),
            (Some("byte"), _) => format!("base64{}", bounds(schema, "minLength", "maxLength", " characters")),
            (None, Some(pattern)) if schema.get("maxLength").is_none() => format!("text like {}", code(pattern)),
            _ => format!("text{}", bounds(schema, "minLength", "maxLength", " characters")),
        },
        "integer" => format!("whole number{}", bounds(schema, "minimum", "maximum", "")),
        "number" => format!("number{}", bounds(schema, "minimum", "maximum", "")),
        "boolean" => "true or false".to_owned(),
        "array" => {
            let items = schema.get("items").map_or_else(|| "anything".to_owned(), |items| kind(document, items));
            format!("list{}, each: {items}", bounds(schema, "minItems", "maxItems", " items"))
        }
        "object" => match schema.get("additionalProperties") {
            Some(member @ Value::Object(_)) => {
                let bounds = bounds(schema, "minProperties", "maxProperties", " entries");
                format!("names and values{bounds}, each value: {}", kind(document, member))
            }
            _ => "object".to_owned(),
        },
        other => escape(other),
    }
}

/// What an id begins with, if a pattern is that of an id.
fn id(pattern: &str) -> Option<&str> {
    let (prefix, _) = pattern.strip_prefix('^')?.split_once("[0-9a-f]{8}")?;
    prefix.ends_with('_').then_some(prefix)
}

fn bounds(schema: &Value, least: &str, most: &str, unit: &str) -> String {
    let given = |name: &str| schema[name].as_i64().filter(|bound| *bound < i64::from(u32::MAX) * 4);
    match (given(least), given(most)) {
        (Some(least), Some(most)) => format!(", {} to {}{unit}", grouped(least), grouped(most)),
        (None, Some(most)) => format!(", up to {}{unit}", grouped(most)),
        (Some(least), None) => format!(", {} or more{unit}", grouped(least)),
        (None, None) => String::new(),
    }
}

/// A number with commas between thousands.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::from(if number < 0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_and_bounds_are_said_in_words() {
        let document = json!({ "components": { "schemas": {
            "Quantity": { "anyOf": [{ "type": "number" }, { "type": "string" }] },
            "Period": { "oneOf": [{ "const": "day", "type": "string" }, { "const": "month", "type": "string" }] },
        }}});
        for (schema, words) in [
            (json!({ "type": "string", "minLength": 1, "maxLength": 2000 }), "text, 1 to 2,000 characters"),
            (json!({ "type": ["integer", "null"], "minimum": 1, "maximum": 100 }), "whole number, 1 to 100 or null"),
            (json!({ "$ref": "#/components/schemas/Quantity" }), "decimal"),
            (json!({ "$ref": "#/components/schemas/Period" }), "<code>day</code> or <code>month</code>"),
            (
                json!({ "type": "array", "items": { "type": "string", "pattern": "^a<$" }, "maxItems": 8 }),
                "list, up to 8 items, each: text like <code>^a&lt;$</code>",
            ),
            (
                json!({ "type": "object", "additionalProperties": { "$ref": "#/components/schemas/Quantity" } }),
                "names and values, each value: decimal",
            ),
            (json!({ "type": "string", "pattern": "^mtr_[0-9a-f]{8}-$" }), "id, <code>mtr_</code>…"),
            (json!({ "type": ["string", "null"], "format": "date-time" }), "time or null"),
        ] {
            assert_eq!(kind(&document, &schema), words);
        }
    }

    #[test]
    fn fields_within_fields_are_listed_by_their_path() {
        let inner = json!({ "type": "object", "properties": { "b": { "type": "boolean", "description": "Is <it>" } } });
        let document = json!({ "components": { "schemas": { "Inner": inner } } });
        let schema = json!({ "type": "object", "required": ["z"], "properties": {
            "a": { "anyOf": [{ "$ref": "#/components/schemas/Inner" }, { "type": "null" }] },
            "z": { "type": "array", "items": { "$ref": "#/components/schemas/Inner" } },
        }});
        let written = fields(&document, &schema);
        let places: Vec<_> = ["<code>z</code>", "<code>z[].b</code>", "<code>a</code>", "<code>a.b</code>"]
            .iter()
            .map(|name| written.find(name).unwrap_or_else(|| panic!("{name} in {written}")))
            .collect();
        assert!(places.is_sorted() && written.contains("Is &lt;it&gt;"), "{written}");
    }
}

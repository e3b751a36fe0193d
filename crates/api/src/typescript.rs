//! The console's types, made from the table: every shape on the wire, and how each operation is reached.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use crate::operation::Reach;
use crate::schemas::{component, describe, required};

const HEAD: &str = "\
// Made from the table of operations; a test of weir-api fails when the two differ and says how to write it anew.

/** An exact decimal, as its digits. Never a JavaScript number. */
export type Quantity = string & { readonly __q: true };

/** An instant: RFC 3339 in UTC. */
export type Time = string;
";

/// Writes the console's types.
pub fn typescript() -> String {
    let (operations, components) = describe(&[Reach::Public]);
    let mut out = HEAD.to_owned();
    for (name, schema) in &components {
        if is_quantity(name) {
            continue;
        }
        out.push('\n');
        comment(&mut out, "", schema);
        // Writing to a string cannot fail.
        let _ = writeln!(out, "export type {name} = {};", type_of(schema, ""));
    }
    out.push_str("\n/** Each operation's request and answer, by its name. */\nexport interface Operations {\n");
    for operation in &operations {
        let _ = writeln!(out, "  /** {} */", operation.row.summary);
        let (request, answer) = (type_of(&operation.request, "    "), type_of(&operation.answer, "    "));
        let _ = writeln!(out, "  \"{}\": {{\n    req: {request};\n    res: {answer};\n  }};", operation.row.name);
    }
    out.push_str("}\n\n/** How each operation is reached over HTTP, under `/v1`. */\nexport const routes = {\n");
    for operation in &operations {
        let row = operation.row;
        let _ = writeln!(out, "  \"{}\": [\"{}\", \"{}\"],", row.name, row.method.as_str(), row.path);
    }
    out.push_str("} as const satisfies Record<keyof Operations, readonly [method: string, path: string]>;\n");
    out
}

fn comment(out: &mut String, indent: &str, schema: &Value) {
    if let Some(text) = schema.get("description").and_then(Value::as_str) {
        let text = text.replace("*/", "* /").replace('\n', " ");
        let _ = writeln!(out, "{indent}/** {text} */");
    }
}

/// What is sent and what is answered differ in their bounds alone.
fn is_quantity(name: &str) -> bool {
    matches!(name, "Quantity" | "QuantityInput")
}

/// A schema as a type.
fn type_of(schema: &Value, indent: &str) -> String {
    if let Some(name) = component(schema) {
        return if is_quantity(name) { "Quantity" } else { name }.to_owned();
    }
    if let Some(value) = schema.get("const") {
        return value.to_string();
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    if let Some(choices) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array) {
        return choices.iter().map(|choice| type_of(choice, indent)).collect::<Vec<_>>().join(" | ");
    }
    match &schema["type"] {
        Value::Array(words) => words
            .iter()
            .filter_map(Value::as_str)
            .map(|word| simple(word, schema, indent))
            .collect::<Vec<_>>()
            .join(" | "),
        Value::String(word) => simple(word, schema, indent),
        _ => "unknown".to_owned(),
    }
}

fn simple(word: &str, schema: &Value, indent: &str) -> String {
    match word {
        "null" => "null".to_owned(),
        "boolean" => "boolean".to_owned(),
        "integer" | "number" => "number".to_owned(),
        "string" if schema["format"] == "date-time" => "Time".to_owned(),
        "string" => "string".to_owned(),
        "array" => {
            let item = type_of(&schema["items"], indent);
            if item.contains(" | ") { format!("({item})[]") } else { format!("{item}[]") }
        }
        "object" => object(schema, indent),
        _ => "unknown".to_owned(),
    }
}

fn object(schema: &Value, indent: &str) -> String {
    let members = schema.get("properties").and_then(Value::as_object);
    let Some(members) = members.filter(|members| !members.is_empty()) else {
        return match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => "Record<string, never>".to_owned(),
            Some(member @ Value::Object(_)) => format!("Record<string, {}>", type_of(member, indent)),
            _ if schema.get("properties").is_some() => "Record<string, never>".to_owned(),
            _ => "Record<string, unknown>".to_owned(),
        };
    };
    let needed = required(schema);
    let inner = format!("{indent}  ");
    let mut out = String::from("{\n");
    let ordered: BTreeMap<_, _> = members.iter().collect();
    for (name, member) in ordered {
        comment(&mut out, &inner, member);
        let optional = if needed.contains(name.as_str()) { "" } else { "?" };
        let _ = writeln!(out, "{inner}{name}{optional}: {};", type_of(member, &inner));
    }
    let _ = write!(out, "{indent}}}");
    out
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_console_has_the_types_of_this_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/lib/api/generated.ts");
        let types = typescript();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &types).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == types,
            "ui/src/lib/api/generated.ts is not of this table: run `UPDATE=1 cargo test -p weir-api types`"
        );
    }

    #[test]
    fn shapes_become_types() {
        let schema = serde_json::json!({
            "type": "object",
            "required": ["a", "e"],
            "properties": {
                "a": { "type": ["string", "null"] },
                "b": { "type": "array", "items": { "type": ["integer", "null"] } },
                "c": { "type": "string", "format": "date-time" },
                "d": { "anyOf": [{ "$ref": "#/components/schemas/Thing" }, { "type": "null" }] },
                "e": { "type": "object", "additionalProperties": { "type": "string" } },
                "f": { "type": "object", "additionalProperties": true },
                "g": { "type": "string", "enum": ["x", "y"] },
            },
        });
        assert_eq!(
            type_of(&schema, ""),
            "{\n  a: string | null;\n  b?: (number | null)[];\n  c?: Time;\n  d?: Thing | null;\n  e: Record<string, string>;\n  f?: Record<string, unknown>;\n  g?: \"x\" | \"y\";\n}"
        );
    }
}

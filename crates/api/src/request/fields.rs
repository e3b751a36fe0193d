//! The fields of a request, taken from its schema: their names, and how a text from a path or a query is written as JSON.

use serde_json::{Map, Value};

/// How a text becomes a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As it stands: a number or `true` or `false`.
    Bare,
    /// As it stands: an object or a list written as JSON. Members may also be given one by one, as `name[member]=text`.
    Json,
    /// In quotes.
    Text,
}

/// One field of a request.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// How a text becomes its value.
    pub kind: Kind,
}

/// The fields of a request.
#[derive(Debug, Default)]
pub struct Fields {
    top: Vec<Field>,
    names: Vec<String>,
    /// Those that hold a list, at any depth.
    lists: Vec<String>,
    /// Those that hold whatever the caller likes.
    free: Vec<String>,
}

impl Fields {
    /// Reads them from a schema and the definitions that it refers to.
    pub fn of(schema: &Value, definitions: &Map<String, Value>) -> Self {
        let mut fields = Fields::default();
        let target = resolve(schema, definitions);
        for (name, property) in properties(target) {
            fields.top.push(Field { name: name.clone(), kind: kind(property, definitions) });
        }
        for definition in [target].into_iter().chain(definitions.values()) {
            for (name, property) in properties(definition) {
                let aliases = property["x-aliases"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let names = [name.as_str()].into_iter().chain(aliases).map(str::to_owned);
                let property = resolve(property, definitions);
                let is_list = words(property).any(|word| word == "array");
                let is_free = property["additionalProperties"] == Value::Bool(true);
                for name in names {
                    fields.lists.extend(is_list.then(|| name.clone()));
                    fields.free.extend(is_free.then(|| name.clone()));
                    fields.names.push(name);
                }
            }
        }
        fields
    }

    /// How a parameter is written as JSON. One that is not known is written as a text, for the reader to refuse by name.
    pub fn kind(&self, name: &str) -> Kind {
        self.top.iter().find(|field| field.name == name).map_or(Kind::Text, |field| field.kind)
    }

    /// Whether there is a field of this name, at whatever depth.
    pub fn is_known(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Whether a field of this name, at whatever depth, holds a list.
    pub fn is_list(&self, name: &str) -> bool {
        self.lists.iter().any(|list| list == name)
    }

    /// Whether a field of this name, at whatever depth, holds whatever the caller likes.
    pub fn is_free(&self, name: &str) -> bool {
        self.free.iter().any(|free| free == name)
    }

    /// The fields of the request itself.
    pub fn top(&self) -> impl Iterator<Item = &str> {
        self.top.iter().map(|field| field.name.as_str())
    }

    /// The names of all fields at any depth.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// What a reference stands for; anything else stands for itself, and a choice for its first part that is not null.
fn resolve<'a>(schema: &'a Value, definitions: &'a Map<String, Value>) -> &'a Value {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return definitions.get(name).unwrap_or(schema);
    }
    let choices = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
    match choices.and_then(|choices| choices.iter().find(|choice| choice["type"] != "null")) {
        Some(choice) if choice.get("$ref").is_some() => resolve(choice, definitions),
        _ => schema,
    }
}

fn kind(schema: &Value, definitions: &Map<String, Value>) -> Kind {
    let schema = resolve(schema, definitions);
    match words(schema).find(|word| *word != "null") {
        Some("integer" | "number" | "boolean") => Kind::Bare,
        Some("object" | "array") => Kind::Json,
        _ => Kind::Text,
    }
}

/// The types that a value may have.
fn words(schema: &Value) -> impl Iterator<Item = &str> {
    let one = schema["type"].as_str().into_iter();
    one.chain(schema["type"].as_array().into_iter().flatten().filter_map(Value::as_str))
}

//! The schemas of every request and answer, as components that refer to each other.

use std::collections::{BTreeMap, BTreeSet};

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::operation::{Reach, Row};
use crate::table::TABLE;

/// Where components stand in a description.
const COMPONENTS: &str = "#/components/schemas/";

/// An operation and its schemas.
pub(crate) struct Described {
    pub row: &'static Row,
    pub request: Value,
    pub answer: Value,
}

/// Every operation within this reach, and the components that their schemas refer to.
///
/// A type that is both read and written has two schemas where its fields may be left out in requests but always stand in answers;
/// the one for requests is then named `...Input`.
pub(crate) fn describe(within: &[Reach]) -> (Vec<Described>, BTreeMap<String, Value>) {
    let settings = || SchemaSettings::draft2020_12().with(|settings| settings.meta_schema = None);
    let path = |settings: &mut SchemaSettings| settings.definitions_path = "/components/schemas".into();
    let mut reads = settings().with(path).into_generator();
    let mut writes = settings().for_serialize().with(path).into_generator();
    let mut described: Vec<Described> = TABLE
        .iter()
        .filter(|row| within.contains(&row.reach))
        .map(|row| Described {
            row,
            request: (row.request)(&mut reads).to_value(),
            answer: (row.answer)(&mut writes).to_value(),
        })
        .collect();
    let (mut reads, writes) = (reads.take_definitions(true), writes.take_definitions(true));
    let differing: BTreeSet<String> = reads
        .iter()
        .filter(|(name, schema)| writes.get(*name).is_some_and(|other| other != *schema))
        .map(|(name, _)| name.clone())
        .collect();
    for schema in reads.values_mut().chain(described.iter_mut().map(|operation| &mut operation.request)) {
        rename(schema, &differing);
    }
    let mut components: BTreeMap<String, Value> = writes.into_iter().collect();
    for (name, schema) in reads {
        let name = if differing.contains(&name) { format!("{name}Input") } else { name };
        components.insert(name, schema);
    }
    (described, components)
}

/// Points references to the schemas for requests.
fn rename(schema: &mut Value, differing: &BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get_mut("$ref")
                && let Some(name) = target.strip_prefix(COMPONENTS)
                && differing.contains(name)
            {
                target.push_str("Input");
            }
            members.values_mut().for_each(|member| rename(member, differing));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, differing)),
        _ => {}
    }
}

/// The component that a schema is, if it is only a reference.
pub(crate) fn component(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(COMPONENTS)
}

/// A schema, or the component that it refers to.
pub(crate) fn resolved<'a>(schema: &'a Value, components: &'a BTreeMap<String, Value>) -> &'a Value {
    component(schema).and_then(|name| components.get(name)).unwrap_or(schema)
}

/// The members of an object's schema.
pub(crate) fn properties(schema: &Value) -> Map<String, Value> {
    schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The members that an object must have.
pub(crate) fn required(schema: &Value) -> BTreeSet<&str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether a request, or a part of it, has a member that it must have, besides what stands in the path.
pub(crate) fn can_lack(schema: &Value, components: &BTreeMap<String, Value>, ids: &[&str]) -> bool {
    // No request's shape holds itself, so this ends.
    let inner = |part: &Value| can_lack(part, components, &[]);
    match schema {
        Value::Object(members) => {
            required(schema).iter().any(|member| !ids.contains(member))
                || component(schema).and_then(|name| components.get(name)).is_some_and(inner)
                || members.values().any(inner)
        }
        Value::Array(parts) => parts.iter().any(inner),
        _ => false,
    }
}

/// The ids in an operation's path.
pub(crate) fn path_ids(row: &Row) -> Vec<&'static str> {
    row.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect()
}

//! Which answers lead to which operations: what is created can be read, changed, archived and restored under its id.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::operation::Method;
use crate::schemas::{Described, properties, resolved};

/// Where an id stands in an answer, and the paths that take it, where the path of the one does not begin that of the other.
const ELSEWHERE: [(&str, &str, &str); 3] = [
    ("balances.hold", "/hold/id", "/balances/holds/{id}"),
    ("events.record", "/id", "/events/{id}"),
    ("events.track", "/id", "/events/{id}"),
];

/// Adds the links to the answers that hold an id.
pub(super) fn add(paths: &mut Map<String, Value>, operations: &[Described], components: &BTreeMap<String, Value>) {
    for from in operations.iter().filter(|from| from.row.method == Method::Post) {
        let Some((place, taken)) = id_of(from, components) else { continue };
        let links: Map<String, Value> = operations
            .iter()
            .filter(|to| to.row.path.strip_prefix(&taken).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
            .map(|to| {
                let link =
                    json!({ "operationId": to.row.name, "parameters": { "id": format!("$response.body#{place}") } });
                (to.row.name.to_owned(), link)
            })
            .collect();
        if !links.is_empty() {
            let row = from.row;
            paths[&format!("/v1{}", row.path)]["post"]["responses"][row.status.to_string()]["links"] = links.into();
        }
    }
}

fn id_of(from: &Described, components: &BTreeMap<String, Value>) -> Option<(&'static str, String)> {
    if let Some((_, place, path)) = ELSEWHERE.iter().find(|(name, ..)| *name == from.row.name) {
        return Some((place, (*path).to_owned()));
    }
    let made = from.row.status == 201 && properties(resolved(&from.answer, components)).contains_key("id");
    made.then(|| ("/id", format!("{}/{{id}}", from.row.path)))
}

//! An example of every operation: a request that was sent to a server and what it answered.
//!
//! `examples.json` is a story, told in order, from an empty data folder on. A text such as `$meters.create/id` in a request stands
//! for a member of an earlier answer. A test tells the story to a server and holds both against their schemas; with `UPDATE=1` it
//! writes the answers down anew.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One step of the story.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Which operation.
    pub operation: String,
    /// The name by which later steps refer to the answer, where the operation was an example before.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
    /// What is asked, ids in the path included.
    pub request: Value,
    /// What was answered.
    pub answer: Value,
}

impl Example {
    /// The name by which later steps refer to the answer.
    pub fn name(&self) -> &str {
        self.named.as_deref().unwrap_or(&self.operation)
    }

    /// The request with what earlier answers say in the place of the texts that refer to them.
    pub fn request(&self, answers: &HashMap<String, Value>) -> Value {
        resolved(&self.request, answers)
    }
}

fn resolved(value: &Value, answers: &HashMap<String, Value>) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix('$').and_then(|rest| rest.split_once('/')) {
            Some((name, place)) => {
                answers.get(name).and_then(|answer| answer.pointer(&format!("/{place}"))).unwrap_or(value).clone()
            }
            None => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| resolved(item, answers)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), resolved(member, answers))).collect()
        }
        _ => value.clone(),
    }
}

/// The story as it stands in the file.
pub fn story() -> Vec<Example> {
    // The file is part of the program, and a test reads it.
    serde_json::from_str(include_str!("../examples.json")).unwrap_or_default()
}

/// Request and answer of an operation.
pub(crate) fn of(operation: &str) -> Option<&'static (Value, Value)> {
    static EXAMPLES: OnceLock<HashMap<String, (Value, Value)>> = OnceLock::new();
    let examples = EXAMPLES.get_or_init(|| {
        let (mut examples, mut answers) = (HashMap::new(), HashMap::new());
        for step in story() {
            if step.named.is_none() {
                examples.insert(step.operation.clone(), (step.request(&answers), step.answer.clone()));
            }
            answers.insert(step.name().to_owned(), step.answer);
        }
        examples
    });
    examples.get(operation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Reach;
    use crate::table::TABLE;

    #[test]
    fn every_public_operation_has_an_example() {
        assert!(!story().is_empty(), "examples.json cannot be read");
        for row in TABLE.iter().filter(|row| row.reach == Reach::Public) {
            let Some((request, answer)) = of(row.name) else {
                panic!(
                    "add a step for {} to crates/api/examples.json, with `\"answer\": null`, and run \
                     UPDATE=1 cargo test -p weir-http --test api examples",
                    row.name
                )
            };
            assert!(!request.to_string().contains("\"$"), "{}: {request} refers to nothing", row.name);
            assert!(answer.is_object(), "{}", row.name);
        }
    }
}

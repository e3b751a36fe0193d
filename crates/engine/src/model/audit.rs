//! Audit facts: who changed the configuration, what stood before, and what stands after.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use weir_core::id::ProjectId;
use weir_core::time::Timestamp;

use super::{Cursor, LogSort, PageSize};

/// One change of configuration.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditFact {
    /// Which fact: `aud_` and its number.
    pub id: String,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: AuditActor,
    /// What was done, such as `limits.update`.
    pub operation: String,
    /// The id of what was changed; of a backup, the file.
    pub target: String,
    /// What that is called now, where it has a name.
    pub target_name: Option<String>,
    /// The external id of the customer whose it is, where it is one customer's.
    pub customer_id: Option<String>,
    /// What stood before; null where nothing did.
    pub before: Option<Snapshot>,
    /// What stands after; null where nothing does.
    pub after: Option<Snapshot>,
}

/// Who changed something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditActor {
    /// `operator`, `key`, `client`, `cli` or `system`.
    pub kind: String,
    /// Which one: the id of a key or a client token, or empty where there is only one.
    pub name: String,
    /// The key's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// Which audit facts to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListAudit {
    /// Only facts that hold this text, in upper or lower case, in who, what, the target, before or after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::MaybeShort>")]
    pub query: Option<String>,
    /// Only this operation, such as `limits.update`, or all about one kind of thing, such as `limits`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub operation: Option<String>,
    /// Only by `operator`, `cli`, `system` or `key`, or by the key with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub actor: Option<String>,
    /// Only changes of the customer with this external id, of the customer's own limits, and voids of the customer's events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub customer_id: Option<String>,
    /// From this instant on.
    #[serde(default, alias = "startDate", skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive.
    #[serde(default, alias = "endDate", skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// The order.
    #[serde(default)]
    pub sort: LogSort,
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// A thing as it stood when it was changed: the JSON that was stored, with every digit. To readers whose numbers are floats, its
/// numbers come as texts of the same digits, as quantities do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot(Box<str>);

impl Snapshot {
    /// Wraps JSON text that was stored.
    pub(crate) fn new(json: String) -> Self {
        Snapshot(json.into())
    }

    /// The JSON.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Part(&self.0).serialize(serializer)
    }
}

impl JsonSchema for Snapshot {
    fn schema_name() -> Cow<'static, str> {
        "Snapshot".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": true, "description": "A thing as it stood." })
    }
}

/// A part of stored JSON, written member by member so that each number is a fragment of its own, its digits untouched.
struct Part<'a>(&'a str);

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.trim_start().as_bytes().first() {
            Some(b'{') => {
                let Members(members) = serde_json::from_str(self.0).map_err(S::Error::custom)?;
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(&key, &Part(value.get()))?;
                }
                map.end()
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(self.0).map_err(S::Error::custom)?;
                serializer.collect_seq(items.into_iter().map(|item| Part(item.get())))
            }
            _ => serde_json::from_str::<&RawValue>(self.0).map_err(S::Error::custom)?.serialize(serializer),
        }
    }
}

/// The members of an object, in their order.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
                    members.push((key, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_written_as_it_was_stored() {
        for json in [
            r#"{"z":123456789012345678.123456789,"a":[1,{"b":0.10}],"n":null,"t":"é \" 5","o":{},"l":[],"y":true}"#,
            "{}",
        ] {
            assert_eq!(serde_json::to_string(&Snapshot::new(json.to_owned())).unwrap(), json);
        }
    }
}

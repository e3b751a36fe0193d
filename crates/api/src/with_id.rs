//! A request about one thing: the id from the path beside the members of the body.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// The name of the id's member.
const ID: &str = "id";

/// An id and what else is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithId<T> {
    /// Which thing.
    pub id: String,
    /// The rest of the request.
    pub rest: T,
}

/// Nothing else is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A request that is only an id.
pub type ById = WithId<Nothing>;

/// The id is taken out of the stream of members and the rest passed on as it comes, so no digit is lost and unknown members are
/// refused, which serde's `flatten` does neither of.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for WithId<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = WithId<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WithId<T>, A::Error> {
                let mut id = None;
                let rest = T::deserialize(MapAccessDeserializer::new(WithoutId { map, id: &mut id }))?;
                Ok(WithId { id: id.ok_or_else(|| de::Error::missing_field(ID))?, rest })
            }
        }

        deserializer.deserialize_map(Members(PhantomData))
    }
}

struct WithoutId<'a, A> {
    map: A,
    id: &'a mut Option<String>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WithoutId<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let mut seed = Some(seed);
        loop {
            match self.map.next_key_seed(NotId { seed: &mut seed })? {
                None => return Ok(None),
                Some(Some(key)) => return Ok(Some(key)),
                Some(None) if self.id.is_some() => return Err(de::Error::duplicate_field(ID)),
                Some(None) => *self.id = Some(self.map.next_value()?),
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// Reads a key: none if it is the id's.
struct NotId<'a, K> {
    seed: &'a mut Option<K>,
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for NotId<'_, K> {
    type Value = Option<K::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let key = Cow::<'de, str>::deserialize(deserializer)?;
        if key == ID {
            return Ok(None);
        }
        match self.seed.take() {
            Some(seed) => seed.deserialize(de::value::CowStrDeserializer::new(key)).map(Some),
            None => Err(de::Error::custom("a key was read twice")),
        }
    }
}

impl<T: JsonSchema> JsonSchema for WithId<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}WithId", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        let id = json_schema!({ "type": "string", "description": "Which one." }).to_value();
        let object = schema.ensure_object();
        let properties = object.entry("properties").or_insert_with(|| serde_json::json!({}));
        if let Some(properties) = properties.as_object_mut() {
            properties.insert(ID.to_owned(), id);
        }
        let required = object.entry("required").or_insert_with(|| serde_json::json!([]));
        if let Some(required) = required.as_array_mut() {
            required.push(ID.into());
        }
        schema
    }
}

#[cfg(test)]
mod tests {
    use weir_engine::model::{Change, LimitPatch, MeterPatch};

    use super::*;

    #[test]
    fn the_id_may_stand_anywhere_and_no_digit_is_lost() {
        for json in [
            r#"{"id":"x","limitValue":123456789012345678.123456789,"name":"n"}"#,
            r#"{"limitValue":123456789012345678.123456789,"id":"x","name":"n"}"#,
            r#"{"limitValue":123456789012345678.123456789,"name":"n","\u0069d":"x"}"#,
        ] {
            let read: WithId<LimitPatch> = serde_json::from_str(json).unwrap();
            assert_eq!((read.id.as_str(), read.rest.name.as_deref()), ("x", Some("n")));
            assert_eq!(read.rest.limit_value.unwrap().to_string(), "123456789012345678.123456789");
        }
        let cleared: WithId<MeterPatch> = serde_json::from_str(r#"{"id":"x","unit":null}"#).unwrap();
        assert_eq!((cleared.rest.unit, cleared.rest.description), (Change::Clear, Change::Keep));
    }

    #[test]
    fn what_is_missing_doubled_or_unknown_is_said() {
        let refuse = |json: &str| serde_json::from_str::<ById>(json).unwrap_err().to_string();
        assert!(refuse("{}").contains("missing field `id`"));
        assert!(refuse(r#"{"id":"a","id":"b"}"#).contains("duplicate field `id`"));
        assert!(refuse(r#"{"id":"a","x":1}"#).contains("unknown field `x`"));
        assert!(refuse(r#"{"id":5}"#).contains("invalid type"));
    }

    #[test]
    fn the_schema_has_the_id_beside_the_rest() {
        let mut generator = SchemaGenerator::default();
        let schema = WithId::<MeterPatch>::json_schema(&mut generator).to_value();
        assert!(schema["properties"]["id"].is_object() && schema["properties"]["unit"].is_object());
        assert_eq!(schema["required"], serde_json::json!(["id"]));
    }
}

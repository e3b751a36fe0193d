//! Free-form JSON that a caller wants kept: bounded, stored as text, never interpreted beyond its texts.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

/// Most bytes, as compact JSON.
const MAX_BYTES: usize = 16 * 1024;
/// Deepest nesting.
const MAX_DEPTH: usize = 32;

/// A JSON object as compact text with its top-level keys sorted. Numbers keep the digits they were sent with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Properties(Box<str>);

impl Default for Properties {
    fn default() -> Self {
        Properties("{}".into())
    }
}

impl Properties {
    /// The object as JSON.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        &*self.0 == "{}"
    }

    /// Takes text that [`Properties::as_json`] gave before; anything else is read and checked anew.
    pub fn parse(json: &str) -> Result<Self, String> {
        if json == "{}" {
            return Ok(Self::default());
        }
        let members: BTreeMap<String, &RawValue> =
            serde_json::from_str(json).map_err(|_| "must be an object".to_owned())?;
        let mut text = String::with_capacity(json.len());
        text.push('{');
        for (key, value) in &members {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&serde_json::to_string(key).map_err(|e| e.to_string())?);
            text.push(':');
            push_compact(&mut text, value.get())?;
        }
        text.push('}');
        if text.len() > MAX_BYTES {
            return Err(format!("must be at most {MAX_BYTES} bytes of JSON"));
        }
        Ok(Properties(text.into()))
    }

    /// The members whose value is a text.
    pub fn texts(&self) -> BTreeMap<String, String> {
        if self.is_empty() {
            return BTreeMap::new();
        }
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(&self.0).unwrap_or_default();
        members.into_iter().filter_map(|(key, value)| Some((key, serde_json::from_str(value.get()).ok()?))).collect()
    }
}

/// Any JSON value as compact text. Numbers keep the digits they were sent with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(Box<str>);

impl Json {
    /// The value as JSON.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// Reads and checks a value.
    pub fn parse(json: &str) -> Result<Self, String> {
        let value: &RawValue = serde_json::from_str(json).map_err(|_| "must be JSON".to_owned())?;
        let mut text = String::with_capacity(json.len().min(MAX_BYTES));
        push_compact(&mut text, value.get())?;
        if text.len() > MAX_BYTES {
            return Err(format!("must be at most {MAX_BYTES} bytes of JSON"));
        }
        Ok(Json(text.into()))
    }
}

/// Copies valid JSON without the white space between its parts, and bounds its depth.
fn push_compact(out: &mut String, json: &str) -> Result<(), String> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for c in json.chars() {
        if quoted {
            quoted = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
        } else {
            match c {
                ' ' | '\n' | '\r' | '\t' => continue,
                '"' => quoted = true,
                '{' | '[' => depth += 1,
                '}' | ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth >= MAX_DEPTH {
                return Err(format!("must not be nested deeper than {MAX_DEPTH}"));
            }
        }
        out.push(c);
    }
    Ok(())
}

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Properties::parse(<&RawValue>::deserialize(deserializer)?.get()).map_err(de::Error::custom)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Json::parse(<&RawValue>::deserialize(deserializer)?.get()).map_err(de::Error::custom)
    }
}

impl JsonSchema for Json {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Json".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["object", "array", "string", "number", "boolean"],
            "additionalProperties": true,
            "items": true,
            "description": "Any JSON, at most 16 KiB.",
        })
    }
}

impl JsonSchema for Properties {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Properties".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": true, "description": "Any JSON object, at most 16 KiB." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_compact_sorted_and_exact() {
        let properties = Properties::parse(" { \"b\" : [ 1e400 , \"x \\\" y\" ] , \"a\" : 0.10 } ").unwrap();
        assert_eq!(properties.as_json(), r#"{"a":0.10,"b":[1e400,"x \" y"]}"#);
        assert_eq!(Properties::parse(properties.as_json()), Ok(properties));
    }

    #[test]
    fn any_bounded_value_is_kept_as_it_was_sent() {
        for text in [r#"{"b":[1e400,0.10],"a":"x y"}"#, "[1,[2]]", "0.10", "\"a b\"", "true"] {
            assert_eq!(Json::parse(&format!(" {text} ")).unwrap().as_json(), text);
        }
        assert_eq!(Json::parse("[1, {\"a\" : 2}]").unwrap().as_json(), r#"[1,{"a":2}]"#);
        for text in ["", "{", "1 2", "nothing", &format!("\"{}\"", "x".repeat(MAX_BYTES)), &"[".repeat(100_000)] {
            assert!(Json::parse(text).is_err(), "{:.40}", text);
        }
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::parse(&nested(MAX_DEPTH - 1)).is_ok() && Json::parse(&nested(MAX_DEPTH)).is_err());
    }

    #[test]
    fn only_bounded_objects_are_taken() {
        for text in ["[]", "1", "null", "\"a\"", "", "{", r#"{"a":}"#] {
            assert!(Properties::parse(text).is_err(), "{text}");
        }
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(Properties::parse(&nested(MAX_DEPTH - 1)).is_ok());
        assert!(Properties::parse(&nested(MAX_DEPTH)).is_err());
        assert!(Properties::parse(&nested(100_000)).is_err());
        assert!(Properties::parse(&format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BYTES))).is_err());
        assert!(
            Properties::parse(r#"{"a":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}"#).is_ok(),
            "brackets in a text do not nest"
        );
    }
}

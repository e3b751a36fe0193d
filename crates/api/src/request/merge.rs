//! The one rule by which path, query and body become one object.
//!
//! The members are put side by side as text, so that no digit is touched. A name that stands in two of them stands twice in
//! the object, which the guard then refuses.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::value::RawValue;

use super::fields::{Fields, Kind};

/// Merges the three into one object's text. `body` begins with a brace.
pub fn merge(path: &[(String, String)], query: &[(String, String)], body: &str, fields: &Fields) -> String {
    let members = &body[1..];
    let mut text = String::with_capacity(body.len() + 64);
    text.push('{');
    for (name, value) in path {
        member(&mut text, name, &quoted(value));
    }
    let mut parts: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (name, value) in query {
        match name.split_once('[').and_then(|(name, rest)| Some((name, rest.strip_suffix(']')?))) {
            Some((name, key)) if fields.kind(name) == Kind::Json => parts.entry(name).or_default().push((key, value)),
            _ => member(&mut text, name, &value_of(fields.kind(name), value)),
        }
    }
    for (name, members) in parts {
        let mut object = String::from("{");
        for (key, value) in members {
            member(&mut object, key, &quoted(value));
        }
        object.push('}');
        member(&mut text, name, &object);
    }
    if members.trim_ascii_start().starts_with('}') {
        text.push_str(members);
    } else {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(members);
    }
    text
}

fn member(text: &mut String, name: &str, value: &str) {
    if text.len() > 1 {
        text.push(',');
    }
    // Writing to a string cannot fail.
    let _ = write!(text, "{}:{value}", quoted(name));
}

/// A parameter as JSON: as it stands where it is of its field's kind, else as a text, for the reader to refuse by name.
fn value_of(kind: Kind, value: &str) -> String {
    let stands = match kind {
        Kind::Text => false,
        Kind::Bare => matches!(value, "true" | "false") || value.starts_with(|c: char| c == '-' || c.is_ascii_digit()),
        Kind::Json => value.starts_with(['{', '[']),
    };
    if stands && serde_json::from_str::<&RawValue>(value).is_ok() {
        value.trim_ascii().to_owned()
    } else {
        quoted(value)
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schemars::{JsonSchema, SchemaGenerator};
    use serde::Deserialize;
    use weir_core::error::Code;
    use weir_core::quantity::Quantity;

    use super::*;
    use crate::error::ApiError;

    /// A request with a field of each kind.
    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Wanted {
        id: Option<String>,
        name: Option<String>,
        rows: Option<u32>,
        on: Option<bool>,
        #[serde(default)]
        tags: BTreeMap<String, String>,
        list: Option<Vec<String>>,
        amount: Option<Quantity>,
    }

    fn fields() -> Fields {
        let mut generator = SchemaGenerator::default();
        let schema = generator.subschema_for::<Wanted>().to_value();
        Fields::of(&schema, generator.definitions())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn read(path: &[(&str, &str)], query: &[(&str, &str)], body: &str) -> Result<Wanted, ApiError> {
        let (path, query) = (pairs(path), pairs(query));
        let input = crate::request::Input { path: &path, query: &query, body: body.as_bytes() };
        let text = crate::request::text(&input, &fields())?;
        crate::request::read(&text, &fields())
    }

    #[test]
    fn members_come_from_all_three() {
        let read = read(
            &[("id", "a/b \"c\"")],
            &[("rows", "12"), ("on", "true"), ("tags[model]", "x"), ("tags[a.b]", "1"), ("name", "12")],
            r#" {"amount":0.100000001,"list":["p"]} "#,
        )
        .unwrap();
        assert_eq!(read.id.as_deref(), Some("a/b \"c\""));
        assert_eq!((read.rows, read.on, read.name.as_deref()), (Some(12), Some(true), Some("12")));
        assert_eq!(read.tags, BTreeMap::from([("model".into(), "x".into()), ("a.b".into(), "1".into())]));
        assert_eq!(read.amount.unwrap().to_string(), "0.100000001");
    }

    #[test]
    fn objects_and_lists_may_be_written_as_json() {
        let read = read(&[], &[("tags", r#"{"a":"b"}"#), ("list", r#"["a","b"]"#)], "").unwrap();
        assert_eq!((read.tags["a"].as_str(), read.list.unwrap().len()), ("b", 2));
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        for (name, value, field) in [
            ("rows", "many", "rows"),
            ("rows", "1e400", "rows"),
            ("rows", "-1", "rows"),
            ("rows", "", "rows"),
            ("on", "yes", "on"),
            ("tags", "[", "tags"),
            ("tags", "x", "tags"),
            ("list", "{}", "list"),
        ] {
            let error = read(&[], &[(name, value)], "").unwrap_err();
            assert_eq!(
                (error.code, error.details.field.as_deref()),
                (Code::InvalidFieldValue, Some(field)),
                "{name}={value}"
            );
        }
        let error = read(&[], &[("rwos", "1")], "").unwrap_err();
        assert_eq!((error.code, error.details.nearest.as_deref()), (Code::UnknownField, Some("rows")));
        assert_eq!(read(&[], &[("a[b]", "1")], "").unwrap_err().details.field.as_deref(), Some("a[b]"));
    }

    #[test]
    fn a_name_given_twice_is_refused() {
        for (path, query, body) in [
            (&[("id", "x")][..], &[][..], r#"{"id":"y"}"#),
            (&[], &[("rows", "1"), ("rows", "2")], ""),
            (&[], &[("rows", "1")], r#"{"rows":1}"#),
            (&[], &[("tags[a]", "1"), ("tags[a]", "2")], ""),
            (&[], &[("tags", "{}"), ("tags[a]", "2")], ""),
        ] {
            assert_eq!(read(path, query, body).unwrap_err().code, Code::InvalidFieldValue, "{path:?} {query:?} {body}");
        }
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        for body in ["[]", "1", "null", "\"a\"", "{", "{}}", "{} {}", "{,}", "[{\"id\":\"x\"}]", "{\"id\":}", "NaN"] {
            for query in [&[][..], &[("rows", "1")][..]] {
                let error = read(&[], query, body).unwrap_err();
                assert_eq!(error.code, Code::InvalidRequest, "{body} {query:?}: {error}");
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_in_a_parameter_escapes_it(id in "\\PC{0,40}", name in "\\PC{0,40}", key in "[^\\[\\]]{0,10}") {
            let tag = format!("tags[{key}]");
            let read = read(&[("id", &id)], &[("name", &name), (&tag, &name)], r#"{"rows":7}"#).unwrap();
            prop_assert_eq!(read.id.as_deref(), Some(id.as_str()));
            prop_assert_eq!(read.name.as_deref(), Some(name.as_str()));
            prop_assert_eq!(&read.tags[&key], &name);
            prop_assert_eq!(read.rows, Some(7));
        }

        #[test]
        fn any_input_is_answered(name in "\\PC{0,12}", value in "\\PC{0,12}", body in "[{}\\[\\]\",:a-e0-9]{0,30}") {
            let _ = read(&[], &[(&name, &value)], &body);
            let _ = read(&[], &[("rows", &value), ("tags", &value), ("list", &value)], "");
        }
    }
}

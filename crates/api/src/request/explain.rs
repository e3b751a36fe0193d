//! Why a request could not be read, in the contract's codes, naming the field.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::Segment;
use weir_core::error::Code;

use super::fields::Fields;
use super::nearest::nearest;
use crate::error::{ApiError, Details};

/// Most characters of a caller's text that a message repeats.
const MAX_SHOWN: usize = 200;

/// Reads once more, this time following where in the text the reader is.
pub fn explain<T: DeserializeOwned>(text: &str, error: &serde_json::Error, fields: &Fields) -> ApiError {
    let mut reader = serde_json::Deserializer::from_str(text);
    let (path, reason) = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Ok(_) => (String::new(), error.to_string()),
        Err(error) => (path_of(error.path()), error.inner().to_string()),
    };
    let reason = without_position(&reason);
    if let Err(syntax) = serde_json::from_str::<IgnoredAny>(text) {
        return ApiError {
            code: Code::InvalidRequest,
            message: cut(&format!("the request is not JSON: {syntax}")),
            details: Details { field: (!path.is_empty()).then_some(path), ..Details::default() },
        };
    }
    fault(&path, reason, fields)
}

/// Where the reader was, as far as it knew.
fn path_of(path: &serde_path_to_error::Path) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Map { key } => text = joined(&text, key),
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Enum { .. } => {}
            Segment::Unknown => break,
        }
    }
    text
}

/// The reader's words in ours. Its sentences are stable; one that is not known is passed on as it is.
fn fault(path: &str, reason: &str, fields: &Fields) -> ApiError {
    if let Some(name) = ticked(reason, "missing field ") {
        let field = joined(path, name);
        return ApiError {
            code: Code::MissingRequiredField,
            message: format!("`{field}` is required"),
            details: Details { field: Some(field), ..Details::default() },
        };
    }
    if let Some(name) = ticked(reason, "unknown field ") {
        return unknown(path, name, reason, fields);
    }
    if path.is_empty() {
        if let Some(name) = ticked(reason, "duplicate field ") {
            return ApiError::invalid(name, "is given twice");
        }
        return ApiError::new(Code::InvalidRequest, cut(&format!("the request cannot be read: {}", reworded(reason))));
    }
    ApiError::invalid(path, cut(&reworded(reason)))
}

fn unknown(path: &str, name: &str, reason: &str, fields: &Fields) -> ApiError {
    // The reader may or may not have counted the unknown name into the path.
    let parent = path.strip_suffix(name).map_or(path, |parent| parent.trim_end_matches('.'));
    let shown: String = name.chars().take(MAX_SHOWN).collect();
    let field = joined(parent, &shown);
    let listed: Vec<&str> = reason.split('`').skip(3).step_by(2).collect();
    let near = if parent.is_empty() {
        nearest(name, fields.top())
    } else {
        nearest(name, listed).or_else(|| nearest(name, fields.all()))
    };
    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    ApiError {
        code: Code::UnknownField,
        message: format!("there is no field `{field}`{hint}"),
        details: Details { field: Some(field), nearest: near.map(str::to_owned), ..Details::default() },
    }
}

/// What stands between the ticks after a beginning.
fn ticked<'a>(reason: &'a str, beginning: &str) -> Option<&'a str> {
    let rest = reason.strip_prefix(beginning)?.strip_prefix('`')?;
    // The name itself may hold ticks; what follows it is one of two endings.
    let end = rest.find("`, expected ").or_else(|| rest.find("`, there are no fields")).or_else(|| rest.rfind('`'))?;
    Some(&rest[..end])
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Without ` at line 1 column 7`: the text that was read is not the one that was sent.
fn without_position(reason: &str) -> &str {
    reason.rfind(" at line ").map_or(reason, |end| &reason[..end])
}

fn reworded(reason: &str) -> String {
    for beginning in ["invalid type: ", "invalid value: ", "invalid length "] {
        if let Some((found, expected)) = reason.strip_prefix(beginning).and_then(|rest| rest.rsplit_once(", expected "))
        {
            return format!("must be {}, not {found}", plain(expected, found));
        }
    }
    if let Some((found, expected)) =
        reason.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", expected "))
    {
        return format!("must be {expected}, not {found}");
    }
    let flows = ["must ", "has ", "is "].iter().any(|beginning| reason.starts_with(beginning));
    if flows { reason.to_owned() } else { format!("is {reason}") }
}

/// The reader's name of a type, for people: the bounds of its numbers are the machine's, and not those of the field.
fn plain<'a>(expected: &'a str, found: &str) -> &'a str {
    let is_too_large = found.strip_prefix("integer `").is_some_and(|number| !number.starts_with('-'));
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" if is_too_large => "a smaller whole number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f64" | "f32" => "a number",
        "a string" | "a borrowed string" | "a formatted string" => "a text",
        "a boolean" => "true or false",
        "a map" => "an object",
        "a sequence" => "a list",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(2 * MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use schemars::SchemaGenerator;
    use weir_core::event::EventInput;
    use weir_engine::model::{NewLimit, NewMeter};

    use super::*;

    fn refuse<T: DeserializeOwned + schemars::JsonSchema>(body: &str) -> (String, String, String) {
        let mut generator = SchemaGenerator::default();
        let schema = generator.subschema_for::<T>().to_value();
        let fields = Fields::of(&schema, generator.definitions());
        let Err(error) = super::super::read::<T>(body, &fields) else { panic!("{body} was read") };
        (error.code.as_str().to_owned(), error.details.field.unwrap_or_default(), error.message)
    }

    #[test]
    fn each_fault_has_its_code_and_names_its_field() {
        for (body, code, field) in [
            (r#"{}"#, "missing_required_field", "customerId"),
            (r#"{"customerId":"a"}"#, "missing_required_field", "eventType"),
            (r#"{"customerId":1}"#, "invalid_field_value", "customerId"),
            (r#"{"customerId":null}"#, "invalid_field_value", "customerId"),
            (r#"{"customerId":"a","eventType":"b","values":{"t":"x"}}"#, "invalid_field_value", "values.t"),
            (r#"{"customerId":"a","eventType":"b","values":{"t":1e400}}"#, "invalid_field_value", "values.t"),
            (r#"{"customerId":"a","eventType":"b","values":{"t":null}}"#, "invalid_field_value", "values.t"),
            (
                r#"{"customerId":"a","eventType":"b","values":{"t":123456789012345678901234567890}}"#,
                "invalid_field_value",
                "values.t",
            ),
            (r#"{"customerId":"a","eventType":"b","values":[1]}"#, "invalid_field_value", "values"),
            (r#"{"customerId":"a","eventType":"b","values":{"t":NaN}}"#, "invalid_request", "values.t"),
            (r#"{"customerId":"a","eventType":"b","timestamp":"yesterday"}"#, "invalid_field_value", "timestamp"),
            (r#"{"customerId":"a","eventType":"b","timestamp":5}"#, "invalid_field_value", "timestamp"),
            (r#"{"customerId":"a","eventType":"b","properties":[]}"#, "invalid_field_value", "properties"),
            (r#"{"customerId":"a","eventType":"b","dimensions":{"a":1}}"#, "invalid_field_value", "dimensions.a"),
            (r#"{"customerId":"a","eventType":"b","costCents":true}"#, "invalid_field_value", "costCents"),
            (r#"{"customerId":"\ud800","eventType":"b"}"#, "invalid_field_value", "customerId"),
            (r#"{"customerId":"a","evenType":"b"}"#, "unknown_field", "evenType"),
            (r#"{"customerId":"a","":"b"}"#, "unknown_field", ""),
            (r#"{"customerId":"a","a`b, expected ":"b"}"#, "unknown_field", "a`b, expected "),
            (r#""a""#, "invalid_request", ""),
            (r#"{"customerId":"a" "eventType":"b"}"#, "invalid_request", ""),
            ("", "invalid_request", ""),
        ] {
            let (got_code, got_field, message) = refuse::<EventInput>(body);
            assert_eq!((got_code.as_str(), got_field.as_str()), (code, field), "{body}: {message}");
        }
    }

    #[test]
    fn nested_names_and_choices_are_named_too() {
        let meter = r#"{"name":"m","aggregation":"sum","field":"values.t""#;
        let (code, field, message) = refuse::<NewMeter>(&format!(r#"{meter},"eventFilter":{{"event_type":"a"}}}}"#));
        assert_eq!((code.as_str(), field.as_str()), ("unknown_field", "eventFilter.event_type"));
        assert!(message.ends_with("did you mean `eventType`?"), "{message}");
        let (code, field, message) = refuse::<NewMeter>(r#"{"name":"m","aggregation":"total","field":"*"}"#);
        assert_eq!((code.as_str(), field.as_str()), ("invalid_field_value", "aggregation"));
        assert!(message.contains("`sum`") && message.contains("not `total`"), "{message}");
        let limit = |rest: &str| refuse::<NewLimit>(&format!(r#"{{"name":"l","period":"day","limitValue":1{rest}}}"#));
        assert_eq!(limit(r#","meterId":"m""#).1, "meterId");
        let meter = r#","meterId":"mtr_00000000-0000-0000-0000-000000000000""#;
        let (_, field, message) = limit(&format!(r#"{meter},"alertThresholds":[80,-1]"#));
        let message = message.split_once(" must ").unwrap().1;
        assert_eq!(
            (field.as_str(), message),
            ("alertThresholds[1]", "be a whole number that is not negative, not integer `-1`")
        );
        let (_, _, message) = limit(&format!(r#"{meter},"alertThresholds":[70000]"#));
        assert!(message.ends_with("must be a smaller whole number, not integer `70000`"), "{message}");
        let (_, field, message) = limit(&format!(r#"{meter},"enabled":"yes""#));
        assert_eq!(
            (field.as_str(), message.as_str()),
            ("enabled", r#"`enabled` must be true or false, not string "yes""#)
        );
    }
}

//! Limits in TOML.

use std::fmt::Write;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use weir_core::error::{Code, Fault};
use weir_engine::model::{Enforcement, StatedLimit};

use super::{Entry, Place};
use crate::error::ApiError;

/// The name of the tables.
const TABLE: &str = "limit";

/// Limits as tables.
pub(super) fn write(limits: &[StatedLimit]) -> String {
    if limits.is_empty() {
        return format!("{TABLE} = []\n");
    }
    limits.iter().map(table).collect::<Vec<_>>().join("\n")
}

/// One limit as a table. What is as when left out is left out.
fn table(limit: &StatedLimit) -> String {
    let mut out = format!("[[{TABLE}]]\n");
    let mut put = |name: &str, value: String| {
        // Writing into a text cannot fail.
        let _ = writeln!(out, "{name} = {value}");
    };
    put("name", quoted(&limit.name));
    if let Some(customer) = &limit.customer_id {
        put("customerId", quoted(customer));
    }
    match (&limit.meter, limit.meter_id) {
        (Some(meter), _) => put("meter", quoted(meter)),
        (None, Some(id)) => put("meterId", quoted(&id.to_string())),
        (None, None) => {}
    }
    let value = limit.limit_value.to_string();
    let whole = value.bytes().all(|byte| byte.is_ascii_digit());
    put("limitValue", if whole { value } else { quoted(&value) });
    put("period", quoted(limit.period.as_str()));
    if !limit.dimension_filters.is_empty() {
        let filters =
            limit.dimension_filters.iter().map(|(name, value)| format!("{} = {}", quoted(name), quoted(value)));
        put("dimensionFilters", format!("{{ {} }}", filters.collect::<Vec<_>>().join(", ")));
    }
    if !limit.alert_thresholds.is_empty() {
        let thresholds: Vec<_> = limit.alert_thresholds.iter().map(u16::to_string).collect();
        put("alertThresholds", format!("[{}]", thresholds.join(", ")));
    }
    if limit.enforcement != Enforcement::default() {
        put("enforcement", quoted(limit.enforcement.as_str()));
    }
    if !limit.enabled {
        put("enabled", "false".to_owned());
    }
    out
}

/// A text on one line.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The limits of a file, each as JSON with every digit, and where it stands.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, ApiError> {
    let lines = Lines::of(text);
    let file = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| lines.at(span.start));
        let reason = error.message();
        ApiError {
            code: Code::InvalidRequest,
            ..Fault::invalid("text", format_args!("is not TOML: line {line}: {reason}")).into()
        }
    })?;
    let mut limits = None;
    for (name, value) in file.into_inner() {
        let line = lines.at(name.span().start);
        let name = name.into_inner();
        if name != TABLE {
            let reason = format_args!("must hold `[[{TABLE}]]` tables alone: line {line} begins `{name}`");
            return Err(ApiError { code: Code::UnknownField, ..Fault::invalid("text", reason).into() });
        }
        limits = Some((line, value.into_inner()));
    }
    // A file that was cut short is not one that states that there is no limit.
    let Some((line, limits)) = limits else {
        let reason = format_args!("holds no limit; `{TABLE} = []` says that there is none");
        return Err(ApiError::invalid("text", reason));
    };
    let DeValue::Array(limits) = limits else {
        return Err(ApiError::invalid("text", format_args!("must hold `[[{TABLE}]]` tables: line {line} is none")));
    };
    Ok(limits.iter().map(|limit| entry(limit, &lines)).collect())
}

fn entry(limit: &Spanned<DeValue<'_>>, lines: &Lines) -> Entry {
    let mut json = String::new();
    push_json(&mut json, limit.get_ref());
    let fields = limit.get_ref().as_table().into_iter().flatten();
    let fields = fields.map(|(name, _)| (name.get_ref().to_string(), lines.at(name.span().start))).collect();
    Entry { json, place: Some(Place { line: lines.at(limit.span().start), fields }) }
}

/// A value as JSON. Numbers keep their digits; what JSON has no number for becomes a text, which the reader refuses by name.
fn push_json(out: &mut String, value: &DeValue<'_>) {
    match value {
        DeValue::String(text) => push_text(out, text),
        DeValue::Integer(number) if number.radix() == 10 => out.push_str(number.as_str().trim_start_matches('+')),
        DeValue::Integer(number) => push_text(out, &number.to_string()),
        DeValue::Float(number) => {
            let digits = number.as_str().trim_start_matches('+');
            match digits.contains("inf") || digits.contains("nan") {
                true => push_text(out, digits),
                false => out.push_str(digits),
            }
        }
        DeValue::Boolean(yes) => out.push_str(if *yes { "true" } else { "false" }),
        DeValue::Datetime(at) => push_text(out, &at.to_string()),
        DeValue::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push_json(out, item.get_ref());
            }
            out.push(']');
        }
        DeValue::Table(members) => {
            out.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push_text(out, name.get_ref());
                out.push(':');
                push_json(out, value.get_ref());
            }
            out.push('}');
        }
    }
}

fn push_text(out: &mut String, text: &str) {
    // A text can always be written.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Lines(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// The line of a place, from 1.
    fn at(&self, place: usize) -> usize {
        self.0.partition_point(|start| *start <= place)
    }
}

#[cfg(test)]
mod tests {
    use weir_core::quantity::Quantity;

    use super::*;

    fn limit(value: &str) -> StatedLimit {
        serde_json::from_str(&format!(r#"{{"name":"A \"b\\ é","meter":"m","limitValue":"{value}","period":"day","dimensionFilters":{{"a.b":"x y"}}}}"#)).unwrap()
    }

    #[test]
    fn every_digit_is_there_and_back() {
        for (value, written) in [
            ("0.1", "\"0.1\""),
            ("123456789012345678.123456789", "\"123456789012345678.123456789\""),
            ("999999999999999999", "999999999999999999"),
            ("100000", "100000"),
        ] {
            let limit = limit(value);
            let text = write(std::slice::from_ref(&limit));
            assert!(text.contains(&format!("limitValue = {written}\n")), "{text}");
            let entries = entries(&text).unwrap();
            assert_eq!(serde_json::from_str::<StatedLimit>(&entries[0].json).unwrap(), limit, "{text}");
        }
    }

    #[test]
    fn bare_numbers_are_read_by_their_digits() {
        for (written, value) in [
            ("0.1", "0.1"),
            ("123456789012345678.123456789", "123456789012345678.123456789"),
            ("+1_000.50", "1000.5"),
            ("1_000_000", "1000000"),
            ("1e3", "1000"),
        ] {
            let text = format!("[[limit]]\nname = 'x'\nmeter = 'm'\nperiod = 'day'\nlimitValue = {written}\n");
            let entries = entries(&text).unwrap();
            let limit: StatedLimit = serde_json::from_str(&entries[0].json).unwrap();
            assert_eq!(limit.limit_value, value.parse::<Quantity>().unwrap(), "{written}");
        }
        for odd in ["inf", "nan", "0xff", "1979-05-27"] {
            let entries = entries(&format!("[[limit]]\nlimitValue = {odd}")).unwrap();
            assert!(entries[0].json.contains('"'), "{odd} is no number here");
        }
    }

    #[test]
    fn places_are_known_by_line() {
        let found = entries("# a file\n\n[[limit]]\nname = 'x'\n\n[[limit]]\n\nperiod = 'day'\n").unwrap();
        let places: Vec<_> = found.iter().map(|entry| entry.place.as_ref().unwrap()).collect();
        assert_eq!((places[0].line, places[0].fields["name"]), (3, 4));
        assert_eq!((places[1].line, places[1].fields["period"]), (6, 8));
        let refused = |text: &str| entries(text).err().unwrap().message;
        assert!(refused("[[limit]]\nname = \n").contains("line 2"), "{}", refused("[[limit]]\nname = \n"));
        assert!(refused("\n[[limits]]\n").contains("line 2"));
        assert!(refused("limit = 5").contains("line 1"));
        assert!(refused("# cut short\n").contains("holds no limit"));
        assert!(entries(&write(&[])).unwrap().is_empty());
    }
}

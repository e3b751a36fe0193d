//! Usage events: what a caller sends, and what is metered.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Fault;
use crate::id::EventId;
use crate::properties::Properties;
use crate::quantity::Quantity;
use crate::text::{self, MAX_SHORT};
use crate::time::Timestamp;

/// Most values, and most dimensions, of one event.
pub const MAX_ENTRIES: usize = 64;
/// How far ahead of the server's clock an event may lie, in microseconds.
const MAX_AHEAD: i64 = 5 * 60 * 1_000_000;
/// The dimensions that every event has by itself.
pub const BUILT_IN_DIMENSIONS: [&str; 2] = ["customer_id", "event_type"];

/// An event as a caller sends it, before any check.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventInput {
    /// The customer's external id.
    #[schemars(with = "crate::schema::Short")]
    pub customer_id: String,
    /// What happened, such as `llm.completion`.
    #[schemars(with = "crate::schema::Short")]
    pub event_type: String,
    /// Named quantities.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "crate::schema::Values")]
    pub values: BTreeMap<String, Quantity>,
    /// Named texts to filter and group by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "crate::schema::Dimensions")]
    pub dimensions: BTreeMap<String, String>,
    /// Anything else worth keeping; its texts become dimensions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<Properties>,
    /// When it happened; now, when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// A key under which a repeat is recognised, unique per customer for ever.
    #[serde(default, alias = "id", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::schema::Short>")]
    pub idempotency_key: Option<String>,
    /// Short for the dimension `model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::schema::MaybeShort>")]
    pub model: Option<String>,
    /// Short for the dimension `provider`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::schema::MaybeShort>")]
    pub provider: Option<String>,
    /// Short for the value `input_tokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<Quantity>,
    /// Short for the value `output_tokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<Quantity>,
    /// Short for the value `tokens`; input plus output tokens when those two are given and this is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_tokens: Option<Quantity>,
    /// Short for the value `cost_cents`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_cents: Option<Quantity>,
    /// Short for the value `latency_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<Quantity>,
}

/// An event that passed every check: shorthands resolved, one effective dimension set, bounded in size.
#[derive(Clone, Debug, PartialEq)]
pub struct EventDraft {
    /// The customer's external id.
    pub customer: String,
    /// What happened.
    pub event_type: String,
    /// Named quantities.
    pub values: BTreeMap<String, Quantity>,
    /// The effective dimension set, without the built-in two.
    pub dimensions: BTreeMap<String, String>,
    /// What the caller wanted kept.
    pub properties: Properties,
    /// When it happened, where the caller said so.
    pub timestamp: Option<Timestamp>,
    /// The caller's key.
    pub idempotency_key: Option<String>,
}

impl EventInput {
    /// Checks every bound and resolves shorthands and dimensions. `now` bounds the timestamp.
    pub fn validate(self, now: Timestamp) -> Result<EventDraft, Fault> {
        text::check_external_id("customerId", &self.customer_id)?;
        text::check("eventType", &self.event_type, 1, MAX_SHORT)?;
        if let Some(key) = &self.idempotency_key {
            text::check("idempotencyKey", key, 1, MAX_SHORT)?;
        }
        if let Some(at) = self.timestamp {
            check_time(at, now)?;
        }
        let values = self.values()?;
        let properties = self.properties.clone().unwrap_or_default();
        let dimensions = self.dimensions(&properties)?;
        Ok(EventDraft {
            customer: self.customer_id,
            event_type: self.event_type,
            values,
            dimensions,
            properties,
            timestamp: self.timestamp,
            idempotency_key: self.idempotency_key,
        })
    }

    /// Refuses what only the operator's own programs may say: corrections downwards, and when it happened.
    pub fn check_from_client(&self) -> Result<(), Fault> {
        let shorthands = [
            ("inputTokens", self.input_tokens),
            ("outputTokens", self.output_tokens),
            ("totalTokens", self.total_tokens),
            ("costCents", self.cost_cents),
            ("latencyMs", self.latency_ms),
        ];
        let given = shorthands.into_iter().filter_map(|(field, given)| Some((field.to_owned(), given?)));
        let named = self.values.iter().map(|(name, value)| (format!("values.{name}"), *value));
        for (field, value) in given.chain(named) {
            check_not_negative(field, value)?;
        }
        match self.timestamp {
            None => Ok(()),
            Some(_) => Err(Fault::invalid("timestamp", "must not be given by a client: the event happens now")),
        }
    }

    fn values(&self) -> Result<BTreeMap<String, Quantity>, Fault> {
        let mut values = self.values.clone();
        for key in values.keys() {
            text::check_key(&format!("values.{key}"), key)?;
        }
        let shorthands = [
            ("inputTokens", "input_tokens", self.input_tokens),
            ("outputTokens", "output_tokens", self.output_tokens),
            ("totalTokens", "tokens", self.total_tokens),
            ("costCents", "cost_cents", self.cost_cents),
            ("latencyMs", "latency_ms", self.latency_ms),
        ];
        for (field, name, given) in shorthands {
            let Some(given) = given else { continue };
            if *values.entry(name.to_owned()).or_insert(given) != given {
                return Err(Fault::invalid(field, format_args!("contradicts `values.{name}`")));
            }
        }
        if let (Some(input), Some(output)) = (self.input_tokens, self.output_tokens)
            && !values.contains_key("tokens")
        {
            let total = input.checked_add(output).map_err(|overflow| Fault::invalid("totalTokens", overflow))?;
            values.insert("tokens".to_owned(), total);
        }
        if values.len() > MAX_ENTRIES {
            return Err(Fault::invalid("values", format_args!("must have at most {MAX_ENTRIES} entries")));
        }
        Ok(values)
    }

    /// Explicit dimensions first, then shorthands, then the texts among the properties.
    fn dimensions(&self, properties: &Properties) -> Result<BTreeMap<String, String>, Fault> {
        let mut dimensions = self.dimensions.clone();
        check_dimensions("dimensions", &dimensions)?;
        for (name, own) in BUILT_IN_DIMENSIONS.into_iter().zip([&self.customer_id, &self.event_type]) {
            if let Some(given) = dimensions.remove(name)
                && given != *own
            {
                return Err(Fault::invalid(format!("dimensions.{name}"), "contradicts the event itself"));
            }
        }
        for (field, given) in [("model", &self.model), ("provider", &self.provider)] {
            let Some(given) = given else { continue };
            text::check(field, given, 0, MAX_SHORT)?;
            if dimensions.entry(field.to_owned()).or_insert_with(|| given.clone()) != given {
                return Err(Fault::invalid(field, format_args!("contradicts `dimensions.{field}`")));
            }
        }
        for (key, value) in properties.texts() {
            // A property may be anything; one that cannot be a dimension stays a property alone.
            if text::check_key("", &key).is_ok()
                && text::check("", &value, 0, MAX_SHORT).is_ok()
                && !BUILT_IN_DIMENSIONS.contains(&&*key)
            {
                dimensions.entry(key).or_insert(value);
            }
        }
        if dimensions.len() > MAX_ENTRIES {
            return Err(Fault::invalid(
                "dimensions",
                format_args!("must have at most {MAX_ENTRIES} entries, texts in `properties` included"),
            ));
        }
        Ok(dimensions)
    }
}

/// Checks a value that a client sends.
pub fn check_not_negative(field: impl Into<String>, value: Quantity) -> Result<(), Fault> {
    if value.is_negative() {
        return Err(Fault::invalid(field, "must not be negative from a client"));
    }
    Ok(())
}

/// Checks keys and values of a set of dimensions, as an event or a filter names them.
pub fn check_dimensions(field: &str, dimensions: &BTreeMap<String, String>) -> Result<(), Fault> {
    if dimensions.len() > MAX_ENTRIES {
        return Err(Fault::invalid(field, format_args!("must have at most {MAX_ENTRIES} entries")));
    }
    for (key, value) in dimensions {
        let path = || format!("{field}.{key}");
        if !text::is_key(key) {
            return text::check_key(&path(), key);
        }
        if value.len() > MAX_SHORT || value.chars().any(char::is_control) {
            text::check(&path(), value, 0, MAX_SHORT)?;
        }
    }
    Ok(())
}

fn check_time(at: Timestamp, now: Timestamp) -> Result<(), Fault> {
    if at.as_micros() < 0 {
        return Err(Fault::invalid("timestamp", "must not lie before 1970"));
    }
    if at.as_micros() > now.as_micros().saturating_add(MAX_AHEAD) {
        return Err(Fault::invalid("timestamp", "must not lie more than 5 minutes ahead"));
    }
    Ok(())
}

impl EventDraft {
    /// Tells two bodies under one idempotency key apart: equal for equal events however they were written, with defaults left out.
    pub fn body_hash(&self) -> [u8; 16] {
        let mut hash = Sha256::new();
        let mut part = |tag: u8, text: &[u8]| {
            hash.update([tag]);
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        part(b't', self.event_type.as_bytes());
        for (name, value) in &self.values {
            part(b'v', name.as_bytes());
            part(b'=', &value.steps().to_le_bytes());
        }
        for (name, value) in &self.dimensions {
            part(b'd', name.as_bytes());
            part(b'=', value.as_bytes());
        }
        part(b'p', self.properties.as_json().as_bytes());
        if let Some(at) = self.timestamp {
            part(b'@', &at.as_micros().to_le_bytes());
        }
        shorten(hash)
    }
}

/// The 16-byte name of an idempotency key or of a member of a `unique` set.
pub fn hash_text(text: &str) -> [u8; 16] {
    shorten(Sha256::new().chain_update(text.as_bytes()))
}

fn shorten(hash: Sha256) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}

/// What metering looks at in an event.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Decides between two events of one instant.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// The customer's external id, the dimension `customer_id`.
    pub customer: &'a str,
    /// What happened, the dimension `event_type`.
    pub event_type: &'a str,
    /// Named quantities.
    pub values: &'a BTreeMap<String, Quantity>,
    /// The effective dimension set, without the built-in two.
    pub dimensions: &'a BTreeMap<String, String>,
}

impl<'a> Facts<'a> {
    /// A dimension's value, the built-in two included.
    pub fn dimension(&self, name: &str) -> Option<&'a str> {
        match name {
            "customer_id" => Some(self.customer),
            "event_type" => Some(self.event_type),
            _ => self.dimensions.get(name).map(String::as_str),
        }
    }
}

/// A recorded event, as answered.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Which event.
    pub id: EventId,
    /// The project it belongs to.
    pub project_id: crate::id::ProjectId,
    /// The customer's external id.
    pub customer_id: Cow<'static, str>,
    /// What happened.
    pub event_type: String,
    /// Named quantities.
    pub values: BTreeMap<String, Quantity>,
    /// The effective dimension set.
    pub dimensions: BTreeMap<String, String>,
    /// What the caller wanted kept.
    pub properties: Properties,
    /// When it happened.
    pub timestamp: Timestamp,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was voided.
    pub voided_at: Option<Timestamp>,
    /// Why it was voided.
    pub void_reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    fn read(body: &str) -> Result<EventDraft, Fault> {
        let base = r#"{"customerId":"acme","eventType":"call""#;
        let input: EventInput = serde_json::from_str(&format!("{base}{body}}}")).expect("a readable event");
        input.validate(NOW)
    }

    fn field_of(body: &str) -> String {
        read(body).expect_err("a fault").field.expect("a named field")
    }

    #[test]
    fn dimensions_come_from_three_places_in_order() {
        let draft = read(
            r#","dimensions":{"a":"1","model":"m"},"model":"m","properties":{"a":"2","b":"3","n":4,"event_type":"no"}"#,
        )
        .unwrap();
        let expected = [("a", "1"), ("b", "3"), ("model", "m")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(draft.dimensions, BTreeMap::from(expected));
    }

    #[test]
    fn tokens_are_the_sum_unless_given() {
        let tokens = |body: &str| read(body).unwrap().values["tokens"].to_string();
        assert_eq!(tokens(r#","inputTokens":1.5,"outputTokens":"2""#), "3.5");
        assert_eq!(tokens(r#","inputTokens":1,"outputTokens":2,"totalTokens":9"#), "9");
        assert_eq!(tokens(r#","inputTokens":1,"outputTokens":2,"values":{"tokens":7}"#), "7");
        assert!(!read(r#","inputTokens":1"#).unwrap().values.contains_key("tokens"));
    }

    #[test]
    fn a_fault_names_its_field() {
        assert_eq!(field_of(r#","inputTokens":1,"values":{"input_tokens":2}"#), "inputTokens");
        assert_eq!(field_of(r#","model":"a","dimensions":{"model":"b"}"#), "model");
        assert_eq!(field_of(r#","values":{"a b":2}"#), "values.a b");
        assert_eq!(field_of(r#","dimensions":{"a":"\u0007"}"#), "dimensions.a");
        assert_eq!(field_of(r#","dimensions":{"customer_id":"other"}"#), "dimensions.customer_id");
        assert_eq!(field_of(r#","timestamp":"1969-12-31T23:59:59Z""#), "timestamp");
        assert_eq!(field_of(r#","timestamp":"2023-11-14T22:18:20.000001Z""#), "timestamp");
        assert_eq!(field_of(&format!(r#","idempotencyKey":"{}""#, "k".repeat(257))), "idempotencyKey");
        let many: Vec<_> = (0..65).map(|i| format!(r#""d{i}":"x""#)).collect();
        assert_eq!(field_of(&format!(r#","dimensions":{{{}}}"#, many.join(","))), "dimensions");
        assert_eq!(field_of(&format!(r#","properties":{{{}}}"#, many.join(","))), "dimensions");
        assert!(read(r#","timestamp":"2023-11-14T22:18:20Z""#).is_ok(), "exactly five minutes ahead");
    }

    #[test]
    fn two_writings_of_one_event_hash_alike() {
        let hash = |body: &str| read(body).unwrap().body_hash();
        assert_eq!(hash(r#","inputTokens":1.50"#), hash(r#","values":{"input_tokens":"1.5"}"#));
        assert_eq!(hash(r#","properties":{"b":1,"a":{"x" : 2}}"#), hash(r#","properties":{"a":{"x":2},"b":1}"#));
        assert_eq!(hash(r#","properties":{}"#), hash(""));
        assert_ne!(hash(r#","timestamp":"2023-01-01T00:00:00Z""#), hash(""));
        assert_ne!(hash(r#","values":{"a":1}"#), hash(r#","values":{"a":2}"#));
        assert_ne!(hash(r#","dimensions":{"a":"bc"}"#), hash(r#","dimensions":{"ab":"c"}"#));
    }
}

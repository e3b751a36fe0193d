//! Events of any shape: checked without a panic, bounded once accepted, and matched as their parts say.

use std::collections::BTreeMap;

use proptest::option::of;
use proptest::prelude::*;
use uuid::Uuid;
use weir_core::aggregate::{Aggregation, Field, What};
use weir_core::event::{BUILT_IN_DIMENSIONS, EventDraft, EventInput, Facts, hash_text};
use weir_core::filter::{EventFilter, within};
use weir_core::id::EventId;
use weir_core::properties::Properties;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

const NOW: Timestamp = Timestamp::from_micros(1_773_144_000_000_000);
const AHEAD: i64 = 300_000_000;

/// Any text: nothing, plain, with controls and beyond the basic plane, too long.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,3}",
        1 => "[A-Za-z0-9_.-]{0,66}",
        1 => ".{0,4}",
        1 => any::<String>(),
        1 => "[é\u{10348}x]{254,258}",
        1 => Just("cus_0190163d-8694-739b-aea5-966c26f8ad91".to_owned()),
        1 => prop::sample::select(BUILT_IN_DIMENSIONS.to_vec()).prop_map(str::to_owned),
    ]
}

/// Any number, also those that no caller could send.
fn quantity() -> impl Strategy<Value = Quantity> {
    prop_oneof![(-9..9_i64).prop_map(Quantity::from_int), any::<i128>().prop_map(Quantity::from_steps)]
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    let edges = [0, -1, 1, NOW.as_micros() + AHEAD, NOW.as_micros() + AHEAD + 1, i64::MIN, i64::MAX];
    prop_oneof![prop::sample::select(edges.to_vec()), any::<i64>()].prop_map(Timestamp::from_micros)
}

fn properties() -> impl Strategy<Value = Properties> {
    let value = prop_oneof![
        text().prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just("[1, {\"a\": null}]".to_owned()),
        Just("1e400".to_owned()),
        Just("\"\\ud800\"".to_owned()),
    ];
    prop::collection::vec((text(), value), 0..6).prop_filter_map("too large to be read", |members| {
        let members: Vec<_> = members
            .into_iter()
            .map(|(key, value)| format!("{}:{value}", serde_json::to_string(&key).unwrap()))
            .collect();
        Properties::parse(&format!("{{{}}}", members.join(","))).ok()
    })
}

fn input() -> impl Strategy<Value = EventInput> {
    let names = (text(), text(), of(text()), of(text()), of(text()));
    let entries = (
        prop_oneof![9 => prop::collection::btree_map(text(), quantity(), 0..5), 1 => prop::collection::btree_map("[a-z]{2,3}", quantity(), 60..70)],
        prop_oneof![9 => prop::collection::btree_map(text(), text(), 0..5), 1 => prop::collection::btree_map("[a-z]{2,3}", "x", 60..70)],
        of(properties()),
        of(timestamp()),
    );
    let shorthands = prop::array::uniform5(of(quantity()));
    (names, entries, shorthands).prop_map(|(names, entries, shorthands)| {
        let (customer_id, event_type, idempotency_key, model, provider) = names;
        let (values, dimensions, properties, timestamp) = entries;
        let [input_tokens, output_tokens, total_tokens, cost_cents, latency_ms] = shorthands;
        EventInput {
            customer_id,
            event_type,
            values,
            dimensions,
            properties,
            timestamp,
            idempotency_key,
            model,
            provider,
            input_tokens,
            output_tokens,
            total_tokens,
            cost_cents,
            latency_ms,
        }
    })
}

fn is_short(text: &str) -> bool {
    text.chars().count() <= 256 && !text.chars().any(char::is_control)
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

fn again(draft: &EventDraft) -> EventInput {
    EventInput {
        customer_id: draft.customer.clone(),
        event_type: draft.event_type.clone(),
        values: draft.values.clone(),
        dimensions: draft.dimensions.clone(),
        properties: Some(draft.properties.clone()),
        timestamp: draft.timestamp,
        idempotency_key: draft.idempotency_key.clone(),
        ..EventInput::default()
    }
}

proptest! {
    #[test]
    fn any_event_is_accepted_within_bounds_or_refused_by_field(input in input()) {
        match input.clone().validate(NOW) {
            Ok(draft) => {
                prop_assert!(!draft.customer.is_empty() && is_short(&draft.customer) && !draft.customer.starts_with("cus_0190163d-"));
                prop_assert!(!draft.event_type.is_empty() && is_short(&draft.event_type));
                prop_assert!(draft.idempotency_key.iter().all(|key| !key.is_empty() && is_short(key)));
                prop_assert!(draft.values.len() <= 64 && draft.values.keys().all(|name| is_name(name)));
                prop_assert!(draft.dimensions.len() <= 64);
                for (name, value) in &draft.dimensions {
                    prop_assert!(is_name(name) && is_short(value) && !BUILT_IN_DIMENSIONS.contains(&&**name), "{name}: {value}");
                }
                prop_assert!(draft.timestamp.is_none_or(|at| (0..=NOW.as_micros() + AHEAD).contains(&at.as_micros())));
                // Nothing that was said is lost, and saying it in full comes to the same.
                for (name, value) in &input.values {
                    prop_assert_eq!(draft.values.get(name), Some(value));
                }
                for (name, value) in input.dimensions.iter().filter(|(name, _)| !BUILT_IN_DIMENSIONS.contains(&&***name)) {
                    prop_assert_eq!(draft.dimensions.get(name), Some(value));
                }
                let repeated = again(&draft).validate(NOW).unwrap();
                prop_assert_eq!(repeated.body_hash(), draft.body_hash());
                prop_assert_eq!(repeated, draft);
            }
            Err(fault) => {
                let quoted = fault.field.as_ref().map(|field| format!("`{field}`")).expect("a named field");
                prop_assert!(fault.message.starts_with(&quoted), "{}", fault);
            }
        }
    }

    #[test]
    fn any_json_is_answered(text in prop_oneof![any::<String>(), "[\\[\\]{}\",:0-9eE+.a-z\\\\ -]{0,60}"]) {
        let _ = serde_json::from_str::<EventInput>(&text);
        let _ = serde_json::from_str::<EventFilter>(&text);
        let _ = Properties::parse(&text);
        let wrapped = format!("{{\"customerId\":\"a\",\"eventType\":\"b\",\"properties\":{{{text}}}}}");
        if let Ok(input) = serde_json::from_str::<EventInput>(&wrapped) {
            let _ = input.validate(NOW);
        }
    }

    #[test]
    fn properties_are_read_as_written(properties in properties()) {
        prop_assert_eq!(&Properties::parse(properties.as_json()).unwrap(), &properties);
        let json = serde_json::to_string(&properties).unwrap();
        prop_assert_eq!(serde_json::from_str::<Properties>(&json).unwrap(), properties);
    }

    #[test]
    fn a_filter_wants_all_of_its_parts(
        event_type in "[ab]",
        dimensions in prop::collection::btree_map("[abc]", "[xy]", 0..4),
        wanted_type in of("[ab]"),
        wanted in prop::collection::btree_map(prop_oneof![3 => "[abc]", 1 => Just("customer_id".to_owned()), 1 => Just("event_type".to_owned())], "[xyab]", 0..3),
    ) {
        let values = BTreeMap::new();
        let facts = Facts {
            id: EventId::new(Uuid::nil()),
            at: NOW,
            customer: "x",
            event_type: &event_type,
            values: &values,
            dimensions: &dimensions,
        };
        let has = |(name, value): (&String, &String)| match name.as_str() {
            "customer_id" => value == "x",
            "event_type" => *value == event_type,
            name => dimensions.get(name) == Some(value),
        };
        prop_assert_eq!(within(&wanted, &facts), wanted.iter().all(has));
        let filter = EventFilter { event_type: wanted_type.clone(), dimensions: wanted.clone() };
        let right_type = wanted_type.is_none_or(|wanted| wanted == event_type);
        prop_assert_eq!(filter.matches(&facts), right_type && wanted.iter().all(has));
        prop_assert!(EventFilter::default().matches(&facts));
        prop_assert!(within(&dimensions, &facts), "an event has what it has");
    }

    #[test]
    fn an_event_without_the_field_has_no_part(names in prop::collection::btree_set("[abc]", 0..3), wanted in "[abc]") {
        let values: BTreeMap<_, _> = names.iter().map(|name| (name.clone(), Quantity::ONE)).collect();
        let dimensions: BTreeMap<_, _> = names.iter().map(|name| (name.clone(), "v".to_owned())).collect();
        let facts = Facts {
            id: EventId::new(Uuid::nil()),
            at: NOW,
            customer: "x",
            event_type: "t",
            values: &values,
            dimensions: &dimensions,
        };
        let part = |kind, path: String| Field::parse(kind, &path).unwrap().of(&facts).map(|part| part.what);
        let there = names.contains(&wanted);
        prop_assert_eq!(part(Aggregation::Count, "*".to_owned()), Some(What::One));
        prop_assert_eq!(part(Aggregation::Sum, format!("values.{wanted}")), there.then_some(What::Amount(Quantity::ONE)));
        prop_assert_eq!(part(Aggregation::Unique, format!("dimensions.{wanted}")), there.then(|| What::Member(hash_text("v"))));
    }

    #[test]
    fn a_field_is_read_as_written_or_refused(path in prop_oneof!["(values|dimensions)\\.[a-z.]{0,5}", any::<String>(), Just("*".to_owned())], kind in prop::sample::select(Aggregation::ALL.to_vec())) {
        match Field::parse(kind, &path) {
            Ok(field) => prop_assert_eq!(field.to_string(), path),
            Err(fault) => prop_assert_eq!(fault.field.as_deref(), Some("field")),
        }
    }
}

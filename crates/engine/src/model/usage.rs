//! Events recorded and usage read.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::aggregate::Aggregation;
use weir_core::event::Event;
use weir_core::filter::EventFilter;
use weir_core::id::{EventId, LimitId, MeterId};
use weir_core::interval::Interval;
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::time::{Timestamp, Zone};

use super::{Cursor, PageSize};

/// An event is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Recorded {
    /// Which event; of a repeat, the first one's.
    pub id: EventId,
    /// Always true.
    pub recorded: bool,
    /// It took a balance that pays for it below its minimum.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub overdrawn: bool,
}

/// A batch is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BatchRecorded {
    /// Events newly recorded.
    pub count: u64,
    /// Events that had been recorded before under the same key.
    pub duplicates: u64,
    /// Events newly recorded that took a balance below its minimum.
    #[serde(skip_serializing_if = "is_none_of_them")]
    pub overdrawn: u64,
}

fn is_none_of_them(count: &u64) -> bool {
    *count == 0
}

/// Which events to list, newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListEvents {
    /// Only this customer's, sorted by event time; without it, events are sorted by when they were recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub customer_id: Option<String>,
    /// Only of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub event_type: Option<String>,
    /// Only with these dimensions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "weir_core::schema::Dimensions")]
    pub dimensions: BTreeMap<String, String>,
    /// From this instant on.
    #[serde(default, alias = "startDate", skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive.
    #[serde(default, alias = "endDate", skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Also voided ones.
    #[serde(default)]
    pub include_voided: bool,
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// An event and what it counted on.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventDetail {
    /// The event.
    pub event: Event,
    /// The live meters it counts on.
    pub meters: Vec<CountedMeter>,
    /// The live limits it counts on.
    pub limits: Vec<CountedLimit>,
}

/// A meter that an event counts on.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CountedMeter {
    /// Which meter.
    pub id: MeterId,
    /// Its name.
    pub name: String,
    /// The event's own value on it: null for `unique`.
    pub value: Option<Quantity>,
}

/// A limit that an event counts on.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CountedLimit {
    /// Which limit.
    pub id: LimitId,
    /// Its name.
    pub name: String,
    /// Per which period.
    pub period: Period,
}

/// Totals by event type.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive.
    pub to: Option<Timestamp>,
    /// How many events.
    pub total_events: u64,
    /// By event type, most events first.
    pub types: Vec<TypeSummary>,
}

/// Totals of one event type.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TypeSummary {
    /// The type.
    pub event_type: String,
    /// How many events.
    pub count: u64,
    /// The sum of each value.
    pub values: BTreeMap<String, Quantity>,
}

/// Events recorded and customers active in a range.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageTotals {
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive.
    pub to: Option<Timestamp>,
    /// How many events.
    pub events: u64,
    /// How many customers had any.
    pub active_customers: u64,
}

/// A customer's value on every live meter.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomerUsage {
    /// The customer's external id.
    pub customer_id: String,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive.
    pub to: Option<Timestamp>,
    /// By meter.
    pub meters: Vec<MeterUsage>,
}

/// A value on one meter.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MeterUsage {
    /// Which meter.
    pub meter_id: MeterId,
    /// Its name.
    pub name: String,
    /// Its aggregation.
    pub aggregation: Aggregation,
    /// Its unit.
    pub unit: Option<String>,
    /// The value: null where there is nothing to take it of.
    pub value: Option<Quantity>,
}

/// A question to a meter.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QueryMeter {
    /// Only this customer; all when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub customer_id: Option<String>,
    /// From this instant on; the first event when not given.
    #[serde(default, alias = "startDate", skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive; the last event when not given.
    #[serde(default, alias = "endDate", skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Also a value per interval, cut in the customer's zone, else the project's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Also broken down by up to 3 dimensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<weir_core::schema::Key>", length(max = 3))]
    pub group_by: Vec<String>,
    /// Only events with these dimensions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "weir_core::schema::Dimensions")]
    pub dimensions: BTreeMap<String, String>,
    /// Most groups to answer, 1 to 1,000, largest first; 100 when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub group_limit: Option<u16>,
}

/// A meter's answer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueryAnswer {
    /// Which meter; null for a preview.
    pub meter_id: Option<MeterId>,
    /// From this instant on; null when there are no events at all.
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive.
    pub to: Option<Timestamp>,
    /// The interval of the points.
    pub interval: Option<Interval>,
    /// The zone in which the intervals are cut.
    pub timezone: Zone,
    /// The value over the whole range.
    pub value: Option<Quantity>,
    /// The value per interval, when one was asked for.
    pub points: Vec<Point>,
    /// The breakdown, when one was asked for, largest first.
    pub groups: Vec<Group>,
    /// Whether there are more groups than were asked for.
    pub more_groups: bool,
}

/// A value over one interval.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Point {
    /// The first instant.
    pub start: Timestamp,
    /// The instant after the last.
    pub end: Timestamp,
    /// The value.
    pub value: Option<Quantity>,
}

/// A value of one group.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Group {
    /// The dimensions; null for events without it.
    pub key: BTreeMap<String, Option<String>>,
    /// The value over the whole range.
    pub value: Option<Quantity>,
    /// The value per interval, when one was asked for.
    pub points: Vec<Point>,
}

/// A meter that does not exist yet, and what to ask it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreviewMeter {
    /// How events become one value.
    pub aggregation: Aggregation,
    /// What it looks at.
    #[schemars(with = "weir_core::schema::Field")]
    pub field: String,
    /// Which events it counts.
    #[serde(default)]
    pub event_filter: EventFilter,
    /// Also broken down by up to 3 dimensions.
    #[serde(default)]
    #[schemars(with = "Vec<weir_core::schema::Key>", length(max = 3))]
    pub group_by: Vec<String>,
    /// Only this customer; all when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub customer_id: Option<String>,
    /// From this instant on.
    #[serde(default, alias = "startDate", skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive.
    #[serde(default, alias = "endDate", skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Also a value per interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
}

/// What a meter would have counted.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewAnswer {
    /// Its answer.
    pub answer: QueryAnswer,
    /// How many events it counts in the range.
    pub matched_events: u64,
    /// The newest five of them.
    pub sample: Vec<Event>,
}

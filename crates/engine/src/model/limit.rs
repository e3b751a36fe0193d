//! Limits: how much a customer may use in a period, and where customers stand with them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::aggregate::Aggregation;
use weir_core::forecast::Forecast;
use weir_core::id::{LimitId, MeterId, ProjectId};
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::time::{Timestamp, Zone};

use super::patch::{given, given_or_empty};
use super::{Cursor, PageSize};

/// Whether a limit refuses or only reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// Refuses.
    #[default]
    Hard,
    /// Reports, never refuses.
    Soft,
}

impl Enforcement {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Enforcement::Hard => "hard",
            Enforcement::Soft => "soft",
        }
    }
}

/// A limit.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limit {
    /// Which limit.
    pub id: LimitId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Unique among live limits of the same customer, or of the defaults.
    pub name: String,
    /// What is limited.
    pub meter_id: MeterId,
    /// How much, above zero.
    pub limit_value: Quantity,
    /// Per which period.
    pub period: Period,
    /// The customer's external id; null: a default for every customer, counted per customer.
    pub customer_id: Option<String>,
    /// Only events with these dimensions count.
    pub dimension_filters: BTreeMap<String, String>,
    /// Percentages at which to tell.
    pub alert_thresholds: Vec<u16>,
    /// Whether it refuses.
    pub enforcement: Enforcement,
    /// Whether it applies at all.
    pub enabled: bool,
    /// Counts changes, from 1.
    pub version: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
}

/// A limit to create.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewLimit {
    /// 1 to 256 characters.
    #[schemars(with = "weir_core::schema::Short")]
    pub name: String,
    /// A live meter that sums, counts, or takes the maximum, latest or number of distinct values.
    pub meter_id: MeterId,
    /// Above zero.
    pub limit_value: Quantity,
    /// Per which period.
    pub period: Period,
    /// The customer's external id; not given: a default for every customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub customer_id: Option<String>,
    /// Only events with these dimensions count.
    #[serde(default)]
    #[schemars(with = "weir_core::schema::Dimensions")]
    pub dimension_filters: BTreeMap<String, String>,
    /// Whole percentages, 1 to 1000; at most 20.
    #[serde(default)]
    #[schemars(length(max = 20), inner(range(min = 1, max = 1_000)))]
    pub alert_thresholds: Vec<u16>,
    /// Whether it refuses.
    #[serde(default)]
    pub enforcement: Enforcement,
    /// Whether it applies at all; true when not given.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// A change of a limit: fields given change.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LimitPatch {
    /// 1 to 256 characters.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub name: Option<String>,
    /// What is limited.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub meter_id: Option<MeterId>,
    /// Above zero.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub limit_value: Option<Quantity>,
    /// Per which period.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// Only events with these dimensions count.
    #[serde(default, deserialize_with = "given_or_empty", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Dimensions>")]
    pub dimension_filters: Option<BTreeMap<String, String>>,
    /// Whole percentages, 1 to 1000; at most 20.
    #[serde(default, deserialize_with = "given_or_empty", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20), inner(range(min = 1, max = 1_000)))]
    pub alert_thresholds: Option<Vec<u16>>,
    /// Whether it refuses.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub enforcement: Option<Enforcement>,
    /// Whether it applies at all.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// How a list of limits is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LimitSort {
    /// Newest first.
    #[default]
    Newest,
    /// By name, in any case, ascending.
    Name,
    /// By the largest share that a customer has used of it, most first; limits that nobody uses, or that are not in force, last.
    Utilisation,
}

/// Which limits to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListLimits {
    /// Only this customer's own limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub customer_id: Option<String>,
    /// With `customerId`: the limits that apply to the customer, own ones and defaults.
    #[serde(default)]
    pub effective: bool,
    /// Only limits on this meter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter_id: Option<MeterId>,
    /// Also the archived ones.
    #[serde(default)]
    pub include_archived: bool,
    /// The order. By `newest` and `name` a walk over all pages tells each limit once; by `utilisation` one that moves meanwhile may be
    /// passed over or told again.
    #[serde(default)]
    pub sort: LimitSort,
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// A question: may this customer go on, or may this event happen? Nothing is consumed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Check {
    /// The customer's external id.
    #[schemars(with = "weir_core::schema::Short")]
    pub customer_id: String,
    /// The event's dimensions; given even as `{}`, the question is about one event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Dimensions>")]
    pub dimensions: Option<BTreeMap<String, String>>,
    /// The event's type; the dimension `event_type` says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub event_type: Option<String>,
    /// The event's values; given, the event's own share is part of the decision, as in tracking: a dimension that is not given
    /// is one that the event does not have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Values>")]
    pub values: Option<BTreeMap<String, Quantity>>,
}

impl Check {
    /// The event's type, given by itself or as the dimension `event_type`.
    pub fn said_type(&self) -> Option<&str> {
        said_type(self.event_type.as_deref(), self.dimensions.as_ref())
    }
}

/// An event's type, given by itself or as the dimension `event_type`.
pub(crate) fn said_type<'a>(
    event_type: Option<&'a str>,
    dimensions: Option<&'a BTreeMap<String, String>>,
) -> Option<&'a str> {
    event_type.or_else(|| dimensions?.get("event_type").map(String::as_str))
}

/// The answer to a check.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckAnswer {
    /// Whether no hard limit refuses.
    pub allowed: bool,
    /// The limits that apply: refusing ones first, then by the least remaining share, then by id.
    pub limits: Vec<CheckedLimit>,
}

/// One limit's part in a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckedLimit {
    /// Which limit.
    pub id: LimitId,
    /// Its name.
    pub name: String,
    /// What it limits.
    pub meter_id: MeterId,
    /// Per which period.
    pub period: Period,
    /// How much.
    pub limit: Quantity,
    /// The meter over the window: the present one, or of what is judged the coming one where only that refuses.
    #[serde(deserialize_with = "weir_core::quantity::total")]
    pub used: Quantity,
    /// Taken by live reservations.
    #[serde(deserialize_with = "weir_core::quantity::total")]
    pub held: Quantity,
    /// What is left.
    #[serde(deserialize_with = "weir_core::quantity::total")]
    pub remaining: Quantity,
    /// Used up.
    pub exceeded: bool,
    /// When the window ends, in Unix seconds; null for `all_time`.
    pub reset: Option<i64>,
}

/// Where a limit of a customer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "LimitSource")]
pub enum Source {
    /// The customer's own.
    Own,
    /// A default for every customer.
    Default,
}

/// Where a customer stands with one limit.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitStanding {
    /// Which limit.
    pub limit_id: LimitId,
    /// Its name.
    pub name: String,
    /// What it limits.
    pub meter_id: MeterId,
    /// The meter's name.
    pub meter_name: String,
    /// The meter's unit.
    pub unit: Option<String>,
    /// The meter's aggregation.
    pub aggregation: Aggregation,
    /// Per which period.
    pub period: Period,
    /// How much.
    pub limit: Quantity,
    /// The meter over the current window.
    pub used: Quantity,
    /// Taken by live reservations.
    pub held: Quantity,
    /// What is left.
    pub remaining: Quantity,
    /// Used up.
    pub exceeded: bool,
    /// When the window ends, in Unix seconds; null for `all_time`.
    pub reset: Option<i64>,
    /// The window's first instant; null for `all_time`.
    pub window_start: Option<Timestamp>,
    /// The instant after the window; null for `all_time`.
    pub window_end: Option<Timestamp>,
    /// Whether it refuses.
    pub enforcement: Enforcement,
    /// Where it comes from.
    pub source: Source,
    /// Only events with these dimensions count.
    pub dimension_filters: BTreeMap<String, String>,
    /// Percent used, truncated to two digits.
    pub utilisation: Quantity,
    /// When it runs out at the present rate.
    pub forecast: Forecast,
    /// The raise in force, if there is one.
    pub raised: Option<RunningRaise>,
    /// When usage was reset for goodwill, if that was within the window: only events that arrived after it count.
    pub reset_at: Option<Timestamp>,
}

/// A raise in force.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunningRaise {
    /// The limit's own value, which comes back.
    pub own_value: Quantity,
    /// When it comes back.
    pub until: Timestamp,
    /// Why it was raised.
    pub note: String,
}

/// Where a customer stands with every limit that applies.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomerStanding {
    /// The customer's external id.
    pub customer_id: String,
    /// The zone in which the customer's windows are cut.
    pub timezone: Zone,
    /// Refusing ones first, then by the least remaining share, then by id.
    pub limits: Vec<LimitStanding>,
}

/// Which standings to list: closest to their limit first. One that moves while the pages are walked may be passed over or told again.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListStandings {
    /// Only those with this limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_id: Option<LimitId>,
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// One customer's standing with one limit, in a list over all customers.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StandingRow {
    /// The customer's external id.
    pub customer_id: String,
    /// The customer's name.
    pub customer_name: Option<String>,
    /// The standing.
    pub standing: LimitStanding,
}

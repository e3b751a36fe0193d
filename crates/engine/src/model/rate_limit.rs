//! Rate limits: how many calls a customer may make within a sliding window.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::id::{ProjectId, RateLimitId};
use weir_core::rate::RateSpan;
use weir_core::time::Timestamp;

use super::patch::{given, given_or_empty};
use super::said_type;
use super::{Cursor, NamedSort, PageSize, RateStanding};

/// A rate limit.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    /// Which rate limit.
    pub id: RateLimitId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Unique among live rate limits of the same customer, or of those for every customer.
    pub name: String,
    /// How long the window is.
    pub window: RateSpan,
    /// Most calls within the window.
    pub limit_value: u64,
    /// Only calls with these dimensions count.
    pub dimension_filters: BTreeMap<String, String>,
    /// The customer's external id; null: every customer, counted per customer.
    pub customer_id: Option<String>,
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

/// A rate limit to create.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRateLimit {
    /// 1 to 256 characters.
    #[schemars(with = "weir_core::schema::Short")]
    pub name: String,
    /// How long the window is.
    pub window: RateSpan,
    /// Most calls within the window: 1 to 1,000,000,000.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub limit_value: u64,
    /// Only calls with these dimensions count.
    #[serde(default)]
    #[schemars(with = "weir_core::schema::Dimensions")]
    pub dimension_filters: BTreeMap<String, String>,
    /// The customer's external id; not given: every customer, counted per customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub customer_id: Option<String>,
    /// Whether it applies at all; true when not given.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// A change of a rate limit: fields given change. With another window or other filters, it counts from now on.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimitPatch {
    /// 1 to 256 characters.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub name: Option<String>,
    /// How long the window is.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub window: Option<RateSpan>,
    /// Most calls within the window: 1 to 1,000,000,000.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub limit_value: Option<u64>,
    /// Only calls with these dimensions count.
    #[serde(default, deserialize_with = "given_or_empty", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Dimensions>")]
    pub dimension_filters: Option<BTreeMap<String, String>>,
    /// Whether it applies at all.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// Which rate limits to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListRateLimits {
    /// Only this customer's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub customer_id: Option<String>,
    /// Also the archived ones.
    #[serde(default)]
    pub include_archived: bool,
    /// The order.
    #[serde(default)]
    pub sort: NamedSort,
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// A question: may this customer make a call now? Nothing is consumed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckRates {
    /// The customer's external id.
    #[schemars(with = "weir_core::schema::Short")]
    pub customer_id: String,
    /// The call's dimensions; without them, every rate limit of the customer applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Dimensions>")]
    pub dimensions: Option<BTreeMap<String, String>>,
    /// The event's type, for filters on `event_type`; the dimension of that name says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub event_type: Option<String>,
}

impl CheckRates {
    /// The event's type, given by itself or as the dimension `event_type`.
    pub fn said_type(&self) -> Option<&str> {
        said_type(self.event_type.as_deref(), self.dimensions.as_ref())
    }
}

/// The answer to a check of rate limits.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RatesAnswer {
    /// Whether no rate limit refuses.
    pub allowed: bool,
    /// The rate limits that apply: refusing ones first, then by what remains, then by id.
    pub rate_limits: Vec<RateStanding>,
}

//! Tracking: an event decided and recorded in one step, and what was refused.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::id::{EventId, LimitId, ProjectId, RateLimitId};
use weir_core::quantity::Quantity;
use weir_core::rate::RateSpan;
use weir_core::time::Timestamp;

use super::{Charged, CheckedBalance, CheckedLimit, Cursor, LogSort, PageSize};

/// A tracked event is durable. A repeat under the event's `idempotencyKey` answers as the first did, for a day; after that with the
/// figures of now.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Tracked {
    /// Which event; of a repeat, the first one's.
    pub id: EventId,
    /// Always true.
    pub recorded: bool,
    /// The limits that the event counts on, with the event: by the least remaining share, then by id.
    pub limits: Vec<CheckedLimit>,
    /// What balances paid for it, in the order in which they pay.
    pub balances: Vec<Charged>,
    /// It took a balance below its minimum.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub overdrawn: bool,
    /// The rate limits that the event consumed, the least remaining first; of a repeat, the first of them alone.
    #[serde(skip)]
    pub rate_limits: Vec<RateStanding>,
}

/// Where a customer stands with a rate limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateStanding {
    /// Which rate limit.
    pub id: RateLimitId,
    /// Its name.
    pub name: String,
    /// How long its window is.
    pub window: RateSpan,
    /// Most calls within the window.
    pub limit: u64,
    /// Calls that are left.
    pub remaining: u64,
    /// In Unix seconds: when a call is admitted again, if none is now; else when the oldest counted call leaves the window.
    pub reset: i64,
    /// No call is left.
    pub exceeded: bool,
}

/// An event was refused; nothing was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// The rate limits that refuse, the longest wait first; when there are any, limits were not asked.
    pub rate_limits: Vec<RateStanding>,
    /// The limits that refuse, by the least remaining share, then by id.
    pub limits: Vec<CheckedLimit>,
    /// The balances that cannot pay for it, in the order in which they would.
    pub balances: Vec<CheckedBalance>,
    /// The name of the first refusing limit's meter.
    pub meter: Option<String>,
    /// Where the customer stands with the tightest rate limit, whatever refuses.
    pub tightest: Option<RateStanding>,
    /// When it is worth asking again; never, where a limit does not reset.
    pub retry_after_seconds: Option<u32>,
}

/// What refused a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// A rate limit.
    CustomerRateLimited,
    /// A limit.
    LimitExceeded,
    /// A balance that would pay for it.
    InsufficientBalance,
}

/// A refused call, as a fact.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// Counts refusals.
    pub id: i64,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// When it was refused.
    pub at: Timestamp,
    /// What was refused, and by what.
    pub call: RefusedCall,
}

/// What was refused, and by what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefusedCall {
    /// The customer's external id.
    pub customer_id: String,
    /// What refused.
    pub reason: RefusalReason,
    /// The event's type.
    pub event_type: String,
    /// The event's values.
    pub values: BTreeMap<String, Quantity>,
    /// The event's effective dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// The event's time, where the caller gave one.
    pub timestamp: Option<Timestamp>,
    /// The limits that refused, as they stood.
    pub limits: Vec<CheckedLimit>,
    /// The rate limits that refused, as they stood.
    pub rate_limits: Vec<RateStanding>,
    /// The balances that could not pay, as they stood.
    #[serde(default)]
    pub balances: Vec<CheckedBalance>,
}

/// Which refusals to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListRefusals {
    /// Only this customer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub customer_id: Option<String>,
    /// Only those by this limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_id: Option<LimitId>,
    /// From this instant on.
    #[serde(default, alias = "startDate", skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive.
    #[serde(default, alias = "endDate", skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// The order.
    #[serde(default)]
    pub sort: LogSort,
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

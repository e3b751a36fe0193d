//! Refusals over time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::id::LimitId;
use weir_core::interval::Interval;
use weir_core::quantity::Quantity;
use weir_core::time::{Timestamp, Zone};

use super::Point;

/// Which refusals to count.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CountRefusals {
    /// Only this customer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub customer_id: Option<String>,
    /// Only those by this limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_id: Option<LimitId>,
    /// From this instant on; the first refusal that is kept when not given.
    #[serde(default, alias = "startDate", skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive; the last refusal when not given.
    #[serde(default, alias = "endDate", skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Also a count per interval, cut in the customer's zone, else the project's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
}

/// How many calls were refused. The newest 100,000 are kept, so that earlier ones cannot be counted.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefusalCounts {
    /// From this instant on; null when there are no refusals at all.
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive.
    pub to: Option<Timestamp>,
    /// The interval of the points.
    pub interval: Option<Interval>,
    /// The zone in which the intervals are cut.
    pub timezone: Zone,
    /// How many over the whole range, as far as they are kept.
    pub value: Quantity,
    /// How many per interval, when one was asked for: null where none is kept any more, and at least so many where `truncatedBefore` lies.
    pub points: Vec<Point>,
    /// Refusals before this instant are no longer kept; null while all are.
    pub truncated_before: Option<Timestamp>,
}

//! Explaining: what a request would be answered, and what in it and before it makes it so.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use weir_core::aggregate::Aggregation;
use weir_core::id::{BalanceId, EventId, LimitId, MeterId, RateLimitId};
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::time::{Timestamp, Zone};

use super::{Enforcement, Metered, RateStanding, RefusalReason, Source};

/// What a request would be answered, and why.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The customer's external id.
    pub customer_id: String,
    /// Whether there is such a customer; another is explained as if created now.
    pub known: bool,
    /// The zone in which the customer's windows are cut.
    pub timezone: Zone,
    /// Of which instant this is true.
    pub at: Timestamp,
    /// Whether no hard limit refuses: what `limits.check` answers.
    pub allowed: bool,
    /// What `events.track` would decide, where the request says all that it needs: a type and values.
    pub track: Option<TrackDecision>,
    /// Every rate limit of the customer: those that apply first, the refusing ones before the others.
    pub rate_limits: Vec<ExplainedRate>,
    /// Every limit of the customer: those that apply first, in the order of a check, then those that do not and why.
    pub limits: Vec<ExplainedLimit>,
    /// Every balance of the customer that pays for usage, in the order in which they pay.
    pub balances: Vec<ExplainedBalance>,
    /// Whether more limits are switched off than are listed.
    pub more_disabled: bool,
}

/// What tracking an event would decide.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrackDecision {
    /// Whether it would be recorded.
    pub admitted: bool,
    /// What would refuse it.
    pub reason: Option<RefusalReason>,
    /// The rate limits that would refuse it; when there are any, limits are not asked.
    pub rate_limits: Vec<RateLimitId>,
    /// The limits that would refuse it.
    pub limits: Vec<LimitId>,
    /// The balances that could not pay for it; asked where no limit refuses.
    pub balances: Vec<BalanceId>,
}

/// A rate limit's part in the answer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedRate {
    /// Where the customer stands with it.
    pub standing: RateStanding,
    /// Where it comes from.
    pub source: Source,
    /// Only calls with these dimensions count.
    pub dimension_filters: BTreeMap<String, String>,
    /// Whether the request counts on it.
    pub applies: bool,
    /// Which filter the request does not meet, when it does not apply.
    pub mismatch: Option<Mismatch>,
    /// Whether it refuses.
    pub refuses: bool,
}

/// A limit's part in the answer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedLimit {
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
    /// What the meter looks at in an event.
    pub field: String,
    /// Per which period.
    pub period: Period,
    /// How much.
    pub limit: Quantity,
    /// Whether it refuses at all.
    pub enforcement: Enforcement,
    /// Where it comes from.
    pub source: Source,
    /// Only events with these dimensions count.
    pub dimension_filters: BTreeMap<String, String>,
    /// Whether it has a say in the answer, and why not.
    pub status: LimitStatus,
    /// Which filter the request does not meet.
    pub mismatch: Option<Mismatch>,
    /// The customer's own limit that stands in its place.
    pub replaced_by: Option<NamedLimit>,
    /// Where the customer stands with it; null where it is as if absent.
    pub usage: Option<WindowUsage>,
    /// What the event adds; null unless values are given and the event has what the limit counts.
    pub share: Option<Share>,
    /// What it makes of the request; null unless it applies.
    pub verdict: Option<Verdict>,
    /// Whether it refuses.
    pub refuses: bool,
    /// Of an applying limit, the events that weigh most in the window: of sum and max the five largest, else the five newest.
    pub events: Vec<WeighingEvent>,
    /// Whether every event of the window was looked at, as far as that could change which weigh most.
    pub events_complete: bool,
}

/// The part of a balance that pays for usage.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedBalance {
    /// Which balance.
    pub balance_id: BalanceId,
    /// Its name.
    pub name: String,
    /// What it is counted in.
    pub unit: Option<String>,
    /// What it pays for.
    pub meter_id: MeterId,
    /// The meter's name.
    pub meter_name: String,
    /// The price, and whether it may go into debt.
    pub metered: Metered,
    /// Lower ones pay first.
    pub priority: u16,
    /// Pays only for events with these dimensions.
    pub dimension_filters: BTreeMap<String, String>,
    /// Whether it would pay for the request.
    pub applies: bool,
    /// Which filter the request does not meet.
    pub mismatch: Option<Mismatch>,
    /// What it is.
    pub current_balance: Quantity,
    /// Set aside by live holds.
    pub held_balance: Quantity,
    /// What may be spent.
    pub available_balance: Quantity,
    /// How much of the meter it would pay for; null unless values are given and it applies.
    pub quantity: Option<Quantity>,
    /// What it would pay.
    pub amount: Option<Quantity>,
    /// Whether it cannot pay and may not owe.
    pub refuses: bool,
}

/// Whether a limit has a say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitStatus {
    /// It has.
    Applies,
    /// The request does not meet a filter of the limit or of its meter.
    FilteredOut,
    /// It is about events of another type.
    OtherEventType,
    /// A default that an own limit of the customer replaces.
    Replaced,
    /// Switched off: as if absent.
    Disabled,
}

/// A filter that a request does not meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mismatch {
    /// Whose filter.
    pub of: FilterOwner,
    /// Of which dimension; `event_type` for the type.
    pub dimension: String,
    /// What it wants.
    pub wanted: String,
    /// What the request has, if anything.
    pub given: Option<String>,
}

/// Whose filter it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FilterOwner {
    /// The limit's own.
    Limit,
    /// Its meter's.
    Meter,
    /// The balance's own.
    Balance,
}

/// A limit by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamedLimit {
    /// Which limit.
    pub id: LimitId,
    /// Its name.
    pub name: String,
}

/// Where a customer stands with a limit in its window.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WindowUsage {
    /// The window's first instant; null for `all_time`.
    pub window_start: Option<Timestamp>,
    /// The instant after the window; null for `all_time`.
    pub window_end: Option<Timestamp>,
    /// The meter over the window.
    pub used: Quantity,
    /// Taken by live reservations.
    pub held: Quantity,
    /// What is left.
    pub remaining: Quantity,
    /// Used up.
    pub exceeded: bool,
    /// Percent used, truncated to two digits.
    pub utilisation: Quantity,
}

/// What an event adds to a limit.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// What the event has of what is counted; null for a member of a `unique` set.
    pub value: Option<Quantity>,
    /// What is taken without the event, live reservations included.
    pub before: Quantity,
    /// What would be taken with it.
    pub after: Quantity,
}

/// What an applying limit makes of a request. A soft one reports the same and refuses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There is room.
    Within,
    /// Nothing is left; the request says nothing of what the event would add.
    UsedUp,
    /// The event would take usage over the limit.
    WouldExceed,
    /// The event has nothing that is counted.
    NothingCounted,
    /// Usage is over the limit, but the event takes it no further up.
    NoFurther,
}

/// An event that weighs in a limit's window.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WeighingEvent {
    /// Which event.
    pub id: EventId,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What happened.
    pub event_type: String,
    /// What it counts for; null for a member of a `unique` set.
    pub value: Option<Quantity>,
    /// The member, of a `unique` set.
    pub member: Option<String>,
}

//! Reservations: a share of limits that is held until the work is done.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::id::{EventId, ProjectId, ReservationId};
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use super::{CheckedLimit, Cursor, PageSize, RateStanding};

/// How long a reservation lasts when nothing is said, in seconds.
pub const DEFAULT_TTL: u32 = 300;
/// How long it may last at most, in seconds; it can be extended.
pub const MAX_TTL: u32 = 3_600;

/// A share to hold: an event that may come.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewReservation {
    /// The customer's external id.
    #[schemars(with = "weir_core::schema::Short")]
    pub customer_id: String,
    /// What is going to happen, such as `llm.completion`.
    #[schemars(with = "weir_core::schema::Short")]
    pub event_type: String,
    /// The most it may come to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "weir_core::schema::Values")]
    pub values: BTreeMap<String, Quantity>,
    /// Named texts to filter and group by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "weir_core::schema::Dimensions")]
    pub dimensions: BTreeMap<String, String>,
    /// After so many seconds the share is free again by itself: 1 to 3,600; 300 when not given.
    #[serde(default = "default_ttl")]
    #[schemars(range(min = 1, max = 3_600))]
    pub ttl_seconds: u32,
}

fn default_ttl() -> u32 {
    DEFAULT_TTL
}

/// Where a reservation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReservationState {
    /// It holds its share.
    Live,
    /// The event was recorded.
    Committed,
    /// It was given up.
    Released,
    /// Its time ran out. It may still be committed, late.
    Expired,
}

/// A share of limits that is held, or was.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// Which reservation.
    pub id: ReservationId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The customer's external id.
    pub customer_id: String,
    /// What is going to happen.
    pub event_type: String,
    /// The values held.
    pub values: BTreeMap<String, Quantity>,
    /// The effective dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// Where it stands.
    pub state: ReservationState,
    /// When it ends by itself, or would have.
    pub expires_at: Timestamp,
    /// When it was admitted.
    pub created_at: Timestamp,
    /// When it was committed, released, or ran out.
    pub ended_at: Option<Timestamp>,
    /// The event it was committed as.
    pub event_id: Option<EventId>,
    /// Committed after its time had run out; null as long as it is not committed.
    pub late: Option<bool>,
    /// Committed although a hard limit would have refused what it came to; null as long as it is not committed.
    pub overdrawn: Option<bool>,
}

/// A reservation that was just admitted, and where its limits stand with it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reserved {
    /// Which reservation: commit, release or extend it by this id.
    pub id: ReservationId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The customer's external id.
    pub customer_id: String,
    /// What is going to happen.
    pub event_type: String,
    /// The values held.
    pub values: BTreeMap<String, Quantity>,
    /// The effective dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// Always `live`.
    pub state: ReservationState,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was admitted.
    pub created_at: Timestamp,
    /// The limits that it counts on, with it held: by the least remaining share, then by id.
    pub limits: Vec<CheckedLimit>,
    /// The rate limits that it consumed: the least remaining first.
    #[serde(skip)]
    pub rate_limits: Vec<RateStanding>,
}

/// What a reservation came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommitReservation {
    /// The actual values, more or less than held; those held when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Values>")]
    pub values: Option<BTreeMap<String, Quantity>>,
}

/// How much longer a reservation is to last.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExtendReservation {
    /// Seconds from now, 1 to 3,600; 300 when not given. A reservation that lasts longer already stays as it is.
    #[serde(default = "default_ttl")]
    #[schemars(range(min = 1, max = 3_600))]
    pub ttl_seconds: u32,
}

/// Which reservations to list, newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListReservations {
    /// Only this customer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub customer_id: Option<String>,
    /// Only those that stand so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ReservationState>,
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

//! The project that a data file holds, and the state of the engine over it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::id::ProjectId;
use weir_core::time::{Timestamp, Zone};

/// The project that a data file holds.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// Which project.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
    /// The zone in which windows are cut for customers without one of their own.
    pub timezone: Zone,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A change of the project: fields given change.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProjectPatch {
    /// 1 to 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// An IANA zone name. Changing it re-cuts the windows of every customer without a zone of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Zone>,
}

/// How the engine is doing.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Weir's version.
    pub version: String,
    /// Where the data lies.
    pub data_dir: String,
    /// Size of the data file and its log, in bytes.
    pub data_bytes: u64,
    /// Events recorded, voided ones included.
    pub events: u64,
    /// Customers known.
    pub customers: u64,
    /// Time of the earliest event, voided ones aside.
    pub first_event_at: Option<Timestamp>,
    /// Time of the latest event, voided ones aside.
    pub last_event_at: Option<Timestamp>,
    /// When an event was last recorded.
    pub last_recorded_at: Option<Timestamp>,
    /// Events recorded per second over the last ten seconds.
    pub events_per_second: f64,
    /// Where the local API listens, when it does.
    pub server_address: Option<String>,
    /// The engine's clock.
    pub now: Timestamp,
}

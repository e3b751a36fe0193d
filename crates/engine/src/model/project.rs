//! The project that a data file holds, and the state of the engine over it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::id::ProjectId;
use weir_core::time::{Timestamp, Zone};

use super::patch::{given, given_or_empty};

/// The project that a data file holds.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// Which project.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
    /// The zone in which windows are cut for customers without one of their own.
    pub timezone: Zone,
    /// Origins, such as `https://app.example.com`, whose pages may call with client tokens.
    pub client_origins: Vec<String>,
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
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub name: Option<String>,
    /// An IANA zone name. Changing it re-cuts the windows of every customer without a zone of their own.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Zone>,
    /// Replaces the origins whose pages may call with client tokens: at most 100 of the form `https://app.example.com[:port]`, each
    /// without a path and a wildcard.
    #[serde(default, deserialize_with = "given_or_empty", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub client_origins: Option<Vec<String>>,
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
    /// Alerts that nobody has acknowledged, of windows that last.
    pub open_alerts: u64,
    /// Where the local API listens, when it does.
    pub server_address: Option<String>,
    /// The engine's clock.
    pub now: Timestamp,
}

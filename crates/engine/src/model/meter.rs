//! Meters: what is counted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::aggregate::Aggregation;
use weir_core::filter::EventFilter;
use weir_core::id::{MeterId, ProjectId};
use weir_core::time::Timestamp;

use super::patch::{given, given_or_empty};
use super::{Change, Cursor, NamedSort, PageSize};

/// A meter.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Meter {
    /// Which meter.
    pub id: MeterId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Unique among live meters.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How events become one value.
    pub aggregation: Aggregation,
    /// What it looks at: `values.tokens`, `*` for count, `dimensions.user` for unique.
    pub field: String,
    /// Which events it counts.
    pub event_filter: EventFilter,
    /// Dimensions by which it is kept broken down.
    pub group_by: Vec<String>,
    /// What one is, such as `tokens`.
    pub unit: Option<String>,
    /// Comes with Weir and cannot be changed.
    pub built_in: bool,
    /// Whether it has counted all history.
    pub state: MeterState,
    /// How far its backfill is, in events.
    pub progress: Progress,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
}

/// Whether a meter has counted all history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MeterState {
    /// It has.
    Ready,
    /// Not yet: queries are answered from the events themselves.
    Building,
}

/// How far a backfill is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Progress {
    /// Events counted.
    pub done: u64,
    /// Events there are.
    pub total: u64,
}

/// A meter to create.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewMeter {
    /// 1 to 256 characters, unique among live meters.
    #[schemars(with = "weir_core::schema::Short")]
    pub name: String,
    /// Up to 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Long>")]
    pub description: Option<String>,
    /// How events become one value.
    pub aggregation: Aggregation,
    /// What it looks at: `values.tokens`, `*` for count, `dimensions.user` for unique.
    #[schemars(with = "weir_core::schema::Field")]
    pub field: String,
    /// Which events it counts; all when not given.
    #[serde(default)]
    pub event_filter: EventFilter,
    /// Up to 8 dimensions by which it is kept broken down.
    #[serde(default)]
    #[schemars(with = "Vec<weir_core::schema::Key>", length(max = 8))]
    pub group_by: Vec<String>,
    /// Up to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Unit>")]
    pub unit: Option<String>,
}

/// A change of a meter: fields given change, null clears an optional one. A changed definition counts all history anew.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MeterPatch {
    /// 1 to 256 characters, unique among live meters.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub name: Option<String>,
    /// Up to 2,000 characters.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schemars(with = "Option<weir_core::schema::Long>")]
    pub description: Change<String>,
    /// How events become one value.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub aggregation: Option<Aggregation>,
    /// What it looks at.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Field>")]
    pub field: Option<String>,
    /// Which events it counts.
    #[serde(default, deserialize_with = "given_or_empty", skip_serializing_if = "Option::is_none")]
    pub event_filter: Option<EventFilter>,
    /// Dimensions by which it is kept broken down.
    #[serde(default, deserialize_with = "given_or_empty", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<weir_core::schema::Key>>", length(max = 8))]
    pub group_by: Option<Vec<String>>,
    /// Up to 64 characters.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schemars(with = "Option<weir_core::schema::Unit>")]
    pub unit: Change<String>,
}

/// Which meters to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListMeters {
    /// Part of a name, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::MaybeShort>")]
    pub query: Option<String>,
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

//! Limits as a list that is put into force as a whole.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::error::Fault;
use weir_core::id::MeterId;
use weir_core::period::Period;
use weir_core::quantity::Quantity;

use super::Enforcement;

/// Most limits of a list.
const MAX_STATED: usize = 10_000;

/// A limit as a list of limits states it: what is left out is as the defaults below, not as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatedLimit {
    /// 1 to 256 characters; with the customer, what the limit is known by.
    #[schemars(with = "weir_core::schema::Short")]
    pub name: String,
    /// The name of a live meter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub meter: Option<String>,
    /// The meter's id, in the place of its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter_id: Option<MeterId>,
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

/// Limits to put into force, all or none.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SyncLimits {
    /// At most 10,000 limits, each known by its customer and name; none states that there is none.
    #[schemars(length(max = 10_000))]
    pub limits: Vec<StatedLimit>,
    /// Only say what would change.
    #[serde(default)]
    pub preview: bool,
    /// Also archive every live limit that the list does not name.
    #[serde(default)]
    pub archive_missing: bool,
}

impl SyncLimits {
    /// Checks how many limits a list holds.
    pub fn check_length(count: usize) -> Result<(), Fault> {
        if count <= MAX_STATED {
            return Ok(());
        }
        let reason = format_args!("must hold at most {MAX_STATED} limits, not {count}: more go in parts");
        Err(Fault::invalid("limits", reason))
    }
}

/// What putting a list of limits into force changed, or would change.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncAnswer {
    /// Whether it was done; false for a preview.
    pub applied: bool,
    /// Limits that are new.
    pub created: u64,
    /// Limits that change.
    pub updated: u64,
    /// Limits of the list that are as stated already.
    pub unchanged: u64,
    /// Limits that the list does not name and that are archived.
    pub archived: u64,
    /// Each change, in the order of the list, then what is archived.
    pub changes: Vec<SyncChange>,
}

/// What happens to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncAction {
    /// It is new.
    Create,
    /// It changes.
    Update,
    /// It is archived.
    Archive,
}

/// One change of a limit, as a list states limits.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncChange {
    /// What happens.
    pub action: SyncAction,
    /// The limit's name.
    pub name: String,
    /// Whose it is; null: a default for every customer.
    pub customer_id: Option<String>,
    /// As it stood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<StatedLimit>,
    /// As it stands after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<StatedLimit>,
}

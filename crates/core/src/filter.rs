//! Matching: which events a meter or a limit counts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::event::{Facts, check_dimensions};
use crate::text::{self, MAX_SHORT};

/// Event type equal and every listed dimension equal; empty: every event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct EventFilter {
    /// Only events of this type.
    #[schemars(with = "Option<crate::schema::Short>")]
    pub event_type: Option<String>,
    /// Only events with these dimensions.
    #[schemars(with = "crate::schema::Dimensions")]
    pub dimensions: BTreeMap<String, String>,
}

impl EventFilter {
    /// Checks every bound.
    pub fn validate(&self) -> Result<(), Fault> {
        if let Some(event_type) = &self.event_type {
            text::check("eventFilter.eventType", event_type, 1, MAX_SHORT)?;
        }
        check_dimensions("eventFilter.dimensions", &self.dimensions)
    }

    /// Whether an event is one of these.
    pub fn matches(&self, event: &Facts<'_>) -> bool {
        self.event_type.as_deref().is_none_or(|wanted| wanted == event.event_type) && within(&self.dimensions, event)
    }
}

/// Whether an event has every listed dimension.
pub fn within(filters: &BTreeMap<String, String>, event: &Facts<'_>) -> bool {
    filters.iter().all(|(name, wanted)| event.dimension(name) == Some(wanted))
}

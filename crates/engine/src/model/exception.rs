//! Exceptions for one customer: a limit raised until an instant, usage reset for goodwill.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::id::LimitId;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

/// A limit's higher value for one customer, until it ends by itself.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Raise {
    /// Which limit.
    pub limit_id: LimitId,
    /// The customer's external id.
    pub customer_id: String,
    /// The limit's value while it lasts.
    pub limit_value: Quantity,
    /// The instant at which the limit's own value comes back.
    pub until: Timestamp,
    /// Why.
    pub note: String,
    /// When it was given.
    pub created_at: Timestamp,
}

/// A raise to give. It takes the place of the one before.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRaise {
    /// The customer's external id.
    #[schemars(with = "weir_core::schema::Short")]
    pub customer_id: String,
    /// Above the limit's own value.
    pub limit_value: Quantity,
    /// In the future, at most ten years ahead.
    pub until: Timestamp,
    /// Why: 1 to 2,000 characters.
    #[schemars(with = "weir_core::schema::Note")]
    pub note: String,
}

/// Which raise to take back early.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndRaise {
    /// The customer's external id.
    #[schemars(with = "weir_core::schema::Short")]
    pub customer_id: String,
}

/// A goodwill reset: what a customer has used of a limit starts again from nothing; the windows stay where they are.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResetUsage {
    /// The customer's external id.
    #[schemars(with = "weir_core::schema::Short")]
    pub customer_id: String,
    /// Why: 1 to 2,000 characters.
    #[schemars(with = "weir_core::schema::Note")]
    pub note: String,
}

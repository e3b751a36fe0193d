//! Movements of balances, as they are asked for and answered.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::id::BalanceId;
use weir_core::ledger::GrantSource;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use super::{Balance, BalanceHold, Transaction, default_priority};

/// How long a hold lasts when nothing is said, in seconds.
pub const DEFAULT_HOLD_TTL: u32 = 300;
/// How long a hold may last at most, in seconds; it can be extended.
pub const MAX_HOLD_TTL: u32 = 86_400;

fn default_hold_ttl() -> u32 {
    DEFAULT_HOLD_TTL
}

/// Money that comes in.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreditBalance {
    /// The customer's external id.
    #[schemars(with = "weir_core::schema::Short")]
    pub customer_id: String,
    /// The balance's name.
    #[schemars(with = "weir_core::schema::Short")]
    pub name: String,
    /// How much, above zero.
    pub amount: Quantity,
    /// For a person.
    #[serde(default)]
    #[schemars(with = "weir_core::schema::Long")]
    pub description: String,
    /// The caller's own reference: unique among the balance's credits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub reference: Option<String>,
    /// A repeat under the same key books nothing and answers as the first did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub idempotency_key: Option<String>,
    /// From this instant on nothing of it can be spent; never when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Lower ones are spent first: 0 to 1,000; 100 when not given.
    #[serde(default = "default_priority")]
    #[schemars(range(max = 1_000))]
    pub priority: u16,
    /// Where the money comes from.
    #[serde(default)]
    pub source: GrantSource,
}

/// Money that goes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DebitBalance {
    /// The customer's external id.
    #[schemars(with = "weir_core::schema::Short")]
    pub customer_id: String,
    /// The balance's name.
    #[schemars(with = "weir_core::schema::Short")]
    pub name: String,
    /// How much, above zero.
    pub amount: Quantity,
    /// For a person.
    #[serde(default)]
    #[schemars(with = "weir_core::schema::Long")]
    pub description: String,
    /// The caller's own reference: unique among the balance's debits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub reference: Option<String>,
    /// A repeat under the same key books nothing and answers as the first did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub idempotency_key: Option<String>,
}

/// A correction, up or down.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdjustBalance {
    /// The customer's external id.
    #[schemars(with = "weir_core::schema::Short")]
    pub customer_id: String,
    /// The balance's name.
    #[schemars(with = "weir_core::schema::Short")]
    pub name: String,
    /// How much, up or down; not zero.
    pub amount: Quantity,
    /// Why, for those who read the ledger later.
    #[schemars(with = "weir_core::schema::Note")]
    pub note: String,
    /// The caller's own reference: unique among the balance's adjustments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub reference: Option<String>,
    /// A repeat under the same key books nothing and answers as the first did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub idempotency_key: Option<String>,
}

/// An amount to set aside.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HoldBalance {
    /// The customer's external id.
    #[schemars(with = "weir_core::schema::Short")]
    pub customer_id: String,
    /// The balance's name.
    #[schemars(with = "weir_core::schema::Short")]
    pub name: String,
    /// How much, above zero.
    pub amount: Quantity,
    /// After so many seconds it is free again by itself: 1 to 86,400; 300 when not given.
    #[serde(default = "default_hold_ttl")]
    #[schemars(range(min = 1, max = 86_400))]
    pub ttl_seconds: u32,
    /// For a person.
    #[serde(default)]
    #[schemars(with = "weir_core::schema::Long")]
    pub description: String,
    /// The caller's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub reference: Option<String>,
    /// A repeat under the same key holds nothing more and answers as the first did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub idempotency_key: Option<String>,
}

/// What a hold came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CaptureHold {
    /// The actual amount, above zero; all that is held when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Quantity>,
    /// For a person; the hold's when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Long>")]
    pub description: Option<String>,
}

/// How much longer a hold is to last.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExtendHold {
    /// Seconds from now, 1 to 86,400; 300 when not given. A hold that lasts longer already stays as it is.
    #[serde(default = "default_hold_ttl")]
    #[schemars(range(min = 1, max = 86_400))]
    pub ttl_seconds: u32,
}

/// Whether an amount is there.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckBalance {
    /// The customer's external id.
    #[schemars(with = "weir_core::schema::Short")]
    pub customer_id: String,
    /// The balance's name.
    #[schemars(with = "weir_core::schema::Short")]
    pub name: String,
    /// How much, above zero.
    pub amount: Quantity,
    /// What it would pay for; a balance whose filters these do not meet pays nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Dimensions>")]
    pub dimensions: Option<BTreeMap<String, String>>,
}

/// Whether an amount is there, and where the balance stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckedBalance {
    /// Which balance.
    pub balance_id: BalanceId,
    /// Its name.
    pub name: String,
    /// What it is counted in.
    pub unit: Option<String>,
    /// What it is.
    #[serde(deserialize_with = "weir_core::quantity::total")]
    pub current_balance: Quantity,
    /// What must stay.
    pub minimum_balance: Quantity,
    /// What may be spent.
    #[serde(deserialize_with = "weir_core::quantity::total")]
    pub available_balance: Quantity,
    /// What was asked for.
    #[serde(deserialize_with = "weir_core::quantity::total")]
    pub requested_amount: Quantity,
    /// Whether it is there.
    pub sufficient: bool,
}

/// Why an operation on a balance did not succeed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Insufficient {
    /// Always `insufficient_balance`.
    pub code: &'static str,
    /// For a person.
    pub message: String,
}

/// What became of a credit, debit or adjustment.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// Whether it was booked.
    pub success: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Insufficient>,
    /// The entry; of a repeat, the first one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Transaction>,
    /// Where the balance stands now.
    pub balance: Balance,
}

/// What became of a hold.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// Whether it was done.
    pub success: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Insufficient>,
    /// The hold; null where there was too little to hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<BalanceHold>,
    /// The debit that it was captured by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Transaction>,
    /// Where the balance stands now.
    pub balance: Balance,
}

/// What a balance paid for a tracked event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Charged {
    /// Which balance.
    pub balance_id: BalanceId,
    /// Its name.
    pub name: String,
    /// What it is counted in.
    pub unit: Option<String>,
    /// What it paid; below zero where a correction gave back.
    #[serde(deserialize_with = "weir_core::quantity::total")]
    pub amount: Quantity,
    /// What it is now.
    #[serde(deserialize_with = "weir_core::quantity::total")]
    pub current_balance: Quantity,
    /// What may be spent.
    #[serde(deserialize_with = "weir_core::quantity::total")]
    pub available_balance: Quantity,
}

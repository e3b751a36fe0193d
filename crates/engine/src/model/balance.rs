//! Balances: prepaid amounts, and their settings.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::id::{BalanceId, MeterId, ProjectId};
use weir_core::ledger::{GrantSource, RecurringMode};
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use super::patch::{given, given_or_empty};
use super::{Change, Cursor, Enforcement, PageSize};

/// The priority of a grant or balance when nothing is said; lower ones are spent first.
pub const DEFAULT_PRIORITY: u16 = 100;
/// The largest priority.
pub const MAX_PRIORITY: u16 = 1_000;

pub(crate) fn default_priority() -> u16 {
    DEFAULT_PRIORITY
}

/// A prepaid amount of a customer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Balance {
    /// Which balance.
    pub id: BalanceId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The customer's external id.
    pub customer_id: String,
    /// The customer's name.
    pub customer_name: Option<String>,
    /// Unique among the customer's live balances.
    pub name: String,
    /// What it is counted in, such as `credits`.
    pub unit: Option<String>,
    /// Credits + adjustments - debits - expiries.
    pub current_balance: Quantity,
    /// Set aside by live holds.
    pub held_balance: Quantity,
    /// What must stay: 0 forbids overdraft, a positive amount keeps a reserve, a negative one allows debt.
    pub minimum_balance: Quantity,
    /// Current - held - minimum: what may be spent. Below zero where an expiry or a recorded event took it there.
    pub available_balance: Quantity,
    /// Tell when the current balance falls to this, or below.
    pub low_balance_threshold: Option<Quantity>,
    /// Whether it is at its threshold, or below.
    pub low: bool,
    /// Tell that money should be added, and how much.
    pub top_up: Option<TopUp>,
    /// Pays only for events with these dimensions.
    pub dimension_filters: BTreeMap<String, String>,
    /// Among balances that match an event: lower ones pay first. 0 to 1,000.
    pub priority: u16,
    /// What usage costs.
    pub metered: Option<Metered>,
    /// What is credited in every period.
    pub recurring_credit: Option<RecurringCredit>,
    /// When the next recurring credit comes.
    pub next_recurring_at: Option<Timestamp>,
    /// When a grant expires next, and how much of it is left.
    pub next_expiry: Option<NextExpiry>,
    /// How fast it is spent, and how long it lasts.
    pub burn: Burn,
    /// Counts changes of its settings.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its settings were last changed.
    pub updated_at: Timestamp,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
}

/// When to tell that money should be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TopUp {
    /// When the current balance falls to this, or below.
    pub below: Quantity,
    /// How much to add, above zero. Told with the alert; Weir moves no money by itself.
    pub amount: Quantity,
}

/// What usage of a meter costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metered {
    /// The meter whose usage is paid for: of `sum` or `count`.
    pub meter_id: MeterId,
    /// What `per` units of the meter cost: above zero, at most 1,000,000,000.
    pub amount: Quantity,
    /// How many units of the meter that is the price of: a whole number from 1 to 1,000,000,000; 1 when not given.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub per: u32,
    /// Whether an event that it cannot pay for is refused when tracked, or taken into debt.
    #[serde(default)]
    pub enforcement: Enforcement,
}

fn one() -> u32 {
    1
}

/// What is credited at the start of every window of a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecurringCredit {
    /// How much, above zero.
    pub amount: Quantity,
    /// Whether that is added, or what is missing up to it.
    #[serde(default)]
    pub mode: RecurringMode,
    /// The customer's period; not `all_time`.
    pub period: Period,
    /// Whether each credit expires as the next one comes.
    #[serde(default)]
    pub expires: bool,
    /// The priority of each credit: 0 to 1,000, lower ones are spent first; 100 when not given.
    #[serde(default = "default_priority")]
    #[schemars(range(max = 1_000))]
    pub priority: u16,
    /// Where the money comes from.
    #[serde(default)]
    pub source: GrantSource,
}

/// When a grant expires next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NextExpiry {
    /// When.
    pub at: Timestamp,
    /// What is left of everything that expires then.
    pub amount: Quantity,
}

/// How fast a balance is spent: debits over the last seven days of UTC, today included, or since it was created.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Burn {
    /// The first instant looked at.
    pub from: Timestamp,
    /// What was debited since, less what voids and corrections gave back; never below zero.
    pub spent: Quantity,
    /// That per day, cut to nine digits; null in a balance's first hour.
    pub per_day: Option<Quantity>,
    /// For how many days the available balance lasts at that, cut to a whole number; null where nothing is spent.
    pub days_left: Option<i64>,
}

/// A balance to create.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewBalance {
    /// The customer's external id; an unknown customer is created.
    #[schemars(with = "weir_core::schema::Short")]
    pub customer_id: String,
    /// Unique among the customer's live balances.
    #[schemars(with = "weir_core::schema::Short")]
    pub name: String,
    /// What it is counted in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub unit: Option<String>,
    /// What must stay; 0 when not given.
    #[serde(default)]
    pub minimum_balance: Quantity,
    /// Booked as a first credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_balance: Option<Quantity>,
    /// Tell when the current balance falls to this, or below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_balance_threshold: Option<Quantity>,
    /// Tell that money should be added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_up: Option<TopUp>,
    /// Pays only for events with these dimensions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "weir_core::schema::Dimensions")]
    pub dimension_filters: BTreeMap<String, String>,
    /// Among balances that match an event: lower ones pay first. 0 to 1,000; 100 when not given.
    #[serde(default = "default_priority")]
    #[schemars(range(max = 1_000))]
    pub priority: u16,
    /// What usage costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metered: Option<Metered>,
    /// What is credited in every period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurring_credit: Option<RecurringCredit>,
}

/// Fields of a balance to change. Customer and name stay.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BalancePatch {
    /// What it is counted in.
    #[serde(skip_serializing_if = "Change::is_keep")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub unit: Change<String>,
    /// What must stay.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub minimum_balance: Option<Quantity>,
    /// Tell when the current balance falls to this, or below.
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub low_balance_threshold: Change<Quantity>,
    /// Tell that money should be added.
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub top_up: Change<TopUp>,
    /// Pays only for events with these dimensions.
    #[serde(deserialize_with = "given_or_empty", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Dimensions>")]
    pub dimension_filters: Option<BTreeMap<String, String>>,
    /// Among balances that match an event: lower ones pay first.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1_000))]
    pub priority: Option<u16>,
    /// What usage costs.
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub metered: Change<Metered>,
    /// What is credited in every period.
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub recurring_credit: Change<RecurringCredit>,
}

/// How balances are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BalanceSort {
    /// Newest first.
    #[default]
    Newest,
    /// Those at their threshold or below first, then by what is available, the least first.
    Lowest,
}

/// Which balances to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListBalances {
    /// Only this customer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub customer_id: Option<String>,
    /// Only those whose name, customer id or customer's name holds this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::MaybeShort>")]
    pub query: Option<String>,
    /// Only those at their threshold or below.
    #[serde(default)]
    pub low: bool,
    /// In which order. By `newest` a walk over all pages tells each balance once; by `lowest` one that moves meanwhile may be passed over
    /// or told again.
    #[serde(default)]
    pub sort: BalanceSort,
    /// Also archived ones.
    #[serde(default)]
    pub include_archived: bool,
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// A customer's live balances, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomerBalances {
    /// The customer's external id.
    pub customer_id: String,
    /// The balances.
    pub balances: Vec<Balance>,
}

/// What a low balance's alert is about.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlertedBalance {
    /// Which balance.
    pub id: BalanceId,
    /// Its name.
    pub name: String,
    /// What it is counted in.
    pub unit: Option<String>,
    /// The amount that it fell to, or below.
    pub threshold: Quantity,
    /// What it was then.
    pub current_balance: Quantity,
    /// How much to add, where a top-up is wanted.
    pub top_up_amount: Option<Quantity>,
}

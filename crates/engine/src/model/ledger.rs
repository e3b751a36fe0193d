//! What moved balances, what they are made of, and what is set aside.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::id::{BalanceId, EventId, HoldId, ProjectId, ReservationId, TransactionId};
use weir_core::ledger::{EntryKind, GrantSource};
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use super::{AuditActor, Cursor, PageSize};

/// An entry of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// Which entry.
    pub id: TransactionId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Whose ledger.
    pub balance_id: BalanceId,
    /// What kind of movement.
    #[serde(rename = "type")]
    pub kind: EntryKind,
    /// How much: positive by type; signed for an adjustment.
    pub amount: Quantity,
    /// What the balance was after it.
    pub balance_after: Quantity,
    /// For a person.
    pub description: String,
    /// The caller's own reference.
    pub reference: Option<String>,
    /// The caller's key.
    pub idempotency_key: Option<String>,
    /// What made it.
    pub cause: Cause,
    /// Of money that came in: the grant that it is.
    pub grant: Option<GrantTerms>,
    /// Of money that went: which grants paid, as far as is known today; of money given back, where it went.
    pub paid_by: Vec<Paid>,
    /// When.
    pub created_at: Timestamp,
}

/// What a grant is spent by.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrantTerms {
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// Lower ones are spent first.
    pub priority: u16,
    /// Where the money comes from.
    pub source: GrantSource,
}

/// What one grant paid of an entry.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Paid {
    /// The entry that the grant came in by; null: still owed.
    pub grant_id: Option<TransactionId>,
    /// How much.
    pub amount: Quantity,
}

/// What made an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// Somebody asked for it.
    Request,
    /// The balance was created with it.
    Initial,
    /// The recurring credit.
    Recurring,
    /// The date of a grant.
    Expiry,
    /// A hold was captured.
    Hold,
    /// An event that is paid for.
    Event,
    /// An event that was paid for was voided.
    Void,
}

/// What made an entry, and who.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// What.
    pub kind: CauseKind,
    /// Who asked; Weir itself for what happens by itself.
    pub actor: AuditActor,
    /// The event paid for, or voided.
    pub event_id: Option<EventId>,
    /// The hold captured.
    pub hold_id: Option<HoldId>,
    /// How much of the meter was paid for.
    pub quantity: Option<Quantity>,
}

/// Which entries to list, newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListTransactions {
    /// Only of this type.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<EntryKind>,
    /// Only with this reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub reference: Option<String>,
    /// From this instant on.
    #[serde(default, alias = "startDate", skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive.
    #[serde(default, alias = "endDate", skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// A range of a balance's ledger.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AskStatement {
    /// From this instant on; from the beginning when not given.
    #[serde(default, alias = "startDate", skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive; to the end when not given.
    #[serde(default, alias = "endDate", skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

/// What a balance was, what moved it, and what it was then: opening + credited + adjusted - debited - expired = closing.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// Whose.
    pub balance_id: BalanceId,
    /// The first instant.
    pub from: Option<Timestamp>,
    /// The instant after.
    pub to: Option<Timestamp>,
    /// What it was before.
    pub opening_balance: Quantity,
    /// All credits.
    pub credited: Quantity,
    /// All debits.
    pub debited: Quantity,
    /// All that expired.
    pub expired: Quantity,
    /// All adjustments, signed.
    pub adjusted: Quantity,
    /// What it was after.
    pub closing_balance: Quantity,
    /// How many entries.
    pub entries: u64,
}

/// Where a grant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    /// Something is left of it.
    Live,
    /// All of it was spent.
    Spent,
    /// What was left of it expired.
    Expired,
}

/// Money that came in, and what is left of it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The entry that it came in by.
    pub id: TransactionId,
    /// Whose.
    pub balance_id: BalanceId,
    /// How much came in.
    pub amount: Quantity,
    /// What is left.
    pub remaining: Quantity,
    /// What of that holds reserve.
    pub held: Quantity,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// Lower ones are spent first.
    pub priority: u16,
    /// Where the money comes from.
    pub source: GrantSource,
    /// For a person.
    pub description: String,
    /// Where it stands.
    pub state: GrantState,
    /// When it came in.
    pub created_at: Timestamp,
}

/// Which grants to list: without a state, those of which something is left in the order in which they are spent, then others, newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListGrants {
    /// Only those of which something is left.
    #[serde(default)]
    pub live: bool,
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// Where a hold stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    /// It holds.
    Live,
    /// It was captured.
    Captured,
    /// It was released.
    Released,
    /// It ran out.
    Expired,
}

/// An amount that is set aside, or was.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BalanceHold {
    /// Which hold.
    pub id: HoldId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Whose.
    pub balance_id: BalanceId,
    /// How much is held, or was.
    pub amount: Quantity,
    /// Where it stands.
    pub state: HoldState,
    /// When it ends by itself, or would have.
    pub expires_at: Timestamp,
    /// For a person.
    pub description: String,
    /// The caller's own reference.
    pub reference: Option<String>,
    /// The caller's key.
    pub idempotency_key: Option<String>,
    /// The reservation that holds it: it ends with that.
    pub reservation_id: Option<ReservationId>,
    /// The debit that it was captured by.
    pub transaction_id: Option<TransactionId>,
    /// How much was captured.
    pub captured: Option<Quantity>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// Which holds to list, newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListHolds {
    /// Only those that stand so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<HoldState>,
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

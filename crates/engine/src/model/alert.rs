//! Alerts: that a customer crossed a threshold of a limit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::id::{AlertId, BalanceId, LimitId, MeterId, ProjectId};
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use super::{AlertedBalance, AuditActor, Cursor, LogSort, PageSize};

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Nobody has looked at it.
    Open,
    /// Somebody has.
    Acknowledged,
    /// The window is over, or usage is below the threshold again.
    Resolved,
}

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// A customer crossed a threshold of a limit.
    LimitThreshold,
    /// A balance fell to its threshold, or below.
    BalanceLow,
    /// A balance wants a top-up.
    BalanceTopUp,
}

/// A customer crossed a threshold of a limit, or a balance fell to one. There is one for each limit, customer, window and threshold, until
/// the limit's value or thresholds change; and one for each time that a balance falls.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Which alert; derived from what it is about.
    pub id: AlertId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// What it is about.
    pub kind: AlertKind,
    /// The customer's external id.
    pub customer_id: String,
    /// The customer's name.
    pub customer_name: Option<String>,
    /// The limit's threshold, where it is about one.
    pub limit: Option<AlertedLimit>,
    /// The balance, where it is about one.
    pub balance: Option<AlertedBalance>,
    /// Where it stands.
    pub state: AlertState,
    /// When the threshold was crossed.
    pub created_at: Timestamp,
    /// When somebody acknowledged it.
    pub acknowledged_at: Option<Timestamp>,
    /// Who did.
    pub acknowledged_by: Option<AuditActor>,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
}

/// What a threshold's alert is about.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlertedLimit {
    /// Which limit.
    pub id: LimitId,
    /// Its name.
    pub name: String,
    /// What it limits.
    pub meter_id: MeterId,
    /// The meter's name.
    pub meter_name: String,
    /// The meter's unit.
    pub unit: Option<String>,
    /// The threshold, in percent.
    pub threshold: u16,
    /// The limit's value as it was crossed.
    pub value: Quantity,
    /// What was used then.
    pub used: Quantity,
    /// Percent used then, truncated to two digits.
    pub percentage: Quantity,
    /// The limit's period.
    pub period: Period,
    /// The window's first instant; null for `all_time`.
    pub window_start: Option<Timestamp>,
    /// The instant after the window; null for `all_time`.
    pub window_end: Option<Timestamp>,
}

/// Which alerts to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListAlerts {
    /// Only this customer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub customer_id: Option<String>,
    /// Only those of this limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_id: Option<LimitId>,
    /// Only those of this balance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance_id: Option<BalanceId>,
    /// Only those that stand so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<AlertState>,
    /// From this instant on.
    #[serde(default, alias = "startDate", skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive.
    #[serde(default, alias = "endDate", skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// The order.
    #[serde(default)]
    pub sort: LogSort,
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// Which open alerts to acknowledge.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcknowledgeAll {
    /// The newest alert that was seen: later ones stay open.
    pub up_to: AlertId,
    /// Only this customer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub customer_id: Option<String>,
    /// Only those of this limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_id: Option<LimitId>,
}

/// How many alerts were acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Acknowledged {
    /// How many.
    pub acknowledged: u64,
}

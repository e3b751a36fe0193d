//! Customers: whose usage is metered.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::id::{CustomerId, ProjectId};
use weir_core::quantity::Quantity;
use weir_core::time::{CivilDate, Timestamp, Zone};

use super::patch::{given, given_or_empty};
use super::{Change, Cursor, PageSize};

/// A customer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    /// The internal id.
    pub id: CustomerId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The operator's own id of the customer: what every `customerId` elsewhere means.
    pub external_id: String,
    /// A name to show.
    pub name: Option<String>,
    /// An address to show.
    pub email: Option<String>,
    /// The zone in which windows are cut; the project's when null.
    pub timezone: Option<Zone>,
    /// The local date from which months and years are counted.
    pub billing_cycle_start: CivilDate,
    /// Whatever the operator wants to keep.
    pub metadata: BTreeMap<String, String>,
    /// When the customer was created.
    pub created_at: Timestamp,
    /// When the customer was last changed.
    pub updated_at: Timestamp,
    /// When the customer was archived.
    pub archived_at: Option<Timestamp>,
    /// The time of the customer's latest event.
    pub last_event_at: Option<Timestamp>,
    /// Percent used of the limit with the largest share used, truncated to two digits; null without limits or usage.
    pub utilisation: Option<Quantity>,
}

/// A customer to create.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewCustomer {
    /// 1 to 256 characters; cannot be changed later.
    #[schemars(with = "weir_core::schema::Short")]
    pub external_id: String,
    /// 1 to 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub name: Option<String>,
    /// 1 to 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub email: Option<String>,
    /// An IANA zone name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Zone>,
    /// A date, or an instant that is turned into one in the customer's zone; today when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::DateOrInstant>")]
    pub billing_cycle_start: Option<String>,
    /// At most 64 entries: keys as for dimensions, values up to 2,000 characters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "weir_core::schema::Metadata")]
    pub metadata: BTreeMap<String, String>,
}

/// A change of a customer: fields given change, null clears an optional one.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomerPatch {
    /// 1 to 256 characters.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub name: Change<String>,
    /// 1 to 256 characters.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub email: Change<String>,
    /// An IANA zone name. Changing it re-cuts all windows from the recorded events.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub timezone: Change<Zone>,
    /// A date, or an instant. Changing it re-cuts all windows from the recorded events.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::DateOrInstant>")]
    pub billing_cycle_start: Option<String>,
    /// Replaces all metadata.
    #[serde(default, deserialize_with = "given_or_empty", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Metadata>")]
    pub metadata: Option<BTreeMap<String, String>>,
}

/// How a list of customers is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CustomerSort {
    /// Newest first.
    #[default]
    Newest,
    /// By external id, ascending.
    ExternalId,
    /// By share of their limits used, most first.
    Utilisation,
    /// By latest event, newest first.
    LastEvent,
}

/// Which customers to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListCustomers {
    /// Part of an external id, name, email or metadata value, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::MaybeShort>")]
    pub query: Option<String>,
    /// Only those with a balance at its threshold, or below.
    #[serde(default)]
    pub low_balance: bool,
    /// Also the archived ones.
    #[serde(default)]
    pub include_archived: bool,
    /// The order. By `newest` and `externalId` a walk over all pages tells each customer once; by `utilisation` and `lastEvent` one
    /// that moves meanwhile may be passed over or told again.
    #[serde(default)]
    pub sort: CustomerSort,
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

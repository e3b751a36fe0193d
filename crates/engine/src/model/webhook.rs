//! Webhooks: endpoints, and what they were told.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::id::{DeliveryId, MessageId, ProjectId, WebhookId};
use weir_core::time::Timestamp;

use super::patch::given;
use super::{Change, Cursor, PageSize, Snapshot};

/// What an endpoint can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum WebhookEventType {
    /// A customer reached a threshold below the whole of a limit.
    #[serde(rename = "limit.threshold_reached")]
    LimitThresholdReached,
    /// A customer reached a threshold of 100 % or more of a limit.
    #[serde(rename = "limit.exceeded")]
    LimitExceeded,
    /// A balance fell to its threshold, or below.
    #[serde(rename = "balance.low")]
    BalanceLow,
    /// A balance wants a top-up.
    #[serde(rename = "balance.top_up")]
    BalanceTopUp,
    /// What was used in a day, week or month that is over.
    #[serde(rename = "usage.summary")]
    UsageSummary,
    /// A change of configuration made many alerts due at once.
    #[serde(rename = "alerts.summary")]
    AlertsSummary,
    /// Somebody wants to know whether the endpoint answers.
    #[serde(rename = "ping")]
    Ping,
}

impl WebhookEventType {
    /// All of them.
    pub const ALL: [WebhookEventType; 7] = [
        WebhookEventType::LimitThresholdReached,
        WebhookEventType::LimitExceeded,
        WebhookEventType::BalanceLow,
        WebhookEventType::BalanceTopUp,
        WebhookEventType::UsageSummary,
        WebhookEventType::AlertsSummary,
        WebhookEventType::Ping,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            WebhookEventType::LimitThresholdReached => "limit.threshold_reached",
            WebhookEventType::LimitExceeded => "limit.exceeded",
            WebhookEventType::BalanceLow => "balance.low",
            WebhookEventType::BalanceTopUp => "balance.top_up",
            WebhookEventType::UsageSummary => "usage.summary",
            WebhookEventType::AlertsSummary => "alerts.summary",
            WebhookEventType::Ping => "ping",
        }
    }
}

/// An endpoint that is told what happens, without its secret.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Which endpoint.
    pub id: WebhookId,
    /// The project it is told of.
    pub project_id: ProjectId,
    /// Where it is told.
    pub url: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it is told; null: everything.
    pub event_types: Option<Vec<WebhookEventType>>,
    /// Whether it may lie on this machine or in a private network.
    pub allow_private: bool,
    /// Whether it is told anything.
    pub enabled: bool,
    /// When too many failures in a row disabled it.
    pub disabled_at: Option<Timestamp>,
    /// Failed attempts since the last one that went well.
    pub failures_in_a_row: u32,
    /// Messages that wait to be delivered.
    pub waiting: u64,
    /// The last attempt, if there was one.
    pub last_attempt: Option<WebhookAttempt>,
    /// Until when the secret before the last rotation signs beside the new one, if it still does.
    pub old_secret_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
}

/// An endpoint with the secret that its messages are signed with.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookWithSecret {
    /// The endpoint.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// `whsec_` and 32 bytes in base64, as Standard Webhooks has it.
    pub secret: String,
}

impl fmt::Debug for WebhookWithSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookWithSecret").field("webhook", &self.webhook).field("secret", &"<redacted>").finish()
    }
}

/// An endpoint to make.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewWebhook {
    /// An `http` or `https` address without a user name and fragment, at most 2,000 characters.
    #[schemars(with = "weir_core::schema::EndpointUrl")]
    pub url: String,
    /// At most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Long>")]
    pub description: Option<String>,
    /// What it is to be told; everything, when not given or null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub event_types: Option<Vec<WebhookEventType>>,
    /// Whether it may lie on this machine or in a private network; not, when not given.
    #[serde(default)]
    pub allow_private: bool,
    /// Whether it is to be told anything; it is, when not given.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// Fields of an endpoint to change.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WebhookPatch {
    /// Where it is told.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::EndpointUrl>")]
    pub url: Option<String>,
    /// At most 2,000 characters.
    #[serde(skip_serializing_if = "Change::is_keep")]
    #[schemars(with = "Option<weir_core::schema::Long>")]
    pub description: Change<String>,
    /// What it is told; null: everything.
    #[serde(skip_serializing_if = "Change::is_keep")]
    #[schemars(length(min = 1))]
    pub event_types: Change<Vec<WebhookEventType>>,
    /// Whether it may lie on this machine or in a private network.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub allow_private: Option<bool>,
    /// Whether it is told anything. What waits while it is not is delivered once it is again.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// Which endpoints to list, newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListWebhooks {
    /// Also those that were archived.
    #[serde(default)]
    pub include_archived: bool,
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// A new secret for an endpoint.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotateWebhook {
    /// For so many seconds the secret until now signs beside the new one: 0 to 604,800; 86,400 when not given.
    #[serde(default = "a_day")]
    #[schemars(range(max = 604_800))]
    pub overlap_seconds: u32,
}

fn a_day() -> u32 {
    86_400
}

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It has not been tried yet, or will be tried again.
    Waiting,
    /// The endpoint answered with a status from 200 to 299.
    Delivered,
    /// It was tried for three days and given up.
    Failed,
}

/// An attempt at a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookAttempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why there was no answer, or why it does not count.
    pub error: Option<String>,
}

/// An attempt at a delivery with what was sent and answered.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryAttempt {
    /// The attempt.
    #[serde(flatten)]
    pub attempt: WebhookAttempt,
    /// The headers that were sent, by name.
    pub request_headers: std::collections::BTreeMap<String, String>,
    /// The first 2,000 characters of the answer's body, if there was one.
    pub response_body: Option<String>,
}

/// A message on its way to one endpoint, and every attempt at it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Which delivery.
    pub id: DeliveryId,
    /// The project that the endpoint belongs to.
    pub project_id: ProjectId,
    /// The endpoint.
    pub webhook_id: WebhookId,
    /// The message: the `webhook-id` header, the same for every attempt, delivery and endpoint.
    pub message_id: MessageId,
    /// What the endpoint is told.
    pub event_type: WebhookEventType,
    /// How far it has come.
    pub state: DeliveryState,
    /// The body, as it is signed and sent.
    pub payload: Snapshot,
    /// Every attempt, oldest first.
    pub attempts: Vec<DeliveryAttempt>,
    /// When it is tried next, while it waits; null if another message comes first, or the endpoint is disabled.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it was delivered or given up.
    pub ended_at: Option<Timestamp>,
}

/// Which deliveries of an endpoint to list, newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListDeliveries {
    /// Only those that have come so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<DeliveryState>,
    /// Only those of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<WebhookEventType>,
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// Which delivery of an endpoint to make again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Redeliver {
    /// The delivery.
    pub delivery_id: String,
}

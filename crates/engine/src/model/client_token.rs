//! Client tokens: what a customer's own front end may call with.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::id::{ClientTokenId, ProjectId};
use weir_core::properties::{Json, Properties};
use weir_core::time::Timestamp;

use super::{Cursor, PageSize};

/// A client token to make.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewClientToken {
    /// What the front end may read again: an object of at most 16 KiB that names the customer as `customerId` (or `customer_id`).
    #[serde(alias = "context")]
    #[schemars(extend("x-aliases" = ["context"]))]
    pub public_metadata: Properties,
    /// What only holders of an API key may read again: any JSON of at most 16 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_context: Option<Json>,
    /// For how long it is good, in seconds: 1 to 86,400; 3,600 when not given.
    #[serde(default = "an_hour")]
    #[schemars(range(min = 1, max = 86_400))]
    pub ttl_seconds: u32,
}

fn an_hour() -> u32 {
    3_600
}

/// A client token just made, with the token itself, which is shown this once.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewClientTokenAnswer {
    /// Which token.
    pub id: ClientTokenId,
    /// The token. Only a hash of it is kept.
    pub token: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

impl fmt::Debug for NewClientTokenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewClientTokenAnswer").field("id", &self.id).field("token", &"<redacted>").finish()
    }
}

/// A client token, without the token itself.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientToken {
    /// Which token.
    pub id: ClientTokenId,
    /// The project it opens.
    pub project_id: ProjectId,
    /// Whose it is: the customer's external id.
    pub customer_id: String,
    /// What the front end may read again.
    pub public_metadata: Properties,
    /// What only holders of an API key may read again.
    pub server_context: Option<Json>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A client token looked into.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IntrospectedToken {
    /// Whether it would be let in now: neither revoked nor past its date, and its customer not archived.
    pub active: bool,
    /// The token.
    #[serde(flatten)]
    pub token: ClientToken,
}

/// What a front end is told of its token.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnToken {
    /// The project it opens.
    pub project_id: ProjectId,
    /// What was said of it when it was made.
    pub public_metadata: Properties,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// Which client tokens to list, newest first. Those past their date are kept for a day.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListClientTokens {
    /// Only this customer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// Rows on a page.
    #[serde(default)]
    pub limit: PageSize,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// A token to look into.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntrospectToken {
    /// The token itself.
    pub token: String,
}

impl fmt::Debug for IntrospectToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntrospectToken(<redacted>)")
    }
}

//! API keys.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::id::{KeyId, ProjectId};
use weir_core::time::Timestamp;

/// What a key may do. Each scope includes the ones below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read and check.
    Read,
    /// Also record usage.
    Ingest,
    /// Everything.
    Manage,
}

impl Scope {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Ingest => "ingest",
            Scope::Manage => "manage",
        }
    }
}

/// An API key, without its secret.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// Which key.
    pub id: KeyId,
    /// The project it opens.
    pub project_id: ProjectId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// The first characters of the secret, to recognise it by.
    pub prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A key to make.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewKey {
    /// 1 to 256 characters.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it stops working; never, when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A key just made, with its secret, which is shown this once.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewKeyAnswer {
    /// Which key.
    pub id: KeyId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// The first characters of the secret.
    pub prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// The secret. Only a hash of it is kept.
    pub key: String,
}

impl fmt::Debug for NewKeyAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKeyAnswer")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("key", &"<redacted>")
            .finish()
    }
}

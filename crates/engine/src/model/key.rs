//! API keys.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::id::{KeyId, ProjectId};
use weir_core::time::Timestamp;

use super::Change;
use super::patch::given;

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
    /// Most calls within any minute; null: as many as it likes.
    pub per_minute: Option<u32>,
    /// Most calls within any day; null: as many as it likes.
    pub per_day: Option<u32>,
    /// Until when the secret before the last rotation is good, if it still is.
    pub old_secret_until: Option<Timestamp>,
}

/// A key to make.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewKey {
    /// 1 to 256 characters.
    #[schemars(with = "weir_core::schema::Short")]
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it stops working; never, when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Most calls within any minute, 1 to 1,000,000,000; 1,000 when not given; null: as many as it likes.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub per_minute: Change<u32>,
    /// Most calls within any day, 1 to 1,000,000,000; 100,000 when not given; null: as many as it likes.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub per_day: Change<u32>,
}

/// Fields of a key to change. Scope and secret stay.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KeyPatch {
    /// 1 to 256 characters.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub name: Option<String>,
    /// When it stops working.
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub expires_at: Change<Timestamp>,
    /// Most calls within any minute.
    #[serde(skip_serializing_if = "Change::is_keep")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub per_minute: Change<u32>,
    /// Most calls within any day.
    #[serde(skip_serializing_if = "Change::is_keep")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub per_day: Change<u32>,
}

/// A new secret for a key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotateKey {
    /// For so many seconds the secret until now stays good beside the new one: 0 to 2,592,000; 86,400 when not given. One before it
    /// stops at once.
    #[serde(default = "a_day")]
    #[schemars(range(max = 2_592_000))]
    pub overlap_seconds: u32,
}

fn a_day() -> u32 {
    86_400
}

/// A key just made or given a new secret, with that secret, which is shown this once.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewKeyAnswer {
    /// Which key.
    pub id: KeyId,
    /// The project it opens.
    pub project_id: ProjectId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// The first characters of the secret.
    pub prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Most calls within any minute; null: as many as it likes.
    pub per_minute: Option<u32>,
    /// Most calls within any day; null: as many as it likes.
    pub per_day: Option<u32>,
    /// Until when the secret before the last rotation is good, if it still is.
    pub old_secret_until: Option<Timestamp>,
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

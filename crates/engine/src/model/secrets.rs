//! Where the key of signing secrets is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the key of signing secrets is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SecretsPlace {
    /// In the keyring of the system that Weir runs on.
    Keyring,
    /// In `secret.key` beside the data, which only its user can read.
    File,
    /// In `WEIR_SECRET_KEY`, where Weir is started.
    Environment,
}

/// Where the key of signing secrets can be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SecretsChoice {
    /// In the keyring of the system that Weir runs on.
    Keyring,
    /// In `secret.key` beside the data, which only its user can read.
    File,
}

impl SecretsPlace {
    /// The same as a choice, if it is one.
    pub(crate) const fn choice(self) -> Option<SecretsChoice> {
        match self {
            SecretsPlace::Keyring => Some(SecretsChoice::Keyring),
            SecretsPlace::File => Some(SecretsChoice::File),
            SecretsPlace::Environment => None,
        }
    }
}

impl From<SecretsChoice> for SecretsPlace {
    fn from(choice: SecretsChoice) -> Self {
        match choice {
            SecretsChoice::Keyring => SecretsPlace::Keyring,
            SecretsChoice::File => SecretsPlace::File,
        }
    }
}

/// How it stands with the key that signing secrets derive from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretsState {
    /// Where it is kept; null while nobody chose.
    pub store: Option<SecretsPlace>,
    /// Whether there is one. It is made for the first endpoint.
    pub has_key: bool,
    /// Whether another place can be chosen: not where the environment holds the key.
    pub can_change: bool,
    /// Whether a file `secret.key` lies beside the data although the key is kept elsewhere.
    pub file_left: bool,
    /// Why it cannot be read, if it cannot.
    pub error: Option<String>,
    /// The code of that, such as `keyring_unavailable`.
    pub error_code: Option<&'static str>,
}

/// Where to keep the key that signing secrets derive from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeepSecrets {
    /// The place.
    pub store: SecretsChoice,
    /// Leave the key until now where it is, and begin with the one of the new place, or a new one: each endpoint then has to be
    /// given a new secret.
    #[serde(default)]
    pub new_key: bool,
}

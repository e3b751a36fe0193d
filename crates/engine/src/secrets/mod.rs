//! The key that signing secrets derive from, and where it is kept: the keyring of the system, a file beside the data, or the
//! environment. Which of them is somebody's choice: none takes another's place by itself.

mod choice;
mod folder;
mod key_file;
mod patient;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::actor::Actor;
use crate::changes::Topics;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{KeepSecrets, SecretsPlace, SecretsState};

pub(crate) use folder::Folder;

/// The variable of the environment that may hold the key.
pub const VARIABLE: &str = "WEIR_SECRET_KEY";
/// Bytes of the key, and of every secret that derives from it.
pub(crate) const BYTES: usize = 32;

/// The key of a data folder, never shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey([u8; BYTES]);

/// A text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a key of 64 hex digits")]
pub struct BadSecretKey;

impl SecretKey {
    /// The key of these bytes.
    pub const fn new(bytes: [u8; BYTES]) -> Self {
        SecretKey(bytes)
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    fn random() -> Result<Self> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(|error| Error::Storage(format!("no randomness: {error}")))?;
        Ok(SecretKey(bytes))
    }

    fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl FromStr for SecretKey {
    type Err = BadSecretKey;

    fn from_str(text: &str) -> Result<Self, BadSecretKey> {
        let digits = text.as_bytes();
        if digits.len() != 2 * BYTES {
            return Err(BadSecretKey);
        }
        let digit = |digit: u8| char::from(digit).to_digit(16).ok_or(BadSecretKey);
        let mut key = [0; BYTES];
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
        }
        Ok(SecretKey(key))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// The keyring of the system. Hosts hand it in: the engine knows none itself. It may block, for as long as its user needs to unlock it.
pub trait Keyring: fmt::Debug + Send + Sync {
    /// The key that is kept for a project; none where there is none.
    fn load(&self, project: &str) -> Result<Option<SecretKey>, KeyringError>;
    /// Keeps a project's key.
    fn save(&self, project: &str, key: &SecretKey) -> Result<(), KeyringError>;
    /// Takes a project's key away.
    fn remove(&self, project: &str) -> Result<(), KeyringError>;
}

/// Why a keyring did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is none, or it is locked.
    #[error("{0}")]
    Silent(String),
    /// What it keeps for the project is no key.
    #[error("what it keeps for this project is not a key of 32 bytes")]
    Damaged,
}

/// What hosts know of places for the key.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The keyring of the system.
    pub keyring: Option<Arc<dyn Keyring>>,
    /// The key that the environment holds. It is used, whatever was chosen for the folder, and never written down.
    pub environment: Option<SecretKey>,
    /// Where the key is kept while nobody chose; none: nowhere, and what needs it is refused.
    pub unless_chosen: Option<SecretsPlace>,
}

impl Engine {
    /// Where the key of signing secrets is kept.
    pub async fn secrets(&self) -> Result<SecretsState> {
        self.shared.vault.state().await
    }

    /// Keeps the key of signing secrets in another place: moves what key there is.
    pub async fn keep_secrets(&self, actor: &Actor, keep: KeepSecrets) -> Result<SecretsState> {
        let (before, after) = self.shared.vault.keep(keep).await?;
        if after != before {
            self.remember(actor, "secrets.update", "secrets", before, after.clone()).await?;
            self.publish(Topics::PROJECT | Topics::WEBHOOKS);
        }
        Ok(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written_and_nothing_else_is() {
        let key = SecretKey::random().unwrap();
        assert_eq!(key.hex().parse(), Ok(key.clone()));
        assert_eq!(key.hex().to_uppercase().parse(), Ok(key.clone()));
        assert_eq!(format!("{key:?}"), "<redacted>");
        for text in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(text.parse::<SecretKey>(), Err(BadSecretKey), "{text}");
        }
    }
}

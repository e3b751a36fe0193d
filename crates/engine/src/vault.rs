//! Signing secrets, which are stored nowhere: each derives from the folder's key and a random value in the data file. So neither the
//! data file nor a backup of it holds a secret.

use std::path::Path;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use uuid::Uuid;
use weir_core::id::ProjectId;

use crate::error::{Error, Result};
use crate::model::{KeepSecrets, SecretsState};
use crate::secrets::{BYTES, Folder, SecretKey, Secrets};

/// What sets a secret apart from others about the same thing.
pub(crate) type Salt = [u8; 16];

/// A secret, never shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret([u8; BYTES]);

impl SigningSecret {
    /// The secret about something.
    pub(crate) fn derive(key: &SecretKey, about: Uuid, salt: &Salt) -> Self {
        // HMAC itself fills a shorter key with zeros.
        let mut block = [0; 64];
        block[..BYTES].copy_from_slice(key.bytes());
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(b"webhook");
        mac.update(about.as_bytes());
        mac.update(salt);
        SigningSecret(mac.finalize().into_bytes().into())
    }

    /// The bytes that sign.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As Standard Webhooks writes it: `whsec_` and base64.
    pub fn reveal(&self) -> String {
        use base64::Engine as _;
        format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(self.0))
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl std::fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<redacted>")
    }
}

/// The folder's key, read when it is first needed.
pub(crate) struct Vault {
    folder: Arc<Folder>,
    key: Arc<Mutex<Option<SecretKey>>>,
}

impl Vault {
    pub(crate) fn new(data_dir: &Path, project: ProjectId, given: Secrets) -> Self {
        Vault { folder: Arc::new(Folder::new(data_dir, project, given)), key: Arc::default() }
    }

    /// The key, if the folder has one.
    pub(crate) async fn key(&self) -> Result<Option<SecretKey>> {
        if let Ok(key) = self.key.try_lock()
            && key.is_some()
        {
            return Ok(key.clone());
        }
        self.work(Folder::key).await?
    }

    /// The key, made where the folder has none.
    pub(crate) async fn prepare(&self) -> Result<SecretKey> {
        self.work(Folder::prepare).await?
    }

    /// How it stands.
    pub(crate) async fn state(&self) -> Result<SecretsState> {
        self.work(Folder::state).await
    }

    /// Keeps the key in a place from now on: how it stood, and how it stands.
    pub(crate) async fn keep(&self, keep: KeepSecrets) -> Result<(SecretsState, SecretsState)> {
        self.work(move |folder, key| folder.keep(key, keep)).await?
    }

    /// Works on the folder's places, one at a time and on a thread that may block. The lock goes there too: of two that find no key
    /// one makes it, also where a caller no longer waits.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder, &mut Option<SecretKey>) -> T + Send + 'static,
    ) -> Result<T> {
        let (folder, key) = (self.folder.clone(), self.key.clone());
        let mut key = key.lock_owned().await;
        let working = tokio::task::spawn_blocking(move || work(&folder, &mut key));
        working.await.map_err(|broken| Error::Storage(broken.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_that_of_its_key_its_endpoint_and_its_salt() {
        let (key, about, salt) = (SecretKey::new([1; BYTES]), Uuid::from_u128(1), [7; 16]);
        let secret = SigningSecret::derive(&key, about, &salt);
        assert_ne!(secret, SigningSecret::derive(&SecretKey::new([2; BYTES]), about, &salt));
        assert_ne!(secret, SigningSecret::derive(&key, Uuid::from_u128(2), &salt));
        assert_ne!(secret, SigningSecret::derive(&key, about, &[8; 16]));
        // Receivers hold secrets that were handed out: how they derive never changes.
        let mut mac = Hmac::<Sha256>::new_from_slice(&[1; BYTES]).unwrap();
        [b"webhook".as_slice(), about.as_bytes(), &salt].into_iter().for_each(|part| mac.update(part));
        assert_eq!(secret.bytes(), mac.finalize().into_bytes().as_slice());
        assert!(secret.reveal().starts_with("whsec_") && secret.reveal().len() == 6 + 44);
        assert_eq!(format!("{secret:?}"), "<redacted>");
    }
}

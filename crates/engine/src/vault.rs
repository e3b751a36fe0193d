//! The folder's secret key, from which signing secrets derive: a file beside the data that only its user can read, so that neither
//! the data file nor a backup of it holds a secret.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::store::sync_folder;

/// The file's name.
const FILE: &str = "secret.key";
/// Bytes of the key, and of every secret that derives from it.
const BYTES: usize = 32;

/// What sets a secret apart from others about the same thing.
pub(crate) type Salt = [u8; 16];

/// A secret, never shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret([u8; BYTES]);

impl SigningSecret {
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

/// The key, read when it is first needed.
pub(crate) struct Vault {
    path: PathBuf,
    key: Mutex<Option<[u8; BYTES]>>,
}

impl Vault {
    pub(crate) fn beside(data_dir: &Path) -> Self {
        Vault { path: data_dir.join(FILE), key: Mutex::new(None) }
    }

    /// Makes the key, where the folder has none.
    pub(crate) fn prepare(&self) -> Result<()> {
        // Held until it is written: of two that find none, one makes it.
        let mut kept = self.kept();
        if self.key(&mut kept)?.is_some() {
            return Ok(());
        }
        let mut key = [0; BYTES];
        getrandom::fill(&mut key).map_err(|error| Error::Storage(format!("no randomness: {error}")))?;
        let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        self.write(&text).map_err(|error| self.unusable(error))?;
        *kept = Some(key);
        Ok(())
    }

    /// The secret about something, if the folder has its key.
    pub(crate) fn secret(&self, about: Uuid, salt: &Salt) -> Result<Option<SigningSecret>> {
        let Some(key) = self.key(&mut self.kept())? else { return Ok(None) };
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| self.unusable(error))?;
        mac.update(b"webhook");
        mac.update(about.as_bytes());
        mac.update(salt);
        Ok(Some(SigningSecret(mac.finalize().into_bytes().into())))
    }

    fn key(&self, kept: &mut Option<[u8; BYTES]>) -> Result<Option<[u8; BYTES]>> {
        if kept.is_none() {
            *kept = match fs::read_to_string(&self.path) {
                Ok(text) => Some(read(text.trim()).ok_or_else(|| self.unusable("is not a key of 64 hex digits"))?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(self.unusable(error)),
            };
        }
        Ok(*kept)
    }

    /// Whole or not at all, and for good: without it, secrets that were handed out are lost.
    fn write(&self, text: &str) -> io::Result<()> {
        let draft = self.path.with_extension("key.new");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(draft, &self.path)?;
        sync_folder(&self.path)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<[u8; BYTES]>> {
        // Nothing that holds the lock leaves a key half written.
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unusable(&self, reason: impl std::fmt::Display) -> Error {
        Error::Storage(format!("{}: {reason}", self.path.display()))
    }
}

fn read(text: &str) -> Option<[u8; BYTES]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * BYTES {
        return None;
    }
    let mut key = [0; BYTES];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_back_with_its_folder_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let (about, salt) = (Uuid::from_u128(1), [7; 16]);
        let vault = Vault::beside(dir.path());
        assert_eq!(vault.secret(about, &salt).unwrap(), None, "no key yet");
        vault.prepare().unwrap();
        let secret = vault.secret(about, &salt).unwrap().unwrap();
        assert_ne!(Some(&secret), vault.secret(Uuid::from_u128(2), &salt).unwrap().as_ref());
        assert_ne!(Some(&secret), vault.secret(about, &[8; 16]).unwrap().as_ref());
        vault.prepare().unwrap();
        assert_eq!(Vault::beside(dir.path()).secret(about, &salt).unwrap(), Some(secret.clone()));
        assert!(secret.reveal().starts_with("whsec_") && secret.reveal().len() == 6 + 44);
        assert_eq!(format!("{secret:?}"), "<redacted>");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_key_is_told_and_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["", "00", &"0".repeat(63), &"g".repeat(64), &"é".repeat(32)] {
            fs::write(dir.path().join(FILE), text).unwrap();
            let vault = Vault::beside(dir.path());
            assert!(vault.prepare().is_err() && vault.secret(Uuid::nil(), &[0; 16]).is_err(), "{text}");
            assert_eq!(fs::read_to_string(dir.path().join(FILE)).unwrap(), text);
        }
    }
}

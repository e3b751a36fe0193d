//! The keyring of the system: the Secret Service of a Linux desktop, the Keychain of macOS, the Credential Manager of Windows.

use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};
use weir_engine::secrets::{Keyring, KeyringError, SecretKey};

/// What all entries are kept under.
const SERVICE: &str = "dev.weir";

/// The keyring of the system. It is looked for anew each time, so that one which starts later is found. It blocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemKeyring;

impl Keyring for SystemKeyring {
    fn load(&self, project: &str) -> Result<Option<SecretKey>, KeyringError> {
        match entry(project)?.get_secret() {
            Ok(bytes) => bytes.try_into().map(|bytes| Some(SecretKey::new(bytes))).map_err(|_| KeyringError::Damaged),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(silent(error)),
        }
    }

    fn save(&self, project: &str, key: &SecretKey) -> Result<(), KeyringError> {
        entry(project)?.set_secret(key.bytes()).map_err(silent)
    }

    fn remove(&self, project: &str) -> Result<(), KeyringError> {
        match entry(project)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(silent(error)),
        }
    }
}

fn entry(project: &str) -> Result<Entry, KeyringError> {
    store().and_then(|store| store.build(SERVICE, project, None)).map_err(silent)
}

#[cfg(target_os = "macos")]
fn store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(all(unix, not(target_os = "macos")))]
fn store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

/// An error never holds what was kept, but for two kinds, whose bytes are not shown.
fn silent(error: Error) -> KeyringError {
    match error {
        Error::BadEncoding(_) | Error::BadDataFormat(..) => KeyringError::Damaged,
        error => KeyringError::Silent(error.to_string()),
    }
}

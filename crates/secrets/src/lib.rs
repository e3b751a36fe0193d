//! What this machine knows of places for the key of signing secrets: the keyring of its system, and the environment.
#![forbid(unsafe_code)]

mod keyring;

use std::sync::Arc;

use weir_engine::model::SecretsPlace;
use weir_engine::secrets::{BadSecretKey, Secrets, VARIABLE};

pub use keyring::SystemKeyring;

/// The environment holds something that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{VARIABLE} {0}")]
pub struct BadEnvironment(BadSecretKey);

/// The places of this machine, and the one that is used for a folder while nobody chose.
pub fn of_this_machine(unless_chosen: Option<SecretsPlace>) -> Result<Secrets, BadEnvironment> {
    let environment = match std::env::var_os(VARIABLE) {
        None => None,
        // What is not even text is no key either.
        Some(text) => Some(text.to_string_lossy().parse().map_err(BadEnvironment)?),
    };
    Ok(Secrets { keyring: Some(Arc::new(SystemKeyring)), environment, unless_chosen })
}

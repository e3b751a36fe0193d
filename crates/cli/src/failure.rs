//! Why a command failed, in a sentence.

use weir_http::{DoorError, Refusal, TlsError};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    /// For this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Failure(reason.into())
    }
}

impl From<DoorError> for Failure {
    fn from(error: DoorError) -> Self {
        Failure(error.to_string())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure(refusal.message)
    }
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        Failure(error.to_string())
    }
}

impl From<weir_engine::OpenError> for Failure {
    fn from(error: weir_engine::OpenError) -> Self {
        Failure(error.to_string())
    }
}

impl From<weir_secrets::BadEnvironment> for Failure {
    fn from(error: weir_secrets::BadEnvironment) -> Self {
        Failure(error.to_string())
    }
}

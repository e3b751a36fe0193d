//! What can go wrong at the engine's edge, and when opening a data file.

use std::path::PathBuf;

use weir_core::error::{Code, Fault};
use weir_core::period::Period;
use weir_core::rate::RateSpan;

use crate::model::Refused;

/// Why the engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request breaks a rule; nothing was done.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Several items of a batch break rules, each with its index; nothing was done.
    #[error("{} of the events cannot be recorded; nothing was recorded", .0.len())]
    Faults(Vec<(usize, Fault)>),
    /// A rate limit or a limit of the customer refuses the event; nothing was recorded.
    #[error("{}", refusal(.0))]
    Refused(Box<Refused>),
    /// The caller's key or client token has made as many calls as it may; nothing was done.
    #[error(
        "no more than {limit} calls per {span} are admitted, and they were made; try again in {retry_after_seconds} s"
    )]
    TooManyCalls {
        /// How many it may make.
        limit: u32,
        /// Within which window.
        span: RateSpan,
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// Too much waits already, or a meter is still being built; nothing was done.
    #[error("{reason}; try again in {retry_after_seconds} s")]
    Busy {
        /// What it waits for.
        reason: &'static str,
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// The engine is being closed; nothing was done.
    #[error("Weir is closing")]
    Closed,
    /// The commit failed or the writer broke off: the change may or may not have been stored.
    #[error("the outcome is unknown: {0}; repeat the request with the same idempotency key")]
    Unknown(String),
    /// Storage failed; nothing was done.
    #[error("the data file could not be read or written: {0}")]
    Storage(String),
}

impl Error {
    /// The code on the wire.
    pub fn code(&self) -> Code {
        match self {
            Error::Fault(fault) => fault.code,
            Error::Faults(faults) => faults.first().map_or(Code::InvalidRequest, |(_, fault)| fault.code),
            Error::Refused(refused) if refused.rate_limits.is_empty() => Code::LimitExceeded,
            Error::Refused(_) => Code::CustomerRateLimited,
            Error::TooManyCalls { .. } => Code::RateLimitExceeded,
            Error::Busy { .. } | Error::Closed => Code::Busy,
            Error::Unknown(_) | Error::Storage(_) => Code::InternalError,
        }
    }

    pub(crate) fn not_found(code: Code, thing: &str, id: &str) -> Self {
        Error::Fault(Fault::new(code, format!("there is no {thing} `{id}`")))
    }
}

fn refusal(refused: &Refused) -> String {
    if let Some(rate) = refused.rate_limits.first() {
        return format!(
            "the rate limit `{}` admits {} per {}, and no call is left",
            rate.name, rate.limit, rate.window
        );
    }
    match refused.limits.first() {
        Some(limit) => {
            let (name, value, remaining) = (&limit.name, limit.limit, limit.remaining);
            let per = match limit.period {
                Period::AllTime => "in all".to_owned(),
                period => format!("per {period}"),
            };
            format!("the limit `{name}` allows {value} {per}, and {remaining} is left: the event would take more")
        }
        None => match refused.balances.last() {
            Some(balance) => format!(
                "the balance `{}` has {} available, and the event would cost {}",
                balance.name, balance.available_balance, balance.requested_amount
            ),
            None => "the event is refused".to_owned(),
        },
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            // Only closing the engine closes its connections.
            sqlx::Error::PoolClosed => Error::Closed,
            error => Error::Storage(error.to_string()),
        }
    }
}

impl From<weir_core::quantity::Overflow> for Error {
    fn from(overflow: weir_core::quantity::Overflow) -> Self {
        Error::Fault(Fault::new(Code::InvalidRequest, overflow.to_string()))
    }
}

impl OpenError {
    /// What SQLite said about a file.
    pub(crate) fn of_sqlite(path: &std::path::Path, source: sqlx::Error) -> Self {
        match &source {
            sqlx::Error::Database(error) if error.message().contains("not a database") => {
                OpenError::Foreign { path: path.to_owned() }
            }
            sqlx::Error::Database(error) if error.message().contains("malformed") => {
                OpenError::Damaged { path: path.to_owned(), detail: error.message().to_owned() }
            }
            _ => OpenError::Sqlite { path: path.to_owned(), source },
        }
    }
}

/// Shorthand within the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a data file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process owns it.
    #[error("{path} is in use by another Weir ({owner})")]
    Owned {
        /// The data folder.
        path: PathBuf,
        /// What the owner wrote about itself.
        owner: String,
    },
    /// A newer Weir wrote it.
    #[error(
        "{path} was written by a newer Weir (its schema is {found}, this Weir knows {known}): update Weir, or restore an older backup"
    )]
    Newer {
        /// The data file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema this program knows.
        known: i64,
    },
    /// It is a SQLite file, or a file, but not ours.
    #[error("{path} is not a Weir data file")]
    Foreign {
        /// The data file.
        path: PathBuf,
    },
    /// It is damaged.
    #[error("{path} is damaged: {detail}. Restore a backup with `weir restore`")]
    Damaged {
        /// The data file.
        path: PathBuf,
        /// What SQLite found.
        detail: String,
    },
    /// A file system that SQLite's log cannot work on.
    #[error("{path} lies on a network file system; Weir needs a local disk")]
    NetworkFileSystem {
        /// The data folder.
        path: PathBuf,
    },
    /// The folder or a file in it cannot be used.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("{path} could not be opened: {source}")]
    Sqlite {
        /// The data file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// The upgrade to this version's schema failed; the file is as it was.
    #[error("{path} could not be upgraded and is as it was: {detail}. The backup made before is at {backup}")]
    Upgrade {
        /// The data file.
        path: PathBuf,
        /// Why.
        detail: String,
        /// The copy made before.
        backup: PathBuf,
    },
    /// Its contents could not be loaded.
    #[error("{path} could not be loaded: {source}")]
    Load {
        /// The data file.
        path: PathBuf,
        /// Why.
        source: Box<Error>,
    },
}

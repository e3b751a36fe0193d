//! What can be wrong with a file as a whole, and with one of its rows.

use std::io;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use weir_core::error::{Code, Fault};

/// Why a file cannot be imported at all. Nothing of it was read as events.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The bytes could not be had, or could not be unpacked.
    #[error("the file cannot be read: {0}")]
    Read(#[from] io::Error),
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// It is not CSV or JSON Lines in UTF-8.
    #[error("{0}")]
    Format(String),
    /// The mapping does not fit the file.
    #[error("{0}")]
    Mapping(String),
}

impl FileError {
    /// The code to answer with.
    pub const fn code(&self) -> Code {
        match self {
            FileError::Mapping(_) => Code::InvalidFieldValue,
            FileError::Read(_) | FileError::Empty | FileError::Format(_) => Code::InvalidRequest,
        }
    }
}

/// A row that is not imported, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct RowError {
    /// The line of the file on which the row begins; the first is 1.
    pub line: u64,
    /// Which rule refused it, by its name on the wire.
    #[serde(serialize_with = "code_name")]
    #[schemars(with = "String")]
    pub code: Code,
    /// What is wrong, naming the column or field.
    pub message: String,
}

fn code_name<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.as_str())
}

impl RowError {
    /// A fault that was found in the event a row became.
    pub fn from_fault(line: u64, fault: Fault) -> Self {
        RowError { line, code: fault.code, message: fault.message }
    }

    pub(crate) fn unreadable(line: u64, message: impl Into<String>) -> Self {
        RowError { line, code: Code::InvalidRequest, message: message.into() }
    }

    pub(crate) fn invalid(line: u64, column: &str, reason: impl std::fmt::Display) -> Self {
        RowError { line, code: Code::InvalidFieldValue, message: format!("column `{column}` {reason}") }
    }

    pub(crate) fn missing(line: u64, column: &str) -> Self {
        RowError { line, code: Code::MissingRequiredField, message: format!("column `{column}` is empty") }
    }
}

//! What is told about an import.

use schemars::JsonSchema;
use serde::Serialize;
use weir_core::id::ImportId;
use weir_core::time::Timestamp;

/// A file on its way in.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Import {
    /// Which import.
    pub id: ImportId,
    /// The file's name, as its sender calls it.
    pub file_name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Bytes that have arrived: where the next piece begins.
    pub uploaded: u64,
    /// Where it is.
    pub state: ImportState,
    /// Rows read.
    pub rows: u64,
    /// Events newly recorded.
    pub recorded: u64,
    /// Rows that had been recorded before.
    pub duplicates: u64,
    /// Rows refused.
    pub refused: u64,
    /// Bytes of the file that are behind it.
    pub bytes_done: u64,
    /// Why it failed.
    pub error: Option<String>,
    /// When recording began.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
}

/// Where an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// Pieces are arriving.
    Uploading,
    /// The file is here and waits for its mapping.
    Ready,
    /// Its rows are being recorded.
    Running,
    /// All rows have been recorded or refused.
    Done,
    /// It broke off; what was recorded stays.
    Failed,
    /// It was stopped; what was recorded stays.
    Cancelled,
}

impl ImportState {
    /// Whether nothing more happens.
    pub fn is_over(self) -> bool {
        matches!(self, ImportState::Done | ImportState::Failed | ImportState::Cancelled)
    }
}

/// The rows that an import refused.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct ImportReport {
    /// The first 10,000 of them.
    pub refused: Vec<RefusedLine>,
    /// How many there are.
    pub total: u64,
}

/// A row that was refused.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RefusedLine {
    /// The line of the file on which the row begins.
    pub line: u64,
    /// Which rule refused it.
    pub code: String,
    /// What is wrong.
    pub message: String,
}

//! One file: its bytes, where it is, and what became of its rows.

use std::fs;
use std::io::SeekFrom;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncSeekExt, AsyncWriteExt};
use tokio::sync::watch;
use weir_core::error::Code;
use weir_core::id::ImportId;
use weir_core::time::Timestamp;

use super::view::{Import, ImportReport, ImportState, RefusedLine};
use super::{MAX_PIECE, stored};
use crate::error::ApiError;
use crate::intake::{Ended, RefusedRow, Tally};

/// Most refused rows that are kept to be told.
const MAX_TOLD: usize = 10_000;

pub(super) struct Entry {
    pub(super) id: ImportId,
    path: PathBuf,
    state: Mutex<State>,
    /// One piece at a time.
    writing: tokio::sync::Mutex<()>,
    pub(super) stop: AtomicBool,
    over: watch::Sender<bool>,
}

struct State {
    view: Import,
    refused: Vec<RefusedLine>,
    touched: Timestamp,
}

impl Entry {
    pub(super) fn new(id: ImportId, file_name: String, size: u64, path: PathBuf, now: Timestamp) -> Self {
        let view = Import {
            id,
            file_name,
            size,
            uploaded: 0,
            state: if size == 0 { ImportState::Ready } else { ImportState::Uploading },
            rows: 0,
            recorded: 0,
            duplicates: 0,
            refused: 0,
            bytes_done: 0,
            error: None,
            started_at: None,
            finished_at: None,
        };
        Entry {
            id,
            path,
            state: Mutex::new(State { view, refused: Vec::new(), touched: now }),
            writing: tokio::sync::Mutex::default(),
            stop: AtomicBool::new(false),
            over: watch::Sender::new(false),
        }
    }

    pub(super) fn view(&self) -> Import {
        self.state().view.clone()
    }

    pub(super) fn report(&self) -> ImportReport {
        let state = self.state();
        ImportReport { refused: state.refused.clone(), total: state.view.refused }
    }

    /// Since when nobody has touched it, unless it is running or over.
    pub(super) fn idle_since(&self) -> Option<Timestamp> {
        let state = self.state();
        matches!(state.view.state, ImportState::Uploading | ImportState::Ready).then_some(state.touched)
    }

    /// Adds a piece. A piece that is here already, sent again because its answer was lost, changes nothing.
    pub(super) async fn append(&self, offset: u64, piece: Vec<u8>, now: Timestamp) -> Result<Import, ApiError> {
        if piece.len() > MAX_PIECE {
            return Err(ApiError::invalid("data", "must be at most 4 MiB before it is encoded"));
        }
        let _one_at_a_time = self.writing.lock().await;
        let view = self.view();
        let end = offset.saturating_add(piece.len() as u64);
        if end <= view.uploaded {
            return Ok(view);
        }
        if view.state != ImportState::Uploading {
            return Err(ApiError::new(
                Code::Conflict,
                format!("the import takes no more pieces: it is {}", word(view.state)),
            ));
        }
        if offset != view.uploaded {
            let reason = format_args!("must be {}, where the file's last piece ended", view.uploaded);
            return Err(ApiError::invalid("offset", reason));
        }
        if end > view.size {
            return Err(ApiError::invalid("data", format_args!("goes beyond the file's {} bytes", view.size)));
        }
        self.write(offset, &piece).await.map_err(|error| stored(&error))?;
        let mut state = self.state();
        state.touched = now;
        // It may have been cancelled while the piece was written.
        if state.view.state == ImportState::Uploading {
            state.view.uploaded = end;
            if end == state.view.size {
                state.view.state = ImportState::Ready;
            }
        }
        Ok(state.view.clone())
    }

    async fn write(&self, offset: u64, piece: &[u8]) -> std::io::Result<()> {
        let mut file = tokio::fs::OpenOptions::new().write(true).open(&self.path).await?;
        file.seek(SeekFrom::Start(offset)).await?;
        file.write_all(piece).await?;
        file.flush().await
    }

    /// Where the whole file lies.
    pub(super) fn readable(&self, now: Timestamp) -> Result<PathBuf, ApiError> {
        let mut state = self.state();
        state.touched = now;
        ready(&state)?;
        Ok(self.path.clone())
    }

    /// Claims the file for recording, once.
    pub(super) fn begin(&self, now: Timestamp) -> Result<(), ApiError> {
        let mut state = self.state();
        ready(&state)?;
        state.view.state = ImportState::Running;
        state.view.started_at = Some(now);
        Ok(())
    }

    pub(super) fn advance(&self, tally: &Tally, refused: Vec<RefusedRow>) {
        let mut state = self.state();
        let State { view, refused: told, .. } = &mut *state;
        (view.rows, view.recorded, view.duplicates, view.refused) =
            (tally.rows, tally.recorded, tally.duplicates, tally.refused);
        view.bytes_done = tally.bytes;
        let room = MAX_TOLD.saturating_sub(told.len());
        told.extend(refused.into_iter().take(room).map(|RefusedRow { line, code, message }| RefusedLine {
            line,
            code,
            message,
        }));
    }

    /// The rows are over, one way or the other.
    pub(super) fn finish(&self, outcome: Result<Tally, Ended>, now: Timestamp) {
        let mut state = self.state();
        let view = &mut state.view;
        view.finished_at = Some(now);
        (view.state, view.error) = match outcome {
            Ok(_) => (ImportState::Done, None),
            Err(Ended::Cancelled) => (ImportState::Cancelled, None),
            Err(ended) => (ImportState::Failed, Some(ended.to_string())),
        };
        if view.state == ImportState::Done {
            view.bytes_done = view.size;
        }
        self.discard();
    }

    /// Stops it, wherever it is. A running one ends by itself soon after.
    pub(super) fn cancel(&self, now: Timestamp) {
        self.stop.store(true, Ordering::Relaxed);
        let mut state = self.state();
        if matches!(state.view.state, ImportState::Uploading | ImportState::Ready) {
            state.view.state = ImportState::Cancelled;
            state.view.finished_at = Some(now);
            self.discard();
        }
    }

    /// Waits until a running import is over.
    pub(super) async fn ended(&self) {
        let mut over = self.over.subscribe();
        if !self.view().state.is_over() {
            // The sender lives as long as this entry, so waiting cannot fail.
            let _ = over.wait_for(|over| *over).await;
        }
    }

    fn discard(&self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "a staged file could not be removed");
        }
        self.over.send_replace(true);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ready(state: &State) -> Result<(), ApiError> {
    match state.view.state {
        ImportState::Ready => Ok(()),
        other => {
            Err(ApiError::new(Code::Conflict, format!("the import is {}, not waiting for its mapping", word(other))))
        }
    }
}

fn word(state: ImportState) -> &'static str {
    match state {
        ImportState::Uploading => "still being uploaded",
        ImportState::Ready => "ready",
        ImportState::Running => "running",
        ImportState::Done => "done",
        ImportState::Failed => "failed",
        ImportState::Cancelled => "cancelled",
    }
}

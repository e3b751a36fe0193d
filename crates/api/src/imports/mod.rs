//! Files on their way in: sent in pieces, looked at under a mapping, then recorded in the background.
//!
//! What is staged lies in a folder of the data folder and goes with the process: a file that was not imported to its end is sent
//! again, and rows that are recorded already are recognised by their keys.

mod entry;
mod job;
mod view;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use weir_core::error::Code;
use weir_core::id::{ImportId, next_uuid};
use weir_core::text::{self, MAX_SHORT};
use weir_core::time::Timestamp;
use weir_engine::{Actor, Engine, Topics};
use weir_import::{Mapping, Preview};

use crate::error::ApiError;
use entry::Entry;
pub use view::{Import, ImportReport, ImportState, RefusedLine};

/// Largest file.
pub const MAX_SIZE: u64 = 4 << 30;
/// Largest piece of a file.
pub const MAX_PIECE: usize = 4 << 20;
/// Most files that wait or run.
const MAX_OPEN: usize = 8;
/// Most files that are over and still told about.
const MAX_OVER: usize = 32;
/// A file that nobody touched for so long gives up its place to a new one, in microseconds.
const ABANDONED: i64 = 60 * 60 * 1_000_000;

/// The files on their way in. Cheap to clone.
#[derive(Clone)]
pub struct Imports(Arc<Inner>);

struct Inner {
    engine: Engine,
    dir: PathBuf,
    entries: Mutex<BTreeMap<ImportId, Arc<Entry>>>,
}

impl Imports {
    /// Begins with none: what a former process left staged is removed.
    pub(crate) async fn open(engine: Engine) -> io::Result<Self> {
        let dir = engine.data_dir().join("imports");
        match tokio::fs::remove_dir_all(&dir).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Imports(Arc::new(Inner { engine, dir, entries: Mutex::default() })))
    }

    /// Makes room for a file.
    pub fn create(&self, file_name: String, size: u64) -> Result<Import, ApiError> {
        text::check("fileName", &file_name, 1, MAX_SHORT)?;
        if size > MAX_SIZE {
            return Err(ApiError::invalid("size", "must be at most 4 GiB; import larger files with `weir import`"));
        }
        let now = self.0.engine.now();
        let mut entries = self.entries();
        self.make_room(&mut entries, now)?;
        fs::create_dir_all(&self.0.dir).map_err(|error| stored(&error))?;
        let id = next_id(entries.last_key_value().map(|(id, _)| *id), now)?;
        let path = self.0.dir.join(id.to_string());
        fs::File::create_new(&path).map_err(|error| stored(&error))?;
        let entry = Arc::new(Entry::new(id, file_name, size, path, now));
        let view = entry.view();
        entries.insert(id, entry);
        drop(entries);
        self.0.engine.publish(Topics::IMPORTS);
        Ok(view)
    }

    /// Lets go of what is over, and of what was abandoned when there is no other room.
    fn make_room(&self, entries: &mut BTreeMap<ImportId, Arc<Entry>>, now: Timestamp) -> Result<(), ApiError> {
        let over: Vec<ImportId> =
            entries.values().filter(|entry| entry.view().state.is_over()).map(|entry| entry.id).collect();
        for id in over.iter().take(over.len().saturating_sub(MAX_OVER - 1)) {
            entries.remove(id);
        }
        if entries.values().filter(|entry| !entry.view().state.is_over()).count() < MAX_OPEN {
            return Ok(());
        }
        let abandoned =
            entries.values().find(|entry| entry.idle_since().is_some_and(|at| now.micros_since(at) >= ABANDONED));
        let Some(entry) = abandoned.cloned() else {
            let message = format!("{MAX_OPEN} imports are already under way; let one end or cancel it");
            return Err(ApiError::new(Code::Conflict, message));
        };
        entry.cancel(now);
        entries.remove(&entry.id);
        Ok(())
    }

    /// Adds a piece to a file.
    pub async fn upload(&self, id: &str, offset: u64, piece: Vec<u8>) -> Result<Import, ApiError> {
        let entry = self.entry(id)?;
        entry.append(offset, piece, self.0.engine.now()).await
    }

    /// Shows a file's first rows, as they stand and as they would be recorded.
    pub async fn preview(&self, id: &str, mapping: Option<Mapping>) -> Result<Preview, ApiError> {
        let entry = self.entry(id)?;
        let now = self.0.engine.now();
        let path = entry.readable(now)?;
        let name = entry.view().file_name;
        let read = tokio::task::spawn_blocking(move || {
            let file = fs::File::open(path).map_err(weir_import::FileError::Read)?;
            weir_import::preview(file, Some(&name), mapping, now)
        });
        match read.await {
            Ok(preview) => Ok(preview.map_err(|error| ApiError::new(error.code(), error.to_string()))?),
            Err(_) => Err(ApiError::new(Code::InternalError, "the file could not be looked at")),
        }
    }

    /// Begins to record a file's rows, in the background.
    pub async fn start(&self, id: &str, mapping: Mapping, actor: Actor) -> Result<Import, ApiError> {
        let entry = self.entry(id)?;
        let path = entry.readable(self.0.engine.now())?;
        let name = entry.view().file_name;
        let opened = tokio::task::spawn_blocking(move || {
            let file = fs::File::open(path).map_err(weir_import::FileError::Read)?;
            weir_import::UsageFile::open(file, Some(&name))?.rows(&mapping)
        });
        let rows = match opened.await {
            Ok(Ok(rows)) => rows,
            Ok(Err(error @ weir_import::FileError::Mapping(_))) => {
                return Err(ApiError::invalid("mapping", format_args!("does not fit: {error}")));
            }
            Ok(Err(error)) => return Err(ApiError::new(error.code(), error.to_string())),
            Err(_) => return Err(ApiError::new(Code::InternalError, "the file could not be opened")),
        };
        entry.begin(self.0.engine.now())?;
        let view = entry.view();
        job::spawn(entry, rows, self.0.engine.clone(), actor);
        self.0.engine.publish(Topics::IMPORTS);
        Ok(view)
    }

    /// How far an import is.
    pub fn get(&self, id: &str) -> Result<Import, ApiError> {
        Ok(self.entry(id)?.view())
    }

    /// Stops an import. What is recorded stays. An import that is over stays as it ended.
    pub fn cancel(&self, id: &str) -> Result<(), ApiError> {
        self.entry(id)?.cancel(self.0.engine.now());
        self.0.engine.publish(Topics::IMPORTS);
        Ok(())
    }

    /// The rows that were refused.
    pub fn report(&self, id: &str) -> Result<ImportReport, ApiError> {
        Ok(self.entry(id)?.report())
    }

    /// Stops everything and waits for it.
    pub(crate) async fn close(&self) {
        let entries: Vec<_> = self.entries().values().cloned().collect();
        let now = self.0.engine.now();
        for entry in &entries {
            entry.cancel(now);
        }
        for entry in entries {
            entry.ended().await;
        }
    }

    fn entry(&self, id: &str) -> Result<Arc<Entry>, ApiError> {
        let found = id.parse().ok().and_then(|id: ImportId| self.entries().get(&id).cloned());
        found.ok_or_else(|| ApiError::not_found(Code::ImportNotFound, "import", id))
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, BTreeMap<ImportId, Arc<Entry>>> {
        // Nothing that holds the lock leaves the map half changed.
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn next_id(last: Option<ImportId>, now: Timestamp) -> Result<ImportId, ApiError> {
    let mut entropy = [0; 10];
    getrandom::fill(&mut entropy)
        .map_err(|error| ApiError::new(Code::InternalError, format!("no randomness: {error}")))?;
    Ok(ImportId::new(next_uuid(last.map_or(uuid::Uuid::nil(), ImportId::uuid), now, entropy)))
}

fn stored(error: &io::Error) -> ApiError {
    tracing::error!(%error, "an upload could not be stored");
    ApiError::new(Code::InternalError, format!("the upload could not be stored: {error}"))
}

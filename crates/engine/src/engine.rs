//! The engine's handle: opening, closing, and what reads and writes share.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use sqlx::SqlitePool;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{Sqlite, SqlitePoolOptions};
use tokio::sync::broadcast;
use weir_core::id::ProjectId;
use weir_core::time::Timestamp;

use crate::changes::Topics;
use crate::client_tokens::Calls;
use crate::clock::{Clock, SteadyClock};
use crate::config::Config;
use crate::error::{Error, OpenError, Result};
use crate::live::Customers;
use crate::measures::{Measures, Waiting};
use crate::secrets::Secrets;
use crate::store::{self, DATA_FILE, Lock, Sizes};
use crate::vault::Vault;
use crate::writer::{self, Writer, WriterHandle};

/// Reading connections.
const READERS: u32 = 4;
/// Changes that a slow listener may fall behind before it is told that everything is stale.
const CHANGES: usize = 256;
/// Seconds over which the rate of recording is taken.
const RATE_SECONDS: i64 = 10;

/// How to open a data folder.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Where the data lies; created when it does not exist.
    pub data_dir: PathBuf,
    /// The writer's page cache, in MiB.
    pub cache_mib: u32,
    /// From how long on, in MiB, the log beside the data file is moved into it. Most pages change again and again in the meantime, so
    /// the longer it is, the less there is to move, and the more seldom recording waits for the disk.
    pub log_mib: u32,
    /// Memory that what waits to be written may take, in MiB; beyond it, callers are told to come back.
    pub queue_mib: u32,
    /// Where the key of signing secrets may be kept.
    pub secrets: Secrets,
}

impl OpenOptions {
    /// The usual settings. Nowhere is a key of signing secrets kept before somebody chose.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        OpenOptions {
            data_dir: data_dir.into(),
            cache_mib: 32,
            log_mib: 128,
            queue_mib: 64,
            secrets: Secrets::default(),
        }
    }
}

/// A metering engine over one data folder. Clones share it.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
    writer: WriterHandle,
}

/// What the writer and everyone else share.
pub(crate) struct Shared {
    pub data_dir: PathBuf,
    pub project: ProjectId,
    pub clock: SteadyClock,
    config: RwLock<Arc<Config>>,
    pub customers: Customers,
    pub readers: SqlitePool,
    changes: broadcast::Sender<Topics>,
    /// Whether there are recorded events that projections have not counted.
    pub dirty: AtomicBool,
    pub measures: Measures,
    rate: Mutex<VecDeque<(i64, u64)>>,
    server_address: Mutex<Option<String>>,
    pub vault: Vault,
    pub client_calls: Calls,
}

impl Shared {
    pub(crate) fn config(&self) -> Arc<Config> {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn swap_config(&self, config: Arc<Config>) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    pub(crate) fn publish(&self, topics: Topics) {
        // Nobody listening is no error.
        let _ = self.changes.send(topics);
    }

    /// Remembers that events were recorded, for the rate and the count.
    pub(crate) fn count_recorded(&self, now: Timestamp, events: u64) {
        self.measures.events.add(events);
        let second = now.unix_seconds();
        let mut rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
        match rate.back_mut() {
            Some((last, count)) if *last == second => *count += events,
            _ => rate.push_back((second, events)),
        }
        while rate.front().is_some_and(|(first, _)| *first <= second - RATE_SECONDS) {
            rate.pop_front();
        }
    }

    pub(crate) fn events_per_second(&self, now: Timestamp) -> f64 {
        let since = now.unix_seconds() - RATE_SECONDS;
        let rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
        let recorded: u64 = rate.iter().filter(|(second, _)| *second > since).map(|(_, count)| count).sum();
        recorded as f64 / RATE_SECONDS as f64
    }

    pub(crate) fn server_address(&self) -> Option<String> {
        self.server_address.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Engine {
    /// Opens a data folder, creating or upgrading its file, and owns it until closed.
    pub async fn open(options: OpenOptions, clock: impl Clock) -> Result<Engine, OpenError> {
        let data_dir = options.data_dir.clone();
        match Self::start(options, clock).await {
            Err(OpenError::Load { path, source }) => match store::damage(&data_dir).await {
                Some(detail) => Err(OpenError::Damaged { path, detail }),
                None => Err(OpenError::Load { path, source }),
            },
            other => other,
        }
    }

    async fn start(options: OpenOptions, clock: impl Clock) -> Result<Engine, OpenError> {
        let lock = Lock::take(&options.data_dir)?;
        let sizes = Sizes { cache_mib: options.cache_mib, log_mib: options.log_mib };
        let mut conn = store::prepare(&options.data_dir, sizes).await?;
        let path = options.data_dir.join(DATA_FILE);
        let load = |source: Error| OpenError::Load { path: path.clone(), source: Box::new(source) };
        let started = clock.now();
        let state = writer::State::load(&mut conn, started).await.map_err(load)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(store::reader_options(&options.data_dir))
            .await
            .map_err(|error| load(error.into()))?;
        let shared = Arc::new(Shared {
            data_dir: options.data_dir.clone(),
            project: state.config.project.id,
            clock: SteadyClock::new(clock, state.not_before),
            config: RwLock::new(Arc::new(state.config.clone())),
            customers: Customers::default(),
            readers,
            changes: broadcast::channel(CHANGES).0,
            dirty: AtomicBool::new(false),
            measures: Measures::default(),
            rate: Mutex::default(),
            server_address: Mutex::default(),
            vault: Vault::new(&options.data_dir, state.config.project.id, options.secrets),
            client_calls: Calls::default(),
        });
        let mut writer = Writer::new(shared.clone(), conn, state, sizes);
        writer.catch_up().await.map_err(load)?;
        Ok(Engine { shared, writer: writer::spawn(writer, lock, options.queue_mib) })
    }

    /// Finishes what was accepted, counts it, and gives the data folder back.
    pub async fn close(&self) {
        self.writer.close().await;
        self.shared.readers.close().await;
    }

    /// The engine's clock, which never steps back.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Where the data lies.
    pub fn data_dir(&self) -> &Path {
        &self.shared.data_dir
    }

    /// What the engine measured since it was opened.
    pub fn measures(&self) -> &Measures {
        &self.shared.measures
    }

    /// What waits for the writer.
    pub fn waiting(&self) -> Waiting {
        self.writer.waiting()
    }

    /// How many customers there are.
    pub fn customers_known(&self) -> usize {
        self.shared.customers.len()
    }

    /// How large the data file and its log are, in bytes.
    pub fn data_bytes(&self) -> u64 {
        let size = |ending: &str| {
            let path = self.shared.data_dir.join(format!("{DATA_FILE}{ending}"));
            std::fs::metadata(path).map_or(0, |file| file.len())
        };
        size("") + size("-wal")
    }

    /// Tells what becomes stale from now on. A listener that falls behind should take everything for stale.
    pub fn changes(&self) -> broadcast::Receiver<Topics> {
        self.shared.changes.subscribe()
    }

    /// Tells listeners of a change that the host made outside the engine.
    pub fn publish(&self, topics: Topics) {
        self.shared.publish(topics);
    }

    /// Remembers where the local API listens, to be shown.
    pub fn set_server_address(&self, address: Option<String>) {
        *self.shared.server_address.lock().unwrap_or_else(PoisonError::into_inner) = address;
        self.shared.publish(Topics::PROJECT);
    }

    /// Where the local API listens, if it does.
    pub fn server_address(&self) -> Option<String> {
        self.shared.server_address()
    }

    pub(crate) fn writer(&self) -> &WriterHandle {
        &self.writer
    }

    /// A connection to read with. It sees every answered write.
    pub(crate) async fn reader(&self) -> Result<PoolConnection<Sqlite>> {
        Ok(self.shared.readers.acquire().await?)
    }

    /// A connection to read projections with: they have counted every answered write.
    pub(crate) async fn projections(&self) -> Result<PoolConnection<Sqlite>> {
        if self.shared.dirty.load(Ordering::Acquire) {
            self.writer.flush().await?;
        }
        self.reader().await
    }
}

//! What the window stands on: the engine over its data folder, and the operations made from it.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::JoinError;
use weir_api::{ApiError, App, Changes, Context, request_id, rpc};
use weir_core::error::Code;
use weir_engine::{Engine, OpenError, OpenOptions, SystemClock, Topics};

use crate::boot::{Boot, Unavailable};

/// The engine, opened when first asked for.
pub struct Weir {
    data_dir: PathBuf,
    tell: Tell,
    boot: Boot<App, Failure>,
}

type Tell = Arc<dyn Fn(Topics) + Send + Sync>;

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the folder for files on their way in cannot be used: {0}")]
    Imports(#[from] std::io::Error),
    #[error("opening the data broke off: {0}")]
    Broken(JoinError),
}

impl Weir {
    /// Nothing is opened yet; once it is, `tell` hears what becomes stale.
    pub fn new(data_dir: PathBuf, tell: impl Fn(Topics) + Send + Sync + 'static) -> Self {
        Self { data_dir, tell: Arc::new(tell), boot: Boot::default() }
    }

    /// Opens the data before anyone asks; how it ended is told to whoever asks.
    pub async fn open_now(&self) {
        // Logged where it happens, and shown when the console asks.
        let _ = self.app().await;
    }

    /// Does an operation for the person at the window: JSON text in, JSON text out, also when it fails.
    pub async fn rpc(&self, op: &str, request: &str) -> Result<String, String> {
        match self.app().await {
            Ok(app) => rpc(&Context::operator(App::clone(&app)), op, request.as_bytes()).await,
            Err(error) => Err(error.body(&request_id())),
        }
    }

    /// Finishes what was accepted and gives the data folder back.
    pub async fn close(&self) {
        if let Some(app) = self.boot.close().await {
            app.close().await;
        }
    }

    async fn app(&self) -> Result<Arc<App>, ApiError> {
        let opened = self.boot.get(|| open(self.data_dir.clone(), self.tell.clone())).await;
        opened.map_err(|unavailable| match unavailable {
            Unavailable::Failed(failure) => explain(&failure),
            Unavailable::Closed => weir_engine::Error::Closed.into(),
        })
    }
}

async fn open(data_dir: PathBuf, tell: Tell) -> Result<App, Failure> {
    // On a thread of its own: an upgrade or a replay may take long, and the compiler cannot see that its chain of futures
    // may move between threads.
    let runtime = Handle::current();
    let opened = tokio::task::spawn_blocking(move || runtime.block_on(open_here(data_dir)));
    let app = opened.await.unwrap_or_else(|broken| Err(Failure::Broken(broken)));
    let app = app.inspect_err(|failure| tracing::error!(%failure, "the data could not be opened"))?;
    let mut changes = Changes::of(&app.engine);
    tokio::spawn(async move {
        while let Some(topics) = changes.next().await {
            tell(topics);
        }
    });
    Ok(app)
}

async fn open_here(data_dir: PathBuf) -> Result<App, Failure> {
    let engine = Engine::open(OpenOptions::new(data_dir), SystemClock).await?;
    Ok(App::new(engine).await?)
}

/// What the console shows when there is no engine: what happened, and what to do.
fn explain(failure: &Failure) -> ApiError {
    let advice = match failure {
        Failure::Open(OpenError::Owned { .. }) => " Close that one and try again, or open its console in a browser.",
        _ => "",
    };
    ApiError::new(Code::DataUnavailable, format!("{failure}.{advice}"))
}

//! What the window stands on: the engine over its data folder, the operations made from it, and their local doors.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::JoinError;
use weir_api::{ApiError, App, Changes, Context, Quantities, request_id, rpc};
use weir_core::error::Code;
use weir_engine::model::SecretsPlace;
use weir_engine::{Engine, OpenError, OpenOptions, SystemClock, Topics};
use weir_http::{PrivateChannel, Switch};
use weir_webhooks::{Courier, Setup};

use crate::boot::{Boot, Unavailable};

/// The engine, opened when first asked for.
pub struct Weir {
    data_dir: PathBuf,
    tell: Tell,
    boot: Boot<Opened, Failure>,
}

type Tell = Arc<dyn Fn(Topics) + Send + Sync>;

/// An open engine and its doors.
struct Opened {
    app: App,
    /// Taken when they are closed.
    doors: Mutex<Option<Doors>>,
}

/// Ways in for others on this machine.
struct Doors {
    /// For the command line of the same user.
    channel: PrivateChannel,
    /// For programs with a key.
    server: Arc<Switch>,
    /// Out, to endpoints; none when it could not be set up.
    courier: Option<Courier>,
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Environment(#[from] weir_secrets::BadEnvironment),
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
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
        let _ = self.opened().await;
    }

    /// Does an operation for the person at the window: JSON text in, JSON text out, also when it fails.
    pub async fn rpc(&self, op: &str, request: &str) -> Result<String, String> {
        match self.opened().await {
            Ok(opened) => rpc(&Context::operator(opened.app.clone()), op, request.as_bytes()).await,
            Err(error) => Err(error.body(&request_id(), Quantities::Strings)),
        }
    }

    /// Closes the doors, finishes what was accepted and gives the data folder back.
    pub async fn close(&self) {
        let Some(opened) = self.boot.close().await else { return };
        if let Some(doors) = opened.doors.lock().await.take() {
            doors.server.end().await;
            doors.channel.close().await;
            if let Some(courier) = doors.courier {
                courier.stop().await;
            }
        }
        opened.app.close().await;
    }

    async fn opened(&self) -> Result<Arc<Opened>, ApiError> {
        let opened = self.boot.get(|| open(self.data_dir.clone(), self.tell.clone())).await;
        opened.map_err(|unavailable| match unavailable {
            Unavailable::Failed(failure) => explain(&failure),
            Unavailable::Closed => weir_engine::Error::Closed.into(),
        })
    }
}

async fn open(data_dir: PathBuf, tell: Tell) -> Result<Opened, Failure> {
    // On a thread of its own: an upgrade or a replay may take long, and the compiler cannot see that its chain of futures
    // may move between threads.
    let runtime = Handle::current();
    let opened = tokio::task::spawn_blocking(move || runtime.block_on(open_here(data_dir)));
    let opened = opened.await.unwrap_or_else(|broken| Err(Failure::Broken(broken)));
    let opened = opened.inspect_err(|failure| tracing::error!(%failure, "the data could not be opened"))?;
    tracing::info!("the data is open");
    let mut changes = Changes::of(&opened.app.engine);
    tokio::spawn(async move {
        while let Some(topics) = changes.next().await {
            tell(topics);
        }
    });
    Ok(opened)
}

async fn open_here(data_dir: PathBuf) -> Result<Opened, Failure> {
    let failed = |source| Failure::Io { path: data_dir.clone(), source };
    // A window has a desktop around it, and a desktop a keyring. Where it does not answer, the console asks for another place.
    let secrets = weir_secrets::of_this_machine(Some(SecretsPlace::Keyring))?;
    let options = OpenOptions { secrets, ..OpenOptions::new(&data_dir) };
    let engine = Engine::open(options, SystemClock).await?;
    let server = Switch::beside(&data_dir);
    let app = match App::new(engine.clone()).await {
        Ok(app) => app.with_server(server.clone()),
        Err(error) => {
            engine.close().await;
            return Err(failed(error));
        }
    };
    match PrivateChannel::open(app.clone()).await {
        Ok(channel) => {
            server.begin(app.clone()).await;
            let courier = Courier::start(app.engine.clone(), &Setup::default());
            let courier = courier.inspect_err(|error| tracing::error!(%error, "webhooks are not sent")).ok();
            Ok(Opened { app, doors: Mutex::new(Some(Doors { channel, server, courier })) })
        }
        Err(error) => {
            app.close().await;
            Err(failed(error))
        }
    }
}

/// What the console shows when there is no engine: what happened, and what to do.
fn explain(failure: &Failure) -> ApiError {
    let advice = match failure {
        Failure::Open(OpenError::Owned { .. }) => " Close that one and try again, or open its console in a browser.",
        _ => "",
    };
    ApiError::new(Code::DataUnavailable, format!("{failure}.{advice}"))
}

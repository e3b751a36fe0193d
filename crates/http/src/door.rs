//! A data folder, whether or not another program owns it: the engine in this process, or the owner's private channel.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use weir_api::{App, Context};
use weir_engine::{Engine, OpenError, OpenOptions, SystemClock, owner};

use crate::private::PrivateChannel;

/// How long to wait for an owner that is just starting or just ending, and for the first answer of one that is there.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(50);

/// Why a data folder cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be used.
    #[error("{path}: {source}")]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another program owns it and does not answer.
    #[error("{path} is in use by another Weir ({owner}), which does not answer")]
    Silent {
        /// The folder.
        path: PathBuf,
        /// What the owner wrote about itself.
        owner: String,
    },
}

/// A way to a data folder.
pub enum Door {
    /// This process owns it.
    Owned {
        /// The caller's view of the app.
        ctx: Context,
        /// The private channel, for others.
        channel: PrivateChannel,
    },
    /// Another process owns it.
    Remote(Remote),
}

/// The way through another process's private channel.
#[derive(Clone)]
pub struct Remote {
    client: reqwest::Client,
    address: String,
    secret: String,
}

/// An operation did not happen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct Refusal {
    /// The rule's name on the wire.
    pub code: String,
    /// What is wrong, for a person.
    pub message: String,
    /// Where exactly.
    #[serde(default)]
    pub details: RefusalDetails,
}

/// Where exactly something is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RefusalDetails {
    /// The faults of a batch.
    pub errors: Vec<RefusedItem>,
    /// When to ask again.
    pub retry_after_seconds: Option<u32>,
}

/// What is wrong with one item of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RefusedItem {
    /// Which item, from 0.
    pub index: usize,
    /// The rule's name on the wire.
    pub code: String,
    /// What is wrong, for a person.
    pub message: String,
}

impl Refusal {
    /// A refusal that no owner gave.
    fn own(code: &str, message: impl std::fmt::Display) -> Self {
        Refusal { code: code.to_owned(), message: message.to_string(), details: RefusalDetails::default() }
    }

    fn read(text: &str) -> Self {
        #[derive(Deserialize)]
        struct Envelope {
            error: Refusal,
        }
        match serde_json::from_str::<Envelope>(text) {
            Ok(envelope) => envelope.error,
            Err(_) => Refusal::own("internal_error", format_args!("an answer that is not Weir's: {text}")),
        }
    }
}

impl Door {
    /// Opens a data folder, or reaches the process that owns it.
    pub async fn open(options: OpenOptions) -> Result<Door, DoorError> {
        let (data_dir, deadline) = (&options.data_dir, Instant::now() + PATIENCE);
        loop {
            let owner = match Engine::open(options.clone(), SystemClock).await {
                Ok(engine) => return Door::own(engine).await,
                Err(OpenError::Owned { owner, .. }) => owner,
                Err(error) => return Err(error.into()),
            };
            if let Some(remote) = Remote::find(data_dir).await? {
                return Ok(Door::Remote(remote));
            }
            if Instant::now() > deadline {
                return Err(DoorError::Silent { path: data_dir.to_owned(), owner });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn own(engine: Engine) -> Result<Door, DoorError> {
        let path = engine.data_dir().to_owned();
        let failed = |source| DoorError::Io { path: path.clone(), source };
        let app = App::new(engine.clone()).await.map_err(failed)?;
        let channel = match PrivateChannel::open(app.clone()).await {
            Ok(channel) => channel,
            Err(error) => {
                app.close().await;
                return Err(failed(error));
            }
        };
        Ok(Door::Owned { ctx: Context::cli(app), channel })
    }

    /// Does an operation by its name, on JSON text.
    pub async fn call(&self, name: &str, request: &str) -> Result<String, Refusal> {
        match self {
            Door::Owned { ctx, .. } => {
                weir_api::rpc(ctx, name, request.as_bytes()).await.map_err(|text| Refusal::read(&text))
            }
            Door::Remote(remote) => remote.call(name, request.to_owned()).await,
        }
    }

    /// Does an operation by its name, and reads what is wanted of its answer.
    pub async fn ask<T: DeserializeOwned>(&self, name: &str, request: &impl serde::Serialize) -> Result<T, Refusal> {
        let broken = |error: serde_json::Error| Refusal::own("internal_error", format_args!("{name}: {error}"));
        let answer = self.call(name, &serde_json::to_string(request).map_err(broken)?).await?;
        serde_json::from_str(&answer).map_err(broken)
    }

    /// Closes what this process owns.
    pub async fn close(self) {
        if let Door::Owned { ctx, channel } = self {
            channel.close().await;
            ctx.app.close().await;
        }
    }
}

impl Remote {
    /// The owner of a data folder, if it answers.
    pub async fn find(data_dir: &Path) -> Result<Option<Remote>, DoorError> {
        let failed = |source| DoorError::Io { path: data_dir.to_owned(), source };
        let Some(note) = owner::read(data_dir).map_err(failed)? else { return Ok(None) };
        let client = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(PATIENCE)
            .build()
            .map_err(|e| failed(std::io::Error::other(e)))?;
        let remote = Remote { client, address: note.address, secret: note.secret };
        // A note may be left from an owner that died; then somebody else may listen there, whom the secret tells nothing. One
        // that hangs takes the call and leaves it without an answer.
        let asked = tokio::time::timeout(PATIENCE, remote.call("project.get", "{}".to_owned())).await;
        Ok(matches!(asked, Ok(Ok(_))).then_some(remote))
    }

    /// Does an operation by its name, on JSON text.
    pub async fn call(&self, name: &str, request: String) -> Result<String, Refusal> {
        let lost = |error: reqwest::Error| {
            Refusal::own("unreachable", format_args!("the process that owns the data does not answer: {error}"))
        };
        let sent = self
            .client
            .post(format!("http://{}/rpc/{name}", self.address))
            .bearer_auth(&self.secret)
            .header("content-type", "application/json")
            .body(request)
            .send();
        let response = sent.await.map_err(lost)?;
        let done = response.status().is_success();
        let text = response.text().await.map_err(lost)?;
        if done { Ok(text) } else { Err(Refusal::read(&text)) }
    }
}

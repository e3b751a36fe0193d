//! What an operation works on, and for whom.

use std::sync::Arc;

use uuid::Uuid;
use weir_core::time::Timestamp;
use weir_engine::model::Scope;
use weir_engine::{Actor, Caller, ClientCaller, Engine};

use crate::imports::Imports;
use crate::server::{Fixed, ServerControl};

/// The engine and what hosts keep beside it. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The engine.
    pub engine: Engine,
    /// Files on their way in.
    pub imports: Imports,
    /// The local server.
    pub server: Arc<dyn ServerControl>,
}

impl App {
    /// Hosts an engine. Leftovers of imports that a former process did not finish are removed.
    pub async fn new(engine: Engine) -> std::io::Result<Self> {
        let imports = Imports::open(engine.clone()).await?;
        Ok(App { engine, imports, server: Arc::new(Fixed) })
    }

    /// The same with a server that is switched from here.
    pub fn with_server(self, server: Arc<dyn ServerControl>) -> Self {
        App { server, ..self }
    }

    /// Stops imports, then closes the engine.
    pub async fn close(&self) {
        self.imports.close().await;
        self.engine.close().await;
    }
}

/// One caller's view of the app.
#[derive(Clone)]
pub struct Context {
    /// The engine and what belongs to it.
    pub app: Arc<App>,
    /// Who asks: facts remember it.
    pub actor: Actor,
    /// What the caller may do.
    pub scope: Scope,
    /// The key or client token that the caller came with, if any.
    pub credential: Option<Uuid>,
    /// The front end that asks, if it is one: then nothing but what front ends may do is open to it.
    pub client: Option<Arc<ClientCaller>>,
    /// Whether the caller sits at the machine that holds the data, and may name files on it.
    pub local: bool,
    /// When what the caller came with ends by itself, if it does.
    pub until: Option<Timestamp>,
}

impl Context {
    /// The person at the window.
    pub fn operator(app: impl Into<Arc<App>>) -> Self {
        Context {
            app: app.into(),
            actor: Actor::operator(),
            scope: Scope::Manage,
            credential: None,
            client: None,
            local: true,
            until: None,
        }
    }

    /// The person at the command line of the machine that holds the data.
    pub fn cli(app: impl Into<Arc<App>>) -> Self {
        Context {
            app: app.into(),
            actor: Actor::cli(),
            scope: Scope::Manage,
            credential: None,
            client: None,
            local: true,
            until: None,
        }
    }

    /// A program with a key.
    pub fn caller(app: impl Into<Arc<App>>, caller: Caller) -> Self {
        Context {
            app: app.into(),
            actor: caller.actor,
            scope: caller.scope,
            credential: Some(caller.key.uuid()),
            client: None,
            local: false,
            until: caller.until,
        }
    }

    /// A front end with a client token.
    pub fn client(app: impl Into<Arc<App>>, caller: ClientCaller) -> Self {
        Context {
            app: app.into(),
            actor: caller.actor.clone(),
            scope: Scope::Ingest,
            credential: Some(caller.token.uuid()),
            until: Some(caller.own.expires_at),
            client: Some(Arc::new(caller)),
            local: false,
        }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.app.engine
    }
}

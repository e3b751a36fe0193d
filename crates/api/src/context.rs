//! What an operation works on, and for whom.

use std::sync::Arc;

use weir_core::id::KeyId;
use weir_engine::model::Scope;
use weir_engine::{Actor, Caller, Engine};

use crate::imports::Imports;

/// The engine and what hosts keep beside it. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The engine.
    pub engine: Engine,
    /// Files on their way in.
    pub imports: Imports,
}

impl App {
    /// Hosts an engine. Leftovers of imports that a former process did not finish are removed.
    pub async fn new(engine: Engine) -> std::io::Result<Self> {
        let imports = Imports::open(engine.clone()).await?;
        Ok(App { engine, imports })
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
    /// The key that the caller came with, if any.
    pub key: Option<KeyId>,
    /// Whether the caller sits at the machine that holds the data, and may name files on it.
    pub local: bool,
}

impl Context {
    /// The person at the window.
    pub fn operator(app: impl Into<Arc<App>>) -> Self {
        Context { app: app.into(), actor: Actor::operator(), scope: Scope::Manage, key: None, local: true }
    }

    /// The person at the command line of the machine that holds the data.
    pub fn cli(app: impl Into<Arc<App>>) -> Self {
        Context { app: app.into(), actor: Actor::cli(), scope: Scope::Manage, key: None, local: true }
    }

    /// A program with a key.
    pub fn caller(app: impl Into<Arc<App>>, caller: Caller) -> Self {
        Context { app: app.into(), actor: caller.actor, scope: caller.scope, key: Some(caller.key), local: false }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.app.engine
    }
}

//! The local server: where programs reach the API, switched by whoever hosts it.

use std::future::Future;
use std::pin::Pin;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::error::Code;
use weir_engine::Engine;

use crate::error::ApiError;

/// Where programs reach the API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerState {
    /// Whether it is to be on.
    pub enabled: bool,
    /// Where it is reached from this machine, while it is on.
    pub address: Option<String>,
    /// Where it is reached from other machines, while they may.
    pub lan_addresses: Vec<String>,
    /// Whether other machines may reach it. What they send and get is not encrypted.
    pub lan: bool,
    /// The port it is to listen on; another one is taken where that is not free.
    pub port: u16,
    /// Whether it can be changed here: one started from the command line is changed there.
    pub can_change: bool,
    /// Why it is not on although it is to be.
    pub error: Option<String>,
}

/// What of the server to change.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServerPatch {
    /// Whether it is to be on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Whether other machines may reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lan: Option<bool>,
    /// The port it is to listen on, 1,024 to 65,535.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// A change under way.
pub type Switching<'a> = Pin<Box<dyn Future<Output = Result<ServerState, ApiError>> + Send + 'a>>;

/// What hosts know of their server.
pub trait ServerControl: Send + Sync {
    /// How it stands.
    fn state(&self, engine: &Engine) -> ServerState;
    /// Changes it.
    fn change<'a>(&'a self, engine: &'a Engine, patch: ServerPatch) -> Switching<'a>;
}

/// A server that somebody else switches.
pub(crate) struct Fixed;

impl ServerControl for Fixed {
    fn state(&self, engine: &Engine) -> ServerState {
        let address = engine.server_address();
        let port = address.as_deref().and_then(|address| address.rsplit_once(':')?.1.parse().ok());
        ServerState { enabled: address.is_some(), port: port.unwrap_or_default(), address, ..ServerState::default() }
    }

    fn change<'a>(&'a self, _: &'a Engine, _: ServerPatch) -> Switching<'a> {
        let message = "the server was started from the command line, and is changed there";
        Box::pin(async move { Err(ApiError::new(Code::Conflict, message)) })
    }
}

//! The window's server: on or off, for this machine or for its network, as the operator last said.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use weir_api::{ApiError, App, ServerControl, ServerPatch, ServerState, Switching};
use weir_engine::Engine;

use crate::limits::Limits;
use crate::routes::{guarded, public};
use crate::server::Server;

/// Where it listens when nothing else was said.
const PORT: u16 = 8787;
/// Ports below are not for programs of users.
const FIRST_PORT: u16 = 1024;
/// What was said, beside the data.
const FILE: &str = "server.json";

/// What the operator said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    enabled: bool,
    lan: bool,
    port: u16,
}

impl Default for Said {
    fn default() -> Self {
        Said { enabled: true, lan: false, port: PORT }
    }
}

/// A server that can be turned on and off.
pub struct Switch {
    path: PathBuf,
    shown: StdMutex<Shown>,
    /// Held while it is being switched.
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    /// What is served; none before it is and after everything was closed.
    app: Option<App>,
    server: Option<Server>,
}

#[derive(Clone, Debug, Default)]
struct Shown {
    said: Said,
    at: Option<SocketAddr>,
    error: Option<String>,
}

impl Switch {
    /// As it was left the last time. Where that cannot be read it stays off and says why: it may have been turned off.
    pub fn beside(data_dir: &Path) -> Arc<Self> {
        let path = data_dir.join(FILE);
        let read = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| error.to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Said::default()),
            Err(error) => Err(error.to_string()),
        };
        let shown = match read {
            Ok(said) => Shown { said, ..Shown::default() },
            Err(error) => {
                let error = format!("{}: {error}; turn the server on again", path.display());
                tracing::warn!(%error, "what was said of the server cannot be read");
                let said = Said { enabled: false, ..Said::default() };
                Shown { said, error: Some(error), ..Shown::default() }
            }
        };
        Arc::new(Switch { path, shown: StdMutex::new(shown), running: Mutex::default() })
    }

    /// Begins to serve, if it is to be on.
    pub async fn begin(&self, app: App) {
        let mut running = self.running.lock().await;
        running.app = Some(app);
        self.switch(&mut running).await;
    }

    /// Lets requests under way end, and serves no more.
    pub async fn end(&self) {
        let mut running = self.running.lock().await;
        running.app = None;
        if let Some(server) = running.server.take() {
            server.stop().await;
        }
    }

    /// Brings the server in line with what was said.
    async fn switch(&self, running: &mut Running) {
        if let Some(server) = running.server.take() {
            server.stop().await;
        }
        let Some(app) = running.app.clone() else { return };
        let said = self.shown().said;
        let started = if said.enabled { start(&app, said).await.map(Some) } else { Ok(None) };
        let (server, error) = match started {
            Ok(server) => (server, None),
            Err(error) => {
                tracing::warn!(%error, "programs cannot reach the API");
                (None, Some(error.to_string()))
            }
        };
        let at = server.as_ref().map(Server::address);
        {
            let mut shown = self.shown();
            shown.at = at;
            // Off because what was said could not be read is said until something else is.
            shown.error = error.or_else(|| shown.error.take().filter(|_| !said.enabled));
        }
        running.server = server;
        app.engine.set_server_address(at.map(|at| format!("http://{}", from_here(at))));
    }

    async fn remember(&self, said: Said) -> io::Result<()> {
        let draft = self.path.with_extension("json.new");
        tokio::fs::write(&draft, serde_json::to_vec(&said)?).await?;
        tokio::fs::rename(draft, &self.path).await
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        // Nothing that holds the lock leaves it half changed.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerControl for Switch {
    fn state(&self, _: &Engine) -> ServerState {
        let Shown { said, at, error } = self.shown().clone();
        let others =
            at.filter(|at| !at.ip().is_loopback()).and_then(|at| Some(SocketAddr::new(own_address()?, at.port())));
        ServerState {
            enabled: said.enabled,
            address: at.map(|at| format!("http://{}", from_here(at))),
            lan_addresses: others.map(|at| format!("http://{at}")).into_iter().collect(),
            lan: said.lan,
            port: said.port,
            can_change: true,
            error,
        }
    }

    fn change<'a>(&'a self, engine: &'a Engine, patch: ServerPatch) -> Switching<'a> {
        Box::pin(async move {
            if patch.port.is_some_and(|port| port < FIRST_PORT) {
                return Err(ApiError::invalid("port", format!("must be a whole number from {FIRST_PORT} to 65535")));
            }
            let mut running = self.running.lock().await;
            let before = self.shown().said;
            let said = Said {
                enabled: patch.enabled.unwrap_or(before.enabled),
                lan: patch.lan.unwrap_or(before.lan),
                port: patch.port.unwrap_or(before.port),
            };
            let failed = self.shown().error.is_some();
            if said != before || failed {
                self.remember(said).await.map_err(|error| {
                    let message = format!("what was said of the server cannot be written down: {error}");
                    ApiError::new(weir_core::error::Code::InternalError, message)
                })?;
                {
                    let mut shown = self.shown();
                    (shown.said, shown.error) = (said, None);
                }
                self.switch(&mut running).await;
            }
            Ok(self.state(engine))
        })
    }
}

async fn start(app: &App, said: Said) -> io::Result<Server> {
    let ip = if said.lan { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
    let listener = match TcpListener::bind((ip, said.port)).await {
        Ok(listener) => listener,
        // Another program has the port.
        Err(_) => TcpListener::bind((ip, 0)).await?,
    };
    let routes = |running| guarded(public(app.clone(), running), &app.engine, []);
    Server::within(Limits::default(), None, listener, routes)
}

/// Where this machine reaches what listens at an address.
fn from_here(at: SocketAddr) -> SocketAddr {
    if at.ip().is_unspecified() { SocketAddr::new(Ipv4Addr::LOCALHOST.into(), at.port()) } else { at }
}

/// This machine's address in its network, if it has one: the one that it would send from. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|at| at.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use weir_engine::{OpenOptions, SystemClock};

    use super::*;

    async fn open(dir: &Path) -> (App, Arc<Switch>) {
        let switch = Switch::beside(dir);
        let engine = Engine::open(OpenOptions::new(dir), SystemClock).await.unwrap();
        let app = App::new(engine).await.unwrap().with_server(switch.clone());
        switch.begin(app.clone()).await;
        (app, switch)
    }

    async fn answers(address: &str) -> bool {
        reqwest::get(format!("{address}/healthz")).await.is_ok_and(|reply| reply.status().is_success())
    }

    #[tokio::test]
    async fn it_is_switched_and_stays_as_it_was_left() {
        let dir = tempfile::tempdir().unwrap();
        // Off is off only where nobody else takes the port: not the usual one, which other tests begin on, and none that the
        // system gives out by itself.
        let port = 20_000 + std::process::id() % 10_000;
        std::fs::write(dir.path().join(FILE), format!(r#"{{"enabled":true,"lan":false,"port":{port}}}"#)).unwrap();
        let (app, switch) = open(dir.path()).await;
        let engine = app.engine.clone();
        let on = switch.state(&engine);
        assert!(on.enabled && !on.lan && on.can_change && on.lan_addresses.is_empty(), "{on:?}");
        let address = on.address.unwrap();
        assert!(address.starts_with("http://127.0.0.1:") && answers(&address).await);
        assert_eq!(engine.server_address().as_deref(), Some(address.as_str()));

        let off = switch.change(&engine, ServerPatch { enabled: Some(false), ..ServerPatch::default() }).await.unwrap();
        assert!(!off.enabled && off.address.is_none() && engine.server_address().is_none());
        assert!(!answers(&address).await);
        switch.end().await;
        app.close().await;

        let (app, switch) = open(dir.path()).await;
        assert!(switch.state(&app.engine).address.is_none(), "as it was left");
        let patch = ServerPatch { enabled: Some(true), lan: Some(true), port: None };
        let lan = switch.change(&app.engine, patch).await.unwrap();
        assert!(lan.lan && answers(&lan.address.unwrap()).await);
        let low = switch.change(&app.engine, ServerPatch { port: Some(80), ..ServerPatch::default() }).await;
        assert_eq!(low.unwrap_err().details.field.as_deref(), Some("port"));
        switch.end().await;
        app.close().await;
    }

    #[tokio::test]
    async fn where_it_cannot_be_read_how_it_was_left_it_stays_off_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), "{").unwrap();
        let (app, switch) = open(dir.path()).await;
        let off = switch.state(&app.engine);
        assert!(!off.enabled && off.address.is_none() && off.error.unwrap().contains(FILE));
        let on = ServerPatch { enabled: Some(true), ..ServerPatch::default() };
        let on = switch.change(&app.engine, on).await.unwrap();
        assert!(on.error.is_none() && answers(&on.address.unwrap()).await);
        switch.end().await;
        app.close().await;
    }

    #[tokio::test]
    async fn where_the_port_is_taken_another_one_is() {
        let dir = tempfile::tempdir().unwrap();
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        std::fs::write(dir.path().join(FILE), format!(r#"{{"enabled":true,"lan":false,"port":{port}}}"#)).unwrap();
        let (app, switch) = open(dir.path()).await;
        let state = switch.state(&app.engine);
        assert_eq!(state.port, port);
        let address = state.address.unwrap();
        assert!(!address.ends_with(&format!(":{port}")) && answers(&address).await);
        switch.end().await;
        app.close().await;
    }
}

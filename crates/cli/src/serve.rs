//! `weir serve`: the API and the console, until told to stop.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use weir_api::App;
use weir_engine::{Engine, SystemClock};
use weir_http::{Limits, PrivateChannel, Server, Tls, guarded, public};
use weir_webhooks::{Courier, Setup};

use crate::args::ServeArgs;
use crate::data;
use crate::failure::Failure;

/// Serves until SIGTERM or SIGINT.
pub async fn run(args: ServeArgs) -> Result<ExitCode, Failure> {
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => Some(Arc::new(Tls::load(cert, key)?)),
        _ => None,
    };
    let listener = TcpListener::bind(&args.listen)
        .await
        .map_err(|error| Failure::new(format!("cannot listen on {}: {error}", args.listen)))?;
    let engine = Engine::open(data::options(&args.data.dir)?, SystemClock).await?;
    let broken = |error: std::io::Error| Failure::new(format!("{}: {error}", args.data.dir.display()));
    let app = App::new(engine).await.map_err(broken)?;
    let channel = PrivateChannel::open(app.clone()).await.map_err(broken)?;
    let courier = Courier::start(app.engine.clone(), &Setup::default()).map_err(broken)?;
    let mut signals = Signals::listen(tls.is_some()).map_err(broken)?;
    let names = args.allow_hosts;
    let routes = |running| guarded(public(app.clone(), running), &app.engine, names);
    let server = Server::within(Limits::default(), tls.clone(), listener, routes).map_err(broken)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let address = format!("{scheme}://{}", server.address());
    if tls.is_none() && !server.address().ip().is_loopback() {
        tracing::warn!("other machines can reach this server; what they send and get is not encrypted");
    }
    app.engine.set_server_address(Some(address.clone()));
    println!("listening on {address}");
    // Whoever reads this line may have gone; the server goes on.
    let _ = std::io::stdout().flush();
    while let Told::Reload = signals.next().await {
        match tls.as_deref().map(Tls::reload) {
            Some(Err(error)) => {
                tracing::error!(%error, "the certificate could not be read again; the one until now stays")
            }
            _ => tracing::info!("the certificate was read again"),
        }
    }
    tracing::info!("stopping");
    server.stop().await;
    channel.close().await;
    courier.stop().await;
    app.close().await;
    Ok(ExitCode::SUCCESS)
}

/// What a server is told while it runs.
enum Told {
    Stop,
    /// Read the certificate again.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no SIGHUP"))]
    Reload,
}

/// What tells a server something.
struct Signals {
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    interrupt: Signal,
    /// Only with a certificate; otherwise a terminal that is closed ends the server as it ends everything.
    #[cfg(unix)]
    hangup: Option<Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Listens from now on, so that nothing is missed while the server starts.
    fn listen(reloads: bool) -> std::io::Result<Self> {
        let hangup = if reloads { Some(signal(SignalKind::hangup())?) } else { None };
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Signals { terminate, interrupt, hangup })
    }

    async fn next(&mut self) -> Told {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            _ = hangup => Told::Reload,
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn listen(_reloads: bool) -> std::io::Result<Self> {
        Ok(Signals {})
    }

    async fn next(&mut self) -> Told {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot hear of interrupts");
            std::future::pending::<()>().await;
        }
        Told::Stop
    }
}

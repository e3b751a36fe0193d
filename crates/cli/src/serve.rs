//! `weir serve`: the API and the console, until told to stop.

use std::io::Write;
use std::process::ExitCode;

use tokio::net::TcpListener;
use weir_api::App;
use weir_engine::{Engine, OpenOptions, SystemClock};
use weir_http::{PrivateChannel, Server, guarded, public};

use crate::args::ServeArgs;
use crate::failure::Failure;

/// Serves until SIGTERM or SIGINT.
pub async fn run(args: ServeArgs) -> Result<ExitCode, Failure> {
    let listener = TcpListener::bind(&args.listen)
        .await
        .map_err(|error| Failure::new(format!("cannot listen on {}: {error}", args.listen)))?;
    let engine = Engine::open(OpenOptions::new(&args.data.dir), SystemClock).await?;
    let broken = |error: std::io::Error| Failure::new(format!("{}: {error}", args.data.dir.display()));
    let app = App::new(engine).await.map_err(broken)?;
    let channel = PrivateChannel::open(app.clone()).await.map_err(broken)?;
    let mut stop = Stop::listen().map_err(broken)?;
    let names = args.allow_hosts;
    let server = Server::start(listener, |stopping| guarded(public(app.clone(), stopping), names)).map_err(broken)?;
    let address = format!("http://{}", server.address());
    if !server.address().ip().is_loopback() {
        tracing::warn!("other machines can reach this server; what they send and get is not encrypted");
    }
    app.engine.set_server_address(Some(address.clone()));
    println!("listening on {address}");
    // Whoever reads this line may have gone; the server goes on.
    let _ = std::io::stdout().flush();
    stop.wait().await;
    tracing::info!("stopping");
    server.stop().await;
    channel.close().await;
    app.close().await;
    Ok(ExitCode::SUCCESS)
}

/// What tells a server to stop.
struct Stop {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stop {
    /// Listens from now on, so that nothing is missed while the server starts.
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Stop { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Stop {
    fn listen() -> std::io::Result<Self> {
        Ok(Stop {})
    }

    async fn wait(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot hear of interrupts");
            std::future::pending::<()>().await;
        }
    }
}

//! The `weir` command: serving, keys, files in, and care of the data.
#![forbid(unsafe_code)]

mod args;
mod backup;
mod chart;
mod data;
mod doctor;
mod failure;
mod import;
mod keys;
mod limits;
mod secrets;
mod serve;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use args::{Cli, Command, LogFormat};
use failure::Failure;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Its own exit status for mistakes would be that of an import with refused rows.
            let status = if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
            // Nowhere to say that it could not be said.
            let _ = error.print();
            return status;
        }
    };
    let (default, format) = match &cli.command {
        Command::Serve(args) => ("info", args.log_format),
        _ => ("warn", LogFormat::Text),
    };
    if let Err(error) = log(default, format) {
        eprintln!("weir: WEIR_LOG: {error}");
        return ExitCode::FAILURE;
    }
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("the runtime could not be started: {error}")))
        .and_then(|runtime| runtime.block_on(run(cli.command)));
    match done {
        Ok(status) => status,
        Err(failure) => {
            eprintln!("weir: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve(args) => serve::run(args).await,
        Command::Keys(args) => keys::run(args).await,
        Command::Limits(args) => limits::run(args).await,
        Command::Secrets(args) => secrets::run(args).await,
        Command::Import(args) => import::run(args).await,
        Command::Doctor(args) => doctor::run(args).await,
        Command::Backup(args) => backup::backup(args).await,
        Command::Restore(args) => backup::restore(args).await,
        Command::Chart(args) => chart::run(args).await,
    }
}

/// Log lines go to standard error, so that standard output holds answers alone.
fn log(default: &str, format: LogFormat) -> Result<(), ParseError> {
    let filter = match std::env::var("WEIR_LOG") {
        Ok(wanted) => EnvFilter::builder().parse(wanted)?,
        Err(_) => EnvFilter::new(default),
    };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}

//! What the program says about itself: to the terminal, and to daily files beside the data, the last seven kept.

use std::io;
use std::path::Path;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{self, Rotation};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// Begins to log; what is still in memory is written when the guard is dropped.
pub fn begin(folder: &Path) -> io::Result<WorkerGuard> {
    std::fs::create_dir_all(folder)?;
    let file = rolling::Builder::new()
        .rotation(Rotation::DAILY)
        .filename_prefix("weir")
        .filename_suffix("log")
        .max_log_files(7)
        .build(folder)
        .map_err(io::Error::other)?;
    let (file, guard) = tracing_appender::non_blocking(file);
    let chosen = |default: LevelFilter| EnvFilter::builder().with_default_directive(default.into()).from_env_lossy();
    tracing_subscriber::registry()
        .with(fmt::layer().with_writer(io::stderr).with_filter(chosen(LevelFilter::WARN)))
        .with(fmt::layer().with_writer(file).with_ansi(false).with_filter(chosen(LevelFilter::INFO)))
        .try_init()
        .map_err(io::Error::other)?;
    Ok(guard)
}

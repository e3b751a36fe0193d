//! The desktop shell: one window on the console, one command into the engine's operations.
#![forbid(unsafe_code)]

#[cfg(feature = "desktop")]
mod downloads;
#[cfg(feature = "desktop")]
pub mod shell;

//! The desktop shell: one window on the console, one command into the engine's operations, one for the desktop's notifications.
#![forbid(unsafe_code)]

pub mod boot;
#[cfg(feature = "desktop")]
mod downloads;
pub mod logs;
#[cfg(feature = "desktop")]
mod notices;
#[cfg(feature = "desktop")]
pub mod shell;
pub mod weir;

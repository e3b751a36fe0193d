//! The data folder: its lock, its file, and the connections into it.

mod lock;
mod migrate;
mod open;

pub(crate) use lock::Lock;
pub(crate) use open::{reader_options, writer_options};
pub use open::{DATA_FILE, SCHEMA};

pub(crate) use migrate::{backup_into, prepare};

//! The data folder: its lock, its file, and the connections into it.

mod checkpoint;
mod files;
mod lock;
mod migrate;
mod open;

pub(crate) use checkpoint::{Checkpoints, checkpoint};
pub(crate) use files::{remove_if_there, sync_folder, with_ending};
pub(crate) use lock::Lock;
pub use open::{DATA_FILE, SCHEMA};
pub(crate) use open::{Sizes, damage, file_options, reader_options, writer_options};

pub(crate) use migrate::{APPLICATION_ID, backup_into, prepare};

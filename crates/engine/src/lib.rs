//! The metering engine over SQLite: one writer, many readers, live state.
//!
//! Facts (events, configuration) are written once, in the commit that an answer waits for. Projections (roll-ups, standings)
//! follow from facts, each with a watermark; opening a data file replays what they had not counted yet.

mod actor;
mod audit;
mod backup;
mod changes;
mod check;
pub mod clock;
mod config;
mod customer_list;
mod customers;
pub mod doctor;
mod engine;
mod error;
mod keys;
mod limit_sync;
mod limits;
mod live;
mod meters;
pub mod model;
pub mod owner;
mod project;
mod query;
mod rate_limits;
mod receipts;
mod record;
mod refusals;
pub mod restore;
mod rollup;
mod scan;
mod store;
mod voids;
mod writer;

pub use actor::{Actor, ActorKind};
pub use changes::Topics;
pub use clock::{Clock, ManualClock, SystemClock};
pub use engine::{Engine, OpenOptions};
pub use error::{Error, OpenError, Result};
pub use keys::Caller;
pub use receipts::Receipt;
pub use store::{DATA_FILE, SCHEMA};

//! The metering engine over SQLite: one writer, many readers, live state.
//!
//! Facts (events, configuration) are written once, in the commit that an answer waits for. Projections (roll-ups, standings)
//! follow from facts, each with a watermark; opening a data file replays what they had not counted yet.

mod accounts;
mod actor;
mod alerts;
mod audit;
mod backup;
mod balances;
mod changes;
mod check;
pub mod client_tokens;
mod clock;
mod config;
mod customer_list;
mod customers;
mod deliveries;
pub mod doctor;
mod engine;
mod entries;
mod error;
mod exceptions;
mod extras;
mod keys;
mod ledger_list;
mod limit_sync;
mod limits;
mod live;
pub mod measures;
mod meters;
pub mod model;
mod movements;
mod origins;
mod outbox;
pub mod owner;
mod project;
mod query;
mod rate_limits;
mod receipts;
mod record;
mod refusals;
mod reservations;
pub mod restore;
mod rollup;
mod scan;
pub mod secrets;
mod store;
mod summaries;
mod told;
mod vault;
mod voids;
mod webhook_url;
mod webhooks;
mod writer;

pub use actor::{Actor, ActorKind};
pub use changes::Topics;
pub use client_tokens::{CLIENT_CALLS_PER_MINUTE, ClientCaller};
pub use clock::{Clock, ManualClock, SystemClock};
pub use engine::{Engine, OpenOptions};
pub use error::{Error, OpenError, Result};
pub use keys::Caller;
pub use outbox::{Attempt, Outbox, Outgoing};
pub use receipts::{Keeping, Receipt, ReceiptKey};
pub use store::{DATA_FILE, SCHEMA};
pub use vault::SigningSecret;

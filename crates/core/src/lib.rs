//! The rules of metering, pure: no I/O, no clock, no SQL.
//!
//! Everything that decides what a number is or whether something is allowed lives here, so that every door answers alike
//! and a plain model can be held against it.

pub mod aggregate;
pub mod decide;
pub mod error;
pub mod event;
pub mod filter;
pub mod forecast;
pub mod id;
pub mod interval;
pub mod ledger;
pub mod network;
pub mod period;
pub mod properties;
pub mod quantity;
pub mod rate;
pub mod retry;
pub mod schema;
pub mod text;
pub mod time;

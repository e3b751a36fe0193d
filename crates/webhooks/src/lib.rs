//! Sends what endpoints are to be told: in order, signed, again until it arrives.
//!
//! The engine says what is due and remembers what came of it; this crate only sends, so that whatever breaks off here is sent again.
#![forbid(unsafe_code)]

mod courier;
mod names;
mod send;
mod sign;

pub use courier::Courier;
pub use names::{LookingUp, Lookup, SystemNames};
pub use send::Setup;
pub use sign::signature;

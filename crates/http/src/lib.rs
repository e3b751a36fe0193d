//! The HTTP doors: the public API under `/v1` with its description and live changes, the served console, and the private channel
//! of whoever owns a data folder. And [`Door`], by which a program reaches a data folder whether or not another one owns it.
#![forbid(unsafe_code)]

mod auth;
mod body;
mod changes;
mod console;
mod door;
mod host;
mod metrics;
mod private;
mod query;
mod repeat;
mod respond;
mod routes;
mod server;

pub use door::{Door, DoorError, Refusal, Remote};
pub use private::PrivateChannel;
pub use routes::{guarded, public};
pub use server::Server;

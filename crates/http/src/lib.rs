//! The HTTP doors: the public API under `/v1` with its description and live changes, `/client` for front ends, the served console, and the private channel
//! of whoever owns a data folder. And [`Door`], by which a program reaches a data folder whether or not another one owns it.
#![forbid(unsafe_code)]

mod auth;
mod body;
mod changes;
mod console;
mod cors;
mod docs;
mod door;
mod host;
mod limits;
mod line;
mod metrics;
mod pace;
mod private;
mod query;
mod repeat;
mod respond;
mod routes;
mod server;
mod session;
mod switch;
mod tls;
mod traffic;

pub use door::{Door, DoorError, Refusal, Remote};
pub use limits::Limits;
pub use private::PrivateChannel;
pub use routes::{guarded, public};
pub use server::{Running, Server};
pub use switch::Switch;
pub use tls::{Tls, TlsError};

//! Operations: one table that every door is made from.
//!
//! Each thing that an operator or a program can do is one type that implements [`Operation`] and one row of [`TABLE`]. REST
//! routes, the window's `rpc` command, OpenAPI and the console's TypeScript types all come from that table.
#![forbid(unsafe_code)]

mod answer;
mod changes;
mod codes;
mod context;
mod error;
pub mod examples;
pub mod imports;
pub mod intake;
mod limit_file;
mod openapi;
mod operation;
mod ops;
mod request;
mod rpc;
mod sample;
mod schemas;
mod server;
mod table;
mod typescript;
mod with_id;

pub use answer::{Quantities, to_bytes};
pub use changes::Changes;
pub use context::{App, Context};
pub use error::{ApiError, Details, ItemError};
pub use openapi::openapi;
pub use operation::{Bound, Kind, Method, Operation, Reach, Row, row};
pub use request::Input;
pub use rpc::{call, request_id, rpc};
pub use server::{ServerControl, ServerPatch, ServerState, Switching};
pub use table::{TABLE, find, operations};
pub use typescript::typescript;
pub use with_id::{ById, Nothing, WithId};

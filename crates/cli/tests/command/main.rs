//! The real `weir` binary, run as anyone would.

mod care;
mod harness;
mod import;
mod keys;
mod limits;
mod serve;

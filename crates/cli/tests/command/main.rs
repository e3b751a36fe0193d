//! The real `weir` binary, run as anyone would.

mod care;
mod debit;
mod harness;
mod import;
mod keys;
mod kill;
mod kill_hooks;
mod limits;
mod load;
mod logs;
mod secrets;
mod serve;
mod tls;

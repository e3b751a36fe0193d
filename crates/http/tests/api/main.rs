//! The public API over real sockets, against a real engine in a temporary folder.

mod access;
mod audit;
mod changes;
mod doors;
mod harness;
mod imports;
mod limit_files;
mod manners;
mod operations;
mod refusals;
mod repeats;
mod sample;
mod track;
mod voids;

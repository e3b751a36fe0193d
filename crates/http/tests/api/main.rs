//! The public API over real sockets, against a real engine in a temporary folder.

mod access;
mod audit;
mod bounds;
mod changes;
mod client;
mod client_pages;
mod doors;
mod examples;
mod harness;
mod imports;
mod limit_files;
mod manners;
mod matrix;
mod metrics;
mod operations;
mod pressure;
mod refusals;
mod repeats;
mod sample;
mod secrets;
mod sessions;
mod track;
mod voids;

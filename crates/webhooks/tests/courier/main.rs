//! The courier on real sockets: receivers that fail, hang, reset, redirect and lie, and one that does not.

mod answers;
mod bench;
mod order;
mod private;
mod receiver;

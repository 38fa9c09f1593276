//! Code that the chat servers of the examples on tokio share.
//!
//! The connections are those of the crate `websocket-proto-tokio`.

pub mod chat;
pub mod server;

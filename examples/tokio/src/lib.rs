//! What the chat servers of the examples on tokio have in common.
//!
//! The connections are those of the crate `websocket-proto-tokio`.

pub mod chat;
pub mod server;

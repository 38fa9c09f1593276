//! Code that the chat servers on tokio share ([`chat`], [`server`]), and what their client does when a connection is
//! lost or redirected ([`backoff`], [`redirect`]).
//!
//! The connections are those of the crate `websocket-proto-tokio`.

pub mod backoff;
pub mod chat;
pub mod redirect;
pub mod server;

//! TLS for WebSockets with rustls: the server's certificate, and how a client checks it.
//!
//! A WebSocket doesn't know about TLS: it runs over any stream, and `wss` is a WebSocket over a TLS stream. Three
//! things are up to you (RFC 6455 sections 4.1 and 10):
//!
//! - a client sends the host name of its address (SNI), and checks the certificate against that same name: `client.rs`;
//! - a TLS handshake has a deadline, so that a stalled one doesn't wait forever: `HANDSHAKE`;
//! - at the end, the stream is shut down, which sends a `close_notify`. It is then read until the peer's
//!   `close_notify` has arrived. `WebSocket` does that with any stream, so you don't see it here.

mod certificate;
mod client;
mod server;
mod terminal;

use std::time::Duration;

pub use certificate::SelfSigned;
pub use client::{Trust, connect};
pub use server::acceptor;
pub use terminal::talk;

/// The time limit of a TLS handshake. The deadlines of the WebSocket start only after it.
pub const HANDSHAKE: Duration = Duration::from_secs(10);

//! TLS for WebSockets, by rustls: what a server shows, and what a client checks.
//!
//! A WebSocket knows nothing of it: it runs over any stream, and `wss` is one over a TLS stream. Three things are left to
//! the caller (RFC 6455 4.1 and 10):
//!
//! - a client asks for the host of its address by name (SNI), and checks the certificate against that same name:
//!   `client.rs`;
//! - nobody waits for ever for a handshake that doesn't go on: `HANDSHAKE`;
//! - at the end the stream is shut down, which sends a `close_notify`, and read until the peer's own has come. That is what
//!   `WebSocket` does with any stream, so there is nothing to be seen of it here.

mod certificate;
mod client;
mod server;
mod terminal;

use std::time::Duration;

pub use certificate::SelfSigned;
pub use client::{Trust, connect};
pub use server::acceptor;
pub use terminal::talk;

/// How long a TLS handshake may take. The clock of the WebSocket starts only after it.
pub const HANDSHAKE: Duration = Duration::from_secs(10);

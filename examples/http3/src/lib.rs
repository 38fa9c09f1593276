//! WebSockets over HTTP/3 (RFC 9220), with quiche: a server and a client.
//!
//! quiche is an engine without I/O, as `websocket-proto` is: datagrams go in and come out, and so do bytes of streams.
//! This crate joins the two, and everything below `server.rs` and `client.rs` runs in memory as well as over a network.
//!
//! ```text
//! server.rs    a socket; a task for each QUIC connection        client.rs    a socket; one QUIC connection
//!   └► answer.rs    request ──► response                          │
//!        └───────────────────┬────────────────────────────────────┘
//!                            ▼
//! session.rs   a QUIC connection and HTTP/3 on it: heads, streams, deadlines
//!   ├► head.rs       HTTP/3 header lists ◄──► the types of the `http` crate
//!   ├► reply.rs      a response with a body, on its stream
//!   └► tunnel.rs     a WebSocket on its stream: bytes, flow control, FIN, RESET
//! ```
//!
//! `quic.rs` has the limits of QUIC and HTTP/3, and `certificate.rs` makes the server's certificate.

mod answer;
pub mod certificate;
pub mod client;
mod head;
mod quic;
mod reply;
pub mod server;
mod session;
mod tunnel;

#[cfg(test)]
mod tests;

pub use answer::Answers;
pub use head::Malformed;
pub use quic::{client_config, connection_id, server_config};
pub use session::{Answer, Endpoint, Session};

/// An error of this example.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

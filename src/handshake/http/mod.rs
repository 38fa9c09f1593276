//! Opening handshakes done by HTTP libraries, over HTTP/1.1, HTTP/2 (RFC 8441) or HTTP/3 (RFC 9220).
//!
//! The rules are those of `handshake/server.rs` and `handshake/client.rs`, applied to headers that were parsed elsewhere.

mod client;
mod header_map;
mod server;

pub use self::client::HttpClientHandshake;
pub use self::server::HttpServerHandshake;

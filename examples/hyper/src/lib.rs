//! WebSockets in an HTTP server, by hyper and whatever is built on it, and a client over HTTP/2.
//!
//! ```text
//! a request ──► upgrade.rs ──► a response, to be sent
//!                          └─► later, when it is sent: a WebSocket over what was the HTTP connection, or a stream of it
//! ```
//!
//! Over HTTP/1.1 the whole connection becomes the WebSocket's (RFC 6455). Over HTTP/2 one of its streams does, next to
//! whatever else the connection carries (RFC 8441). To the program it is the same.

mod http2;
mod serve;
mod upgrade;

pub use http2::connect;
pub use serve::{PATIENCE, serve};
pub use upgrade::{Upgraded, refusal, upgrade};

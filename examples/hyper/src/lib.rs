//! WebSockets in an HTTP server, by hyper and whatever is built on it, and a client over HTTP/2.
//!
//! ```text
//! server.rs    accepts connections until a signal asks it to stop
//!   └► serve.rs    one connection of HTTP, which is closed when it is idle for too long ◄─┐
//!        └► a service of yours                                                           │
//!             └► upgrade.rs    a request ──► a response, to be sent                       │
//!                                      └──► later, when it is sent: a WebSocket over     │
//!                                           upgraded.rs: what was the HTTP connection,   │
//!                                           or a stream of it ──────► activity.rs ───────┘
//! ```
//!
//! Over HTTP/1.1 the whole connection becomes the WebSocket's (RFC 6455). Over HTTP/2 one of its streams does, next to
//! whatever else the connection carries (RFC 8441). To the program it is the same.

mod activity;
mod http2;
mod serve;
pub mod server;
mod upgrade;
mod upgraded;

pub use http2::connect;
pub use serve::{GRACE, IDLE, serve};
pub use upgrade::{refusal, refuse_other_sites, upgrade};
pub use upgraded::Upgraded;

//! WebSockets in an HTTP server that uses hyper or a library built on it, and a client over HTTP/2.
//!
//! ```text
//! server.rs    accepts connections until a signal asks it to stop
//!   └► serve.rs    one connection of HTTP, which is closed when it is idle for too long ◄─┐
//!        └► a service of yours                                                           │
//!             └► Acceptor::upgrade of websocket-proto-tokio: a request ──► a response     │
//!                    └► later, when that is sent: a WebSocket, with a                    │
//!                       `hold` on the connection that it came by ───► activity.rs ───────┘
//! ```
//!
//! Over HTTP/1.1 the whole connection becomes the WebSocket's (RFC 6455). Over HTTP/2 one of its streams does, next to
//! whatever else the connection carries (RFC 8441). For the program, there is no difference.

mod activity;
mod http2;
mod serve;
pub mod server;

pub use activity::{Hold, hold};
pub use http2::connect;
pub use serve::{GRACE, IDLE, serve};

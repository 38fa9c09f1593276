//! Calls → bytes: the sending half. It knows the wire format, and nothing of what is received.
//!
//! ```text
//! send_* ──► frames: header, mask ──► Output ──► the caller's socket
//!        └─► compression ──────────────┘
//! ```

#[cfg(feature = "deflate")]
mod compression;
mod frames;
mod message;
mod output;
mod prepared;

#[cfg(feature = "deflate")]
pub(crate) use compression::Tools;
pub(crate) use frames::Sender;
pub use message::Message;
pub(crate) use output::Chain;
pub use output::Output;
pub use prepared::PreparedMessage;

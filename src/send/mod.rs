//! Calls → bytes: the sending half. It knows the wire format, and nothing of what is received.
//!
//! ```text
//! send_* ──► sender.rs: header, mask ──────► output.rs ──► the caller's socket
//!        └─► compress.rs: compressed payload ──┘
//! ```

mod compress;
mod message;
mod output;
mod prepared;
mod sender;

pub(crate) use compress::CompressContext;
pub use message::Message;
pub(crate) use output::Chain;
pub use output::Output;
pub use prepared::PreparedMessage;
pub(crate) use sender::Sender;

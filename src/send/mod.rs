//! The sending half: from calls to bytes. It knows the wire format, and nothing about what is received.
//!
//! ```text
//! send_* ──► sender.rs: header, mask ──────► output.rs ──► the caller's socket
//!        └─► compress.rs: compressed payload ──┘
//!
//! draft.rs: a frame whose length isn't known yet   writer.rs: what a caller writes one with
//! ```

mod chain;
mod compress;
mod deferred_pong;
mod draft;
mod message;
mod output;
mod prepared;
mod sender;
mod writer;

pub(crate) use chain::Chain;
pub(crate) use compress::CompressContext;
pub use message::Message;
pub use output::Output;
pub use prepared::PreparedMessage;
pub(crate) use sender::Sender;
pub use writer::{BinaryWriter, TextWriter};

//! Calls → bytes: the sending half. It knows the wire format, and nothing of what is received.
//!
//! ```text
//! send_* ──► frames: header, mask ──► Output ──► the caller's socket
//! ```

mod frames;
mod mask_keys;
mod message;
mod output;
mod prepared;

pub(crate) use frames::Sender;
pub(crate) use mask_keys::MaskKeys;
pub use message::Message;
pub use output::Output;
pub use prepared::PreparedMessage;

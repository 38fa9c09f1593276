//! The wire format of RFC 6455 section 5: stateless, knows nobody.

mod close;
pub(crate) mod header;
mod kind;
pub(crate) mod mask;

pub(crate) use close::CloseFrame;
pub(crate) use header::{Header, MAX_CONTROL_PAYLOAD, MAX_HEADER, OpCode, Rules, first_byte};
pub use kind::Kind;
pub(crate) use mask::{append, copy, mask, rotate};

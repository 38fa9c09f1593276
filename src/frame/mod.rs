//! The wire format of RFC 6455 section 5, stateless.

mod close;
pub(crate) mod header;
pub(crate) mod mask;
mod opcode;

pub(crate) use close::CloseFrame;
pub(crate) use header::{FrameContext, Header, MAX_CONTROL_PAYLOAD, MAX_HEADER, first_byte};
pub(crate) use mask::{append_masked, copy_masked, mask, rotate};
pub use opcode::MessageKind;
pub(crate) use opcode::OpCode;

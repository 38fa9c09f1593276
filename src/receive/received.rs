//! The output of the receiving half.

use alloc::borrow::Cow;

use crate::chunk::Chunk;
use crate::error::ProtocolError;
use crate::frame::{CloseFrame, MessageKind};
use crate::utf8;

/// A received message, a chunk of one, or a control frame.
#[derive(Debug)]
pub(crate) enum Received<'b> {
    Text(Cow<'b, str>),
    Binary(Cow<'b, [u8]>),
    Chunk(Chunk<'b>),
    Ping(Cow<'b, [u8]>),
    Pong(Cow<'b, [u8]>),
    Close(CloseFrame),
}

/// A message that is complete in the input, where it was unmasked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WholeMessage<'b> {
    Text(&'b str),
    Binary(&'b [u8]),
}

impl<'b> WholeMessage<'b> {
    /// RFC 6455 section 8.1: text must be UTF-8.
    #[inline]
    pub(crate) fn new(kind: MessageKind, payload: &'b [u8]) -> Result<Self, ProtocolError> {
        match kind {
            MessageKind::Text => Ok(Self::Text(utf8::validate(payload)?)),
            MessageKind::Binary => Ok(Self::Binary(payload)),
        }
    }
}

//! Bytes → events: the receiving half. It knows the wire format, and nothing of what is sent.
//!
//! ```text
//! input ──► frames: headers, unmasked pieces ──► message: UTF-8, assembly ──► Received
//! ```

mod frames;
mod message;

use alloc::borrow::Cow;
use alloc::boxed::Box;

use crate::chunk::Chunk;
use crate::close::CloseFrame;
use crate::config::{Config, Role};
use crate::error::ProtocolError;
use crate::frame::Kind;
use crate::scratch::Scratch;
use frames::Frames;
use message::Messages;

/// What the peer sent: a whole message, a piece of one, or a whole control frame.
#[derive(Debug)]
pub(crate) enum Received<'b> {
    Text(Cow<'b, str>),
    Binary(Cow<'b, [u8]>),
    Chunk(Chunk<'b>),
    Ping(Cow<'b, [u8]>),
    Pong(Cow<'b, [u8]>),
    Close(CloseFrame),
}

/// The receiving half of a connection.
#[derive(Debug)]
pub(crate) struct Receiver {
    frames: Frames,
    messages: Messages,
}

impl Receiver {
    /// A receiver of what an endpoint of the role `from` sends.
    pub(crate) fn new(from: Role) -> Self {
        Self { frames: Frames::new(from), messages: Messages::default() }
    }

    /// Returns the buffer of a message under way, if it is much larger than what arrived of that.
    pub(crate) fn return_to(&mut self, scratch: &mut Scratch) {
        self.messages.return_to(scratch);
    }

    /// The next message, if a glance tells that it is the common one: one frame that lies whole in the input. It makes
    /// no difference to what [`receive`](Self::receive) comes to, only to how soon.
    #[inline]
    pub(crate) fn glance<'b>(&mut self, input: &mut &'b mut [u8], config: &Config) -> Option<(Kind, &'b mut [u8])> {
        self.frames.glance(input, config)
    }

    /// Takes in bytes up to the end of the next message or control frame; `None` when the input is used up.
    pub(crate) fn receive<'b>(
        &mut self,
        input: &mut &'b mut [u8],
        config: &Config,
        scratch: &mut Option<Box<Scratch>>,
    ) -> Result<Option<Received<'b>>, ProtocolError> {
        while let Some(piece) = self.frames.next(input, config)? {
            if let Some(received) = self.messages.take_in(piece, config, scratch)? {
                return Ok(Some(received));
            }
        }
        Ok(None)
    }
}

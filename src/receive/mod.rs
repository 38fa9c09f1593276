//! Bytes → events: the receiving half. It knows the wire format, and nothing of what is sent.
//!
//! ```text
//! input ──► frames: headers, pieces ──► message: unmasking, UTF-8, assembly ──► Received
//!                                         └► inflation: the same for compressed messages
//! ```

mod frames;
#[cfg(feature = "deflate")]
mod inflation;
mod message;

use alloc::borrow::Cow;
#[cfg(feature = "deflate")]
use alloc::boxed::Box;

use crate::chunk::Chunk;
use crate::config::Config;
#[cfg(feature = "deflate")]
use crate::deflate::Incoming;
use crate::error::ProtocolError;
use crate::frame::CloseFrame;
use crate::frame::Kind;
use crate::pool::BufferPool;
use crate::role::Role;
use frames::Frames;
#[cfg(feature = "deflate")]
pub(crate) use inflation::Inflation;
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

/// What a thread lends to a receiver.
#[derive(Debug)]
pub(crate) struct Lent<'a> {
    pub(crate) pool: &'a mut BufferPool,
    /// What a connection needs for a compressed message, while none is at work with it.
    #[cfg(feature = "deflate")]
    pub(crate) inflation: &'a mut Option<Box<Inflation>>,
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

    /// The role of the peer.
    pub(crate) fn from(&self) -> Role {
        self.frames.from
    }

    /// The transport has ended. That takes effect when the input is consumed: bytes that came before it count.
    pub(crate) fn receive_eof(&mut self) {
        self.frames.at_eof = true;
    }

    pub(crate) fn is_at_eof(&self) -> bool {
        self.frames.at_eof
    }

    /// Nothing more is received, and no memory is needed any more. What was agreed on can still be asked for.
    pub(crate) fn end(&mut self) {
        #[cfg(feature = "deflate")]
        let incoming = self.incoming();
        let Frames { from, at_eof, .. } = self.frames;
        *self = Self::new(from);
        self.frames.at_eof = at_eof;
        #[cfg(feature = "deflate")]
        if let Some(incoming) = incoming {
            self.agree(incoming);
        }
    }

    /// Returns the buffer of a message under way, if it is much larger than what arrived of that.
    pub(crate) fn return_to(&mut self, lent: Lent<'_>) {
        self.frames.show_room(false);
        self.messages.return_to(lent, self.frames.arrived());
    }

    /// Room in the message under way for the next bytes of its frame, if they may be read straight into it.
    pub(crate) fn space(&mut self, config: &Config) -> Option<&mut [u8]> {
        let space = self.messages.space(self.frames.under_way()?, config)?;
        self.frames.show_room(true);
        Some(space)
    }

    /// Takes in up to `count` bytes that were read into that room; how many that were.
    pub(crate) fn fill(&mut self, count: usize, config: &Config) -> usize {
        // Nothing has happened since it was shown: it is the same.
        let Some(frame) = self.frames.under_way().filter(|_| self.frames.room_is_shown()) else { return 0 };
        let Some(space) = self.messages.space(frame, config) else { return 0 };
        let filled = count.min(space.len());
        self.frames.fill(&mut space[..filled]);
        self.frames.show_room(false);
        filled
    }

    /// The next message, if a glance tells that it is the common one: one frame that lies whole in the input. It makes
    /// no difference to what [`receive`](Self::receive) comes to, only to how soon.
    #[inline]
    pub(crate) fn glance<'b>(&mut self, input: &mut &'b mut [u8], config: &Config) -> Option<(Kind, &'b mut [u8])> {
        self.frames.glance(input, config)
    }

    /// Takes in bytes up to the end of the next message or control frame; `None` when the input is used up.
    #[inline(always)]
    pub(crate) fn receive<'b>(
        &mut self,
        input: &mut &'b mut [u8],
        config: &Config,
        mut lent: Option<Lent<'_>>,
    ) -> Result<Option<Received<'b>>, ProtocolError> {
        if !input.is_empty() {
            self.frames.show_room(false);
        }
        #[cfg(feature = "deflate")]
        while self.messages.is_held() {
            let received = self.messages.resume(config, &mut lent)?;
            self.frames.hold(self.messages.is_held());
            if received.is_some() {
                return Ok(received);
            }
        }
        let deflate = self.messages.may_be_compressed();
        while let Some(piece) = self.frames.next(input, config, deflate)? {
            let received = self.messages.take_in(piece, config, &mut lent)?;
            #[cfg(feature = "deflate")]
            self.frames.hold(self.messages.is_held());
            if received.is_some() {
                return Ok(received);
            }
        }
        Ok(None)
    }

    /// Messages may be compressed from now on.
    #[cfg(feature = "deflate")]
    pub(crate) fn agree(&mut self, incoming: Incoming) {
        self.messages.agree(incoming);
    }

    /// What was agreed on for compressed messages.
    #[cfg(feature = "deflate")]
    pub(crate) fn incoming(&self) -> Option<Incoming> {
        self.messages.incoming()
    }
}

//! Messages, pings and pongs: what a caller may send, and when.

#[cfg(feature = "deflate")]
use alloc::boxed::Box;

use bytes::Buf;

#[cfg(feature = "deflate")]
use super::Scratch;
use super::{Connection, State};
#[cfg(feature = "deflate")]
use crate::config::Config;
use crate::error::SendError;
use crate::frame::{Kind, MAX_CONTROL_PAYLOAD, OpCode};
#[cfg(feature = "deflate")]
use crate::send::Tools;
use crate::send::{Message, PreparedMessage};

/// Sending.
impl Connection {
    /// Sends a text message.
    ///
    /// # Errors
    ///
    /// The connection isn't open, its output is full, or a fragmented message is unfinished; nothing is sent then.
    #[inline]
    pub fn send_text(&mut self, text: &str) -> Result<(), SendError> {
        self.send_message(Kind::Text, text.as_bytes())
    }

    /// Sends a binary message.
    ///
    /// # Errors
    ///
    /// As for [`send_text`](Self::send_text).
    #[inline]
    pub fn send_binary(&mut self, data: &[u8]) -> Result<(), SendError> {
        self.send_message(Kind::Binary, data)
    }

    /// Sends a message that is handed over: a server chains a large payload into its output instead of copying it.
    ///
    /// # Errors
    ///
    /// As for [`send_text`](Self::send_text).
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.send(String::from("text"))?;
    /// conn.send(vec![0; 1 << 20])?;
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        self.may_send()?;
        let message = message.into();
        #[cfg(feature = "deflate")]
        if self.sender.compresses() && self.send_compressed(message.kind(), message.payload())? {
            return Ok(());
        }
        if let Some(scratch) = &mut self.scratch {
            self.output.return_spent(&mut scratch.buffers);
        }
        self.sender.owned_message(&mut self.output, message.kind(), message.into_payload())
    }

    /// Sends a message that was encoded before, as many others may send it.
    ///
    /// # Errors
    ///
    /// As for [`send_text`](Self::send_text).
    pub fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), SendError> {
        self.may_send()?;
        self.sender.prepared(&mut self.output, message)
    }

    /// Sends a fragment of a message (RFC 6455 5.4). The first decides the kind, which the others repeat; the last ends
    /// the message; control frames may be sent in between. Text may be cut anywhere, also inside a character.
    ///
    /// Compressed, a message comes out as the compressor has collected enough of it, and the rest with its last fragment:
    /// a fragment of which nothing comes out yet is no frame, unless it is the first.
    ///
    /// # Errors
    ///
    /// As for [`send_text`](Self::send_text), and text that can't be UTF-8; nothing is sent then, and the message
    /// stands where it stood.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Kind, Negotiated, SendError};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.send_fragment(Kind::Text, "你好".as_bytes(), false)?;
    /// conn.ping(b"")?;
    /// assert_eq!(conn.send_text("another"), Err(SendError::UnfinishedMessage));
    /// conn.send_fragment(Kind::Text, b"!", true)?;
    /// # Ok::<(), SendError>(())
    /// ```
    pub fn send_fragment(&mut self, kind: Kind, data: &[u8], last: bool) -> Result<(), SendError> {
        self.may_send()?;
        #[cfg(feature = "deflate")]
        let compressing = self.sender.is_compressing();
        let opcode = self.sender.begin_fragment(kind, data, last)?;
        #[cfg(feature = "deflate")]
        if compressing || opcode != OpCode::Continuation && self.sender.compresses() {
            let tools = tools(&self.config, &mut self.scratch);
            self.sender.compressed_fragment(&mut self.output, opcode, data, last, tools);
            return Ok(());
        }
        self.sender.fragment(&mut self.output, opcode, data, last);
        Ok(())
    }

    /// Whether messages that begin from now on are compressed, where that was agreed on; they are, unless this says no. For
    /// what doesn't shrink, such as images, and for secrets that stand next to what an attacker may choose, whose
    /// length would tell of them.
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    pub fn set_compression(&mut self, on: bool) {
        self.sender.set_compression(on);
    }

    /// Sends a ping of at most 125 bytes; the answer comes as [`Event::Pong`](crate::Event::Pong).
    ///
    /// # Errors
    ///
    /// The connection isn't open, its output is full, or the payload is too long; nothing is sent then.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.send_control(OpCode::Ping, payload)?;
        self.timers.ping_sent(payload);
        Ok(())
    }

    /// Sends a pong of at most 125 bytes that no ping asked for, or that
    /// [`auto_pong`](crate::Config::auto_pong) was switched off for.
    ///
    /// # Errors
    ///
    /// As for [`ping`](Self::ping).
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.send_control(OpCode::Pong, payload)
    }

    /// Whether a message may be sent now: the connection is open, and pending output is below its
    /// [limit](crate::Config::max_pending_output). A fragmented message that is under way is finished first all the same.
    pub fn can_send(&self) -> bool {
        self.may_send().is_ok()
    }

    /// How many bytes of output are pending: those of [`output`](Self::output).
    pub fn pending_output(&self) -> usize {
        self.output.remaining()
    }

    #[inline]
    fn send_message(&mut self, kind: Kind, payload: &[u8]) -> Result<(), SendError> {
        self.may_send()?;
        #[cfg(feature = "deflate")]
        if self.sender.compresses() && self.send_compressed(kind, payload)? {
            return Ok(());
        }
        self.sender.message(&mut self.output, kind, payload)
    }

    /// Sends a message compressed, unless it is too short or would only grow.
    #[cfg(feature = "deflate")]
    fn send_compressed(&mut self, kind: Kind, payload: &[u8]) -> Result<bool, SendError> {
        let tools = tools(&self.config, &mut self.scratch);
        if payload.len() < tools.settings.min_size {
            return Ok(false);
        }
        self.sender.compressed_message(&mut self.output, kind, payload, tools)
    }

    pub(super) fn send_control(&mut self, opcode: OpCode, payload: &[u8]) -> Result<(), SendError> {
        self.is_open()?;
        if payload.len() > MAX_CONTROL_PAYLOAD {
            return Err(SendError::ControlTooLong);
        }
        self.has_room()?;
        self.sender.control(&mut self.output, opcode, payload);
        Ok(())
    }

    #[inline]
    pub(super) fn may_send(&self) -> Result<(), SendError> {
        self.is_open()?;
        self.has_room()
    }

    /// Pending output hasn't reached its limit.
    #[inline]
    fn has_room(&self) -> Result<(), SendError> {
        if self.output.remaining() >= self.config.max_pending_output { Err(SendError::OutputFull) } else { Ok(()) }
    }

    #[inline]
    pub(super) fn is_open(&self) -> Result<(), SendError> {
        match self.state() {
            State::Open => Ok(()),
            State::Connecting => Err(SendError::Connecting),
            State::Closing | State::Closed => Err(SendError::Closed),
        }
    }
}

/// What messages are compressed with.
#[cfg(feature = "deflate")]
fn tools<'a>(config: &'a Config, scratch: &'a mut Option<Box<Scratch>>) -> Tools<'a> {
    Tools { settings: config.compression(), spare: scratch.as_mut().map(|scratch| &mut scratch.compressors) }
}

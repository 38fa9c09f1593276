//! Messages, pings and pongs: what may be sent, and when.

use alloc::vec::Vec;

use bytes::Buf;

use super::{Connection, State};
use crate::error::{SendError, SendWithError};
use crate::frame::{MAX_CONTROL_PAYLOAD, MessageKind, OpCode};
use crate::send::{BinaryWriter, CompressContext, Message, Output, PreparedMessage, Sender, TextWriter};

/// Sending.
impl Connection {
    /// Sends a text message.
    ///
    /// # Errors
    ///
    /// The connection isn't open, its output is full, or a fragmented message is unfinished; nothing is sent then.
    ///
    /// ```
    /// use bytes::Buf;
    /// use websocket_proto::{Config, Connection, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.send_text("hi")?;
    /// conn.send_text(&format!("{} users", 3))?;
    /// assert_eq!(conn.output().chunk(), b"\x81\x02hi\x81\x073 users");
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    #[inline]
    pub fn send_text(&mut self, text: &str) -> Result<(), SendError> {
        self.send_message(MessageKind::Text, text.as_bytes())
    }

    /// Sends a binary message.
    ///
    /// # Errors
    ///
    /// As for [`send_text`](Self::send_text).
    ///
    /// ```
    /// use bytes::Buf;
    /// use websocket_proto::{Config, Connection, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.send_binary(&7_u32.to_be_bytes())?;
    /// assert_eq!(conn.output().chunk(), [0x82, 4, 0, 0, 0, 7]);
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    #[inline]
    pub fn send_binary(&mut self, data: &[u8]) -> Result<(), SendError> {
        self.send_message(MessageKind::Binary, data)
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
        self.check_can_send()?;
        let message = message.into();
        if self.sender.compresses() && self.send_compressed(message.kind(), message.payload())? {
            return Ok(());
        }
        if let Some(scratch) = &mut self.scratch {
            self.output.return_recyclable(&mut scratch.pool);
        }
        self.sender.owned_message(&mut self.output, message.kind(), message.into_bytes())
    }

    /// Sends a text message that `write` writes straight into the output: serialised data, say, for which no `String` is
    /// needed. Returns what `write` returned.
    ///
    /// This saves the memory of a second copy of the message. It saves no time with a writer of bytes, which are checked to be
    /// UTF-8 when the message is complete. If the message will be compressed, it is written into a buffer first.
    ///
    /// # Errors
    ///
    /// As for [`send_text`](Self::send_text), before `write` is called; [`SendError::InvalidUtf8`] if `write` wrote bytes that
    /// aren't UTF-8; and the error that `write` returned. Nothing is sent then, nor if `write` panics.
    ///
    /// ```
    /// use core::fmt::{self, Write};
    ///
    /// use bytes::Buf;
    /// use websocket_proto::{Config, Connection, Negotiated, SendWithError};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.send_text_with(|writer| write!(writer, "{{\"price\":{}}}", 12.5))?;
    /// assert_eq!(conn.output().chunk(), b"\x81\x0e{\"price\":12.5}");
    /// # Ok::<(), SendWithError<fmt::Error>>(())
    /// ```
    ///
    /// With `serde_json` (and the feature `std`), `conn.send_text_with(|writer| serde_json::to_writer(writer, &value))?`.
    pub fn send_text_with<R, E>(
        &mut self,
        write: impl FnOnce(&mut TextWriter<'_>) -> Result<R, E>,
    ) -> Result<R, SendWithError<E>> {
        self.send_with(MessageKind::Text, |buffer| TextWriter::append_to(buffer, write))
    }

    /// Sends a binary message that `write` writes straight into the output, as [`send_text_with`](Self::send_text_with) does.
    ///
    /// # Errors
    ///
    /// As for [`send_text_with`](Self::send_text_with).
    #[cfg_attr(
        feature = "std",
        doc = "
```
use std::io::{self, Write};

use bytes::Buf;
use websocket_proto::{Config, Connection, Negotiated, SendWithError};

let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
conn.send_binary_with(|writer| writer.write_all(&[1, 2, 3]))?;
assert_eq!(conn.output().chunk(), [0x82, 3, 1, 2, 3]);
# Ok::<(), SendWithError<io::Error>>(())
```"
    )]
    pub fn send_binary_with<R, E>(
        &mut self,
        write: impl FnOnce(&mut BinaryWriter<'_>) -> Result<R, E>,
    ) -> Result<R, SendWithError<E>> {
        self.send_with(MessageKind::Binary, |buffer| BinaryWriter::append_to(buffer, write))
    }

    /// Sends a message that was encoded once, for any number of connections.
    ///
    /// # Errors
    ///
    /// As for [`send_text`](Self::send_text).
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Negotiated, PreparedMessage, SendError};
    ///
    /// let new = || Connection::upgraded_server(Negotiated::new(), Config::new());
    /// let mut connections = [new(), new(), new()];
    /// let news = PreparedMessage::text("news");
    /// for conn in &mut connections {
    ///     if conn.send_prepared(&news) == Err(SendError::OutputFull) {
    ///         conn.abort(); // this peer does not read
    ///     }
    /// }
    /// # assert!(connections.iter().all(|conn| conn.pending_output() == 6));
    /// ```
    pub fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), SendError> {
        self.check_can_send()?;
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
    /// As for [`send_text`](Self::send_text), and text that can't be UTF-8. Nothing is sent then, and the message
    /// can be continued.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, MessageKind, Negotiated, SendError};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.send_fragment(MessageKind::Text, "你好".as_bytes(), false)?;
    /// conn.ping(b"")?;
    /// assert_eq!(conn.send_text("another"), Err(SendError::UnfinishedMessage));
    /// conn.send_fragment(MessageKind::Text, b"!", true)?;
    /// # Ok::<(), SendError>(())
    /// ```
    pub fn send_fragment(&mut self, kind: MessageKind, data: &[u8], last: bool) -> Result<(), SendError> {
        self.check_can_send()?;
        let opcode = self.sender.begin_fragment(kind, data, last)?;
        match self.sender.compression_of_fragment(opcode) {
            None => self.sender.fragment(&mut self.output, opcode, data, last),
            Some(compression) => {
                let (sender, output, context) = self.compressing();
                sender.compressed_fragment(output, opcode, data, last, compression, context);
            }
        }
        Ok(())
    }

    /// Sets whether messages that begin from now on are compressed, where that was agreed on. They are by default. Switch it
    /// off for data that doesn't shrink, such as images, and for secrets beside text that an attacker may choose: the length
    /// of such a message would reveal them.
    #[cfg(feature = "deflate")]
    pub fn set_compression(&mut self, on: bool) {
        self.sender.set_compression_enabled(on);
    }

    /// Sends a ping of at most 125 bytes; the answer comes as [`Event::Pong`](crate::Event::Pong).
    ///
    /// # Errors
    ///
    /// The connection isn't open, its output is full, or the payload is too long; nothing is sent then.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.ping(b"still there?")?;
    /// // …write the output, and read…
    /// let mut arrived = *b"\x8a\x8c\0\0\0\0still there?";
    /// assert_eq!(conn.receive(&mut &mut arrived[..]), Some(Event::Pong(b"still there?".into())));
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.send_control(OpCode::Ping, payload)?;
        self.timers.ping_sent(payload);
        Ok(())
    }

    /// Sends a pong of at most 125 bytes: an unsolicited one, or the answer to a ping where
    /// [`auto_pong`](crate::Config::auto_pong) is off.
    ///
    /// # Errors
    ///
    /// As for [`ping`](Self::ping).
    ///
    /// ```
    /// use bytes::Buf;
    /// use websocket_proto::{Config, Connection, Event, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new().auto_pong(false));
    /// let mut arrived = *b"\x89\x82\0\0\0\0hi";
    /// if let Some(Event::Ping(payload)) = conn.receive(&mut &mut arrived[..]) {
    ///     conn.pong(&payload)?;
    /// }
    /// assert_eq!(conn.output().chunk(), b"\x8a\x02hi");
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.send_control(OpCode::Pong, payload)
    }

    /// Returns whether a message may be sent now: the connection is open, and pending output is below its
    /// [limit](crate::Config::max_pending_output). A fragmented message still has to be finished first.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Negotiated};
    ///
    /// let config = Config::new().max_pending_output(1000);
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), config);
    /// let mut queue = vec![vec![0; 300]; 10];
    /// while conn.can_send() && let Some(message) = queue.pop() {
    ///     conn.send_binary(&message)?;
    /// }
    /// assert_eq!(queue.len(), 6); // for when some output has been written
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn can_send(&self) -> bool {
        self.check_can_send().is_ok()
    }

    /// Returns the number of bytes in the [`output`](Self::output).
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// for frame in 0..100_u32 {
    ///     if conn.pending_output() < 60 {
    ///         conn.send_binary(&frame.to_be_bytes())?; // else skip it: the peer reads slowly
    ///     }
    /// }
    /// assert_eq!(conn.pending_output(), 60);
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn pending_output(&self) -> usize {
        self.output.remaining()
    }

    #[inline]
    fn send_message(&mut self, kind: MessageKind, payload: &[u8]) -> Result<(), SendError> {
        self.check_can_send()?;
        if self.sender.compresses() && self.send_compressed(kind, payload)? {
            return Ok(());
        }
        self.sender.message(&mut self.output, kind, payload)
    }

    fn send_with<R, E>(
        &mut self,
        kind: MessageKind,
        write: impl FnOnce(&mut Vec<u8>) -> Result<R, SendWithError<E>>,
    ) -> Result<R, SendWithError<E>> {
        self.check_can_send()?;
        if self.sender.compression_of_message(usize::MAX, &self.config.deflate).is_none() {
            return self.sender.message_with(&mut self.output, kind, write);
        }
        self.sender.check_between_messages()?;
        let mut buffer = self.scratch.as_mut().map_or_else(Vec::new, |scratch| scratch.pool.get());
        let written = write(&mut buffer);
        if written.is_ok() {
            self.send_message(kind, &buffer)?;
        }
        self.recycle(buffer);
        written
    }

    /// Sends a message compressed, unless it is too short or would only grow.
    #[inline(never)]
    fn send_compressed(&mut self, kind: MessageKind, payload: &[u8]) -> Result<bool, SendError> {
        let Some(compression) = self.sender.compression_of_message(payload.len(), &self.config.deflate) else {
            return Ok(false);
        };
        let (sender, output, context) = self.compressing();
        sender.compressed_message(output, kind, payload, compression, context)
    }

    /// The parts that send something compressed.
    fn compressing(&mut self) -> (&mut Sender, &mut Output, CompressContext<'_>) {
        let spare = self.scratch.as_mut().map(|scratch| &mut scratch.compressors);
        (&mut self.sender, &mut self.output, CompressContext { settings: &self.config.deflate, spare })
    }

    pub(super) fn send_control(&mut self, opcode: OpCode, payload: &[u8]) -> Result<(), SendError> {
        self.check_open()?;
        if payload.len() > MAX_CONTROL_PAYLOAD {
            return Err(SendError::ControlTooLong);
        }
        self.check_output_space()?;
        self.sender.control(&mut self.output, opcode, payload);
        Ok(())
    }

    #[inline]
    pub(super) fn check_can_send(&self) -> Result<(), SendError> {
        self.check_open()?;
        self.check_output_space()
    }

    /// Pending output hasn't reached its limit.
    #[inline]
    fn check_output_space(&self) -> Result<(), SendError> {
        if self.output.remaining() >= self.config.max_pending_output { Err(SendError::OutputFull) } else { Ok(()) }
    }

    #[inline]
    pub(super) fn check_open(&self) -> Result<(), SendError> {
        match self.state() {
            State::Open => Ok(()),
            State::Connecting => Err(SendError::Connecting),
            State::Closing | State::Closed => Err(SendError::Closed),
        }
    }
}

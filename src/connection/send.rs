//! Sending messages, pings and pongs, and the checks before that.

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
    /// Fails if the connection is not open, if its output is full, or if a fragmented message is unfinished. Nothing is
    /// sent then.
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
    /// Fails as [`send_text`](Self::send_text) does.
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

    /// Sends a message that owns its payload. A payload of 2 KiB or more is moved into the output, not copied. A client, which
    /// must mask it, copies it only if its [`Bytes`](bytes::Bytes) have other owners.
    ///
    /// # Errors
    ///
    /// Fails as [`send_text`](Self::send_text) does.
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
        let (sender, output) = self.sending();
        sender.owned_message(output, message.kind(), message.into_bytes())
    }

    /// Sends a text message that `write` writes directly into the output, such as serialised data, without an
    /// intermediate `String`. Returns the value that `write` returns.
    ///
    /// This saves the memory for a second copy of the message. It saves no time if `write` writes bytes, because they
    /// must be validated as UTF-8 when the message is complete. A message that will be compressed is written into a
    /// buffer first.
    ///
    /// # Errors
    ///
    /// Fails as [`send_text`](Self::send_text) does, before `write` is called. Fails with [`SendError::InvalidUtf8`] if
    /// `write` wrote bytes that are not UTF-8, and with the error of `write` if it returned one. Nothing is sent then,
    /// nor if `write` panics.
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

    /// Sends a binary message that `write` writes directly into the output, like
    /// [`send_text_with`](Self::send_text_with).
    ///
    /// # Errors
    ///
    /// Fails as [`send_text_with`](Self::send_text_with) does, except for UTF-8.
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

    /// Sends a message that was encoded once for any number of connections.
    ///
    /// # Errors
    ///
    /// Fails as [`send_text`](Self::send_text) does.
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
        let (sender, output) = self.sending();
        sender.prepared(output, message)
    }

    /// Sends a fragment of a message (RFC 6455 section 5.4). All fragments of a message are passed with the same kind,
    /// and the last one ends the message. Between fragments you can send control frames, but no other message. Text may
    /// be split anywhere, even inside a character.
    ///
    /// If the message is compressed, the compressor buffers data across fragments and outputs the rest with the last
    /// fragment. A fragment for which it outputs nothing is not sent as a frame of its own, unless it is the first.
    ///
    /// # Errors
    ///
    /// Fails as [`send_text`](Self::send_text) does, and if the text is not UTF-8. Nothing is sent then, and the
    /// message can be continued.
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
            None => {
                let (sender, output) = self.sending();
                sender.fragment(output, opcode, data, last);
            }
            Some(compression) => {
                let (sender, output, context) = self.compressing();
                sender.compressed_fragment(output, opcode, data, last, compression, context);
            }
        }
        Ok(())
    }

    /// Sets whether messages that begin from now on are compressed, if compression was negotiated. On by default. Turn
    /// it off for data that does not shrink, such as images. Also turn it off for messages that combine a secret with
    /// text that an attacker can choose, because their compressed length can reveal the secret.
    #[cfg(feature = "deflate")]
    pub fn set_compression(&mut self, on: bool) {
        self.sender.set_compression_enabled(on);
    }

    /// Sends a ping of at most 125 bytes. The answer is reported as [`Event::Pong`](crate::Event::Pong).
    ///
    /// # Errors
    ///
    /// Fails if the connection is not open, if its output is full, or if the payload is too long. Nothing is sent then.
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

    /// Sends a pong of at most 125 bytes: an unsolicited one, or the answer to a ping if
    /// [`auto_pong`](crate::Config::auto_pong) is off.
    ///
    /// # Errors
    ///
    /// Fails as [`ping`](Self::ping) does.
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
    /// [limit](crate::Config::max_pending_output). An unfinished fragmented message is not taken into account.
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
    /// assert_eq!(queue.len(), 6); // until some output has been written
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
    ///         conn.send_binary(&frame.to_be_bytes())?; // otherwise skip it: the peer reads slowly
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
        let (sender, output) = self.sending();
        sender.message(output, kind, payload)
    }

    fn send_with<R, E>(
        &mut self,
        kind: MessageKind,
        write: impl FnOnce(&mut Vec<u8>) -> Result<R, SendWithError<E>>,
    ) -> Result<R, SendWithError<E>> {
        self.check_can_send()?;
        if self.sender.compression_of_message(usize::MAX, &self.config.deflate).is_none() {
            let (sender, output) = self.sending();
            return sender.message_with(output, kind, write);
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

    /// Sends a message compressed, unless it is too short or compression would not make it smaller.
    #[inline(never)]
    fn send_compressed(&mut self, kind: MessageKind, payload: &[u8]) -> Result<bool, SendError> {
        let Some(compression) = self.sender.compression_of_message(payload.len(), &self.config.deflate) else {
            return Ok(false);
        };
        let (sender, output, context) = self.compressing();
        sender.compressed_message(output, kind, payload, compression, context)
    }

    /// Returns the parts that are needed for sending something compressed.
    fn compressing(&mut self) -> (&mut Sender, &mut Output, CompressContext<'_>) {
        self.lend_to_output();
        let spare = self.scratch.as_mut().map(|scratch| &mut scratch.compressors);
        (&mut self.sender, &mut self.output, CompressContext { settings: &self.config.deflate, spare })
    }

    pub(super) fn send_control(&mut self, opcode: OpCode, payload: &[u8]) -> Result<(), SendError> {
        self.check_open()?;
        if payload.len() > MAX_CONTROL_PAYLOAD {
            return Err(SendError::ControlTooLong);
        }
        self.check_output_space()?;
        let (sender, output) = self.sending();
        sender.control(output, opcode, payload);
        Ok(())
    }

    #[inline]
    pub(super) fn check_can_send(&self) -> Result<(), SendError> {
        self.check_open()?;
        self.check_output_space()
    }

    /// Fails if pending output has reached its limit.
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

//! Sending: messages, prepared messages and pings.

use std::time::Duration;

use websocket_proto::{BinaryWriter, Message, PreparedMessage, SendError, SendWithError, TextWriter};

use super::engine::Engine;
use super::input::MIN_TIMEOUT;
use super::turn::Receiving;
use super::write::Sending;
use super::{Error, HIGH_WATER, Input, WebSocket};
use crate::Transport;

/// How long `send` waits for a peer that accepts nothing until it looks for what the peer has sent.
const STALL_TIME: Duration = Duration::from_millis(20);

impl<S: Transport> WebSocket<S> {
    /// Sends a message, and blocks until the transport has accepted it.
    ///
    /// While the peer accepts nothing, this method reads up to [`HIGH_WATER`] bytes and the rest of a message, which
    /// [`read`](Self::read) returns later. If both peers send as much as they can, send and read in two threads:
    /// [`into_split`](Self::into_split).
    ///
    /// # Errors
    ///
    /// Fails with [`Send`](Error::Send) if the connection is closing or was closed, for example by the peer, and with
    /// [`Closed`](Error::Closed) if it ended without a closing handshake. [`read`](Self::read) still returns what was
    /// received before, and then how it ended.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.send_with(|conn| conn.send(message))
    }

    /// Sends a text message that `write` writes directly into the output, such as serialised data, without an
    /// intermediate `String`. Returns the value that `write` returns. If that is an error, nothing is sent.
    ///
    /// # Errors
    ///
    /// Fails as [`send`](Self::send) does, and if the bytes are not UTF-8.
    ///
    /// ```
    /// use std::fmt::Write;
    /// use std::net::TcpStream;
    ///
    /// use websocket_proto_blocking::WebSocket;
    ///
    /// fn quote(ws: &mut WebSocket<TcpStream>, price: f64) -> Result<(), Box<dyn std::error::Error>> {
    ///     // With serde_json: |writer| serde_json::to_writer(writer, &value)
    ///     ws.send_text_with(|writer| write!(writer, "{{\"price\":{price}}}"))??;
    ///     Ok(())
    /// }
    /// ```
    pub fn send_text_with<R, E>(
        &mut self,
        write: impl FnOnce(&mut TextWriter<'_>) -> Result<R, E>,
    ) -> Result<Result<R, E>, Error> {
        self.send_with(|conn| written(conn.send_text_with(write)))
    }

    /// Sends a binary message that `write` writes directly into the output, like
    /// [`send_text_with`](Self::send_text_with).
    ///
    /// # Errors
    ///
    /// Fails as [`send`](Self::send) does.
    pub fn send_binary_with<R, E>(
        &mut self,
        write: impl FnOnce(&mut BinaryWriter<'_>) -> Result<R, E>,
    ) -> Result<Result<R, E>, Error> {
        self.send_with(|conn| written(conn.send_binary_with(write)))
    }

    /// Sends a message that was encoded (and perhaps compressed) once for many connections.
    ///
    /// # Errors
    ///
    /// Fails as [`send`](Self::send) does.
    pub fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.send_with(|conn| conn.send_prepared(message))
    }

    /// Sends a ping of at most 125 bytes. [`event`](Self::event) returns the answer as
    /// [`Event::Pong`](crate::Event::Pong), and [`round_trip`](Self::round_trip) returns how long it took.
    ///
    /// You do not need this to detect a lost peer: the keepalive sends its own pings.
    ///
    /// # Errors
    ///
    /// Fails as [`send`](Self::send) does, and if the payload is too long.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.send_with(|conn| conn.ping(payload))
    }

    /// Blocks until everything is written.
    ///
    /// # Errors
    ///
    /// Fails if the transport accepts no more bytes, or if the connection was dropped before everything was written.
    pub fn flush(&mut self) -> Result<(), Error> {
        Sending::flush(self)
    }
}

impl<S: Transport> Sending for WebSocket<S> {
    type Stream = S;
    type Engine = Engine;

    const MAX_WAIT: Option<Duration> = None;
    const STALL: Option<Duration> = Some(STALL_TIME);

    fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    fn writing<R>(&mut self, _: bool, work: impl FnOnce(&mut S, &mut Engine) -> R) -> Option<R> {
        Some(work(&mut self.transport, &mut self.engine))
    }

    /// A peer that reads nothing is dropped at a deadline, which `read` reports.
    fn on_deadline(&mut self) {
        // Only the events of one input are kept, so that they do not accumulate.
        if self.input.is_empty() && !self.engine.has_kept() {
            self.fill(None);
        }
        self.engine.keep_events(&mut self.input);
    }

    /// The peer may be sending as well, and read only after that. What it sends is kept for `read`, up to a limit.
    fn on_stall(&mut self) {
        while self.input.is_empty() && !self.input.at_eof && self.engine.kept_size() < HIGH_WATER {
            if !self.fill_within(Some(MIN_TIMEOUT)) {
                break;
            }
            self.engine.keep_events(&mut self.input);
        }
    }
}

impl<S: Transport> Receiving for WebSocket<S> {
    fn parts(&mut self) -> (&mut S, &mut Input, &mut Engine) {
        (&mut self.transport, &mut self.input, &mut self.engine)
    }
}

/// Separates the errors of the connection from those of the caller's function.
pub(super) fn written<R, E>(sent: Result<R, SendWithError<E>>) -> Result<Result<R, E>, SendError> {
    match sent {
        Ok(value) => Ok(Ok(value)),
        Err(SendWithError::Write(error)) => Ok(Err(error)),
        Err(SendWithError::Send(error)) => Err(error),
    }
}

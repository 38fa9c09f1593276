//! Closing and aborting a connection, and shutting down its transport.

use bytes::Buf;

use super::Connection;
use super::phase::{Phase, TransportEnd, TransportShutdown};
use crate::close::CloseCode;
use crate::error::SendError;
use crate::event::Cause;
use crate::frame::{MAX_CONTROL_PAYLOAD, OpCode};
use crate::role::Role;
use crate::slices::{copy_to, part};

/// Closing the connection.
impl Connection {
    /// Begins the closing handshake (RFC 6455 section 7.1.2). An unfinished fragmented message is abandoned, and
    /// nothing more can be sent. Messages from the peer are delivered until its Close frame is received.
    ///
    /// With `None` the Close frame is empty, and the peer reports 1005. A reason of more than 123 bytes is truncated
    /// after the last character that fits (RFC 6455 section 5.5).
    ///
    /// The peer has [`close_timeout`](crate::Config::close_timeout) to answer, from the next
    /// [`advance_time`](Self::advance_time).
    ///
    /// # Errors
    ///
    /// Fails if the connection is not open, if this role may not send the code, or if there is a reason without a code.
    /// Nothing is sent then. It does not fail because the output is full.
    ///
    /// ```
    /// use websocket_proto::{CloseCode, Config, Connection, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.close(CloseCode::GOING_AWAY, "back in a minute")?;
    /// assert_eq!(conn.output().take().unwrap(), &b"\x88\x12\x03\xe9back in a minute"[..]);
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.close(None, "")?;
    /// assert_eq!(conn.output().take().unwrap(), &b"\x88\0"[..]);
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn close(&mut self, code: impl Into<Option<CloseCode>>, reason: &str) -> Result<(), SendError> {
        self.check_open()?;
        let code = code.into();
        match code {
            // RFC 6455 section 7.4.1: only clients send 1010.
            Some(CloseCode::MISSING_EXTENSION) if self.role() == Role::Client => {}
            Some(code) if code.may_travel() && code != CloseCode::MISSING_EXTENSION => {}
            Some(code) => return Err(SendError::CloseCode(code)),
            None if reason.is_empty() => {}
            None => return Err(SendError::ReasonWithoutCode),
        }
        self.send_close(code, cut(reason, MAX_CONTROL_PAYLOAD - 2));
        self.on_close_sent(code.unwrap_or(CloseCode::NO_STATUS));
        Ok(())
    }

    /// Drops the connection immediately. Pending output is discarded, and the transport should be closed.
    /// [`wants_shutdown`](Self::wants_shutdown) returns `Abort` from now on. The next [`receive`](Self::receive)
    /// returns [`Event::Closed`](crate::Event::Closed), unless that was returned before.
    ///
    /// ```
    /// use websocket_proto::{Cause, Config, Connection, Event, Negotiated, TransportShutdown};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.send_text("never written")?;
    /// conn.abort();
    /// assert!(conn.output().take().is_none());
    /// assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Abort));
    /// let Some(Event::Closed(closed)) = conn.receive(&mut &mut [][..]) else { panic!() };
    /// assert_eq!(closed.cause, Cause::Aborted);
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn abort(&mut self) {
        if self.phase.is_closed() {
            self.abort_transport();
        } else {
            self.fail(Cause::Aborted);
        }
    }

    /// Returns how to shut down the transport, once that is due. Returns `None` while output is pending or the peer
    /// still has a step to take. Keep reading, receiving and writing until then.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Negotiated, TransportShutdown};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// let mut arrived = *b"\x88\x80\0\0\0\0"; // a Close frame from the peer
    /// conn.receive(&mut &mut arrived[..]);
    /// assert_eq!(conn.wants_shutdown(), None); // our Close frame is still pending
    /// while let Some(bytes) = conn.output().take() {
    ///     // …write them…
    /// }
    /// assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Graceful));
    /// ```
    pub fn wants_shutdown(&self) -> Option<TransportShutdown> {
        match self.phase {
            Phase::Closed { transport: TransportEnd::AwaitEof, .. } => None,
            Phase::Closed { transport: TransportEnd::Graceful, .. } => {
                (!self.output.has_remaining()).then_some(TransportShutdown::Graceful)
            }
            Phase::Closed { transport: TransportEnd::Abort, .. } => Some(TransportShutdown::Abort),
            _ => self.timers.is_over().then_some(TransportShutdown::Abort),
        }
    }

    /// Appends a Close frame to the output. It is the last frame that we send.
    pub(super) fn send_close(&mut self, code: Option<CloseCode>, reason: &str) {
        let mut body = [0; MAX_CONTROL_PAYLOAD];
        let mut length = 0;
        if let Some(code) = code {
            length = 2 + reason.len();
            copy_to(&mut body, 0, &code.get().to_be_bytes());
            copy_to(&mut body, 2, reason.as_bytes());
        }
        let (sender, output) = self.sending();
        output.drop_pong();
        sender.control(output, OpCode::Close, part(&body, ..length));
    }
}

/// Returns the text up to the last character that ends within `most` bytes.
fn cut(text: &str, most: usize) -> &str {
    (0..=most.min(text.len())).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

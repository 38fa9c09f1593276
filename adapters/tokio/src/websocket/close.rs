//! The closing handshake and the shutdown of the transport.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{Cause, CloseCode, Closed, SendError, TransportShutdown};

use super::turn::MAX_INPUTS;
use super::{Error, WebSocket};

/// How long the peer may take to close its side of the transport.
const LINGER: Duration = Duration::from_secs(2);

/// The pause between reads when discarding the input of a peer that does not stop sending.
const DISCARD_PAUSE: Duration = Duration::from_millis(10);

/// The end of the connection, and the progress of shutting down its transport.
#[derive(Debug, Default)]
pub(super) struct End {
    pub(super) closed: Option<Box<Closed>>,
    /// Set once an end without a closing handshake was returned as an error.
    is_reported: bool,
    /// The time until which the peer may close its side of the transport.
    linger_until: Option<Duration>,
    /// Set once our side of the transport is shut down.
    is_shut_down: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Closes the connection. Sends a Close frame, then waits for the peer's Close frame and for the end of the
    /// transport.
    ///
    /// With `None` the Close frame is empty. A reason of more than 123 bytes is truncated. Messages that the peer still
    /// sends are discarded. To receive them, call `close` of the [`connection`](Self::connection_mut) instead, and
    /// [`recv`](Self::recv) until it returns `None`.
    ///
    /// If a Close frame was sent or received before, this only waits for the end.
    ///
    /// # Errors
    ///
    /// Fails if the code may not be sent, or if the connection ended without a closing handshake, for example because
    /// the peer did not answer within the [`close_timeout`](crate::Config::close_timeout) (5 seconds by default).
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe. If the future is dropped, the Close frame remains queued. Call this again (the code and the reason
    /// of the first call apply), or continue with `recv`.
    ///
    /// ```
    /// use tokio::net::TcpStream;
    /// use websocket_proto_tokio::{CloseCode, Error, WebSocket};
    ///
    /// async fn leave(mut ws: WebSocket<TcpStream>) -> Result<(), Error> {
    ///     ws.close(CloseCode::GOING_AWAY, "restarting").await
    /// }
    /// ```
    pub async fn close(&mut self, code: impl Into<Option<CloseCode>>, reason: &str) -> Result<(), Error> {
        self.begin_close(code.into(), reason)?;
        poll_fn(|cx| self.poll_end(cx)).await
    }

    /// Sends a Close frame, unless one has been sent before.
    pub(super) fn begin_close(&mut self, code: Option<CloseCode>, reason: &str) -> Result<(), Error> {
        match self.connection_mut().close(code, reason) {
            // The task that waits for events has a new deadline.
            Ok(()) => self.tasks.wake(),
            Err(SendError::Closed) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Discards everything that is still received.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_run(cx, usize::MAX, &mut |_, _| ControlFlow::<()>::Continue(())).map_ok(drop)
    }

    /// Shuts down our side of the transport and reads until EOF: closing a socket with unread bytes resets the
    /// connection, and the peer could lose our last bytes.
    pub(super) fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let until = *self.end.linger_until.get_or_insert_with(|| self.clock.now() + LINGER);
        if !self.end.is_shut_down {
            // An error is treated as EOF.
            self.end.is_shut_down = Pin::new(&mut self.transport).poll_shutdown(cx).is_ready();
        }
        let mut inputs = 0;
        while self.poll_read(cx).is_ready() {
            self.input.keep(0);
            inputs += 1;
            if inputs == MAX_INPUTS {
                // A peer that does not stop sending has to wait, so that it takes little time from other tasks.
                let next = self.clock.now() + DISCARD_PAUSE;
                return self.clock.poll_until(Some(next.min(until)), cx);
            }
        }
        if self.end.is_shut_down && self.at_eof {
            return Poll::Ready(());
        }
        self.clock.poll_until(Some(until), cx)
    }

    /// Returns the error of a method that sends: the cause of the end, if there was no closing handshake.
    pub(super) fn send_error(&self, error: SendError) -> Error {
        match &self.end.closed {
            Some(closed) if error == SendError::Closed && !closed.clean => Error::Closed(closed.clone()),
            _ => error.into(),
        }
    }

    /// Returns whether the connection was dropped, and its pending output with it.
    pub(super) fn is_dropped(&self) -> bool {
        self.conn.wants_shutdown() == Some(TransportShutdown::Abort)
    }

    /// Fails if the connection was dropped.
    pub(super) fn check_output(&self) -> Result<(), Error> {
        if self.is_dropped() { Err(self.send_error(SendError::Closed)) } else { Ok(()) }
    }

    /// Returns the result of the connection: an error, reported once, if there was no closing handshake.
    pub(super) fn outcome(&mut self) -> Result<(), Error> {
        match &self.end.closed {
            Some(closed) if !closed.clean && !std::mem::replace(&mut self.end.is_reported, true) => {
                match self.failure.take() {
                    Some(error) if closed.cause == Cause::Eof => Err(error.into()),
                    _ => Err(Error::Closed(closed.clone())),
                }
            }
            _ => Ok(()),
        }
    }
}

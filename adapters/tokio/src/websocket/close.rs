//! The closing handshake, and the end of the transport.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{Cause, CloseCode, Closed, SendError};

use super::turn::MAX_INPUTS;
use super::{Error, WebSocket};

/// How long the peer may take to close its side of the transport.
const LINGER: Duration = Duration::from_secs(2);

/// The pause in discarding what a peer sends without end.
const DISCARD_PAUSE: Duration = Duration::from_millis(10);

/// How the connection has ended, and how far its transport is shut down.
#[derive(Debug, Default)]
pub(super) struct End {
    pub(super) closed: Option<Box<Closed>>,
    /// An end without a closing handshake was returned as an error.
    is_reported: bool,
    /// Until when the peer may close its side of the transport.
    linger_until: Option<Duration>,
    /// Our side of the transport is shut down.
    is_shut_down: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Closes the connection: sends a Close frame, waits for the peer's and for the end of the transport.
    ///
    /// Without a code (`None`) the Close frame is empty. A reason of more than 123 bytes is cut. Messages that the peer
    /// still sends are discarded. To receive them, call `close` of the [`connection`](Self::connection_mut) instead, and
    /// [`recv`](Self::recv) until it returns `None`.
    ///
    /// If a Close frame was sent or received before, this only waits for the end.
    ///
    /// # Errors
    ///
    /// The code may not be sent, or the connection ended without a closing handshake, for example because the peer didn't
    /// answer within the [`close_timeout`](crate::Config::close_timeout) (5 seconds by default).
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe. If the future is dropped, the Close frame remains queued. Call it again (the code and reason are those
    /// of the first call), or go on with `recv`.
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

    /// Sends a Close frame, unless there was one.
    pub(super) fn begin_close(&mut self, code: Option<CloseCode>, reason: &str) -> Result<(), Error> {
        match self.connection_mut().close(code, reason) {
            // The task that waits for events has a new deadline.
            Ok(()) => self.tasks.wake(),
            Err(SendError::Closed) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Discards what is still received.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_run(cx, usize::MAX, &mut |_, _| ControlFlow::<()>::Continue(())).map_ok(drop)
    }

    /// Shuts down our side of the transport, and reads to the end of the peer's: closing a socket with unread bytes resets
    /// the connection, and the peer might lose our last ones.
    pub(super) fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let until = *self.end.linger_until.get_or_insert_with(|| self.clock.now() + LINGER);
        if !self.end.is_shut_down {
            // An error is an end as well.
            self.end.is_shut_down = Pin::new(&mut self.transport).poll_shutdown(cx).is_ready();
        }
        let mut inputs = 0;
        while self.poll_read(cx).is_ready() {
            self.input.keep(0);
            inputs += 1;
            if inputs == MAX_INPUTS {
                // A peer that sends without end waits, so that it takes little time from other tasks.
                let next = self.clock.now() + DISCARD_PAUSE;
                return self.clock.poll_until(Some(next.min(until)), cx);
            }
        }
        if self.end.is_shut_down && self.at_eof {
            return Poll::Ready(());
        }
        self.clock.poll_until(Some(until), cx)
    }

    /// The result of the connection: an error where there was no closing handshake, reported once.
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

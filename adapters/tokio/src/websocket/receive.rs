//! Receiving: messages, events, and borrowed messages.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{Connection, Event, Message};

use super::{Error, HIGH_WATER, WebSocket};

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Receives the next message. Returns `None` once the closing handshake is complete, all output is written and the
    /// transport is shut down. [`closed`](Self::closed) then returns the peer's code and reason.
    ///
    /// A message owns its payload, so that you can hold it across `.await`. It is copied out of the input buffer, which
    /// [`run`](Self::run) avoids. Pings are answered automatically. Only [`event`](Self::event) and `run` return pings,
    /// pongs and messages in chunks.
    ///
    /// # Errors
    ///
    /// Fails if the connection ended without a closing handshake, after everything received before that was returned.
    /// The error is returned once, then `None`.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe. If the future is dropped before it is ready, no message is lost.
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| self.poll_message(cx)).await
    }

    /// Receives the next event, which owns its payload. Returns `None` at the end, as [`recv`](Self::recv) does.
    ///
    /// # Errors
    ///
    /// Fails as [`recv`](Self::recv) does.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe, as [`recv`](Self::recv) is.
    ///
    /// ```
    /// use tokio::net::TcpStream;
    /// use websocket_proto_tokio::{Error, Event, WebSocket};
    ///
    /// /// Waits until the peer has answered a ping.
    /// async fn probe(ws: &mut WebSocket<TcpStream>) -> Result<bool, Error> {
    ///     ws.ping(b"there?").await?;
    ///     while let Some(event) = ws.event().await? {
    ///         if matches!(event, Event::Pong(payload) if *payload == *b"there?") {
    ///             return Ok(true);
    ///         }
    ///     }
    ///     Ok(false)
    /// }
    /// ```
    pub async fn event(&mut self) -> Result<Option<Event<'static>>, Error> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Passes every event to `handle`, which can answer immediately. Returns the value with which `handle` breaks, or
    /// `None` once the connection is closed.
    ///
    /// Messages are borrowed from the input without copying. Answers to messages that arrived together are written
    /// together. Reading stops while [`HIGH_WATER`] bytes or more are pending, so `handle` only needs to check
    /// [`can_send`](Connection::can_send) if it sends far more than it receives.
    ///
    /// # Errors
    ///
    /// Fails as [`recv`](Self::recv) does.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe. `handle` is not async, so it handles each event completely. An event with which it breaks is
    /// consumed.
    ///
    /// ```
    /// use std::ops::ControlFlow::{Break, Continue};
    ///
    /// use tokio::net::TcpStream;
    /// use websocket_proto_tokio::{Error, Event, WebSocket};
    ///
    /// async fn echo(ws: &mut WebSocket<TcpStream>) -> Result<(), Error> {
    ///     let stopped = ws.run(|conn, event| match event {
    ///         Event::Text(text) => conn.send_text(&text).map_or_else(|error| Break(error), Continue),
    ///         Event::Binary(data) => conn.send_binary(&data).map_or_else(|error| Break(error), Continue),
    ///         _ => Continue(()),
    ///     });
    ///     match stopped.await? {
    ///         Some(error) => Err(error.into()),
    ///         None => Ok(()),
    ///     }
    /// }
    /// ```
    pub async fn run<R>(
        &mut self,
        mut handle: impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>,
    ) -> Result<Option<R>, Error> {
        poll_fn(|cx| self.poll_run(cx, HIGH_WATER, &mut handle)).await
    }

    pub(super) fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>, Error>> {
        self.poll_next(cx, |_, event| match Message::try_from(event) {
            Ok(message) => ControlFlow::Break(message),
            Err(_) => ControlFlow::Continue(()),
        })
    }

    pub(super) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Event<'static>>, Error>> {
        self.poll_next(cx, |_, event| ControlFlow::Break(event.into_owned()))
    }

    /// Runs until `handle` breaks, however much output is pending.
    fn poll_next<R>(
        &mut self,
        cx: &mut Context<'_>,
        mut handle: impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>,
    ) -> Poll<Result<Option<R>, Error>> {
        match self.handle_buffered(&mut handle) {
            ControlFlow::Break(value) => Poll::Ready(Ok(Some(value))),
            ControlFlow::Continue(()) => self.poll_run(cx, usize::MAX, &mut handle),
        }
    }
}

//! Receiving: messages and events.

use std::ops::ControlFlow;

use websocket_proto::{Connection, Event, Message};

use super::turn::Receiving;
use super::{Error, WebSocket};
use crate::Transport;

impl<S: Transport> WebSocket<S> {
    /// Reads the next message. Returns `None` once the closing handshake is complete, all output is written and the
    /// transport is shut down. [`closed`](Self::closed) then returns the peer's code and reason.
    ///
    /// Pings are answered automatically. Only [`event`](Self::event) returns pings, pongs and messages in chunks.
    ///
    /// # Errors
    ///
    /// Fails if the connection ended without a closing handshake, after everything received before that was returned.
    /// The error is returned once, then `None`.
    pub fn read(&mut self) -> Result<Option<Message>, Error> {
        self.run(message)
    }

    /// Reads the next event, which owns its payload. Returns `None` at the end, as [`read`](Self::read) does.
    ///
    /// # Errors
    ///
    /// Fails as [`read`](Self::read) does.
    ///
    /// ```
    /// use std::net::TcpStream;
    /// use websocket_proto_blocking::{Error, Event, WebSocket};
    ///
    /// /// Waits until the peer has answered a ping.
    /// fn probe(ws: &mut WebSocket<TcpStream>) -> Result<bool, Error> {
    ///     ws.ping(b"there?")?;
    ///     while let Some(event) = ws.event()? {
    ///         if matches!(event, Event::Pong(payload) if *payload == *b"there?") {
    ///             return Ok(true);
    ///         }
    ///     }
    ///     Ok(false)
    /// }
    /// ```
    pub fn event(&mut self) -> Result<Option<Event<'static>>, Error> {
        self.run(|_, event| ControlFlow::Break(event.into_owned()))
    }

    /// Passes events to `handle` until it breaks or the connection has ended.
    pub(crate) fn run<R>(
        &mut self,
        handle: impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>,
    ) -> Result<Option<R>, Error> {
        Receiving::run(self, handle)
    }
}

/// Breaks with the message of an event, if it has one.
pub(super) fn message(_: &mut Connection, event: Event<'_>) -> ControlFlow<Message> {
    match Message::try_from(event) {
        Ok(message) => ControlFlow::Break(message),
        Err(_) => ControlFlow::Continue(()),
    }
}

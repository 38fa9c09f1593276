//! Receiving: messages and events.

use std::ops::ControlFlow;
use std::time::Duration;

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
    /// The error is returned once, then `None`. Also fails after the [`read` timeout](Self::set_read_timeout), if you set
    /// one.
    pub fn read(&mut self) -> Result<Option<Message>, Error> {
        self.run_within(self.read_timeout, message)
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
        self.run_within(self.read_timeout, |_, event| ControlFlow::Break(event.into_owned()))
    }

    /// Sets how long [`read`](Self::read) and [`event`](Self::event) wait until they fail with
    /// [`ReadTimeout`](Error::ReadTimeout). Nothing is lost then, and you may call them again. By default they wait as long
    /// as the connection lasts.
    ///
    /// Between two calls, you can send what other threads have for the peer. Over TLS there is no other way, since a TLS
    /// stream cannot be [split](Self::into_split). The timeouts of the socket itself have no effect, because the
    /// connection sets them for its deadlines.
    ///
    /// ```
    /// use std::sync::mpsc::Receiver;
    /// use std::time::Duration;
    ///
    /// use websocket_proto_blocking::{ClientStream, Error, WebSocket};
    ///
    /// fn talk(mut ws: WebSocket<ClientStream>, texts: Receiver<String>) -> Result<(), Error> {
    ///     ws.set_read_timeout(Duration::from_millis(50));
    ///     loop {
    ///         match ws.read() {
    ///             Ok(Some(message)) => println!("{message:?}"),
    ///             Ok(None) => return Ok(()),
    ///             Err(Error::ReadTimeout) => {}
    ///             Err(error) => return Err(error),
    ///         }
    ///         for text in texts.try_iter() {
    ///             ws.send(text)?;
    ///         }
    ///     }
    /// }
    /// ```
    pub fn set_read_timeout(&mut self, timeout: impl Into<Option<Duration>>) {
        self.read_timeout = timeout.into();
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

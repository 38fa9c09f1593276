//! A WebSocket connection over a blocking stream.
//!
//! ```text
//! receive.rs   read, event ────────────────┐
//! send.rs      send, send_prepared, ping ──┤
//! close.rs     close ──────────────────────┤
//! split.rs     the same from two threads ──┤
//!                                          ▼
//! turn.rs      events, output, input; until an event is wanted or the connection has ended
//!                  │                 │
//!                  ▼                 ▼
//! input.rs: received bytes      write.rs: pending output, and waiting until it is written
//!                  │                 │
//!                  └────────┬────────┘
//!                           ▼
//! engine.rs    the engine with its clock; alone, or behind the lock that two threads share
//! ```

mod close;
mod engine;
mod error;
mod input;
mod receive;
mod send;
mod split;
mod turn;
mod write;

use std::time::{Duration, Instant};

#[cfg(feature = "deflate")]
use websocket_proto::DeflateParams;
use websocket_proto::{Closed, Connection, State, client};

use crate::Transport;
use engine::Engine;
pub use error::Error;
use input::Input;
pub use split::{Reader, Writer};

/// The pending output, in bytes, from which on [`send`](WebSocket::send) writes before it accepts more, and the most that it
/// reads before the last message while the peer accepts nothing.
pub const HIGH_WATER: usize = 256 << 10;

/// A WebSocket connection over a blocking stream: a TCP or Unix socket, a TLS stream, or your own [`Transport`].
///
/// [`connect`](crate::connect) and [`accept`](crate::accept) return an open connection:
///
/// ```
/// use websocket_proto_blocking::{Error, Transport, WebSocket};
///
/// fn echo<S: Transport>(mut ws: WebSocket<S>) -> Result<(), Error> {
///     while let Some(message) = ws.read()? {
///         ws.send(message)?;
///     }
///     Ok(())
/// }
/// ```
///
/// # What happens while a method blocks
///
/// [`read`](Self::read) answers pings and checks deadlines, so one thread should be in `read` whenever it has nothing
/// else to do.
///
/// # Backpressure
///
/// While you do not call `read`, TCP slows a fast peer down. `send` blocks until the transport has accepted the message.
/// While the peer accepts nothing, `send` reads up to [`HIGH_WATER`] bytes and the rest of a message, and keeps them for
/// `read`. So two peers may send a large message to each other at the same time. If both send many large messages before
/// they read, both wait until a keepalive drops the connection. In that case, read and send in two threads:
/// [`into_split`](Self::into_split).
///
/// # Dropping
///
/// Dropping the connection drops its transport, and the peer reports code 1006. Call [`close`](Self::close) first.
#[derive(Debug)]
pub struct WebSocket<S> {
    transport: S,
    input: Input,
    engine: Engine,
    /// How long `read` and `event` wait.
    read_timeout: Option<Duration>,
    /// The response that opened the connection (client only).
    response: Option<Box<client::Response>>,
}

impl<S: Transport> WebSocket<S> {
    /// Creates a connection from an established transport and a [`Connection`] of the engine.
    ///
    /// [`connect`](crate::connect), [`accept`](crate::accept) and their builders call this. Call it yourself if an HTTP
    /// library did the opening handshake.
    pub fn new(transport: S, conn: Connection) -> Self {
        Self { transport, input: Input::default(), engine: Engine::new(conn), read_timeout: None, response: None }
    }
}

impl<S> WebSocket<S> {
    /// Returns the negotiated subprotocol, if there is one.
    pub fn subprotocol(&self) -> Option<&str> {
        self.engine.conn.subprotocol()
    }

    /// Returns the negotiated compression parameters, or `None` if messages are not compressed.
    #[cfg(feature = "deflate")]
    pub fn deflate(&self) -> Option<DeflateParams> {
        self.engine.conn.deflate()
    }

    /// Returns how the connection ended: the peer's code and reason, and the cause. It is `None` before the end.
    ///
    /// It is available once [`read`](Self::read) has returned `None` or an error.
    pub fn closed(&self) -> Option<&Closed> {
        self.engine.closed()
    }

    /// Returns the state of the connection.
    pub fn state(&self) -> State {
        self.engine.conn.state()
    }

    /// Returns the time from the last answered ping to its pong, including pings of the keepalive. It is `None` before
    /// the first pong.
    pub fn round_trip(&mut self) -> Option<Duration> {
        // The pong may have been received since the time was last set.
        self.connection_mut().round_trip()
    }

    /// Takes the response that opened the connection, for its headers (client only). It is kept in memory until then.
    pub fn take_response(&mut self) -> Option<Box<client::Response>> {
        self.response.take()
    }

    /// Returns the transport, for its addresses and certificates.
    pub fn transport(&self) -> &S {
        &self.transport
    }

    /// Returns the connection of the engine.
    pub fn connection(&self) -> &Connection {
        &self.engine.conn
    }

    /// Returns the connection of the engine, for methods that this type does not have, such as `send_fragment` and
    /// `set_compression`.
    ///
    /// Its output is written by the next method that blocks, such as [`flush`](Self::flush).
    pub fn connection_mut(&mut self) -> &mut Connection {
        self.engine.on_time()
    }

    pub(crate) fn keep_response(&mut self, response: Box<client::Response>) {
        self.response = Some(response);
    }

    /// Sets the time at which every method fails with [`TimedOut`](std::io::ErrorKind::TimedOut).
    pub(crate) fn set_limit(&mut self, limit: Option<Instant>) {
        self.engine.limit = limit;
    }
}

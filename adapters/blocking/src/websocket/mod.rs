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

/// The pending output, in bytes, from which on [`send`](WebSocket::send) writes before it accepts more.
pub const HIGH_WATER: usize = 256 << 10;

/// A WebSocket connection over a blocking stream: a TCP or Unix socket, a TLS stream, or your own [`Transport`].
///
/// [`connect`](crate::connect) and [`accept`](crate::accept) return one. Then:
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
/// Pings are answered and deadlines are checked by [`read`](Self::read). One thread should be in it whenever there is
/// nothing else to do.
///
/// # Backpressure
///
/// Nothing is read that you didn't ask for: while you don't call `read`, a fast peer is slowed down by its transport. `send`
/// blocks until the peer has accepted the message, and doesn't read meanwhile. Where both peers send much before they read,
/// both wait until a keepalive drops the connection. Read and send in two threads then: [`into_split`](Self::into_split).
///
/// # Dropping
///
/// A connection that is dropped drops its transport, and the peer sees code 1006. Call [`close`](Self::close) before.
#[derive(Debug)]
pub struct WebSocket<S> {
    transport: S,
    input: Input,
    engine: Engine,
    /// At a client: the response that opened the connection.
    response: Option<Box<client::Response>>,
}

impl<S: Transport> WebSocket<S> {
    /// A connection over an established transport.
    ///
    /// [`connect`](crate::connect), [`accept`](crate::accept) and their builders call this. Call it yourself where the
    /// opening handshake was done by an HTTP library.
    pub fn new(transport: S, conn: Connection) -> Self {
        Self { transport, input: Input::default(), engine: Engine::new(conn), response: None }
    }
}

impl<S> WebSocket<S> {
    /// Returns the subprotocol that was agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.engine.conn.subprotocol()
    }

    /// Returns the compression that was agreed on; `None` where messages aren't compressed.
    #[cfg(feature = "deflate")]
    pub fn deflate(&self) -> Option<DeflateParams> {
        self.engine.conn.deflate()
    }

    /// Returns how the connection ended: the peer's code and reason, and the cause. `None` until it has.
    ///
    /// It is there when [`read`](Self::read) has returned `None` or an error.
    pub fn closed(&self) -> Option<&Closed> {
        self.engine.closed()
    }

    /// Returns the state of the connection.
    pub fn state(&self) -> State {
        self.engine.conn.state()
    }

    /// Returns the time from the last answered ping to its pong, the keepalive's pings included; `None` before the first
    /// answer.
    pub fn round_trip(&mut self) -> Option<Duration> {
        // The pong may have come since the time was last set.
        self.connection_mut().round_trip()
    }

    /// At a client: takes the response that opened the connection, for its headers. It is kept until you do.
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

    /// Returns the connection of the engine, for what has no method here, such as `send_fragment` and `set_compression`.
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

//! A WebSocket connection over any transport of tokio.
//!
//! ```text
//! receive.rs   recv, event, run ───────────────────────┐
//! send.rs      send, send_prepared, ping, flush ───────┤
//! close.rs     close, and the end of the transport ────┤
//! stream.rs    the same as Stream and Sink ────────────┤
//! split/       the same from two tasks ────────────────┤
//!                                                      ▼
//! turn.rs      time, input, events, output; until there is nothing to do but to wait
//!                  │            │           │              │
//! input.rs ◄───────┘            │           ▼              └──────► clock.rs
//! received bytes that           │     tasks.rs: the tasks         one timer for
//! aren't handled yet            ▼     that are woken              all deadlines
//!                          write.rs
//!                          pending output, and waiting for space in it
//! ```

mod clock;
mod close;
mod error;
mod input;
mod receive;
mod send;
mod split;
mod stream;
mod tasks;
mod turn;
mod write;

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
#[cfg(feature = "deflate")]
use websocket_proto::DeflateParams;
use websocket_proto::{Closed, Connection, Event, State, client};

use clock::Clock;
use close::End;
pub use error::Error;
use input::Input;
pub use split::{Receiver, Sender};
use tasks::Tasks;

/// The pending output, in bytes, from which on [`send`](WebSocket::send) waits and [`run`](WebSocket::run) stops reading.
pub const HIGH_WATER: usize = 256 << 10;

/// A WebSocket connection over a transport: a TCP stream, a TLS stream, or what an HTTP server has upgraded.
///
/// [`connect`](crate::connect) and [`accept`](crate::accept) return one. Then:
///
/// ```
/// use tokio::io::{AsyncRead, AsyncWrite};
/// use websocket_proto_tokio::{Error, WebSocket};
///
/// async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut ws: WebSocket<S>) -> Result<(), Error> {
///     while let Some(message) = ws.recv().await? {
///         ws.send(message).await?;
///     }
///     Ok(())
/// }
/// ```
///
/// # Cancel safety
///
/// All methods are cancel-safe. Received bytes, pending output and the progress of the closing handshake are kept in the
/// connection and in no future. You may use any method in `tokio::select!`, drop its future and call it again.
///
/// # What happens while you wait
///
/// Pings are answered, deadlines are checked and pending output is written by whichever method you are waiting in. One of
/// them should be running whenever you have nothing else to do, usually [`recv`](Self::recv).
///
/// # Backpressure
///
/// Nothing is read that you didn't ask for: while you don't call `recv`, a fast peer is slowed down by its transport. While
/// [`HIGH_WATER`] bytes are pending, `send` waits for the peer to read.
///
/// # Dropping
///
/// A connection that is dropped drops its transport, and the peer sees code 1006. Call [`close`](Self::close) before.
#[derive(Debug)]
pub struct WebSocket<S> {
    transport: S,
    conn: Connection,
    input: Input,
    /// Events that were received while nobody asked for any.
    kept: VecDeque<Event<'static>>,
    clock: Clock,
    tasks: Tasks,
    /// The transport has accepted bytes since reading was last paused.
    has_written: bool,
    /// The transport may hold bytes back until it is flushed.
    unflushed: bool,
    /// Nothing more can be read.
    at_eof: bool,
    /// Why the transport can't be written to or read from any more.
    failure: Option<io::Error>,
    end: End,
    /// At a client: the response that opened the connection.
    response: Option<Box<client::Response>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// A connection over an established transport.
    ///
    /// [`connect`](crate::connect), [`accept`](crate::accept) and their builders call this. Call it yourself where the
    /// opening handshake was done by an HTTP library:
    ///
    /// ```
    /// use tokio::io::DuplexStream;
    /// use websocket_proto_tokio::{WebSocket, default_config, proto};
    ///
    /// fn upgraded(stream: DuplexStream) -> WebSocket<DuplexStream> {
    ///     let negotiated = proto::Negotiated::new().subprotocol("chat");
    ///     WebSocket::new(stream, proto::Connection::upgraded_server(negotiated, default_config()))
    /// }
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    /// # let _guard = runtime.enter();
    /// # assert_eq!(upgraded(tokio::io::duplex(10).0).subprotocol(), Some("chat"));
    /// ```
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, or in one whose time driver is not enabled.
    pub fn new(transport: S, conn: Connection) -> Self {
        Self::begun_at(Instant::now(), transport, conn)
    }

    /// A connection whose transport took some time to establish.
    pub(crate) fn begun_at(begun: Instant, transport: S, mut conn: Connection) -> Self {
        // The deadline of the opening handshake, or the keepalive, begins here.
        conn.advance_time(Duration::ZERO);
        Self {
            transport,
            conn,
            input: Input::default(),
            kept: VecDeque::new(),
            clock: Clock::new(begun),
            tasks: Tasks::default(),
            has_written: false,
            unflushed: false,
            at_eof: false,
            failure: None,
            end: End::default(),
            response: None,
        }
    }
}

impl<S> WebSocket<S> {
    /// Returns the subprotocol that was agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.conn.subprotocol()
    }

    /// Returns the compression that was agreed on; `None` where messages aren't compressed.
    #[cfg(feature = "deflate")]
    pub fn deflate(&self) -> Option<DeflateParams> {
        self.conn.deflate()
    }

    /// Returns how the connection ended: the peer's code and reason, and the cause. `None` until it has.
    ///
    /// It is there when [`recv`](Self::recv) has returned `None` or an error.
    pub fn closed(&self) -> Option<&Closed> {
        self.end.closed.as_deref()
    }

    /// Returns the state of the connection.
    pub fn state(&self) -> State {
        self.conn.state()
    }

    /// Returns the number of bytes that wait to be written.
    pub fn pending_output(&self) -> usize {
        self.conn.pending_output()
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
        &self.conn
    }

    /// Returns the connection of the engine, for what has no method here, such as `send_fragment` and `set_compression`.
    ///
    /// What it has to send is written while any method of this type waits. Nothing waits for space in the output: look at
    /// [`pending_output`](Self::pending_output) where you send much.
    pub fn connection_mut(&mut self) -> &mut Connection {
        // What begins now has its deadline from now on.
        self.conn.advance_time(self.clock.now());
        &mut self.conn
    }

    pub(crate) fn keep_response(&mut self, response: Box<client::Response>) {
        self.response = Some(response);
    }
}

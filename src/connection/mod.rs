//! The connection: the only place where the receiving and the sending half meet.

mod close;
mod direct_read;
mod handshake;
mod lending;
mod phase;
mod receive;
mod scratch;
mod send;
mod state;
mod time;

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use crate::config::Config;
#[cfg(feature = "deflate")]
use crate::deflate::DeflateParams;
use crate::error::RequestError;
use crate::event::Event;
use crate::handshake::{ClientHandshake, ClientRequest, Negotiated};
use crate::receive::Receiver;
use crate::rng::MaskKeys;
use crate::role::Role;
use crate::seed::Seed;
use crate::send::{Output, Sender};
use crate::timers::{Timer, Timers};
use phase::Phase;
pub use phase::{State, TransportShutdown};
use scratch::Buffers;
pub use scratch::{Recycled, Scratch};

/// A WebSocket connection without its transport, for clients and servers.
///
/// It has four kinds of methods:
///
/// - **Input**: [`receive`](Self::receive), [`receive_eof`](Self::receive_eof) and
///   [`advance_time`](Self::advance_time). Only `receive` returns events.
/// - **Sending**: [`accept`](Self::accept), [`reject`](Self::reject), [`send_text`](Self::send_text) and the other
///   `send` methods, [`ping`](Self::ping), [`close`](Self::close) and [`abort`](Self::abort). A call that returns `Err`
///   changes nothing.
/// - **What to do next**: [`output`](Self::output), [`next_timeout`](Self::next_timeout) and
///   [`wants_shutdown`](Self::wants_shutdown).
/// - **State**: [`state`](Self::state), [`subprotocol`](Self::subprotocol) and [`round_trip`](Self::round_trip).
///
/// Any method may be called in any state.
///
/// ```
/// use bytes::Buf;
/// use websocket_proto::{Config, Connection, Event, server};
///
/// let mut conn = Connection::server(Config::new());
/// let mut arrived = *b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\
///     \x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
/// let mut input = &mut arrived[..];
/// while let Some(event) = conn.receive(&mut input) {
///     match event {
///         Event::Request(_) => conn.accept(server::Response::new()).unwrap(),
///         Event::Text(text) => conn.send_text(&text).unwrap(),
///         _ => {}
///     }
/// }
/// assert!(conn.output().chunk().ends_with(b"\r\n\r\n\x81\x05Hello"));
/// ```
// In this order, receiving a message touches the first 168 bytes only. With many connections, each is in no cache when its
// turn comes, and the cache lines that the turn touches are what it costs.
#[repr(C)]
pub struct Connection {
    timers: Timers,
    phase: Phase,
    config: Arc<Config>,
    /// Attached by the thread that is serving this connection.
    scratch: Option<Box<Buffers>>,
    receiver: Receiver,
    sender: Sender,
    output: Output,
    /// Boxed twice to take one word, since most connections have none.
    subprotocol: Option<Box<Box<str>>>,
}

impl Connection {
    /// Creates the server side of a connection, which waits for a request. It owns no heap memory until bytes arrive.
    ///
    /// `config` is a [`Config`], or an `Arc<Config>` shared by many connections.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use websocket_proto::{Config, Connection, State};
    ///
    /// let config = Arc::new(Config::new().max_message_size(1 << 20));
    /// let mut conn = Connection::server(Arc::clone(&config)); // one per transport
    /// let mut arrived = *b"GET /chat HT";
    /// assert!(conn.receive(&mut &mut arrived[..]).is_none()); // the rest of the request has not arrived yet
    /// assert_eq!(conn.state(), State::Connecting);
    /// ```
    pub fn server(config: impl Into<Arc<Config>>) -> Self {
        Self::new(config.into(), Role::Server, None, Phase::Request(None))
    }

    /// Creates the client side of a connection. Its request is in the [`output`](Self::output), ready to be sent.
    ///
    /// # Errors
    ///
    /// Fails if a part of `request` cannot be sent, such as a header with a line break.
    ///
    /// ```
    /// use bytes::Buf;
    /// use websocket_proto::{Config, Connection, Seed, client};
    ///
    /// let request = client::Request::new("ws://example.com/chat".parse()?);
    /// # #[cfg(feature = "getrandom")]
    /// let mut conn = Connection::client(request, Config::new(), Seed::from_os()?)?;
    /// # #[cfg(feature = "getrandom")]
    /// assert!(conn.output().chunk().starts_with(b"GET /chat HTTP/1.1\r\nHost: example.com\r\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn client(request: ClientRequest, config: impl Into<Arc<Config>>, seed: Seed) -> Result<Self, RequestError> {
        let (config, mut keys) = (config.into(), MaskKeys::new(seed));
        let nonce = keys.nonce();
        let mut output = Output::new(config.max_pending_output);
        let handshake = ClientHandshake::new(request, nonce, &config, output.buffer())?;
        let phase = Phase::Response(Box::new(handshake));
        Ok(Self { output, ..Self::new(config, Role::Client, Some(keys), phase) })
    }

    /// Creates the server side of a connection whose opening handshake was done elsewhere, such as by an HTTP library.
    /// The connection is open.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event, Negotiated};
    ///
    /// // An HTTP library has sent a response that selects a subprotocol.
    /// let negotiated = Negotiated::new().subprotocol("chat");
    /// let mut conn = Connection::upgraded_server(negotiated, Config::new());
    /// let mut arrived = *b"\x81\x82\0\0\0\0hi";
    /// assert_eq!(conn.receive(&mut &mut arrived[..]), Some(Event::Text("hi".into())));
    /// ```
    pub fn upgraded_server(negotiated: Negotiated, config: impl Into<Arc<Config>>) -> Self {
        Self::new(config.into(), Role::Server, None, Phase::Open { close_sent: None }).negotiated(negotiated)
    }

    /// Creates the client side of a connection whose opening handshake was done elsewhere, such as by an HTTP library.
    /// The connection is open.
    ///
    /// ```
    /// use bytes::Buf;
    /// use websocket_proto::{Config, Connection, Negotiated, Seed};
    ///
    /// # #[cfg(feature = "getrandom")] {
    /// // An HTTP library has received a valid response.
    /// let mut conn = Connection::upgraded_client(Negotiated::new(), Config::new(), Seed::from_os()?);
    /// conn.send_text("hi")?;
    /// assert_eq!(conn.output().remaining(), 2 + 4 + 2); // header, masking key, payload
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn upgraded_client(negotiated: Negotiated, config: impl Into<Arc<Config>>, seed: Seed) -> Self {
        let keys = MaskKeys::new(seed);
        Self::new(config.into(), Role::Client, Some(keys), Phase::Open { close_sent: None }).negotiated(negotiated)
    }

    fn new(config: Arc<Config>, role: Role, keys: Option<MaskKeys>, phase: Phase) -> Self {
        let timer = if phase.is_open() { Timer::Idle } else { Timer::Opening };
        Self {
            receiver: Receiver::new(role.peer(), &config),
            sender: Sender::new(keys),
            output: Output::new(config.max_pending_output),
            timers: Timers::new(timer, &config),
            phase,
            subprotocol: None,
            scratch: None,
            config,
        }
    }

    fn negotiated(mut self, negotiated: Negotiated) -> Self {
        self.apply_negotiated(negotiated);
        self
    }

    /// Applies the results of the opening handshake.
    fn apply_negotiated(&mut self, negotiated: Negotiated) {
        if let Some(params) = negotiated.deflate {
            let (receive, send) = params.directions(self.role());
            self.receiver.set_compression(receive);
            self.sender.set_compression(send);
        }
        self.subprotocol = negotiated.subprotocol.map(Box::new);
    }

    /// Returns the bytes to send. Write them on every iteration of your loop, even after [`Event::Closed`].
    ///
    /// ```
    /// use std::io::{self, Write};
    ///
    /// use bytes::Buf;
    /// use websocket_proto::{Config, Connection, Negotiated};
    ///
    /// fn write_output(stream: &mut impl Write, conn: &mut Connection) -> io::Result<()> {
    ///     while conn.output().has_remaining() {
    ///         let written = stream.write(conn.output().chunk())?;
    ///         conn.output().advance(written);
    ///     }
    ///     stream.flush()
    /// }
    ///
    /// # let mut stream = Vec::new();
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.send_text("hi").unwrap();
    /// write_output(&mut stream, &mut conn)?;
    /// # assert_eq!(stream, b"\x81\x02hi");
    /// # Ok::<(), io::Error>(())
    /// ```
    #[inline]
    pub fn output(&mut self) -> &mut Output {
        // The buffer of output that was pending before the scratch was attached goes to the scratch once it is written.
        if !self.output.is_borrowing() && self.output.owns_memory() {
            self.lend_to_output();
        }
        &mut self.output
    }

    /// Returns the state of the connection.
    ///
    /// ```
    /// use websocket_proto::{CloseCode, Config, Connection, Negotiated, State};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// assert_eq!(conn.state(), State::Open);
    /// conn.close(CloseCode::NORMAL, "")?;
    /// assert_eq!(conn.state(), State::Closing);
    /// let mut answer = *b"\x88\x82\0\0\0\0\x03\xe8"; // a Close frame from the peer
    /// conn.receive(&mut &mut answer[..]);
    /// assert_eq!(conn.state(), State::Closed);
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn state(&self) -> State {
        self.phase.state()
    }

    /// Returns the negotiated subprotocol, if there is one. It is `None` until the connection is open.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Negotiated};
    ///
    /// let negotiated = Negotiated::new().subprotocol("v2.chat");
    /// let mut conn = Connection::upgraded_server(negotiated, Config::new());
    /// match conn.subprotocol() {
    ///     Some("v2.chat") => conn.send_text("{\"version\":2}")?,
    ///     _ => conn.send_text("hello")?,
    /// }
    /// # assert_eq!(conn.output().take().unwrap(), &b"\x81\x0d{\"version\":2}"[..]);
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref().map(|subprotocol| &**subprotocol)
    }

    /// Returns the negotiated compression parameters. It is `None` until the connection is open, and if compression was
    /// not negotiated.
    #[cfg(feature = "deflate")]
    pub fn deflate(&self) -> Option<DeflateParams> {
        Some(DeflateParams::from_directions(self.role(), self.receiver.compression()?, self.sender.compression()?))
    }

    /// Returns the role of this endpoint.
    pub fn role(&self) -> Role {
        self.receiver.from().peer()
    }
}

/// Shows the state, but no received or pending bytes.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("role", &self.role())
            .field("state", &self.state())
            .field("subprotocol", &self.subprotocol())
            .field("output", &self.output)
            .field("next_timeout", &self.next_timeout())
            .finish_non_exhaustive()
    }
}

const _: () = {
    const fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Connection>();
    is_send_and_sync::<Event<'static>>();
    assert!(size_of::<Connection>() <= 256);
    assert!(size_of::<Event<'static>>() <= 32);
};

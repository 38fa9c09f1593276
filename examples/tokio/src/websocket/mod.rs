//! A WebSocket connection over any transport of tokio's.

mod clock;
mod error;
mod handshake;
mod input;
mod message;
mod split;
mod stream;
mod tasks;
mod turn;
mod writing;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{CloseCode, Closed, Connection, Event, SendError};

use clock::Clock;
pub use error::Error;
use input::Input;
pub use message::Message;
pub use split::{Receiver, Sender};
use tasks::Tasks;

/// From this much pending output on, sending waits, and a peer that is [answered at once](WebSocket::run) isn't read from:
/// let it take what it asked for first.
pub const HIGH_WATER: usize = 256 << 10;

/// A WebSocket connection over a transport: a TCP stream, a TLS stream, what an HTTP server has upgraded.
///
/// All methods are cancel-safe. What has arrived, what is to be sent and how far the end has come is kept in here and in
/// no future, so any of them may stand in a `select!`, and be dropped and called again.
///
/// Pings are answered, deadlines kept and pending output written by whatever method is waiting, so one of them should
/// always be: usually [`recv`](Self::recv). Whoever drops a connection before it is over drops the transport; to say
/// goodbye, [`close`](Self::close) it.
#[derive(Debug)]
pub struct WebSocket<T> {
    transport: T,
    conn: Connection,
    input: Input,
    /// What was received while nobody asked for events.
    kept: VecDeque<Event<'static>>,
    clock: Clock,
    tasks: Tasks,
    /// The transport has taken bytes since reading was last paused.
    has_written: bool,
    /// Whether the transport may hold back what it was given.
    unflushed: bool,
    /// Nothing more will arrive.
    at_end: bool,
    /// Why the transport takes or gives no more.
    failure: Option<io::Error>,
    /// Over, and the transport is being shut down: until when the peer has time to do the same.
    goodbye: Option<Duration>,
    shut_down: bool,
    closed: Option<Box<Closed>>,
    /// Whether the caller knows that it ended without a closing handshake.
    told: bool,
}

impl<T: AsyncRead + AsyncWrite + Unpin> WebSocket<T> {
    /// A connection over an established transport, whatever it begins with: the opening handshake, which
    /// [`accept`](Self::accept) and [`connect`](Self::connect) go through, or messages, where the handshake was done
    /// elsewhere ([`Connection::upgraded_server`]).
    ///
    /// # Panics
    ///
    /// Outside of a runtime of tokio's that has its time enabled.
    pub fn new(transport: T, mut conn: Connection) -> Self {
        // The first deadline counts from here.
        conn.advance_time(Duration::ZERO);
        Self {
            transport,
            conn,
            input: Input::default(),
            kept: VecDeque::new(),
            clock: Clock::new(),
            tasks: Tasks::default(),
            has_written: false,
            unflushed: false,
            at_end: false,
            failure: None,
            goodbye: None,
            shut_down: false,
            closed: None,
            told: false,
        }
    }

    /// The next message; `None` when the closing handshake is done, everything is written and the transport shut down.
    /// [`closed`](Self::closed) has the peer's code and reason then.
    ///
    /// A message is owned, so that it can be held over `.await`: one that lies whole in the input is copied. To look at
    /// messages where they lie there is [`run`](Self::run). Pieces of messages, pings and pongs come by
    /// [`event`](Self::event) and `run` alone.
    ///
    /// It reads whatever is pending: what holds back a peer that asks for more than it takes is that [`send`](Self::send)
    /// waits. Whoever answers by the [`connection`](Self::conn) instead looks at
    /// [`pending_output`](Self::pending_output).
    ///
    /// # Errors
    ///
    /// The connection ended without a closing handshake; what had been received before was delivered. That is told once,
    /// then comes `None`.
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| self.poll_message(cx)).await
    }

    /// The next event, owned; `None` at the end, as for [`recv`](Self::recv).
    ///
    /// With it, a request can be answered after waiting for something: [`new`](Self::new), `event`, and then `accept` or
    /// `reject` of the [`connection`](Self::conn).
    ///
    /// # Errors
    ///
    /// As for [`recv`](Self::recv).
    pub async fn event(&mut self) -> Result<Option<Event<'static>>, Error> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Hands all events to `handle`, which may answer at once, until it breaks or the connection is over (`None`).
    /// Nothing is copied, and answers are written together. The peer is read from while less than [`HIGH_WATER`] is
    /// pending, so `handle` has to look at [`can_send`](Connection::can_send) only if it sends far more than it gets.
    ///
    /// # Errors
    ///
    /// As for [`recv`](Self::recv).
    pub async fn run<R>(
        &mut self,
        mut handle: impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>,
    ) -> Result<Option<R>, Error> {
        poll_fn(|cx| self.poll_run(cx, HIGH_WATER, &mut handle)).await
    }

    /// Sends a message: waits until there is room for it, and writes what the transport takes at once. The rest is
    /// written while any other method waits. Dropped while it waits, it has sent nothing.
    ///
    /// It doesn't read meanwhile. Where both sides send as much as they can, do both at the same time:
    /// [`into_split`](Self::into_split).
    ///
    /// # Errors
    ///
    /// The connection isn't open, as where the peer has closed it: [`recv`](Self::recv) tells how.
    pub async fn send(&mut self, message: impl Into<websocket_proto::Message>) -> Result<(), Error> {
        self.feed(message).await?;
        poll_fn(|cx| self.poll_write_now(cx)).await;
        Ok(())
    }

    /// The same without writing anything yet: for several messages, and a [`recv`](Self::recv) or
    /// [`flush`](Self::flush) behind them.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub async fn feed(&mut self, message: impl Into<websocket_proto::Message>) -> Result<(), Error> {
        poll_fn(|cx| self.poll_room(cx)).await?;
        self.try_send(message)
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    ///
    /// The transport takes no more.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Closes the connection: sends a Close frame, waits for the peer's and for the end of the transport. Messages that
    /// still come are discarded; to get them, `close` the [`connection`](Self::conn) and go on with
    /// [`recv`](Self::recv).
    ///
    /// # Errors
    ///
    /// The code or reason can't be sent, or the connection ended without a closing handshake, as where the peer didn't
    /// answer in time.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.begin_close(code, reason)?;
        poll_fn(|cx| self.poll_end(cx)).await
    }

    /// The connection itself, for whatever else there is: `ping`, `send_prepared`, `send_fragment`, `close`. What it has
    /// to send is written while any method here waits; mind
    /// [`pending_output`](Connection::pending_output), since nothing waits for room.
    pub fn conn(&mut self) -> &mut Connection {
        // What begins now has its deadline from now on.
        self.conn.advance_time(self.clock.now());
        &mut self.conn
    }

    /// The transport, to ask it for addresses and certificates.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// How the connection ended, once it has.
    pub fn closed(&self) -> Option<&Closed> {
        self.closed.as_deref()
    }

    /// The subprotocol agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.conn.subprotocol()
    }

    /// How many bytes wait to be written.
    pub fn pending_output(&self) -> usize {
        self.conn.pending_output()
    }

    /// Sends a Close frame, unless there was one.
    fn begin_close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        match self.conn().close(code, reason) {
            // Whoever waits for events has a new deadline.
            Ok(()) => self.tasks.wake(),
            Err(SendError::Closed) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

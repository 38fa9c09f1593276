//! A connection split into two halves for two threads: one reads, the other sends.

use std::io;
use std::net::Shutdown;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

use websocket_proto::{BinaryWriter, CloseCode, Closed, Event, Message, PreparedMessage, TextWriter};

use super::engine::Shared;
use super::receive::message;
use super::send::written;
use super::turn::Receiving;
use super::write::Sending;
use super::{Error, Input, WebSocket};
use crate::{Transport, TryClone};

/// The maximum delay before the reader notices that the writer has made a deadline earlier.
const MAX_WAIT: Duration = Duration::from_secs(1);

impl<S: TryClone> WebSocket<S> {
    /// Splits the connection into two halves, so that sending, which may have to wait for the peer, does not block
    /// reading. The halves share a lock, which is never held while one of them waits.
    ///
    /// TLS streams cannot be split, because reading and writing share the state of TLS. They are not [`TryClone`].
    ///
    /// # Errors
    ///
    /// Fails if the operating system cannot create another handle to the stream. The connection of a client to a `wss`
    /// URI fails with [`Unsupported`](io::ErrorKind::Unsupported), and is dropped. To find out before, ask
    /// [`ClientStream::tls_connection`](crate::ClientStream::tls_connection).
    ///
    /// ```
    /// use std::net::TcpStream;
    /// use std::thread;
    ///
    /// use websocket_proto_blocking::{Error, WebSocket};
    ///
    /// fn talk(ws: WebSocket<TcpStream>) -> Result<(), Error> {
    ///     let (mut reader, mut writer) = ws.into_split()?;
    ///     thread::spawn(move || writer.send("hello"));
    ///     while let Some(message) = reader.read()? {
    ///         println!("{message:?}");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn into_split(self) -> io::Result<(Reader<S>, Writer<S>)> {
        let stream = Arc::new(Mutex::new(self.transport.try_clone()?));
        let writer = Writer { stream, engine: Shared::new(self.engine) };
        let (input, read_timeout) = (self.input, self.read_timeout);
        Ok((Reader { transport: self.transport, input, read_timeout, writer: writer.clone() }, writer))
    }
}

/// The half of a [`WebSocket`] that reads.
///
/// It also answers pings, checks deadlines and finally shuts the transport down, so call [`read`](Self::read) until it
/// returns `None`. Dropping it earlier aborts the connection, so that no writer waits forever.
#[derive(Debug)]
pub struct Reader<S: Transport> {
    transport: S,
    input: Input,
    read_timeout: Option<Duration>,
    writer: Writer<S>,
}

impl<S: Transport> Reader<S> {
    /// Reads the next message, as [`WebSocket::read`] does.
    ///
    /// # Errors
    ///
    /// Fails as [`WebSocket::read`] does.
    pub fn read(&mut self) -> Result<Option<Message>, Error> {
        self.run_within(self.read_timeout, message)
    }

    /// Reads the next event, as [`WebSocket::event`] does.
    ///
    /// # Errors
    ///
    /// Fails as [`WebSocket::read`] does.
    pub fn event(&mut self) -> Result<Option<Event<'static>>, Error> {
        self.run_within(self.read_timeout, |_, event| ControlFlow::Break(event.into_owned()))
    }

    /// Sets how long [`read`](Self::read) and [`event`](Self::event) wait, as [`WebSocket::set_read_timeout`] does.
    pub fn set_read_timeout(&mut self, timeout: impl Into<Option<Duration>>) {
        self.read_timeout = timeout.into();
    }

    /// Returns how the connection ended, as [`WebSocket::closed`] does.
    pub fn closed(&self) -> Option<Closed> {
        self.writer.engine.lock().closed().cloned()
    }

    /// Returns the time from the last answered ping to its pong, as [`WebSocket::round_trip`] does.
    pub fn round_trip(&self) -> Option<Duration> {
        self.writer.engine.lock().on_time().round_trip()
    }
}

impl<S: Transport> Drop for Reader<S> {
    fn drop(&mut self) {
        self.writer.engine.lock().on_time().abort();
        // This wakes a writer that waits for the peer.
        let _ = self.transport.shutdown(Shutdown::Both);
    }
}

/// The half of a [`WebSocket`] that sends. Clones of it send over the same connection.
///
/// Dropping it neither sends a Close frame nor closes the connection.
#[derive(Debug)]
pub struct Writer<S> {
    /// Locked by the thread that writes.
    stream: Arc<Mutex<S>>,
    engine: Shared,
}

impl<S: Transport> Writer<S> {
    /// Sends a message, as [`WebSocket::send`] does.
    ///
    /// # Errors
    ///
    /// Fails as [`WebSocket::send`] does.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.send_with(|conn| conn.send(message))
    }

    /// Sends a text message that `write` writes directly into the output, like [`WebSocket::send_text_with`]. The lock
    /// of the two halves is held while `write` runs, so it must not use them.
    ///
    /// # Errors
    ///
    /// Fails as [`WebSocket::send_text_with`] does.
    pub fn send_text_with<R, E>(
        &mut self,
        write: impl FnOnce(&mut TextWriter<'_>) -> Result<R, E>,
    ) -> Result<Result<R, E>, Error> {
        self.send_with(|conn| written(conn.send_text_with(write)))
    }

    /// Sends a binary message that `write` writes directly into the output, like
    /// [`send_text_with`](Self::send_text_with).
    ///
    /// # Errors
    ///
    /// Fails as [`WebSocket::send`] does.
    pub fn send_binary_with<R, E>(
        &mut self,
        write: impl FnOnce(&mut BinaryWriter<'_>) -> Result<R, E>,
    ) -> Result<Result<R, E>, Error> {
        self.send_with(|conn| written(conn.send_binary_with(write)))
    }

    /// Sends a prepared message, as [`WebSocket::send_prepared`] does.
    ///
    /// # Errors
    ///
    /// Fails as [`WebSocket::send`] does.
    pub fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.send_with(|conn| conn.send_prepared(message))
    }

    /// Sends a ping, as [`WebSocket::ping`] does.
    ///
    /// # Errors
    ///
    /// Fails as [`WebSocket::ping`] does.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.send_with(|conn| conn.ping(payload))
    }

    /// Sends a Close frame, unless one has been sent before. The [`Reader`] returns the messages that the peer sent
    /// before its own Close frame, then `None`.
    ///
    /// # Errors
    ///
    /// Fails if the code may not be sent, or as [`WebSocket::flush`] does.
    pub fn close(&mut self, code: impl Into<Option<CloseCode>>, reason: &str) -> Result<(), Error> {
        self.engine.lock().begin_close(code.into(), reason)?;
        self.flush()
    }
}

impl<S> Clone for Writer<S> {
    fn clone(&self) -> Self {
        Self { stream: Arc::clone(&self.stream), engine: self.engine.clone() }
    }
}

impl<S: Transport> Sending for Writer<S> {
    type Stream = S;
    type Engine = Shared;

    const MAX_WAIT: Option<Duration> = Some(MAX_WAIT);

    fn engine(&mut self) -> &mut Shared {
        &mut self.engine
    }

    fn writing<R>(&mut self, waits: bool, work: impl FnOnce(&mut S, &mut Shared) -> R) -> Option<R> {
        let mut stream = match self.stream.try_lock() {
            Ok(stream) => stream,
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            Err(TryLockError::WouldBlock) if waits => self.stream.lock().unwrap_or_else(PoisonError::into_inner),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(work(&mut stream, &mut self.engine))
    }

    /// The reader handles deadlines.
    fn on_deadline(&mut self) {}
}

impl<S: Transport> Sending for Reader<S> {
    type Stream = S;
    type Engine = Shared;

    const MAX_WAIT: Option<Duration> = Some(MAX_WAIT);

    fn engine(&mut self) -> &mut Shared {
        &mut self.writer.engine
    }

    fn writing<R>(&mut self, waits: bool, work: impl FnOnce(&mut S, &mut Shared) -> R) -> Option<R> {
        self.writer.writing(waits, work)
    }

    fn on_deadline(&mut self) {}
}

impl<S: Transport> Receiving for Reader<S> {
    fn parts(&mut self) -> (&mut S, &mut Input, &mut Shared) {
        (&mut self.transport, &mut self.input, &mut self.writer.engine)
    }
}

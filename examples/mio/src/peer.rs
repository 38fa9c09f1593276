//! A connection and its socket. One turn reads what is there, answers it, and writes what the socket accepts. The work of
//! a turn is bounded, so that a peer that sends without end doesn't keep the others from being served.

use std::io::{self, IoSliceMut};
use std::time::Duration;

use bytes::Buf;
use mio::event::Event as Readiness;
use mio::net::TcpStream;
use mio::{Registry, Token};
use websocket_proto::{CloseCode, Connection, Event, Message, PreparedMessage, Scratch, State, TransportShutdown};

use crate::answer::answer;
use crate::socket::{Found, Socket};

/// With this much pending output, the peer isn't read from: it has to read its answers first.
const HIGH_WATER: usize = 256 << 10;

/// The work of a turn, in bytes: of the input, and of the messages in it, which may be far longer where they are
/// compressed. The turn ends with the input that goes beyond it.
pub const TURN: usize = 256 << 10;

/// How long the peer has to shut down its side, once ours is.
const GOODBYE: Duration = Duration::from_secs(2);

pub struct Peer {
    socket: Socket,
    conn: Connection,
    /// It is in the chat.
    pub chats: bool,
    /// The connection is closed and our side shut down since then.
    leaving: Option<Duration>,
    /// The nearest of its deadlines in the heap.
    pub scheduled: Option<Duration>,
    /// It is in the queue of those that have something to do.
    pub queued: bool,
}

/// State that all peers share while it is their turn.
pub struct Shared {
    /// The time since the server started.
    pub now: Duration,
    pub buffer: Box<[u8]>,
    pub scratch: Option<Scratch>,
    /// Messages for the chat.
    pub said: Vec<Message>,
}

/// The server's next step after a peer's turn.
#[derive(Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing until an event comes for it or its time has come.
    Stay,
    /// There may be more to read, once the others have had their turns.
    Again,
    Leave,
}

impl Peer {
    pub fn new(stream: TcpStream, conn: Connection) -> Self {
        Self { socket: Socket::new(stream), conn, chats: false, leaving: None, scheduled: None, queued: false }
    }

    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.socket.register(registry, token)
    }

    /// Notes what the poll reports.
    pub fn note(&mut self, event: &Readiness) {
        self.socket.note(event);
    }

    /// Notes that a deadline has passed. The turn that follows reads, whatever is known of the socket: bytes that came
    /// while the process was held up count, and their event may not have been looked at yet.
    pub fn overdue(&mut self) {
        self.socket.look_again();
    }

    /// Does what there is to do now.
    pub fn turn(&mut self, shared: &mut Shared, registry: &Registry, token: Token) -> Then {
        if let Some(since) = self.leaving {
            return self.leave(since, shared);
        }
        if let Some(scratch) = shared.scratch.take() {
            self.conn.attach_scratch(scratch);
        }
        let done = self.work(shared);
        shared.scratch = self.conn.detach_scratch();
        let pending = self.conn.output().has_remaining();
        if done.and_then(|()| self.socket.watch(pending, registry, token)).is_err() {
            return Then::Leave;
        }
        match self.conn.wants_shutdown() {
            None if self.wants_to_read() => Then::Again,
            None => Then::Stay,
            Some(TransportShutdown::Abort) => Then::Leave,
            Some(TransportShutdown::Graceful) => {
                if self.socket.shut_down().is_err() {
                    return Then::Leave;
                }
                self.leaving = Some(shared.now);
                self.leave(shared.now, shared)
            }
        }
    }

    /// When it is to have a turn, at the latest.
    pub fn next_timeout(&self) -> Option<Duration> {
        self.leaving.map_or_else(|| self.conn.next_timeout(), |since| Some(since + GOODBYE))
    }

    /// Sends to this peer what was said in the chat. One that doesn't keep up is dropped.
    pub fn push(&mut self, message: &PreparedMessage, now: Duration) {
        if self.conn.pending_output() > HIGH_WATER {
            self.conn.advance_time(now);
            let _ = self.conn.close(CloseCode::TRY_AGAIN_LATER, "too slow");
        } else {
            let _ = self.conn.send_prepared(message);
        }
    }

    /// Begins to close the connection because the server stops. Whether there is one to wait for.
    pub fn stop(&mut self, now: Duration) -> bool {
        self.conn.advance_time(now);
        // A peer that is closing or closed already continues with that.
        let _ = self.conn.close(CloseCode::GOING_AWAY, "the server stops");
        self.conn.state() != State::Connecting
    }

    fn work(&mut self, shared: &mut Shared) -> io::Result<()> {
        // First, since what the peer takes now shows that it is alive.
        self.socket.write(self.conn.output())?;
        self.conn.advance_time(shared.now);
        let mut left = TURN;
        loop {
            let read = if self.wants_to_read() { self.read(&mut shared.buffer)? } else { Read::default() };
            left = left.saturating_sub(read.bytes);
            let mut input = &mut shared.buffer[..read.input];
            // Also without input: the end of the stream and deadlines are reported here, too.
            while let Some(event) = self.conn.receive(&mut input) {
                left = left.saturating_sub(size(&event));
                answer(&mut self.conn, &mut self.chats, &mut shared.said, event);
            }
            self.socket.write(self.conn.output())?;
            if left == 0 || !self.wants_to_read() {
                return Ok(());
            }
        }
    }

    /// Returns whether there may be something to read that is wanted now.
    fn wants_to_read(&self) -> bool {
        self.socket.is_readable() && self.conn.pending_output() < HIGH_WATER && self.conn.wants_shutdown().is_none()
    }

    /// Reads once. Most of a large message goes straight to where it is assembled, the rest into the buffer.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        let found = match self.conn.read_buffer() {
            Some(space) => self.socket.read(&mut [IoSliceMut::new(space), IoSliceMut::new(buffer)]),
            None => self.socket.read(&mut [IoSliceMut::new(buffer)]),
        };
        match found? {
            Found::Bytes(bytes) => Ok(Read { bytes, input: bytes - self.conn.commit_read(bytes) }),
            Found::Nothing => Ok(Read::default()),
            Found::End => {
                self.conn.receive_eof();
                Ok(Read::default())
            }
        }
    }

    /// Reads and discards until the peer has shut down its side, for a bounded time: a socket that is closed with bytes
    /// unread resets the connection, and the peer may lose our last ones.
    fn leave(&mut self, since: Duration, shared: &mut Shared) -> Then {
        let mut left = TURN;
        while self.socket.is_readable() && left > 0 {
            match self.socket.read(&mut [IoSliceMut::new(&mut shared.buffer)]) {
                Ok(Found::Bytes(bytes)) => left = left.saturating_sub(bytes),
                Ok(Found::Nothing | Found::End) => break,
                Err(_) => return Then::Leave,
            }
        }
        if self.socket.is_at_end() || shared.now >= since + GOODBYE {
            Then::Leave
        } else if self.socket.is_readable() {
            Then::Again
        } else {
            Then::Stay
        }
    }
}

/// The result of a read.
#[derive(Default)]
struct Read {
    bytes: usize,
    /// The number of bytes in the buffer.
    input: usize,
}

/// The bytes of a message.
fn size(event: &Event<'_>) -> usize {
    match event {
        Event::Text(text) => text.len(),
        Event::Binary(data) => data.len(),
        _ => 0,
    }
}

#[cfg(test)]
#[path = "tests/peer.rs"]
mod tests;

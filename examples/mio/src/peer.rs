//! A connection and its socket: one turn reads what is there, handles it and writes what the socket takes.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown as Half;
use std::time::Duration;

use bytes::Buf;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use websocket_proto::{
    CloseCode, Connection, Event, Message, PreparedMessage, Rejection, Request, Response, Scratch, Shutdown,
};

const PAGE: &str = include_str!("../../chat.html");

/// From this much pending output on, the peer isn't read from: let it take what it asked for first.
const HIGH_WATER: usize = 256 << 10;

/// How many inputs a turn may take: one that sends without end isn't the only one.
const INPUTS: usize = 16;

/// How long it may take to close its side.
const GOODBYE: Duration = Duration::from_secs(2);

pub struct Peer {
    stream: TcpStream,
    pub conn: Connection,
    /// Whether it is in the chat.
    pub chats: bool,
    /// Whether it may be readable: mio says so once, and again when a read has found nothing.
    readable: bool,
    /// Whether the socket is watched for room to write.
    watched: bool,
    /// Over, and our side is shut down: since when it has had time to shut down its own.
    leaving: Option<Duration>,
    /// The nearest deadline that is in the heap.
    pub scheduled: Option<Duration>,
}

/// What a turn came to.
pub enum Then {
    Stay,
    /// There is more to read, when the others have had their turns.
    Again,
    Leave,
}

impl Peer {
    pub fn new(stream: TcpStream, conn: Connection) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, conn, chats: false, readable: false, watched: false, leaving: None, scheduled: None })
    }

    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.stream, token, Interest::READABLE)
    }

    pub fn may_read(&mut self) {
        self.readable = true;
    }

    /// Does all there is to do now; what is to be said to the chat goes into `said`.
    pub fn turn(
        &mut self,
        now: Duration,
        buffer: &mut [u8],
        scratch: &mut Option<Box<Scratch>>,
        said: &mut Vec<Message>,
        registry: &Registry,
        token: Token,
    ) -> Then {
        if let Some(since) = self.leaving {
            let over = now >= since + GOODBYE || matches!(self.discard(buffer), Ok(true) | Err(_));
            return if over { Then::Leave } else { Then::Stay };
        }
        if let Some(scratch) = scratch.take() {
            self.conn.lend(scratch);
        }
        let done = self.work(now, buffer, said);
        *scratch = self.conn.release();
        if done.and_then(|()| self.watch(registry, token)).is_err() {
            return Then::Leave;
        }
        match self.conn.wants_shutdown() {
            None if self.readable && self.conn.pending_output() < HIGH_WATER => Then::Again,
            None => Then::Stay,
            Some(Shutdown::Abort) => Then::Leave,
            Some(Shutdown::Finish) => {
                // Closing a socket with unread bytes would reset it, and the peer might lose our last ones.
                self.leaving = Some(now);
                let over =
                    self.stream.shutdown(Half::Write).is_err() || matches!(self.discard(buffer), Ok(true) | Err(_));
                if over { Then::Leave } else { Then::Stay }
            }
        }
    }

    /// When it wants to be called, at the latest.
    pub fn next_timeout(&self) -> Option<Duration> {
        self.leaving.map_or_else(|| self.conn.next_timeout(), |since| Some(since + GOODBYE))
    }

    /// Sends to this peer what another said; one that doesn't keep up is let go.
    pub fn push(&mut self, message: &PreparedMessage) {
        if self.conn.pending_output() > HIGH_WATER {
            let _ = self.conn.close(CloseCode::TRY_AGAIN_LATER, "too slow");
        } else {
            let _ = self.conn.send_prepared(message);
        }
    }

    fn work(&mut self, now: Duration, buffer: &mut [u8], said: &mut Vec<Message>) -> io::Result<()> {
        self.conn.advance_time(now);
        let mut inputs = INPUTS;
        loop {
            // Also without input there may be events: deadlines are told of so, and what waits may have room by now.
            let read = if self.takes_more() { self.read(buffer)? } else { 0 };
            let mut input = &mut buffer[..read];
            while let Some(event) = self.conn.receive(&mut input) {
                handle(&mut self.conn, &mut self.chats, said, event);
            }
            self.write()?;
            inputs -= 1;
            if inputs == 0 || !self.takes_more() {
                return Ok(());
            }
        }
    }

    /// Whether there may be something to read, and it is wanted now.
    fn takes_more(&self) -> bool {
        self.readable && self.conn.pending_output() < HIGH_WATER && self.conn.wants_shutdown().is_none()
    }

    /// How many bytes came into the buffer; none where there are none now, or no more will come.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Most of a large message is read straight to where it is assembled.
        let (read, room) = match self.conn.message_space() {
            Some(space) => {
                let room = space.len() + buffer.len();
                (self.stream.read_vectored(&mut [IoSliceMut::new(space), IoSliceMut::new(buffer)]), room)
            }
            None => (self.stream.read(buffer), buffer.len()),
        };
        match read {
            Ok(0) => {
                self.readable = false;
                self.conn.receive_eof();
                Ok(0)
            }
            Ok(read) => {
                // epoll and kqueue tell of what comes after a read that didn't fill the buffer.
                self.readable = !cfg!(unix) || read == room;
                Ok(read - self.conn.message_filled(read))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(0)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Writes until nothing is pending or the socket takes no more.
    fn write(&mut self) -> io::Result<()> {
        while self.conn.output().has_remaining() {
            let output = &*self.conn.output();
            // Most output is in one piece, which is less work to write than a list of one.
            let written = if output.chunk().len() == output.remaining() {
                (&self.stream).write(output.chunk())
            } else {
                let mut slices = [IoSlice::new(&[]); 16];
                let filled = output.chunks_vectored(&mut slices);
                (&self.stream).write_vectored(&slices[..filled])
            };
            match written {
                Ok(written) => self.conn.output().advance(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Watches for room to write only while something is pending.
    fn watch(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let pending = self.conn.output().has_remaining();
        if pending != self.watched {
            let interest = if pending { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
            registry.reregister(&mut self.stream, token, interest)?;
            self.watched = pending;
        }
        Ok(())
    }

    /// Reads what isn't of interest any more; whether the peer has shut down its side.
    fn discard(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Ok(true),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }
}

fn handle(conn: &mut Connection, chats: &mut bool, said: &mut Vec<Message>, event: Event<'_>) {
    let done = match event {
        Event::Request(request) => {
            *chats = request.path() == "/chat";
            let response = Response::new().subprotocol(request.choose(&["chat", "echo"]));
            conn.accept(response).is_ok()
        }
        Event::HttpRequest(request) => serve_page(conn, &request),
        Event::Text(text) if *chats => {
            said.push(text.into());
            true
        }
        Event::Binary(data) if *chats => {
            said.push(data.into());
            true
        }
        Event::Text(text) => {
            let done = conn.send_text(&text).is_ok();
            conn.give_back(text);
            done
        }
        Event::Binary(data) => {
            let done = conn.send_binary(&data).is_ok();
            conn.give_back(data);
            done
        }
        _ => true,
    };
    // An answer that can't be sent is one that the peer doesn't wait for, or that it doesn't read.
    if !done {
        conn.abort();
    }
}

fn serve_page(conn: &mut Connection, request: &Request) -> bool {
    // Any other path is left to the connection, which answers 426.
    request.path() != "/" || {
        let page = Rejection::new(200).header("Content-Type", "text/html; charset=utf-8").body(PAGE);
        conn.reject(page).is_ok()
    }
}

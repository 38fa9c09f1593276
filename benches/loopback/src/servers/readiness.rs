//! A loop over mio in its least form: who has something to read, or may write again, has a turn.

use std::io::{self, ErrorKind, Write};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// A socket, and what it hasn't accepted yet.
pub(super) struct Writer {
    pub(super) stream: TcpStream,
    unsent: Vec<u8>,
}

/// The `turn` must read until the socket has nothing more, which a read that doesn't fill its buffer says as well, or
/// until the socket takes no more of the answers.
pub(super) fn serve<T>(
    streams: Vec<std::net::TcpStream>,
    open: impl Fn(TcpStream) -> T,
    mut turn: impl FnMut(&mut T) -> io::Result<()>,
) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut peers = Vec::new();
    for stream in streams {
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(peers.len()), Interest::READABLE | Interest::WRITABLE)?;
        peers.push(open(stream));
    }
    let mut events = Events::with_capacity(1024);
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            turn(&mut peers[event.token().0])?;
        }
    }
}

impl Writer {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, unsent: Vec::new() }
    }

    /// Writes, after `flush`, and keeps what the socket doesn't take.
    pub(super) fn write(&mut self, data: &[u8]) -> io::Result<()> {
        let written = if self.is_blocked() { 0 } else { write(&mut self.stream, data)? };
        self.unsent.extend_from_slice(&data[written..]);
        Ok(())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.is_blocked() {
            let written = write(&mut self.stream, &self.unsent)?;
            self.unsent.drain(..written);
        }
        Ok(())
    }

    /// Whether the socket took less than it was given.
    pub(super) fn is_blocked(&self) -> bool {
        !self.unsent.is_empty()
    }
}

/// Writes until the socket takes no more.
fn write(stream: &mut TcpStream, data: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < data.len() {
        match stream.write(&data[written..]) {
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}

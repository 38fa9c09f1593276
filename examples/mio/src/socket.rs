//! A socket that never blocks, and what it is ready for. The poll is edge-triggered: it reports a change only once. So
//! the socket remembers each report until a read or a write finds that it no longer applies.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;

use bytes::Buf;
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use websocket_proto::Output;

pub struct Socket {
    stream: TcpStream,
    /// There may be something to read: no read has found the socket empty since an event came.
    readable: bool,
    /// An event has reported the end of the stream, perhaps together with the bytes before it. No other event follows, so
    /// a read that doesn't fill its buffer isn't the last one.
    ends: bool,
    /// A read has reached the end of the stream.
    at_end: bool,
    /// The poll also reports when the socket takes bytes again.
    watched: bool,
}

/// The result of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Bytes(usize),
    Nothing,
    End,
}

impl Socket {
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, readable: false, ends: false, at_end: false, watched: false }
    }

    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.stream, token, Interest::READABLE)
    }

    /// Notes what an event reports.
    pub fn note(&mut self, event: &Event) {
        self.ends |= event.is_read_closed() || event.is_error();
        if event.is_readable() || self.ends {
            self.look_again();
        }
    }

    /// Has the next turn read, although no event asks for it.
    pub fn look_again(&mut self) {
        self.readable = !self.at_end;
    }

    /// Returns whether a read may find something.
    pub fn is_readable(&self) -> bool {
        self.readable
    }

    pub fn is_at_end(&self) -> bool {
        self.at_end
    }

    /// Reads into the buffers, one after the other.
    pub fn read(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<Found> {
        let space: usize = buffers.iter().map(|buffer| buffer.len()).sum();
        let read = match buffers {
            [buffer] => self.stream.read(buffer),
            buffers => self.stream.read_vectored(buffers),
        };
        match read {
            Ok(0) => {
                self.readable = false;
                self.at_end = true;
                Ok(Found::End)
            }
            Ok(count) => {
                // epoll and kqueue report what comes after a read that didn't fill its buffer.
                self.readable = self.ends || !cfg!(unix) || count == space;
                Ok(Found::Bytes(count))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(Found::Nothing)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Found::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Writes until nothing is pending or the socket takes no more.
    pub fn write(&mut self, output: &mut Output) -> io::Result<()> {
        while output.has_remaining() {
            // Most output is in one piece, which is less work to write than a list of one.
            let written = if output.chunk().len() == output.remaining() {
                self.stream.write(output.chunk())
            } else {
                let mut slices = [IoSlice::new(&[]); 16];
                let filled = output.chunks_vectored(&mut slices);
                self.stream.write_vectored(&slices[..filled])
            };
            match written {
                Ok(count) => output.advance(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Has the poll report when the socket takes bytes again, while some are pending.
    pub fn watch(&mut self, pending: bool, registry: &Registry, token: Token) -> io::Result<()> {
        if pending != self.watched {
            let interest = if pending { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
            registry.reregister(&mut self.stream, token, interest)?;
            self.watched = pending;
        }
        Ok(())
    }

    pub fn shut_down(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }
}

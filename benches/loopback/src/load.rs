//! The load: each connection sends a window of messages in one write, reads the answers, and starts again.
//!
//! Sockets block and are served in turn, which takes one read and one write for a window: a load that waits for events
//! would be slower, and its own limit nearer.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::case::Case;
use crate::messages::{self, Batch};
use crate::servers::Answer;

/// A server that sends nothing for so long fails the run.
const PATIENCE: Duration = Duration::from_secs(20);

const REQUEST: &str = "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

pub(crate) struct Load {
    connections: Vec<Connection>,
    batches: Vec<Batch>,
    answer: Vec<u8>,
    window: usize,
    /// The batches sent so far.
    sent: usize,
}

struct Connection {
    stream: TcpStream,
    /// The batch whose answer it waits for.
    pending: usize,
}

impl Load {
    pub(crate) fn new(case: Case, address: &str, answer: Answer) -> io::Result<Self> {
        let connections = connect(case, address)?.into_iter().map(|stream| Connection { stream, pending: 0 }).collect();
        let batches = messages::batches(case.size, case.window, answer);
        Ok(Self { connections, answer: batches[0].answer.clone(), batches, window: case.window, sent: 0 })
    }

    /// Has every connection send a window of messages so many times; returns how many messages that was.
    pub(crate) fn run(&mut self, turns: u64) -> io::Result<u64> {
        let Self { connections, batches, answer, sent, .. } = self;
        for connection in &mut *connections {
            connection.send(batches, sent)?;
        }
        for turn in 1..=turns {
            for (number, connection) in connections.iter_mut().enumerate() {
                connection.stream.read_exact(answer)?;
                if *answer != batches[connection.pending].answer {
                    return Err(io::Error::other(format!("a wrong answer on connection {number}")));
                }
                if turn < turns {
                    connection.send(batches, sent)?;
                }
            }
        }
        Ok(turns * (self.connections.len() * self.window) as u64)
    }
}

impl Connection {
    fn send(&mut self, batches: &[Batch], sent: &mut usize) -> io::Result<()> {
        self.pending = *sent % batches.len();
        *sent += 1;
        self.stream.write_all(&batches[self.pending].frames)
    }
}

/// Opens all connections of a case.
pub(crate) fn connect(case: Case, address: &str) -> io::Result<Vec<TcpStream>> {
    // Some servers accept all before they answer any.
    let streams: io::Result<Vec<_>> = (0..case.connections).map(|_| case.transport.connect(address)).collect();
    let mut streams = streams?;
    for stream in &mut streams {
        shake_hands(stream)?;
    }
    Ok(streams)
}

fn shake_hands(stream: &mut TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(REQUEST.as_bytes())?;
    let mut head = Vec::new();
    // Nothing follows the head that isn't asked for.
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    if head.starts_with(b"HTTP/1.1 101 ") { Ok(()) } else { Err(io::Error::other("the server refuses")) }
}

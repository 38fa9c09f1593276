//! The load: many connections, each of which sends some messages in one write, reads the answers, and begins anew.
//!
//! Everything is prepared, so that the load has little to do besides what the kernel does for it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

pub(crate) const CONNECTIONS: usize = 64;

/// A connection's messages under way.
pub(crate) const IN_FLIGHT: usize = 16;

/// Of a message, in bytes.
pub(crate) const SIZE: usize = 64;

/// As many different messages there are, in batches of `IN_FLIGHT`.
const BATCHES: usize = 37;

const REQUEST: &str = "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

pub(crate) struct Load {
    streams: Vec<TcpStream>,
    batches: Vec<Batch>,
    /// How many were sent so far.
    sent: usize,
}

/// What is written at once, and what must come back.
struct Batch {
    frames: Vec<u8>,
    answer: Vec<u8>,
}

impl Load {
    pub(crate) fn new(address: SocketAddr) -> io::Result<Self> {
        let streams = (0..CONNECTIONS).map(|_| connect(address)).collect::<io::Result<_>>()?;
        Ok(Self { streams, batches: (0..BATCHES as u32).map(Batch::new).collect(), sent: 0 })
    }

    /// Has every connection send a batch so many times; how many messages that was.
    pub(crate) fn run(&mut self, turns: u64) -> io::Result<u64> {
        // The batch that each connection waits for.
        let mut pending = [0; CONNECTIONS];
        for (stream, pending) in self.streams.iter_mut().zip(&mut pending) {
            *pending = self.sent % BATCHES;
            self.sent += 1;
            stream.write_all(&self.batches[*pending].frames)?;
        }
        let mut answer = [0; IN_FLIGHT * (2 + SIZE)];
        for turn in 1..=turns {
            for (number, (stream, pending)) in self.streams.iter_mut().zip(&mut pending).enumerate() {
                stream.read_exact(&mut answer)?;
                if answer[..] != self.batches[*pending].answer {
                    return Err(io::Error::other(format!("a wrong answer on connection {number}")));
                }
                if turn < turns {
                    *pending = self.sent % BATCHES;
                    self.sent += 1;
                    stream.write_all(&self.batches[*pending].frames)?;
                }
            }
        }
        Ok(turns * (CONNECTIONS * IN_FLIGHT) as u64)
    }
}

impl Batch {
    /// Binary messages of random bytes, with a masking key each.
    fn new(seed: u32) -> Self {
        let mut noise = noise(seed);
        let mut batch = Self { frames: Vec::new(), answer: Vec::new() };
        for _ in 0..IN_FLIGHT {
            let key: [u8; 4] = std::array::from_fn(|_| noise());
            let payload: [u8; SIZE] = std::array::from_fn(|_| noise());
            batch.frames.extend([0x82, 0x80 | SIZE as u8]);
            batch.frames.extend(key);
            batch.frames.extend(payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]));
            batch.answer.extend([0x82, SIZE as u8]);
            batch.answer.extend(payload);
        }
        batch
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.write_all(REQUEST.as_bytes())?;
    let mut head = Vec::new();
    // Nothing follows the head that isn't asked for.
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    if head.starts_with(b"HTTP/1.1 101 ") { Ok(stream) } else { Err(io::Error::other("the server refuses")) }
}

fn noise(seed: u32) -> impl FnMut() -> u8 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    }
}

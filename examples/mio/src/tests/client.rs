//! A client for the tests: a blocking socket, and what is sent over it byte by byte.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

pub const REQUEST: &[u8] = b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// How long a read may wait, in which case the test fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// From so long a pause on, a sender is held up.
const PAUSE: Duration = Duration::from_millis(20);

pub struct Client {
    pub stream: TcpStream,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        Self { stream }
    }

    pub fn send(&self, bytes: &[u8]) {
        (&self.stream).write_all(bytes).expect("the server takes it");
    }

    pub fn shut_down(&self) {
        // The server may have closed the connection already.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The head of the response.
    pub fn head(&self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(self.read::<1>());
        }
        String::from_utf8(head).expect("ASCII")
    }

    pub fn read<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (&self.stream).read_exact(&mut bytes).expect("the server sends it");
        bytes
    }

    /// A frame, whose payload is short.
    pub fn frame(&self) -> (u8, Vec<u8>) {
        let [first, length] = self.read();
        assert!(length < 126, "{length}");
        (first, (0..length).flat_map(|_| self.read::<1>()).collect())
    }

    /// Reads to the end, or to a reset; what came before.
    pub fn rest(&self) -> Vec<u8> {
        let mut rest = Vec::new();
        match (&self.stream).read_to_end(&mut rest) {
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => panic!("{error}"),
            _ => rest,
        }
    }

    /// Sends from a thread of its own.
    pub fn flood(&self, bytes: Vec<u8>) -> Flood {
        let (sent, left) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(bytes.len())));
        let mut stream = self.stream.try_clone().expect("another handle");
        let flood = Flood { sent: Arc::clone(&sent), left: Arc::clone(&left) };
        thread::spawn(move || {
            for part in bytes.chunks(1 << 10) {
                if stream.write_all(part).is_err() {
                    return;
                }
                sent.fetch_add(part.len(), Ordering::Relaxed);
                left.fetch_sub(part.len(), Ordering::Relaxed);
            }
        });
        flood
    }
}

pub struct Flood {
    sent: Arc<AtomicUsize>,
    left: Arc<AtomicUsize>,
}

impl Flood {
    /// Waits until the server has to read before more can be sent; whether there is more.
    pub fn is_held_up(&self) -> bool {
        loop {
            let before = self.sent.load(Ordering::Relaxed);
            thread::sleep(PAUSE);
            if self.sent.load(Ordering::Relaxed) == before {
                return self.left.load(Ordering::Relaxed) > 0;
            }
        }
    }
}

/// A masked frame; the key is zero.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ ..126 => frame.push(0x80 | length as u8),
        length @ ..=0xFFFF => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

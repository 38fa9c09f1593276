//! The servers: each one thread that opens as many connections as the load has, and echoes.
//!
//! Who has no handshake of its own that stands without a framework gets this one, which isn't measured.

mod bytes;
mod cork;
mod fastwebsockets;
mod mio;
mod ours_on_tokio;
mod raw;
mod readiness;
mod sockudo_ws;
mod tokio_tungstenite;
mod tokio_websockets;
mod tungstenite;
mod yawc;

use std::io::{self, Read, Write};
use std::net::TcpStream;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use crate::transport::Transport;

pub(crate) struct Server {
    pub(crate) name: &'static str,
    serve: fn(Vec<TcpStream>) -> io::Result<()>,
    handshake: Handshake,
    pub(crate) answer: Answer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Handshake {
    Own,
    Ours,
}

/// What a server answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Message,
    /// The bytes as they came, masked.
    SameBytes,
}

pub(crate) const BARE: &str = "bare loop";
pub(crate) const BYTES: &str = "echo of bytes";

/// What others are compared with.
pub(crate) const FLOORS: [&str; 2] = [BYTES, BARE];

/// How much is read at once, by those that have a choice.
const INPUT: usize = 64 << 10;

pub(crate) const ALL: &[Server] = &[
    Server { answer: Answer::SameBytes, ..peer(BYTES, bytes::serve) },
    peer(BARE, raw::serve),
    Server { handshake: Handshake::Own, ..peer("websocket-proto, mio", mio::serve) },
    peer("websocket-proto-tokio, run", ours_on_tokio::serve_by_run),
    peer("websocket-proto-tokio, recv", ours_on_tokio::serve_by_recv),
    peer("fastwebsockets", fastwebsockets::serve),
    peer("sockudo-ws", sockudo_ws::serve),
    peer("tokio-tungstenite", tokio_tungstenite::serve),
    peer("tokio-websockets", tokio_websockets::serve),
    peer("tungstenite", tungstenite::serve),
    peer("yawc", yawc::serve),
];

const fn peer(name: &'static str, serve: fn(Vec<TcpStream>) -> io::Result<()>) -> Server {
    Server { name, serve, handshake: Handshake::Ours, answer: Answer::Message }
}

pub(crate) fn find(name: &str) -> Option<&'static Server> {
    ALL.iter().find(|server| server.name == name)
}

impl Server {
    /// Listens, prints the address, opens the connections, and serves them until the process is killed.
    pub(crate) fn serve(&self, transport: Transport, connections: usize) -> io::Result<()> {
        let (listener, address) = transport.listen()?;
        println!("{address}");
        let streams = (0..connections).map(|_| {
            let mut stream = listener.accept()?;
            if self.handshake == Handshake::Ours {
                shake_hands(&mut stream)?;
            }
            stream.set_nonblocking(true)?;
            Ok(stream)
        });
        (self.serve)(streams.collect::<io::Result<_>>()?)
    }
}

fn shake_hands(stream: &mut TcpStream) -> io::Result<()> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    // Nothing follows the head before it is answered.
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => head.extend_from_slice(&buffer[..read]),
        }
    }
    let head = String::from_utf8(head).map_err(io::Error::other)?;
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap_or_default();
    let digest = Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        STANDARD.encode(digest)
    )
}

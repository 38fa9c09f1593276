//! The servers: each one thread that listens, opens as many connections as the load has, and echoes.
//!
//! Who has no handshake of its own that stands without a framework gets this one, which isn't measured.

mod cork;
mod fastwebsockets;
mod ours_on_tokio;
mod raw;
mod readiness;
mod sockudo_ws;
mod tokio_tungstenite;
mod tokio_websockets;
mod tungstenite;
mod yawc;

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use crate::load::CONNECTIONS;

pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) serve: fn() -> io::Result<()>,
}

pub(crate) const BARE: &str = "bare loop";

pub(crate) const ALL: &[Server] = &[
    Server { name: BARE, serve: raw::serve },
    Server { name: "websocket-proto, mio", serve: serve_by_mio },
    Server { name: "websocket-proto-tokio, run", serve: ours_on_tokio::serve_by_run },
    Server { name: "websocket-proto-tokio, recv", serve: ours_on_tokio::serve_by_recv },
    Server { name: "fastwebsockets", serve: fastwebsockets::serve },
    Server { name: "sockudo-ws", serve: sockudo_ws::serve },
    Server { name: "tokio-tungstenite", serve: tokio_tungstenite::serve },
    Server { name: "tokio-websockets", serve: tokio_websockets::serve },
    Server { name: "tungstenite", serve: tungstenite::serve },
    Server { name: "yawc", serve: yawc::serve },
];

fn serve_by_mio() -> io::Result<()> {
    let mut server = crate::server::Server::bind(([127, 0, 0, 1], 0).into())?;
    server.handle_signals()?;
    println!("listening on {}", server.address()?);
    server.run().map(drop)
}

/// Listens, says so, and opens the connections; they don't block any more.
fn open() -> io::Result<Vec<TcpStream>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on {}", listener.local_addr()?);
    (0..CONNECTIONS).map(|_| upgrade(listener.accept()?.0)).collect()
}

fn upgrade(mut stream: TcpStream) -> io::Result<TcpStream> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    // Nothing comes behind the head before it is answered.
    while !head.ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut buffer)?;
        head.extend_from_slice(&buffer[..read]);
    }
    let head = String::from_utf8(head).map_err(io::Error::other)?;
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap_or_default();
    let digest = Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        STANDARD.encode(digest)
    )?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

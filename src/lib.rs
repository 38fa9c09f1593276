//! A sans-I/O WebSocket engine: RFC 6455, client and server, without a socket, a clock or a thread.
//!
//! Feed a [`Connection`] the bytes you receive. It gives you events and the bytes to send. If you own an event loop
//! (blocking threads, epoll, mio, tokio, `io_uring`, a game loop), a complete, strict endpoint takes a few dozen lines.
//! You can test it without a network, because the same calls always give the same results.
//!
//! ```text
//!                  ┌─────────────── Connection ───────────────┐
//!  bytes received ►│ receive(&mut input)                      │─► events: Request, Open, Text,
//!  (your buffer,   │   handshake, frames, unmasking in place, │   Binary, Ping, Pong, Closed
//!   unmasked in it)│   UTF-8, assembly, limits                │   (borrowing your buffer)
//!                  │        │ pongs, Close, HTTP errors       │
//!                  │        ▼                                 │
//!  bytes to send ◄─│ output() ◄─ headers, ◄─ accept, send_*,  │◄─ your calls
//!  (a bytes::Buf)  │             masking     ping, close      │
//!                  │                                          │
//!  your clock ────►│ advance_time(now)         next_timeout() │─► when to call it again
//!                  │                         wants_shutdown() │─► how to end the transport
//!                  └──────────────────────────────────────────┘
//! ```
//!
//! # A server loop
//!
//! Any transport will do. This loop uses a blocking socket. [`Output`] implements [`Buf`](bytes::Buf) from the `bytes`
//! crate. The guide explains the loop [line by line](guide::line_by_line) and has loops for
//! [other transports](guide::loops).
//!
//! ```
//! use std::io::{self, ErrorKind::{Interrupted, TimedOut, WouldBlock}, Read, Write};
//! use std::net::{Shutdown, TcpStream};
//! use std::time::{Duration, Instant};
//!
//! use websocket_proto::bytes::Buf;
//! use websocket_proto::{Connection, Event, TransportShutdown, server};
//!
//! fn serve(mut stream: TcpStream, mut conn: Connection) -> io::Result<()> {
//!     let (start, mut buf) = (Instant::now(), [0; 16 * 1024]);
//!     stream.set_write_timeout(Some(Duration::from_secs(20)))?;  // for a peer that stops reading
//!     while conn.wants_shutdown().is_none() {
//!         let left = conn.next_timeout().map(|at| at.saturating_sub(start.elapsed()));
//!         stream.set_read_timeout(left.map(|left| left.max(Duration::from_millis(1))))?;
//!         let n = match stream.read(&mut buf) {
//!             Ok(n @ 1..) => n,
//!             Err(e) if matches!(e.kind(), WouldBlock | TimedOut | Interrupted) => 0,
//!             Ok(0) | Err(_) => { conn.receive_eof(); 0 } // treat a reset as EOF
//!         };
//!         conn.advance_time(start.elapsed());             // at any point of the iteration
//!         let mut input = &mut buf[..n];
//!         while let Some(event) = conn.receive(&mut input) {
//!             match event {
//!                 Event::Request(request) => {
//!                     let response = server::Response::new().subprotocol(request.select_subprotocol(&["chat"]));
//!                     conn.accept(response).map_err(io::Error::other)?;
//!                 }
//!                 Event::Text(text) => conn.send_text(&text).map_err(io::Error::other)?,
//!                 Event::Binary(data) => conn.send_binary(&data).map_err(io::Error::other)?,
//!                 Event::Closed(closed) => println!("{closed}"),
//!                 _ => {}                                 // pings are answered automatically
//!             }
//!         }
//!         while conn.output().has_remaining() {
//!             let n = stream.write(conn.output().chunk())?;
//!             conn.output().advance(n);
//!         }
//!         stream.flush()?;                                // for buffered streams such as TLS
//!     }
//!     if conn.wants_shutdown() == Some(TransportShutdown::Graceful) {
//!         stream.shutdown(Shutdown::Write)?;              // then drain it: a reset would discard our last bytes
//!         let goodbye = Instant::now() + Duration::from_secs(2);
//!         stream.set_read_timeout(Some(Duration::from_secs(2)))?;
//!         while Instant::now() < goodbye && matches!(stream.read(&mut buf), Ok(1..)) {}
//!     }
//!     Ok(())
//! }
//! # let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
//! # let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
//! # let (stream, conn) = (listener.accept().unwrap().0, Connection::server(websocket_proto::Config::new()));
//! # let server = std::thread::spawn(move || serve(stream, conn));
//! # client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
//! #     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x82\0\0\0\0hi\x88\x82\0\0\0\0\x03\xe8").unwrap();
//! # let mut answer = Vec::new();
//! # client.read_to_end(&mut answer).unwrap();
//! # drop(client);
//! # assert!(answer.ends_with(b"\r\n\r\n\x81\x02hi\x88\x02\x03\xe8"));
//! # server.join().unwrap().unwrap();
//! ```
//!
//! # A client loop
//!
//! A client loop differs only in its start: the output holds the request before anything is received. So a client
//! writes first.
//!
//! ```no_run
//! use std::io::Write;
//! use std::net::TcpStream;
//!
//! use websocket_proto::bytes::Buf;
//! # #[cfg(feature = "getrandom")]
//! use websocket_proto::{Config, Connection, Seed, client};
//!
//! # #[cfg(feature = "getrandom")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let uri: client::Uri = "ws://127.0.0.1:9001/chat".parse()?;
//! let mut stream = TcpStream::connect((uri.host_with_zone(), uri.port()))?;
//! let request = client::Request::new(uri).subprotocol("chat").header("Cookie", "id=7");
//! let mut conn = Connection::client(request, Config::new(), Seed::from_os()?)?;
//! while conn.output().has_remaining() {
//!     let n = stream.write(conn.output().chunk())?;
//!     conn.output().advance(n);
//! }
//! // Continue with the loop above. A client has these events instead of `Event::Request`:
//! //     Event::Open(response) => the connection is open: send the first message
//! //     Event::Rejected(response) => the server has rejected the request; `Event::Closed` follows
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "getrandom"))] fn main() {}
//! ```
//!
//! # Guide
//!
//! The [guide] also lists its chapters by task.
//!
//! | chapter | |
//! |---|---|
//! | [Choosing](guide::choosing) | which of the three crates, when another protocol is better, what isn't possible |
//! | [The loop, line by line](guide::line_by_line) | why each line is there, and what goes wrong without it |
//! | [Loops](guide::loops) | blocking, readiness (epoll, mio), completion (`io_uring`), async (tokio) |
//! | [Closing](guide::closing) | the states, what [`Closed`] reports, the end of TCP and TLS without losing the last bytes |
//! | [Backpressure](guide::backpressure) | peers that don't read, callers that can't keep up, proxies |
//! | [Deadlines](guide::deadlines) | opening, closing and keepalive; one timer for thousands of connections |
//! | [Memory](guide::memory) | limits and what they protect against, large messages, [`Scratch`], compression |
//! | [Broadcast](guide::broadcast) | one message for many connections, and slow readers |
//! | [Scale](guide::scale) | rooms on several nodes, load balancers, restarts, the arithmetic for a million connections |
//! | [The opening handshake](guide::handshake) | `Origin`, cookies, authentication, subprotocols, a page for browsers |
//! | [Browsers](guide::browsers) | what scripts can do, Local Network Access |
//! | [Deploying](guide::deploying) | nginx, `HAProxy`, the PROXY protocol, load balancers and their probes |
//! | [Clients](guide::clients) | proxies, TLS, redirects, 401, 503, reconnecting |
//! | [HTTP/2 and HTTP/3](guide::over_http) | handshakes done by hyper, axum or another HTTP library |
//! | [Coming from another crate](guide::coming_from) | the equivalents of tungstenite, fastwebsockets and tokio-websockets APIs |
//! | [Testing](guide::testing) | tests without a network, a clock or randomness |
//! | [Capabilities](guide::capabilities) | everything that the crate supports, topic by topic |
//!
//! # What you are responsible for
//!
//! - **Time**: call [`advance_time`](Connection::advance_time) on every iteration of your loop, and wake up at
//!   [`next_timeout`](Connection::next_timeout). If you never set the time, there are no
//!   [deadlines](guide::deadlines).
//! - **The transport** and its [shutdown](guide::closing#shut-the-transport-down). For `wss`, the transport is a
//!   TLS stream.
//! - **Access control**: a server that authenticates browsers by cookies must check
//!   [`Origin`](guide::handshake#authenticate-a-browser).
//! - **[Connecting](guide::clients)** and reconnecting.
//! - **The number of connections**, and the memory that they use [together](guide::memory#limit-what-a-peer-can-use).
//!
//! # Features
//!
//! - `std` (default): masking and UTF-8 validation with SIMD instructions, chosen at run time for the CPU, and
//!   `chunks_vectored` for [`Output`]. Without `std`, the crate needs only `alloc`.
//! - `getrandom` (default): `Seed::from_os`.
//! - `deflate`: compression of messages (`Config::deflate`). It needs `std`.
//! - `http`: `HttpServerHandshake` and `HttpClientHandshake`, for opening handshakes that an HTTP library does over
//!   HTTP/1.1, HTTP/2 (RFC 8441) or HTTP/3 (RFC 9220). The library has to use the types of the `http` crate. This
//!   feature needs `std`.
//! - `url`: conversion of the `url` crate's `Url` into a [`client::Uri`]. That crate supports
//!   internationalized domain names.
//!
//! All combinations compile, including for
//! [WebAssembly](guide::clients#run-on-webassembly-or-without-an-operating-system).

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(feature = "deflate"),
    allow(
        unreachable_code,
        clippy::unnecessary_box_returns,
        reason = "without compression, no value of its types exists"
    )
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(any(doc, doctest))]
pub mod guide;

mod chunk;
mod close;
mod config;
mod connection;
#[cfg(feature = "deflate")]
mod deflate;
#[cfg(not(feature = "deflate"))]
#[path = "deflate/off.rs"]
mod deflate;
mod error;
mod event;
mod frame;
mod handshake;
mod http_grammar;
mod pool;
mod receive;
mod rng;
mod role;
mod round_trip;
mod seed;
mod send;
mod slices;
mod timers;
mod utf8;

/// The `bytes` crate: [`Output`] implements its [`Buf`](bytes::Buf), and a payload may be its [`Bytes`](bytes::Bytes).
pub use bytes;
pub use chunk::Chunk;
pub use close::{CloseCode, InvalidCloseCode};
pub use config::Config;
pub use connection::{Connection, Recycled, Scratch, State, TransportShutdown};
#[cfg(feature = "deflate")]
pub use deflate::{DeflateConfig, DeflateParams};
pub use error::{
    AcceptError, HandshakeError, HeaderError, ProtocolError, RequestError, SendError, SendWithError, UriError,
};
pub use event::{Cause, Closed, Deadline, Event};
pub use frame::MessageKind;
#[cfg(feature = "http")]
pub use handshake::{HttpClientHandshake, HttpServerHandshake};
pub use handshake::{Negotiated, RedirectError};
pub use role::Role;
#[cfg(feature = "getrandom")]
pub use seed::SeedError;
pub use seed::{Seed, Seeds};
pub use send::{BinaryWriter, Message, Output, PreparedMessage, TextWriter};

/// The client side of the opening handshake: the request to send and the response received.
pub mod client {
    pub use crate::handshake::{ClientRequest as Request, HandshakeResponse as Response, IntoUri, Redirects, Uri};
}

/// The server side of the opening handshake: the request received, and the response or rejection to send.
pub mod server {
    pub use crate::handshake::{Rejection, Request, Response};
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

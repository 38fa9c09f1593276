//! A sans-IO WebSocket engine: RFC 6455, both roles, without a socket, a clock or a thread.
//!
//! A [`Connection`] is fed the bytes that arrived and answers with events and with the bytes to send. Whoever owns an
//! event loop (blocking threads, epoll, mio, tokio, `io_uring`, a game's tick) gets a complete and strict endpoint in
//! a dozen lines, and can test it without a network: the same calls give the same results, always.
//!
//! ```text
//!                  ┌─────────────── Connection ───────────────┐
//!  bytes arrived ─►│ receive(&mut input)                      │─► events: Request, Open, Text,
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
//! # A server's loop
//!
//! Any transport will do; here a blocking socket. The buffer may serve every connection of a thread, since nothing is
//! left in it once [`receive`](Connection::receive) has answered `None`; 16 to 24 KiB stay in the first-level cache.
//! [`Output`] is a `Buf` of the crate `bytes`. A loop in which one thread reads and another writes, so that anybody may
//! send, is `examples/link/mod.rs`.
//!
//! ```
//! use std::io::{self, ErrorKind::{Interrupted, TimedOut, WouldBlock}, Read, Write};
//! use std::net::{Shutdown as Half, TcpStream};
//! use std::time::{Duration, Instant};
//!
//! use bytes::Buf;
//! use websocket_proto::{Connection, Event, Response, Shutdown};
//!
//! fn serve(mut stream: TcpStream, mut conn: Connection) -> io::Result<()> {
//!     let (start, mut buf) = (Instant::now(), [0; 16 * 1024]);
//!     stream.set_write_timeout(Some(Duration::from_secs(20)))?;  // for one that doesn't read
//!     conn.advance_time(Duration::ZERO);                  // arms the first deadline
//!     while conn.wants_shutdown().is_none() {
//!         let left = conn.next_timeout().map(|at| at.saturating_sub(start.elapsed()));
//!         stream.set_read_timeout(left.map(|left| left.max(Duration::from_millis(1))))?;
//!         let n = match stream.read(&mut buf) {
//!             Ok(n @ 1..) => n,
//!             Err(e) if matches!(e.kind(), WouldBlock | TimedOut | Interrupted) => 0,
//!             Ok(0) | Err(_) => { conn.receive_eof(); 0 } // a reset is an end as well
//!         };
//!         conn.advance_time(start.elapsed());             // fires deadlines that have passed
//!         let mut input = &mut buf[..n];
//!         while let Some(event) = conn.receive(&mut input) {
//!             match event {
//!                 Event::Request(request) => {
//!                     let response = Response::new().subprotocol(request.choose(&["chat"]));
//!                     conn.accept(response).map_err(io::Error::other)?;
//!                 }
//!                 Event::Text(text) => conn.send_text(&text).map_err(io::Error::other)?,
//!                 Event::Binary(data) => conn.send_binary(&data).map_err(io::Error::other)?,
//!                 Event::Closed(closed) => println!("{closed}"),
//!                 _ => {}                                 // pings are answered for you
//!             }
//!         }
//!         while conn.output().has_remaining() {
//!             let n = stream.write(conn.output().chunk())?;
//!             conn.output().advance(n);
//!         }
//!     }
//!     if conn.wants_shutdown() == Some(Shutdown::Finish) {
//!         stream.shutdown(Half::Write)?;                  // then read to the end: no reset eats the last bytes
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
//! # A client's loop
//!
//! The same, but for its beginning: the request is in the output before anything has arrived.
//!
//! ```no_run
//! # use std::net::TcpStream;
//! # use std::io::Write;
//! # use bytes::Buf;
//! # use websocket_proto::{ClientRequest, Config, Connection, Event, Seed, Uri};
//! # #[cfg(feature = "getrandom")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let uri: Uri = "ws://127.0.0.1:9001/chat".parse()?;
//! let mut stream = TcpStream::connect((uri.host(), uri.port()))?;
//! let request = ClientRequest::new(uri).subprotocol("chat").header("Cookie", "id=7");
//! let mut conn = Connection::client(request, Config::new(), Seed::from_os()?)?;
//! while conn.output().has_remaining() {
//!     let n = stream.write(conn.output().chunk())?;
//!     conn.output().advance(n);
//! }
//! // Then as above: `Event::Open` says that messages may be sent, `Event::Rejected` why the server said no.
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "getrandom"))] fn main() {}
//! ```
//!
//! # When the other side stalls
//!
//! A peer that doesn't read lets output grow: [`pending_output`](Connection::pending_output) tells how much there is, and
//! from [`Config::max_pending_output`] on [`can_send`](Connection::can_send) is false and messages are refused with
//! [`SendError::OutputFull`], nothing of them sent. A loop that answers what it receives should stop reading from a peer
//! long before (the example's server: from 256 KiB on): TCP then holds the peer back. What the peer can cause by itself
//! stays bounded: above 64 KiB of output, only the newest of its pings is owed an answer.
//!
//! A caller that can't keep up stops calling [`receive`](Connection::receive) and keeps what is left of the input, or
//! simply stops reading: nothing is lost, and deadlines run on.
//!
//! # Large messages
//!
//! A message is delivered whole, up to [`Config::max_message_size`]. For uploads and proxies,
//! [`Config::pieces_from`] delivers larger ones in pieces as they come, as [`Event::Chunk`], in constant memory, up to
//! [`Config::max_piecewise_size`] (1 TiB); and [`send_fragment`](Connection::send_fragment) sends them so. [`send`](Connection::send) takes payloads that are handed
//! over, and chains large ones into the output without a copy.
//!
#![cfg_attr(
    feature = "deflate",
    doc = r"
# Compression

Feature `deflate`: [`Config::deflate`] makes a connection offer or accept permessage-deflate (RFC 7692), as every browser
does. Messages of 64 bytes and more are compressed then, and arrive as if they hadn't been.

```
use websocket_proto::{Config, Deflate};

let config = Config::new().deflate(Deflate::new().server_max_window_bits(12).client_max_window_bits(12));
```

What it costs is memory: a window each way for every connection, unless it is agreed that none is kept. [`Deflate`] has the
figures. A [`Scratch`] shares what can be shared; [`PreparedMessage::compressed`] compresses once what many receive;
[`Connection::set_compression`] switches it off for what doesn't shrink, and for secrets next to what others may choose.
"
)]
//! # Many connections
//!
//! One `Arc<Config>` and one input buffer serve all connections of a thread. A [`Scratch`] does the same for the buffers
//! that they need at work, so that an idle connection is its 256 bytes and nothing else. A [`PreparedMessage`] is
//! encoded once and sent to all. Two threads may share a connection through a lock of their own: whoever writes takes
//! the bytes with [`Output::take`] and writes them without it.
//!
//! # What is the caller's
//!
//! - **Time.** Deadlines (10 s for the opening handshake, 5 s for the closing one, a [keepalive](Config::keepalive)
//!   where wanted) fire in [`advance_time`](Connection::advance_time): call it in every turn of the loop, and wake up
//!   for [`next_timeout`](Connection::next_timeout), as the loop above does by its read timeout.
//! - **The end of the transport.** After [`Event::Closed`], go on writing until
//!   [`wants_shutdown`](Connection::wants_shutdown) answers. [`Shutdown::Finish`] means: shut the writing side down
//!   (TLS: send `close_notify`), read and discard until the peer does the same or a second or two have passed, then
//!   close. Closing a socket that has unread bytes resets the connection, and the peer loses what it hasn't read.
//!   The server is the first to close; a client waits for it (RFC 6455 7.1.1).
//! - **TLS.** For `wss`, the transport is a TLS stream: the handshake begins when that is established, with the
//!   certificate checked against [`Uri::host`] and that name sent as SNI (RFC 6455 4.1).
//! - **Whom to let in.** [`Request`] has `Origin`, `Cookie` and every other header; answer 401, 403 or a redirect with a
//!   [`Rejection`]. Any HTTP authentication may be used (RFC 6455 10.5), headers pass both ways. A server whose users
//!   come with cookies must compare `Origin` (10.2):
//!
//!   ```
//!   # use websocket_proto::{AcceptError, Connection, Rejection, Request, Response};
//!   fn answer(conn: &mut Connection, request: &Request) -> Result<(), AcceptError> {
//!       if request.origin().is_some_and(|origin| origin != "https://chat.example") {
//!           conn.reject(Rejection::new(403).body("not from that page"))
//!       } else if !request.header("Cookie").is_some_and(|cookies| cookies.contains("session=")) {
//!           conn.reject(Rejection::new(302).header("Location", "/sign-in"))
//!       } else {
//!           conn.accept(Response::new())
//!       }
//!   }
//!   ```
//! - **How to connect.** One attempt at a time to the same address (RFC 6455 4.1, item 2), through a proxy where the
//!   user has one; after a loss, try again after a random and growing delay (7.2.3).
//! - **What people see.** A close reason is the peer's text: [`Closed`] escapes it when it is printed, and it isn't
//!   meant for users (RFC 6455 5.5.1).
//!
//! # Features
//!
//! - `std` (default): masking and UTF-8 validation with the instructions that the CPU turns out to have,
//!   `chunks_vectored` for [`Output`]. Without it the crate needs `alloc` alone.
//! - `getrandom` (default): `Seed::from_os`.
//! - `deflate`: `Config::deflate`, compression. It needs `std`.
//! - `http`: handshakes done elsewhere, with the types of the `http` crate: `HttpOffer` for servers, `HttpClient` for
//!   clients, over HTTP/1.1, HTTP/2 (RFC 8441) and HTTP/3 (RFC 9220).

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod chunk;
mod close;
mod config;
mod connection;
#[cfg(feature = "deflate")]
mod deflate;
mod error;
mod event;
mod frame;
mod handshake;
mod receive;
mod scratch;
mod send;
mod timers;
mod utf8;

pub use chunk::Chunk;
pub use close::CloseCode;
#[cfg(feature = "getrandom")]
pub use config::SeedError;
pub use config::{Config, Role, Seed};
pub use connection::{Connection, Shutdown, State};
#[cfg(feature = "deflate")]
pub use deflate::{Deflate, DeflateParams};
pub use error::{AcceptError, HandshakeError, HeaderError, ProtocolError, RequestError, SendError, UriError};
pub use event::{Cause, Closed, Deadline, Event};
pub use frame::Kind;
pub use handshake::{ClientRequest, HandshakeResponse, Negotiated, Rejection, Request, Response, Uri};
#[cfg(feature = "http")]
pub use handshake::{HttpClient, HttpOffer};
pub use scratch::{Scratch, Used};
pub use send::{Message, Output, PreparedMessage};

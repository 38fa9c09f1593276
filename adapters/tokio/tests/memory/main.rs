//! The heap of idle connections, by an allocator that counts: no buffers, at most 1 KiB beside the transport and the task.

#[path = "../../../../tests/support/heap.rs"]
mod heap;

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use websocket_proto::bytes::Buf;
use websocket_proto::{Config, Connection, Event, Negotiated, Seed, State, client, server};
use websocket_proto_tokio::{Acceptor, Connector, HIGH_WATER, WebSocket, default_config};

use heap::{Counting, heap_of};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Half of the connections are servers, half are clients.
const CONNECTIONS: usize = 10_000;

/// The most heap that a connection may hold, its own size included.
const LIMIT: usize = 1024;

/// A transport from which a few messages come, and which accepts everything.
struct Idle(&'static [u8]);

impl AsyncRead for Idle {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let input = std::mem::take(&mut self.0);
        if input.is_empty() {
            return Poll::Pending;
        }
        buf.put_slice(input);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Idle {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A text message and a ping, and half a header, for a server and for a client.
const PLAIN: [&[u8]; 2] = [b"\x81\x85\0\0\0\0hello\x89\x80\0\0\0\0\x81", b"\x81\x05hello\x89\x00\x81"];

/// The same with the message compressed, as in RFC 7692 section 7.2.3.1.
#[cfg(feature = "deflate")]
const COMPRESSED: [&[u8]; 2] = [
    b"\xc1\x87\0\0\0\0\xf2\x48\xcd\xc9\xc9\x07\x00\x89\x80\0\0\0\0\x81",
    b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\x89\x00\x81",
];

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls until the peer, which is a part of the transport, has answered.
fn poll_twice<F: Future>(future: F) -> F::Output {
    let (mut future, mut cx) = (pin!(future), Context::from_waker(Waker::noop()));
    assert!(future.as_mut().poll(&mut cx).is_pending(), "the peer is asked first");
    match future.as_mut().poll(&mut cx) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the peer has answered"),
    }
}

/// Returns the bytes that each connection holds, its own size included, the thread's buffers and its transport's size not.
fn held_by<S>(open: impl Fn(usize) -> WebSocket<S>) -> usize {
    let connections: Vec<_> = (0..CONNECTIONS).map(open).collect();
    let ((), freed) = heap_of(|| connections.into_iter().for_each(drop));
    let list = CONNECTIONS * size_of::<WebSocket<S>>();
    (freed.kept.unsigned_abs() - list) / CONNECTIONS + size_of::<WebSocket<S>>() - size_of::<S>()
}

/// Opens connections, lets each receive, echo and wait. Returns the heap that one holds.
fn held_by_each(negotiated: &Negotiated, config: Config, input: [&'static [u8]; 2]) -> usize {
    let config = std::sync::Arc::new(config);
    let open = |number: usize| {
        let (config, negotiated) = (std::sync::Arc::clone(&config), negotiated.clone());
        let mut ws = if number.is_multiple_of(2) {
            WebSocket::new(Idle(input[0]), Connection::upgraded_server(negotiated, config))
        } else {
            let connection = Connection::upgraded_client(negotiated, config, Seed::new([7; 32]));
            WebSocket::new(Idle(input[1]), connection)
        };
        let Poll::Ready(Ok(Some(message))) = poll_once(ws.recv()) else { panic!("a message was sent") };
        assert!(matches!(poll_once(ws.send(message)), Poll::Ready(Ok(()))));
        assert!(poll_once(ws.recv()).is_pending());
        assert_eq!(ws.pending_output(), 0);
        ws
    };
    held_by(open)
}

#[tokio::test]
async fn an_idle_connection_holds_no_buffers() {
    let held = held_by_each(&Negotiated::new(), default_config(), PLAIN);

    assert!(held <= LIMIT, "{held} bytes");
}

/// One that only sends holds none either, once everything is written.
#[tokio::test]
async fn an_idle_sender_holds_no_buffers() {
    let config = std::sync::Arc::new(default_config());
    let held = held_by(|_| {
        let connection = Connection::upgraded_server(Negotiated::new(), std::sync::Arc::clone(&config));
        let mut ws = WebSocket::new(Idle(b""), connection);
        for _ in 0..3 {
            assert!(matches!(poll_once(ws.feed(vec![7; 1000])), Poll::Ready(Ok(()))));
        }
        assert!(matches!(poll_once(ws.flush()), Poll::Ready(Ok(()))));
        ws
    });
    assert!(held <= LIMIT, "{held} bytes");
}

/// A transport from which another message comes each time.
struct Busy(bool);

impl AsyncRead for Busy {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0 = !self.0;
        if !self.0 {
            return Poll::Pending;
        }
        buf.put_slice(b"\x81\x85\0\0\0\0hello");
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Busy {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A transport that accepts nothing while it is shut.
struct Gate<'a> {
    input: &'a [u8],
    is_shut: &'a Cell<bool>,
}

impl AsyncRead for Gate<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let input = std::mem::take(&mut self.input);
        buf.put_slice(input);
        if input.is_empty() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

impl AsyncWrite for Gate<'_> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_shut.get() { Poll::Pending } else { Poll::Ready(Ok(buf.len())) }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn messages_that_were_kept_for_later_leave_nothing_behind() {
    let (input, is_shut) = (b"\x81\x80\0\0\0\0".repeat(1000), Cell::new(true));
    let gate = Gate { input: &input, is_shut: &is_shut };
    let mut ws = WebSocket::new(gate, Connection::upgraded_server(Negotiated::new(), default_config()));
    assert!(poll_once(ws.send(vec![0; HIGH_WATER])).is_ready());
    // One who waits for space receives when a deadline has passed.
    tokio::time::advance(Duration::from_secs(31)).await;
    assert!(poll_once(ws.send("more")).is_pending());
    is_shut.set(false);
    for _ in 0..1000 {
        assert!(matches!(poll_once(ws.recv()), Poll::Ready(Ok(Some(_)))));
    }
    assert!(poll_once(ws.recv()).is_pending());
    assert_eq!(ws.pending_output(), 0);
    let size = size_of_val(&ws);
    let ((), freed) = heap_of(|| drop(ws));
    let held = freed.kept.unsigned_abs() + size;
    assert!(held <= LIMIT, "{held} bytes");
}

/// Its buffers are those of the thread.
#[tokio::test]
async fn a_connection_that_echoes_allocates_nothing() {
    let mut ws = WebSocket::new(Busy(false), Connection::upgraded_server(Negotiated::new(), default_config()));
    let mut echo = || {
        let echoed = ws.run(|conn, event| {
            if let Event::Text(text) = event {
                conn.send_text(&text).unwrap();
            }
            ControlFlow::<()>::Continue(())
        });
        assert!(poll_once(echoed).is_pending());
    };
    echo();
    let ((), heap) = heap_of(|| (0..100).for_each(|_| echo()));
    assert_eq!(heap.allocations, 0);
}

/// The other endpoint, in the place of a transport that leads to it.
struct Peer(Connection);

impl AsyncRead for Peer {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let output = self.0.output();
        if !output.has_remaining() {
            return Poll::Pending;
        }
        let count = output.chunk().len().min(buf.remaining());
        buf.put_slice(&output.chunk()[..count]);
        output.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut input = buf.to_vec();
        let mut input = &mut input[..];
        while let Some(event) = self.0.receive(&mut input) {
            if let Event::Request(_) = event {
                self.0.accept(server::Response::new()).unwrap();
            }
        }
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Opens connections by the opening handshake. Returns the heap that one holds, and its peer with it.
fn held_by_each_after_a_handshake(config: Config) -> usize {
    let config = std::sync::Arc::new(config);
    let (acceptor, connector) = (Acceptor::new().config(config.clone()), Connector::new().config(config.clone()));
    let open = |number: usize| {
        let mut opened = if number.is_multiple_of(2) {
            let request = client::Request::new("ws://a/".parse().unwrap());
            let peer = Connection::client(request, config.clone(), Seed::new([7; 32])).unwrap();
            let Poll::Ready(opened) = poll_once(acceptor.accept(Peer(peer))) else { panic!("the request is there") };
            opened.unwrap()
        } else {
            let peer = Connection::server(config.clone());
            poll_twice(connector.handshake("ws://a/", Peer(peer))).unwrap()
        };
        assert_eq!(opened.transport().0.state(), State::Open);
        // It is kept for you, and a client's alone.
        assert_eq!(opened.take_response().is_some(), !number.is_multiple_of(2));
        opened
    };
    held_by(open)
}

#[tokio::test]
async fn the_opening_handshake_leaves_nothing_behind() {
    let held = held_by_each_after_a_handshake(default_config());
    assert!(held <= LIMIT, "{held} bytes");
}

#[cfg(feature = "deflate")]
#[tokio::test]
async fn compression_that_is_not_used_holds_nothing() {
    let settings = websocket_proto_tokio::DeflateConfig::new();
    let held = held_by_each_after_a_handshake(default_config().deflate(settings));
    assert!(held <= LIMIT, "{held} bytes");
}

#[cfg(feature = "deflate")]
#[tokio::test]
async fn nor_does_one_that_compresses_without_context() {
    use websocket_proto_tokio::DeflateConfig;

    let settings = DeflateConfig::new().server_no_context_takeover(true).client_no_context_takeover(true).min_size(0);
    let (_, params) = settings.answer([&b"permessage-deflate; client_no_context_takeover"[..]]).unwrap();
    assert!(params.server_no_context_takeover() && params.client_no_context_takeover());
    let negotiated = Negotiated::new().deflate(params);
    for input in [PLAIN, COMPRESSED] {
        let held = held_by_each(&negotiated, default_config().deflate(settings.clone()), input);

        assert!(held <= LIMIT, "{held} bytes");
    }
}

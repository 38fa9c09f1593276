//! The heap of idle connections, by an allocator that counts: no buffers, at most 1 KiB beside the transport and the task.

#[path = "../../../../tests/support/heap.rs"]
mod heap;

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use websocket_proto::{Config, Connection, Negotiated, Seed};
use websocket_proto_tokio::{WebSocket, default_config};

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
    // The buffers of the thread.
    drop(open(0));
    let mut connections = Vec::with_capacity(CONNECTIONS);
    let ((), heap) = heap_of(|| connections.extend((0..CONNECTIONS).map(open)));
    let held = heap.kept.unsigned_abs() / CONNECTIONS;
    held + size_of::<WebSocket<Idle>>() - size_of::<Idle>()
}

#[tokio::test]
async fn an_idle_connection_holds_no_buffers() {
    let held = held_by_each(&Negotiated::new(), default_config(), PLAIN);

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

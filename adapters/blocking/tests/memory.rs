//! The heap of idle connections, by an allocator that counts: no buffers, at most 1 KiB beside the transport.

#[path = "../../../tests/support/heap.rs"]
mod heap;

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use websocket_proto_blocking::proto::{Negotiated, Seed};
use websocket_proto_blocking::{Connection, Event, Message, Transport, WebSocket, default_config};

use heap::{Counting, heap_of};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Half of the connections are servers, half are clients.
const CONNECTIONS: usize = 1000;

/// The most heap that a connection may hold, its own size included.
const LIMIT: usize = 1024;

/// A transport from which a few inputs come, and which accepts everything.
struct Idle(&'static [&'static [u8]]);

impl Read for Idle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (first, rest) = self.0.split_first().expect("an event was found in what came before");
        self.0 = rest;
        buffer[..first.len()].copy_from_slice(first);
        Ok(first.len())
    }
}

impl Write for Idle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Idle {
    fn set_read_timeout(&mut self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }

    fn set_write_timeout(&mut self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }

    fn shutdown(&mut self, _: Shutdown) -> io::Result<()> {
        Ok(())
    }
}

/// A text message and a ping in two inputs each, for a server and for a client.
const INPUTS: [&[&[u8]]; 2] =
    [&[b"\x81\x85\0\0\0\0hel", b"lo", b"\x89\x80\0", b"\0\0\0"], &[b"\x81\x05hel", b"lo", b"\x89", b"\0"]];

#[test]
fn an_idle_connection_holds_no_buffers() {
    let config = Arc::new(default_config());
    let open = |number: usize| {
        let config = Arc::clone(&config);
        let mut ws = if number.is_multiple_of(2) {
            WebSocket::new(Idle(INPUTS[0]), Connection::upgraded_server(Negotiated::new(), config))
        } else {
            let connection = Connection::upgraded_client(Negotiated::new(), config, Seed::new([7; 32]));
            WebSocket::new(Idle(INPUTS[1]), connection)
        };
        assert_eq!(ws.read().unwrap(), Some(Message::from("hello")));
        ws.send("hello").unwrap();
        assert_eq!(ws.event().unwrap(), Some(Event::Ping(b""[..].into())));
        ws.flush().unwrap();
        ws
    };
    let connections: Vec<_> = (0..CONNECTIONS).map(open).collect();
    let ((), freed) = heap_of(|| connections.into_iter().for_each(drop));
    let held = freed.kept.unsigned_abs() / CONNECTIONS - size_of::<Idle>();

    assert!(held <= LIMIT, "{held} bytes");
}

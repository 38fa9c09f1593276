//! What several threads and connections share: one connection behind a lock, one message for many connections.

#[path = "support/heap.rs"]
mod heap;
#[path = "support/mod.rs"]
mod support;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex};
use std::thread;

use bytes::{Buf, Bytes};
use heap::{Counting, heap_of};
use support::{drain, feed, frame, server};
use websocket_proto::{
    CloseCode, Config, Connection, Event, Kind, Negotiated, PreparedMessage, Role, SendError, Shutdown,
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A connection that a reading and a writing thread share.
struct Shared {
    conn: Mutex<Connection>,
    changed: Condvar,
}

impl Shared {
    fn new(conn: Connection) -> Self {
        Self { conn: Mutex::new(conn), changed: Condvar::new() }
    }

    /// Handles what arrives, until the transport ends.
    fn read(&self, arrives: Receiver<Bytes>, mut handle: impl FnMut(&mut Connection, Event<'_>)) {
        for bytes in arrives {
            let mut bytes = bytes.to_vec();
            let mut input = &mut bytes[..];
            let mut conn = self.conn.lock().unwrap();
            while let Some(event) = conn.receive(&mut input) {
                handle(&mut conn, event);
            }
            self.changed.notify_all();
        }
        let mut conn = self.conn.lock().unwrap();
        conn.receive_eof();
        while let Some(event) = conn.receive(&mut &mut [][..]) {
            handle(&mut conn, event);
        }
        self.changed.notify_all();
    }

    /// Sends what there is to send, without the lock, until the transport is to be shut down.
    fn write(&self, leaves: Sender<Bytes>) {
        let mut conn = self.conn.lock().unwrap();
        while conn.wants_shutdown().is_none() {
            if let Some(bytes) = conn.output().take() {
                drop(conn);
                leaves.send(bytes).unwrap();
                conn = self.conn.lock().unwrap();
            } else {
                conn = self.changed.wait(conn).unwrap();
            }
        }
        assert_eq!(conn.wants_shutdown(), Some(Shutdown::Finish));
        drop(leaves);
    }
}

/// No reply is lost between two threads: every message comes back, in order, and the close is clean on both sides.
#[test]
fn two_threads_share_a_connection() {
    const MESSAGES: usize = 2000;
    let (to_server, at_server) = channel();
    let (to_client, at_client) = channel();
    let server = Shared::new(server());
    let client = Shared::new(support::client());
    let mut heard = 0;
    let mut ends = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| server.write(to_client));
        scope.spawn(|| client.write(to_server));
        let server = &server;
        let echo = scope.spawn(move || {
            let mut end = None;
            server.read(at_server, |conn, event| match event {
                Event::Text(text) => conn.send(text).unwrap(),
                Event::Closed(closed) => end = Some(closed),
                _ => {}
            });
            end
        });
        scope.spawn(|| {
            for i in 0..MESSAGES {
                let text = format!("{i} {}", "好".repeat(i % 3000));
                let mut conn = client.conn.lock().unwrap();
                while !conn.can_send() {
                    conn = client.changed.wait(conn).unwrap();
                }
                conn.send_text(&text).unwrap();
                client.changed.notify_all();
            }
        });
        client.read(at_client, |conn, event| match event {
            Event::Text(text) => {
                assert!(text.starts_with(&format!("{heard} ")), "in order");
                heard += 1;
                if heard == MESSAGES {
                    conn.close(CloseCode::NORMAL, "").unwrap();
                }
            }
            Event::Closed(closed) => ends.push(closed),
            _ => {}
        });
        ends.extend(echo.join().unwrap());
    });
    assert_eq!(heard, MESSAGES);
    assert_eq!(ends.len(), 2);
    assert!(ends.iter().all(|closed| closed.clean && closed.code == CloseCode::NORMAL));
}

/// A prepared message is what an ordinary one is on the wire, at every size, for both roles.
#[test]
fn a_prepared_message_is_an_ordinary_one() {
    for size in [0, 1, 125, 126, 4000, 4096, 65_535, 65_536, 100_000] {
        for (kind, message) in [
            (Kind::Text, PreparedMessage::new("x".repeat(size))),
            (Kind::Binary, PreparedMessage::new(vec![b'x'; size])),
        ] {
            assert_eq!((message.kind(), message.payload().len()), (kind, size));
            for role in support::ROLES {
                let mut prepared = support::open(role);
                let mut ordinary = support::open(role);
                prepared.send_prepared(&message).unwrap();
                match kind {
                    Kind::Text => ordinary.send_text(&"x".repeat(size)).unwrap(),
                    Kind::Binary => ordinary.send_binary(&vec![b'x'; size]).unwrap(),
                }
                assert_eq!(drain(&mut prepared), drain(&mut ordinary), "{kind:?} of {size}");
            }
        }
    }
}

/// It may not be sent where no message may, and changes nothing then.
#[test]
fn a_prepared_message_keeps_the_rules() {
    let news = PreparedMessage::new("news");
    let mut conn = server();
    conn.send_fragment(Kind::Text, b"a", false).unwrap();
    let pending = conn.pending_output();
    assert_eq!(conn.send_prepared(&news), Err(SendError::UnfinishedMessage));
    assert_eq!(conn.pending_output(), pending);
    let mut conn = support::server_with(Config::new().max_pending_output(6));
    conn.send_prepared(&news).unwrap();
    assert!(!conn.can_send());
    assert_eq!(conn.send_prepared(&news), Err(SendError::OutputFull));
    conn.output().advance(1);
    assert!(conn.can_send());
    conn.close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(conn.send_prepared(&news), Err(SendError::Closed));
    assert_eq!(Connection::server(Config::new()).send_prepared(&news), Err(SendError::Connecting));
}

/// A large one is shared by all connections: its payload is in memory once.
#[test]
fn a_broadcast_copies_no_payload() {
    let config = std::sync::Arc::new(Config::new());
    let mut conns: Vec<_> =
        (0..1000).map(|_| Connection::upgraded_server(Negotiated::new(), std::sync::Arc::clone(&config))).collect();
    let news = PreparedMessage::new(vec![7; 64 << 10]);
    let ((), heap) = heap_of(|| conns.iter_mut().for_each(|conn| conn.send_prepared(&news).unwrap()));
    assert!(heap.peak < 1000 * 512, "{heap:?}");
    for conn in &mut conns {
        assert_eq!(conn.output().chunk().as_ptr(), conns_payload(&news), "the same bytes");
    }
}

fn conns_payload(news: &PreparedMessage) -> *const u8 {
    // The header of ten bytes stands in front of the payload.
    news.payload().as_ptr().wrapping_sub(10)
}

/// What a stalled peer can cause is bounded, in both directions: see the crate docs.
#[test]
fn a_stalled_peer() {
    let mut conn = support::server_with(Config::new().max_pending_output(100_000));
    let mut sent = 0;
    while conn.can_send() {
        conn.send_binary(&[0; 1000]).unwrap();
        sent += 1;
    }
    assert_eq!(sent, 100);
    assert!(conn.pending_output() >= 100_000 && conn.pending_output() < 101_100);
    // It is still heard, and its pings cost no more.
    let before = conn.pending_output();
    for _ in 0..1000 {
        assert_eq!(feed(&mut conn, &frame(Role::Client, 0x89, b"ping")).len(), 1);
    }
    assert_eq!(conn.pending_output(), before);
    // Closing is possible all the same.
    conn.close(CloseCode::GOING_AWAY, "").unwrap();
    assert!(conn.pending_output() > before);
}

//! One connection that two threads share, with a lock.

#[path = "support/mod.rs"]
mod support;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex};
use std::thread;

use bytes::Bytes;
use support::server;
use websocket_proto::{CloseCode, Connection, Event, TransportShutdown};

/// A connection that a reading and a writing thread share.
struct Shared {
    conn: Mutex<Connection>,
    changed: Condvar,
}

impl Shared {
    fn new(conn: Connection) -> Self {
        Self { conn: Mutex::new(conn), changed: Condvar::new() }
    }

    /// Handles received bytes, until the transport ends.
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

    /// Writes the output, without the lock, until the transport is to be shut down.
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
        assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Graceful));
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
    let mut received = 0;
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
                assert!(text.starts_with(&format!("{received} ")), "in order");
                received += 1;
                if received == MESSAGES {
                    conn.close(CloseCode::NORMAL, "").unwrap();
                }
            }
            Event::Closed(closed) => ends.push(closed),
            _ => {}
        });
        ends.extend(echo.join().unwrap());
    });
    assert_eq!(received, MESSAGES);
    assert_eq!(ends.len(), 2);
    assert!(ends.iter().all(|closed| closed.clean && closed.code == CloseCode::NORMAL));
}

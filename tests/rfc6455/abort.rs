//! `abort`: the transport is to be closed immediately, and pending output is dropped.

use bytes::Buf;
use websocket_proto::{Cause, CloseCode, Config, Connection, Role, State, TransportShutdown, server};

use crate::checks::{OwnedEvent, abnormal, receive};
use crate::helpers::closed;
use crate::helpers::closing::close;
use crate::helpers::server::{assert_abnormal, assert_closed, awaiting_answer};
use crate::support::{ROLES, feed, frame, open, pending_events, request, server};

/// S-47: nothing more is sent, in whatever state; one event reports it.
#[test]
fn an_abort_drops_everything() {
    let open = || {
        let mut conn = server();
        conn.send_text("pending").unwrap();
        conn.send(vec![0; 100_000]).unwrap();
        conn
    };
    let closing = || {
        let mut conn = open();
        conn.close(CloseCode::NORMAL, "").unwrap();
        conn
    };
    for mut conn in [Connection::server(Config::new()), awaiting_answer(&request()).0, open(), closing()] {
        conn.abort();
        assert_eq!(conn.state(), State::Closed);
        assert_eq!(conn.next_timeout(), Some(core::time::Duration::ZERO), "at once");
        assert_abnormal(&closed(feed(&mut conn, &frame(Role::Client, 0x81, b"late"))), Cause::Aborted);
        assert_closed(&mut conn, TransportShutdown::Abort);
        conn.abort();
        assert_closed(&mut conn, TransportShutdown::Abort);
    }
    // The answer that is dropped.
    let (mut conn, _) = awaiting_answer(&request());
    conn.reject(server::Rejection::new(403)).unwrap();
    conn.abort();
    assert_abnormal(&closed(pending_events(&mut conn)), Cause::Rejected(403));
    assert_closed(&mut conn, TransportShutdown::Abort);
}

/// B-66, B-70: an abort drops the output and asks for the transport to be closed immediately. It is reported unless the
/// connection had already ended.
#[test]
fn aborting_in_every_state() {
    type Before = fn(&mut Connection);
    let aborted = || vec![abnormal(Cause::Aborted)];
    let cases: [(Before, Vec<OwnedEvent>); 6] = [
        (|_| {}, aborted()),
        (|conn| drop(receive(conn, &[0x81])), aborted()),
        (|conn| conn.close(CloseCode::NORMAL, "").unwrap(), aborted()),
        (|conn| drop(receive(conn, &close(conn.role(), 1000, ""))), vec![]),
        (|conn| drop(receive(conn, b"\xff")), vec![]),
        // The transport has ended, which wasn't reported yet.
        (Connection::receive_eof, aborted()),
    ];
    for role in ROLES {
        for (before, expected) in &cases {
            let mut conn = open(role);
            conn.send_text("dropped").unwrap();
            before(&mut conn);
            conn.abort();
            conn.abort();
            assert_eq!(conn.state(), State::Closed);
            assert!(!conn.output().has_remaining());
            assert_eq!(receive(&mut conn, b"\x81"), *expected);
            conn.receive_eof();
            assert_eq!(receive(&mut conn, b""), []);
            assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Abort));
        }
    }
}

//! The closing handshake (RFC 6455 section 7), in every order of events.

use websocket_proto::{Cause, CloseCode, Connection, MessageKind, Role, SendError, State};

use crate::checks::{assert_sent, binary, clean, peer, ping, pong, receive, text};
use crate::helpers::closing::{NORMAL, assert_shuts_down, close};
use crate::support::{ROLES, close_body, drain, frame, open};

/// B-64: our Close has the code and the reason given, of every length up to 123 bytes.
#[test]
fn our_close_has_code_and_reason() {
    for role in ROLES {
        for length in 0..=123 {
            let reason = "r".repeat(length);
            let mut conn = open(role);
            conn.close(CloseCode::new(4000 + length as u16).unwrap(), &reason).unwrap();
            assert_sent(&mut conn, &[(0x88, &close_body(4000 + length as u16, &reason))]);
        }
    }
    let mut conn = open(Role::Server);
    conn.close(CloseCode::NORMAL, "bye").unwrap();
    assert_eq!(drain(&mut conn), b"\x88\x05\x03\xe8bye");
}

/// B-40, B-41, B-65, B-66: we close first: the peer's Close, whether an answer or sent at the same time, ends it
/// without another; its code is the one reported, ours is the cause.
#[test]
fn our_close_is_completed_by_theirs() {
    for role in ROLES {
        for (body, code, reason) in
            [(close_body(1000, ""), 1000, ""), (close_body(1001, "crossed"), 1001, "crossed"), (vec![], 1005, "")]
        {
            let mut conn = open(role);
            conn.close(CloseCode::NORMAL, "bye").unwrap();
            assert_eq!((conn.state(), conn.wants_shutdown()), (State::Closing, None));
            assert_sent(&mut conn, &[(0x88, &close_body(1000, "bye"))]);
            assert_eq!(receive(&mut conn, &peer(role, &[(0x88, &body)])), [clean(code, reason, NORMAL)]);
            assert_sent(&mut conn, &[]);
            assert_shuts_down(&mut conn);
        }
    }
}

/// B-41: both ends close at once, bytes crossing: both end clean, with one Close frame each.
#[test]
fn crossing_closes_end_clean() {
    let [mut client, mut server] = ROLES.map(open);
    client.close(CloseCode::NORMAL, "client").unwrap();
    server.close(CloseCode::GOING_AWAY, "server").unwrap();
    let (from_client, from_server) = (drain(&mut client), drain(&mut server));
    assert_eq!(receive(&mut client, &from_server), [clean(1001, "server", NORMAL)]);
    assert_eq!(receive(&mut server, &from_client), [clean(1000, "client", Cause::Local(CloseCode::GOING_AWAY))]);
    assert_shuts_down(&mut client);
    assert_shuts_down(&mut server);
}

/// B-42: when `Closed` is reported, the answer is in the output already.
#[test]
fn the_echo_is_there_with_the_event() {
    for role in ROLES {
        let mut conn = open(role);
        let mut bytes = [close(role, 1000, ""), peer(role, &[(0x81, b"behind")])].concat();
        let mut input = &mut bytes[..];
        assert!(conn.receive(&mut input).is_some());
        assert_sent(&mut conn, &[(0x88, &close_body(1000, ""))]);
        assert!(conn.receive(&mut input).is_none());
    }
}

/// B-43: bytes after the peer's Close are discarded, in the same buffer and in later ones, whatever they are.
#[test]
fn bytes_behind_a_close_are_discarded() {
    for role in ROLES {
        let wrong_mask = frame(role, 0x81, b"x");
        for rest in [peer(role, &[(0x81, b"text")]), b"\xff\xff".to_vec(), wrong_mask, vec![0; 1 << 20]] {
            let mut conn = open(role);
            let bytes = [close(role, 1000, ""), rest.clone()].concat();
            assert_eq!(receive(&mut conn, &bytes), [clean(1000, "", Cause::Peer)]);
            assert_eq!(receive(&mut conn, &rest), []);
            assert_sent(&mut conn, &[(0x88, &close_body(1000, ""))]);
            assert_shuts_down(&mut conn);
        }
    }
}

/// B-44, B-36: after our Close the peer's messages are still delivered, its control frames too, and nothing is
/// answered.
#[test]
fn messages_still_come_after_our_close() {
    for role in ROLES {
        let mut conn = open(role);
        assert_eq!(receive(&mut conn, &peer(role, &[(0x01, b"be")])), []);
        conn.close(CloseCode::NORMAL, "").unwrap();
        let script = peer(
            role,
            &[(0x80, b"gun"), (0x89, b"p"), (0x8a, b"q"), (0x82, b"data"), (0x88, &close_body(1000, "done"))],
        );
        assert_eq!(
            receive(&mut conn, &script),
            [text("begun"), ping(b"p"), pong(b"q"), binary(b"data"), clean(1000, "done", NORMAL)]
        );
        assert_sent(&mut conn, &[(0x88, &close_body(1000, ""))]);
        assert_shuts_down(&mut conn);
    }
}

/// B-36, B-39: an unfinished message is abandoned by a Close, ours or theirs: none of its fragments follow.
#[test]
fn a_close_abandons_an_unfinished_message() {
    for role in ROLES {
        let closes: [fn(&mut Connection); 2] = [
            |conn| conn.close(CloseCode::NORMAL, "").unwrap(),
            |conn| drop(receive(conn, &close(conn.role(), 1000, ""))),
        ];
        for close in closes {
            let mut conn = open(role);
            conn.send_fragment(MessageKind::Text, b"cut inside a character \xf0\x9f", false).unwrap();
            close(&mut conn);
            assert_eq!(conn.send_fragment(MessageKind::Text, b"\x98\x80", true), Err(SendError::Closed));
            assert_sent(&mut conn, &[(0x01, b"cut inside a character \xf0\x9f"), (0x88, &close_body(1000, ""))]);
        }
    }
}

/// B-36: nothing can be sent after our Close, not even a second one.
#[test]
fn nothing_is_sent_after_our_close() {
    for role in ROLES {
        let mut conn = open(role);
        conn.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(conn.send_text("x"), Err(SendError::Closed));
        assert_eq!(conn.send_binary(b"x"), Err(SendError::Closed));
        assert_eq!(conn.send(vec![0; 10_000]), Err(SendError::Closed));
        assert_eq!(conn.send_fragment(MessageKind::Text, b"x", true), Err(SendError::Closed));
        assert_eq!(conn.ping(b""), Err(SendError::Closed));
        assert_eq!(conn.pong(b""), Err(SendError::Closed));
        assert_eq!(conn.close(CloseCode::GOING_AWAY, ""), Err(SendError::Closed));
        assert_sent(&mut conn, &[(0x88, &close_body(1000, ""))]);
    }
}

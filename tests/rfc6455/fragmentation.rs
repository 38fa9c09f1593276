//! Messages of several frames (RFC 6455 section 5.4), received and sent.

use websocket_proto::{Connection, MessageKind, ProtocolError, SendError};

use crate::checks::{OwnedEvent, Script, assert_sent, binary, fails, peer, ping, receive, text};
use crate::support::{ROLES, drain, open, server};

/// B-01, B-19, B-25, B-27, B-28: the first fragment decides the kind, the last one ends the message, and any of them
/// may be empty.
#[test]
fn fragments_make_one_message() {
    let messages: [(Script, OwnedEvent); 10] = [
        (&[(0x01, b"Hel"), (0x80, b"lo")], text("Hello")),
        (&[(0x02, b"Hel"), (0x80, b"lo")], binary(b"Hello")),
        (&[(0x01, b"a"), (0x00, b"b"), (0x80, b"c")], text("abc")),
        (&[(0x02, b"\xff"), (0x00, b"\x80"), (0x80, b"\xc0")], binary(b"\xff\x80\xc0")),
        (&[(0x01, b""), (0x80, b"")], text("")),
        (&[(0x01, b""), (0x00, b""), (0x80, b"")], text("")),
        (&[(0x02, b""), (0x00, b""), (0x00, b""), (0x80, b"")], binary(b"")),
        (&[(0x01, b""), (0x00, b"middle"), (0x80, b"")], text("middle")),
        (&[(0x01, b"first"), (0x00, b""), (0x80, b"")], text("first")),
        (&[(0x01, b""), (0x80, b"last")], text("last")),
    ];
    for role in ROLES {
        let mut conn = open(role);
        for (script, message) in messages.clone() {
            let (last, before) = script.split_last().unwrap();
            assert_eq!(receive(&mut conn, &peer(role, before)), [], "a message comes whole");
            assert_eq!(receive(&mut conn, &peer(role, &[*last])), [message], "{script:02x?}");
        }
        assert_sent(&mut conn, &[]);
    }
}

/// B-23: ten thousand fragments arrive in their order.
#[test]
fn fragments_keep_their_order() {
    for role in ROLES {
        let mut conn = open(role);
        let mut expected = Vec::new();
        for index in 0..10_000_u32 {
            let first = if index == 0 { 0x02 } else { 0x00 };
            assert_eq!(receive(&mut conn, &peer(role, &[(first, &index.to_be_bytes())])), []);
            expected.extend(index.to_be_bytes());
        }
        assert_eq!(receive(&mut conn, &peer(role, &[(0x80, b"")])), [binary(&expected)]);
    }
}

/// B-20, B-21: nothing to continue, or an unfinished message: the first byte of the frame is enough to reject it.
#[test]
fn frames_out_of_place_are_refused_by_their_first_byte() {
    use ProtocolError::{UnexpectedContinuation, UnfinishedMessage};
    let cases: [(Script, u8, ProtocolError); 13] = [
        (&[], 0x80, UnexpectedContinuation),
        (&[], 0x00, UnexpectedContinuation),
        (&[(0x81, b"whole")], 0x80, UnexpectedContinuation),
        (&[(0x82, b"")], 0x00, UnexpectedContinuation),
        (&[(0x01, b"a"), (0x80, b"b")], 0x80, UnexpectedContinuation),
        (&[(0x89, b"ping")], 0x80, UnexpectedContinuation),
        (&[(0x01, b"a")], 0x81, UnfinishedMessage),
        (&[(0x01, b"")], 0x82, UnfinishedMessage),
        (&[(0x02, b"a")], 0x81, UnfinishedMessage),
        (&[(0x02, b""), (0x00, b"")], 0x01, UnfinishedMessage),
        (&[(0x01, b"a"), (0x89, b"")], 0x81, UnfinishedMessage),
        (&[(0x01, b"a"), (0x8a, b"pong")], 0x82, UnfinishedMessage),
        (&[(0x02, b"a"), (0x89, b"p"), (0x00, b"b"), (0x8a, b"")], 0x02, UnfinishedMessage),
    ];
    for role in ROLES {
        for (before, first, error) in cases {
            let before = peer(role, before);
            let bytes = [&before[..], &peer(role, &[(first, b"rest")])].concat();
            assert_eq!(fails(role, &bytes, error), before.len() + 1, "{bytes:02x?}");
        }
    }
}

/// B-24, B-49, B-62: a ping during a message is reported and answered before the message is complete.
#[test]
fn control_frames_inside_a_message_are_handled_at_once() {
    for role in ROLES {
        let mut conn = open(role);
        let mut bytes = peer(role, &[(0x01, b"a"), (0x89, b"1"), (0x00, b"b"), (0x89, b"2"), (0x80, b"c")]);
        let mut input = &mut bytes[..];
        for payload in [b"1", b"2"] {
            let event = conn.receive(&mut input).unwrap().into_owned();
            assert_eq!(crate::checks::owned_events(vec![event]), [ping(payload)]);
            assert_sent(&mut conn, &[(0x8a, payload)]);
        }
        let rest = input.to_vec();
        assert_eq!(receive(&mut conn, &rest), [text("abc")]);
    }
}

/// B-63: after a finished message everything starts again: the kind, the text's characters, the order of frames.
#[test]
fn a_finished_message_leaves_nothing_behind() {
    for role in ROLES {
        let mut conn = open(role);
        let script: Script = &[
            (0x02, b"\xf0\x9f"),
            (0x80, b""),
            (0x81, b"text"),
            (0x01, "é".as_bytes()),
            (0x80, b""),
            (0x82, b"\xff"),
            (0x02, b"\xe2"),
            (0x80, b"\x82"),
            (0x81, "é".as_bytes()),
        ];
        let expected = [binary(b"\xf0\x9f"), text("text"), text("é"), binary(b"\xff"), binary(b"\xe2\x82"), text("é")];
        assert_eq!(receive(&mut conn, &peer(role, script)), expected);
    }
}

/// B-19, B-59, B-60: a message sent in fragments: the opcode once, FIN on the last, which may be empty.
#[test]
fn a_message_is_sent_in_fragments() {
    for role in ROLES {
        for (kind, first) in [(MessageKind::Text, 0x01), (MessageKind::Binary, 0x02)] {
            let mut conn = open(role);
            for _ in 0..2 {
                conn.send_fragment(kind, b"a", false).unwrap();
                conn.send_fragment(kind, b"", false).unwrap();
                conn.send_fragment(kind, b"b", false).unwrap();
                conn.send_fragment(kind, b"", true).unwrap();
                assert_sent(&mut conn, &[(first, b"a"), (0x00, b""), (0x00, b"b"), (0x80, b"")]);
            }
            conn.send_fragment(kind, b"alone", true).unwrap();
            assert_sent(&mut conn, &[(0x80 | first, b"alone")]);
        }
    }
}

/// B-60: an empty last fragment is the two bytes `80 00`.
#[test]
fn an_empty_last_fragment_ends_the_message() {
    let mut conn = server();
    conn.send_fragment(MessageKind::Text, b"a", false).unwrap();
    conn.send_fragment(MessageKind::Text, b"", true).unwrap();
    assert_eq!(drain(&mut conn), b"\x01\x01a\x80\x00");
}

/// B-22: no message begins during another; the call fails and changes nothing, and the message can be finished.
#[test]
fn messages_are_never_interleaved() {
    type Call = fn(&mut Connection) -> Result<(), SendError>;
    let others: [Call; 6] = [
        |conn| conn.send_text("other"),
        |conn| conn.send_binary(b"other"),
        |conn| conn.send("other"),
        |conn| conn.send(vec![0; 100_000]),
        |conn| conn.send_fragment(MessageKind::Binary, b"other", false),
        |conn| conn.send_fragment(MessageKind::Binary, b"other", true),
    ];
    for role in ROLES {
        for call in others {
            let mut conn = open(role);
            conn.send_fragment(MessageKind::Text, b"a", false).unwrap();
            assert_eq!(call(&mut conn), Err(SendError::UnfinishedMessage));
            conn.send_fragment(MessageKind::Text, b"b", true).unwrap();
            assert_sent(&mut conn, &[(0x01, b"a"), (0x80, b"b")]);
            call(&mut conn).unwrap();
        }
    }
}

/// B-26, B-49: control frames go out between the fragments, whole.
#[test]
fn control_frames_go_out_between_fragments() {
    for role in ROLES {
        let mut conn = open(role);
        conn.send_fragment(MessageKind::Binary, b"a", false).unwrap();
        conn.ping(b"ping").unwrap();
        conn.pong(b"pong").unwrap();
        receive(&mut conn, &peer(role, &[(0x89, b"theirs")]));
        conn.send_fragment(MessageKind::Binary, b"b", true).unwrap();
        assert_sent(&mut conn, &[(0x02, b"a"), (0x89, b"ping"), (0x8a, b"pong"), (0x8a, b"theirs"), (0x80, b"b")]);
    }
}

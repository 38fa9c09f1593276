//! The closing handshake and failing a connection (RFC 6455 5.5.1 and 7), in every order of events.

use bytes::Buf;
use websocket_proto::{
    Cause, CloseCode, Config, Connection, Event, Kind, ProtocolError, Role, SendError, Shutdown, State,
};

use crate::checks::{Told, assert_over, assert_said, binary, clean, failed, fails, hear, lost, peer, ping, pong, text};
use crate::support::{ROLES, close_body, drain, frame, open, open_with};

const NORMAL: Cause = Cause::Local(CloseCode::NORMAL);

/// A Close frame from the connection's peer.
fn close(role: Role, code: u16, reason: &str) -> Vec<u8> {
    peer(role, &[(0x88, &close_body(code, reason))])
}

/// The peer's Close is answered: what stays is to drain, and for a client to let the server close TCP first.
#[track_caller]
fn assert_shuts_down(conn: &mut Connection) {
    assert_eq!(conn.state(), State::Closed);
    drain(conn);
    if conn.role() == Role::Client {
        assert_eq!(conn.wants_shutdown(), None);
        conn.receive_eof();
    }
    assert_over(conn);
}

/// B-34, B-37, B-38, B-67, B-77, B-79: codes that may travel are reported and echoed, with the reason; an empty Close
/// is reported as 1005 and stays empty.
#[test]
fn a_close_is_told_and_echoed() {
    let codes = (1000..=1003).chain(1007..=1014).chain([3000, 3999, 4000, 4999]);
    for role in ROLES {
        for code in codes.clone() {
            for reason in ["", "söon", &"x".repeat(123)] {
                let mut conn = open(role);
                assert_eq!(hear(&mut conn, &close(role, code, reason)), [clean(code, reason, Cause::Peer)]);
                assert_said(&mut conn, &[(0x88, &close_body(code, reason))]);
                assert_shuts_down(&mut conn);
            }
        }
        let mut conn = open(role);
        assert_eq!(hear(&mut conn, &peer(role, &[(0x88, b"")])), [clean(1005, "", Cause::Peer)]);
        assert_said(&mut conn, &[(0x88, b"")]);
        assert_shuts_down(&mut conn);
    }
}

/// B-73, B-74, B-75, B-76, B-78, B-80: codes that may not travel are a violation, which is answered with 1002 and never echoed.
#[test]
fn codes_that_may_not_travel_are_refused() {
    const CODES: [u16; 14] = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 9999, 65_535];
    for role in ROLES {
        for code in CODES {
            for reason in ["", "reason"] {
                let bytes = close(role, code, reason);
                assert_eq!(fails(role, &bytes, ProtocolError::CloseCode), bytes.len() - reason.len(), "{code}");
            }
        }
    }
}

/// B-33: a body of one byte is no code, and its length is refused when it comes.
#[test]
fn a_close_of_one_byte_is_refused() {
    for role in ROLES {
        for byte in [0, 3, 255] {
            assert_eq!(fails(role, &peer(role, &[(0x88, &[byte])]), ProtocolError::CloseLength), 2);
        }
    }
}

/// B-35, B-84: a reason that isn't UTF-8 is refused with 1007; one that is, with any of its characters, is told.
#[test]
fn a_close_reason_is_text() {
    for role in ROLES {
        for reason in [&b"\xc3\x28"[..], b"\xff", b"ok\xed\xa0\x80", b"cut \xf0\x9f\x98", b"\xc0\x80"] {
            let body = [b"\x03\xe8", reason].concat();
            fails(role, &peer(role, &[(0x88, &body)]), ProtocolError::CloseReason);
        }
        for reason in ["κόσμε", "\0", "\u{10ffff}", "\r\nLog: entry"] {
            assert_eq!(hear(&mut open(role), &close(role, 1000, reason)), [clean(1000, reason, Cause::Peer)]);
        }
    }
}

/// B-64: our Close has the code and the reason given, of every length up to 123 bytes.
#[test]
fn our_close_has_code_and_reason() {
    for role in ROLES {
        for length in 0..=123 {
            let reason = "r".repeat(length);
            let mut conn = open(role);
            conn.close(CloseCode::new(4000 + length as u16).unwrap(), &reason).unwrap();
            assert_said(&mut conn, &[(0x88, &close_body(4000 + length as u16, &reason))]);
        }
    }
    let mut conn = open(Role::Server);
    conn.close(CloseCode::NORMAL, "bye").unwrap();
    assert_eq!(drain(&mut conn), b"\x88\x05\x03\xe8bye");
}

/// B-72, B-73, B-74, B-75, B-76: a code that may not travel has no value, or is refused; nothing is sent and the connection is open.
#[test]
fn forbidden_codes_cannot_be_sent() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        assert_eq!(CloseCode::new(code), None);
    }
    for role in ROLES {
        let mut conn = open(role);
        for code in [CloseCode::NO_STATUS, CloseCode::ABNORMAL] {
            assert_eq!(conn.close(code, ""), Err(SendError::CloseCode));
        }
        // RFC 6455 7.4.1: a server doesn't send 1010; it refuses the handshake instead.
        let missing = conn.close(CloseCode::MISSING_EXTENSION, "");
        assert_eq!(missing, if role == Role::Server { Err(SendError::CloseCode) } else { Ok(()) });
        assert_eq!(conn.state() == State::Open, role == Role::Server);
    }
}

/// B-77, B-81: every other code is the caller's to choose.
#[test]
fn permitted_codes_are_sent() {
    for role in ROLES {
        for code in (1000..=1003).chain(1007..=1009).chain(1011..=1014).chain([3000, 3999, 4000, 4999]) {
            let mut conn = open(role);
            conn.close(CloseCode::new(code).unwrap(), "").unwrap();
            assert_said(&mut conn, &[(0x88, &close_body(code, ""))]);
        }
    }
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
            assert_said(&mut conn, &[(0x88, &close_body(1000, "bye"))]);
            assert_eq!(hear(&mut conn, &peer(role, &[(0x88, &body)])), [clean(code, reason, NORMAL)]);
            assert_said(&mut conn, &[]);
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
    assert_eq!(hear(&mut client, &from_server), [clean(1001, "server", NORMAL)]);
    assert_eq!(hear(&mut server, &from_client), [clean(1000, "client", Cause::Local(CloseCode::GOING_AWAY))]);
    assert_shuts_down(&mut client);
    assert_shuts_down(&mut server);
}

/// B-42: when `Closed` is told, the answer is in the output already.
#[test]
fn the_echo_is_there_with_the_event() {
    for role in ROLES {
        let mut conn = open(role);
        let mut bytes = [close(role, 1000, ""), peer(role, &[(0x81, b"behind")])].concat();
        let mut input = &mut bytes[..];
        assert!(conn.receive(&mut input).is_some());
        assert_said(&mut conn, &[(0x88, &close_body(1000, ""))]);
        assert!(conn.receive(&mut input).is_none());
    }
}

/// B-43: what comes behind the peer's Close is discarded, in the same buffer and in later ones, whatever it is.
#[test]
fn bytes_behind_a_close_are_discarded() {
    for role in ROLES {
        let wrong_mask = frame(role, 0x81, b"x");
        for rest in [peer(role, &[(0x81, b"text")]), b"\xff\xff".to_vec(), wrong_mask, vec![0; 1 << 20]] {
            let mut conn = open(role);
            let bytes = [close(role, 1000, ""), rest.clone()].concat();
            assert_eq!(hear(&mut conn, &bytes), [clean(1000, "", Cause::Peer)]);
            assert_eq!(hear(&mut conn, &rest), []);
            assert_said(&mut conn, &[(0x88, &close_body(1000, ""))]);
            assert_shuts_down(&mut conn);
        }
    }
}

/// B-44, B-36: after our Close the peer's messages still come, its control frames too, and nothing is answered.
#[test]
fn messages_still_come_after_our_close() {
    for role in ROLES {
        let mut conn = open(role);
        assert_eq!(hear(&mut conn, &peer(role, &[(0x01, b"be")])), []);
        conn.close(CloseCode::NORMAL, "").unwrap();
        let script = peer(
            role,
            &[(0x80, b"gun"), (0x89, b"p"), (0x8a, b"q"), (0x82, b"data"), (0x88, &close_body(1000, "done"))],
        );
        assert_eq!(
            hear(&mut conn, &script),
            [text("begun"), ping(b"p"), pong(b"q"), binary(b"data"), clean(1000, "done", NORMAL)]
        );
        assert_said(&mut conn, &[(0x88, &close_body(1000, ""))]);
        assert_shuts_down(&mut conn);
    }
}

/// B-36, B-39: an unfinished message is abandoned by a Close, ours or theirs: none of its fragments follow.
#[test]
fn a_close_abandons_an_unfinished_message() {
    for role in ROLES {
        let closes: [fn(&mut Connection); 2] =
            [|conn| conn.close(CloseCode::NORMAL, "").unwrap(), |conn| drop(hear(conn, &close(conn.role(), 1000, "")))];
        for close in closes {
            let mut conn = open(role);
            conn.send_fragment(Kind::Text, b"cut inside a character \xf0\x9f", false).unwrap();
            close(&mut conn);
            assert_eq!(conn.send_fragment(Kind::Text, b"\x98\x80", true), Err(SendError::Closed));
            assert_said(&mut conn, &[(0x01, b"cut inside a character \xf0\x9f"), (0x88, &close_body(1000, ""))]);
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
        assert_eq!(conn.send_fragment(Kind::Text, b"x", true), Err(SendError::Closed));
        assert_eq!(conn.ping(b""), Err(SendError::Closed));
        assert_eq!(conn.pong(b""), Err(SendError::Closed));
        assert_eq!(conn.close(CloseCode::GOING_AWAY, ""), Err(SendError::Closed));
        assert_said(&mut conn, &[(0x88, &close_body(1000, ""))]);
    }
}

/// B-45, B-61: messages queued in front of the Close go out, in order, before the transport is shut down.
#[test]
fn the_output_is_drained_before_the_shutdown() {
    for role in ROLES {
        let mut conn = open(role);
        conn.send_text("first").unwrap();
        hear(&mut conn, &close(role, 1000, ""));
        conn.receive_eof();
        while conn.output().has_remaining() {
            assert_eq!(conn.wants_shutdown(), None);
            conn.output().advance(1);
        }
        assert_eq!(conn.wants_shutdown(), Some(Shutdown::Finish));
    }
}

/// B-40, B-45: a server finishes when its output is drained; a client waits for the server to close TCP.
#[test]
fn the_server_closes_the_transport_first() {
    for role in ROLES {
        for we_close in [true, false] {
            let mut conn = open(role);
            if we_close {
                conn.close(CloseCode::NORMAL, "").unwrap();
            }
            hear(&mut conn, &close(role, 1000, ""));
            assert_eq!(conn.wants_shutdown(), None);
            drain(&mut conn);
            assert_eq!(conn.wants_shutdown(), (role == Role::Server).then_some(Shutdown::Finish));
            conn.receive_eof();
            assert_over(&mut conn);
        }
    }
}

/// What broke the rules, one example of each error that both roles know, under limits of 100 bytes and 3 fragments.
fn violations(role: Role) -> Vec<(Vec<u8>, ProtocolError, u16)> {
    use ProtocolError as E;
    let (mask_error, mask) = match role {
        Role::Server => (E::UnmaskedFrame, 128_u8),
        Role::Client => (E::MaskedFrame, 0),
    };
    vec![
        (peer(role, &[(0xc1, b"")]), E::ReservedBits, 1002),
        (peer(role, &[(0x83, b"")]), E::ReservedOpcode, 1002),
        (peer(role, &[(0x09, b"")]), E::FragmentedControl, 1002),
        (peer(role, &[(0x89, &[0; 126])]), E::ControlTooLong, 1002),
        (frame(role, 0x81, b"x"), mask_error, 1002),
        (vec![0x82, mask + 126, 0, 5], E::LengthForm, 1002),
        (vec![0x82, mask + 127, 255], E::LengthTopBit, 1002),
        (peer(role, &[(0x80, b"")]), E::UnexpectedContinuation, 1002),
        (peer(role, &[(0x01, b""), (0x81, b"")]), E::UnfinishedMessage, 1002),
        (peer(role, &[(0x88, b"x")]), E::CloseLength, 1002),
        (peer(role, &[(0x88, &close_body(1005, ""))]), E::CloseCode, 1002),
        (peer(role, &[(0x88, b"\x03\xe8\xff")]), E::CloseReason, 1007),
        (peer(role, &[(0x81, b"\xff")]), E::InvalidUtf8, 1007),
        (peer(role, &[(0x82, &[0; 101])]), E::FrameTooLarge, 1009),
        (peer(role, &[(0x02, &[0; 100]), (0x80, &[0; 51])]), E::MessageTooLarge, 1009),
        (peer(role, &[(0x02, b""), (0x00, b""), (0x00, b""), (0x80, b"")]), E::TooManyFragments, 1009),
    ]
}

fn tight() -> Config {
    Config::new().max_frame_size(100).max_message_size(150).max_fragments(3)
}

/// B-69, B-70, B-71, B-81, B-91, B-92: each error has its code, in both roles, and ends the connection; what stands
/// behind it in the buffer, or comes later, is not looked at.
#[test]
fn every_violation_is_answered_with_its_code() {
    for role in ROLES {
        for (bytes, error, code) in violations(role) {
            assert_eq!(error.close_code().get(), code);
            crate::checks::fails_with(tight(), role, &bytes, error);

            let behind = peer(role, &[(0x81, b"good"), (0x88, &close_body(1000, ""))]);
            let mut conn = open_with(role, tight());
            assert_eq!(hear(&mut conn, &[bytes, behind].concat()), [failed(error)]);
            assert_said(&mut conn, &[(0x88, &close_body(code, ""))]);
            assert_over(&mut conn);
        }
    }
}

/// B-36, B-69: after our Close a violation is told and not answered: one Close is all that is sent.
#[test]
fn a_violation_after_our_close_gets_no_second_close() {
    for role in ROLES {
        for (bytes, error, _) in violations(role) {
            let mut conn = open_with(role, tight());
            conn.close(CloseCode::NORMAL, "").unwrap();
            assert_eq!(hear(&mut conn, &bytes), [failed(error)]);
            assert_said(&mut conn, &[(0x88, &close_body(1000, ""))]);
            assert_over(&mut conn);
        }
    }
}

/// B-71: good messages in front of the violation are delivered.
#[test]
fn what_came_before_a_violation_counts() {
    for role in ROLES {
        let mut conn = open(role);
        let bytes = [peer(role, &[(0x81, b"good"), (0x89, b"p")]), vec![0xff]].concat();
        assert_eq!(hear(&mut conn, &bytes), [text("good"), ping(b"p"), failed(ProtocolError::ReservedBits)]);
        assert_said(&mut conn, &[(0x8a, b"p"), (0x88, &close_body(1002, ""))]);
    }
}

/// B-66, B-67, B-68: the end of the transport is clean exactly after both Close frames; 1006 is for the rest.
#[test]
fn the_end_of_the_transport_in_every_state() {
    type Before = fn(&mut Connection);
    let cases: [(Before, Option<Told>); 5] = [
        (|_| {}, Some(lost(Cause::Eof))),
        (|conn| drop(hear(conn, &peer(conn.role(), &[(0x81, b"whole"), (0x01, b"part")]))), Some(lost(Cause::Eof))),
        (|conn| drop(hear(conn, &[0x81])), Some(lost(Cause::Eof))),
        (|conn| conn.close(CloseCode::NORMAL, "").unwrap(), Some(lost(Cause::Eof))),
        (|conn| drop(hear(conn, &close(conn.role(), 1000, ""))), None),
    ];
    for role in ROLES {
        for (before, expected) in &cases {
            let mut conn = open(role);
            before(&mut conn);
            drain(&mut conn);
            conn.receive_eof();
            assert_eq!(hear(&mut conn, b""), Vec::from_iter(expected.clone()));
            assert_eq!(conn.state(), State::Closed);
            assert_over(&mut conn);
        }
    }
}

/// B-15, B-66: what arrived before the transport ended is told before its end, also where it was held back.
#[test]
fn held_back_input_outlives_the_transport() {
    for role in ROLES {
        let mut conn = open(role);
        let mut wire = peer(role, &[(0x81, b"a"), (0x81, b"b")]);
        let mut input = &mut wire[..];
        assert!(matches!(conn.receive(&mut input), Some(Event::Text(text)) if text == "a"));
        conn.receive_eof();
        assert!(matches!(conn.receive(&mut input), Some(Event::Text(text)) if text == "b"));
        assert!(matches!(conn.receive(&mut input), Some(Event::Closed(closed)) if closed.cause == Cause::Eof));
        assert!(conn.receive(&mut input).is_none());
    }
}

/// B-66: the end comes once, however often the transport ends.
#[test]
fn the_transport_may_end_twice() {
    for role in ROLES {
        let mut conn = open(role);
        conn.receive_eof();
        conn.receive_eof();
        assert_eq!(hear(&mut conn, b""), [lost(Cause::Eof)]);
        assert_over(&mut conn);
    }
}

/// B-61, B-66: the transport's end doesn't take back what is queued: a peer that only stopped writing still reads.
#[test]
fn output_outlives_the_peers_half_of_the_transport() {
    for role in ROLES {
        let mut conn = open(role);
        conn.send_text("last words").unwrap();
        conn.receive_eof();
        assert_eq!(hear(&mut conn, b""), [lost(Cause::Eof)]);
        assert_eq!(conn.wants_shutdown(), None);
        assert_said(&mut conn, &[(0x81, b"last words")]);
        assert_over(&mut conn);
    }
}

/// B-66, B-70: giving up drops the output and asks for the transport to be closed at once; it is told unless another
/// end was.
#[test]
fn aborting_in_every_state() {
    type Before = fn(&mut Connection);
    let aborted = || vec![lost(Cause::Aborted)];
    let cases: [(Before, Vec<Told>); 6] = [
        (|_| {}, aborted()),
        (|conn| drop(hear(conn, &[0x81])), aborted()),
        (|conn| conn.close(CloseCode::NORMAL, "").unwrap(), aborted()),
        (|conn| drop(hear(conn, &close(conn.role(), 1000, ""))), vec![]),
        (|conn| drop(hear(conn, b"\xff")), vec![]),
        // The transport has ended, which wasn't told yet.
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
            assert_eq!(hear(&mut conn, b"\x81"), *expected);
            conn.receive_eof();
            assert_eq!(hear(&mut conn, b""), []);
            assert_eq!(conn.wants_shutdown(), Some(Shutdown::Abort));
        }
    }
}

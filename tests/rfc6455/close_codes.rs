//! Codes and reasons of Close frames (RFC 6455 sections 5.5.1 and 7.4), received and sent.

use websocket_proto::{Cause, CloseCode, ProtocolError, Role, SendError, State};

use crate::checks::{assert_sent, clean, fails, peer, receive};
use crate::helpers::client::assert_masked;
use crate::helpers::closed;
use crate::helpers::closing::{assert_shuts_down, close};
use crate::support::{ROLES, client, close_body, drain, feed, frame, open, server};

/// B-34, B-37, B-38, B-67, B-77, B-79: codes that may be sent are reported and echoed, with the reason; an empty Close
/// is reported as 1005 and echoed empty.
#[test]
fn a_close_is_told_and_echoed() {
    let codes = (1000..=1003).chain(1007..=1014).chain([3000, 3999, 4000, 4999]);
    for role in ROLES {
        for code in codes.clone() {
            for reason in ["", "söon", &"x".repeat(123)] {
                let mut conn = open(role);
                assert_eq!(receive(&mut conn, &close(role, code, reason)), [clean(code, reason, Cause::Peer)]);
                assert_sent(&mut conn, &[(0x88, &close_body(code, reason))]);
                assert_shuts_down(&mut conn);
            }
        }
        let mut conn = open(role);
        assert_eq!(receive(&mut conn, &peer(role, &[(0x88, b"")])), [clean(1005, "", Cause::Peer)]);
        assert_sent(&mut conn, &[(0x88, b"")]);
        assert_shuts_down(&mut conn);
    }
}

/// B-73, B-74, B-75, B-76, B-78, B-80: a code that must not be sent is a violation, which is answered with 1002 and
/// never echoed.
#[test]
fn codes_that_may_not_travel_are_refused() {
    const CODES: [u16; 14] = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 9999, 65_535];
    for role in ROLES {
        for code in CODES {
            for reason in ["", "reason"] {
                let bytes = close(role, code, reason);
                assert_eq!(fails(role, &bytes, ProtocolError::CloseCode(code)), bytes.len() - reason.len(), "{code}");
            }
        }
    }
}

/// B-33: a body of one byte is no code, and its length is rejected as soon as it arrives.
#[test]
fn a_close_of_one_byte_is_refused() {
    for role in ROLES {
        for byte in [0, 3, 255] {
            assert_eq!(fails(role, &peer(role, &[(0x88, &[byte])]), ProtocolError::CloseLength), 2);
        }
    }
}

/// B-35, B-84: a reason that isn't UTF-8 fails with 1007; one that is, with any of its characters, is reported.
#[test]
fn a_close_reason_is_text() {
    for role in ROLES {
        for reason in [&b"\xc3\x28"[..], b"\xff", b"ok\xed\xa0\x80", b"cut \xf0\x9f\x98", b"\xc0\x80"] {
            let body = [b"\x03\xe8", reason].concat();
            fails(role, &peer(role, &[(0x88, &body)]), ProtocolError::CloseReason);
        }
        for reason in ["κόσμε", "\0", "\u{10ffff}", "\r\nLog: entry"] {
            assert_eq!(receive(&mut open(role), &close(role, 1000, reason)), [clean(1000, reason, Cause::Peer)]);
        }
    }
}

/// B-72, B-73, B-74, B-75, B-76: a code that must not be sent has no value, or is rejected; nothing is sent and the
/// connection stays open.
#[test]
fn forbidden_codes_cannot_be_sent() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        assert_eq!(CloseCode::new(code), None);
    }
    for role in ROLES {
        let mut conn = open(role);
        for code in [CloseCode::NO_STATUS, CloseCode::ABNORMAL] {
            assert_eq!(conn.close(code, ""), Err(SendError::CloseCode(code)));
        }
        // RFC 6455 section 7.4.1: a server doesn't send 1010; it rejects the handshake instead.
        let missing = conn.close(CloseCode::MISSING_EXTENSION, "");
        assert_eq!(
            missing,
            if role == Role::Server { Err(SendError::CloseCode(CloseCode::MISSING_EXTENSION)) } else { Ok(()) }
        );
        assert_eq!(conn.state() == State::Open, role == Role::Server);
    }
}

/// B-77, B-81: you can send every other code.
#[test]
fn permitted_codes_are_sent() {
    for role in ROLES {
        for code in (1000..=1003).chain(1007..=1009).chain(1011..=1014).chain([3000, 3999, 4000, 4999]) {
            let mut conn = open(role);
            conn.close(CloseCode::new(code).unwrap(), "").unwrap();
            assert_sent(&mut conn, &[(0x88, &close_body(code, ""))]);
        }
    }
}

/// C-53: the peer's reason can't pass for our own text, nor control a terminal: it is quoted and escaped.
#[test]
fn the_reason_of_a_close_is_escaped() {
    let reason = "\x1b[2J\"\r\nroot# \u{202e}\0";
    let closed = closed(feed(&mut client(), &frame(Role::Server, 0x88, &close_body(4000, reason))));
    assert_eq!(closed.reason, reason);
    let escaped = r#""\u{1b}[2J\"\r\nroot# \u{202e}\0""#;
    assert_eq!(closed.to_string(), format!("closed with 4000 (private use) {escaped}: the peer closed"));
    let debug = format!("{closed:?}");
    assert!(debug.contains(escaped) && !debug.contains(reason), "{debug}");
    assert_eq!(closed.cause.to_string(), "the peer closed");
}

/// C-56: only a client reports that an extension is missing.
#[test]
fn the_code_for_a_missing_extension_is_the_clients() {
    let mut conn = client();
    conn.close(CloseCode::MISSING_EXTENSION, "x-foo").unwrap();
    assert_masked(&mut conn, &[(0x88, close_body(1010, "x-foo"))]);

    let mut conn = server();
    let missing = CloseCode::MISSING_EXTENSION;
    assert_eq!(conn.close(missing, "x-foo"), Err(SendError::CloseCode(missing)));
    assert_eq!(conn.state(), State::Open);
    assert!(drain(&mut conn).is_empty());
    let closed = closed(feed(&mut conn, &frame(Role::Client, 0x88, &close_body(1010, "x-foo"))));
    assert_eq!((closed.code, &closed.reason[..]), (CloseCode::MISSING_EXTENSION, "x-foo"));
}

//! A peer that breaks the protocol (RFC 6455 section 7.1.7): each error, its code, and nothing after it.

use websocket_proto::{CloseCode, Config, ProtocolError, Role};

use crate::checks::{assert_over, assert_sent, failed, peer, ping, receive, text};
use crate::support::{ROLES, close_body, frame, open, open_with};

/// One example of each violation that both roles detect, with limits of 100 bytes and 3 fragments.
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
        (peer(role, &[(0x88, &close_body(1005, ""))]), E::CloseCode(1005), 1002),
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

/// B-69, B-70, B-71, B-81, B-91, B-92: each error has its code, in both roles, and ends the connection; bytes after it,
/// in the same buffer or later, are ignored.
#[test]
fn every_violation_is_answered_with_its_code() {
    for role in ROLES {
        for (bytes, error, code) in violations(role) {
            assert_eq!(error.close_code().get(), code);
            crate::checks::fails_with(tight(), role, &bytes, error);

            let behind = peer(role, &[(0x81, b"good"), (0x88, &close_body(1000, ""))]);
            let mut conn = open_with(role, tight());
            assert_eq!(receive(&mut conn, &[bytes, behind].concat()), [failed(error)]);
            assert_sent(&mut conn, &[(0x88, &close_body(code, ""))]);
            assert_over(&mut conn);
        }
    }
}

/// B-36, B-69: after our Close a violation is reported and not answered: one Close is all that is sent.
#[test]
fn a_violation_after_our_close_gets_no_second_close() {
    for role in ROLES {
        for (bytes, error, _) in violations(role) {
            let mut conn = open_with(role, tight());
            conn.close(CloseCode::NORMAL, "").unwrap();
            assert_eq!(receive(&mut conn, &bytes), [failed(error)]);
            assert_sent(&mut conn, &[(0x88, &close_body(1000, ""))]);
            assert_over(&mut conn);
        }
    }
}

/// B-71: valid messages before the violation are delivered.
#[test]
fn what_came_before_a_violation_counts() {
    for role in ROLES {
        let mut conn = open(role);
        let bytes = [peer(role, &[(0x81, b"good"), (0x89, b"p")]), vec![0xff]].concat();
        assert_eq!(receive(&mut conn, &bytes), [text("good"), ping(b"p"), failed(ProtocolError::ReservedBits)]);
        assert_sent(&mut conn, &[(0x8a, b"p"), (0x88, &close_body(1002, ""))]);
    }
}

//! Text is UTF-8 (RFC 6455 sections 5.6 and 8.1), and nothing after the first invalid byte is examined.

use websocket_proto::{MessageKind, ProtocolError, SendError};

use crate::checks::{assert_sent, fails, peer, receive, text};
use crate::support::{ROLES, open};

/// Bytes that aren't UTF-8, and the position of the first invalid one.
const INVALID: [(&[u8], usize); 22] = [
    // Alone, or at the beginning of a character.
    (b"\x80", 0),
    (b"\xbf", 0),
    (b"a\x80", 1),
    (b"\xc3\xa9\xa9", 2),
    (b"\xfe", 0),
    (b"\xff", 0),
    // Cut short by another character.
    (b"\xc3\x28", 1),
    (b"\xe2\x82(", 2),
    (b"\xf0\x9f\x98(", 3),
    (b"\xf0\x9f\xc3\xa9", 2),
    // Longer than needed.
    (b"\xc0\x80", 0),
    (b"\xc1\xbf", 0),
    (b"\xe0\x80\x80", 1),
    (b"\xe0\x9f\xbf", 1),
    (b"\xf0\x80\x80\x80", 1),
    (b"\xf0\x8f\xbf\xbf", 1),
    // Surrogates.
    (b"\xed\xa0\x80", 1),
    (b"\xed\xbf\xbf", 1),
    (b"\xed\xa0\xbd\xed\xb8\x80", 1),
    // Beyond U+10FFFF.
    (b"\xf4\x90\x80\x80", 1),
    (b"\xf5\x80\x80\x80", 0),
    (b"\xf8\x88\x80\x80\x80", 0),
];

/// Both sides of every border between the forms of a character.
const VALID: &str = "\0\u{7f}\u{80}\u{7ff}\u{800}\u{fff}\u{1000}\u{d7ff}\u{e000}\u{fffd}\u{ffff}\u{10000}\u{3ffff}\
    \u{40000}\u{10ffff} κόσμε 👋🏽";

/// The length of the header of a frame received by that role.
fn header(role: websocket_proto::Role, length: usize) -> usize {
    peer(role, &[(0x81, &vec![0; length])]).len() - length
}

/// B-82, B-83: the first invalid byte fails the connection, before the rest of the frame has arrived.
#[test]
fn invalid_text_is_refused_at_its_first_impossible_byte() {
    for role in ROLES {
        for (bytes, at) in INVALID {
            for before in ["", "text ", "κόσμε 👋🏽 ", &"long ".repeat(100)] {
                let payload = [before.as_bytes(), bytes, b" and much behind it"].concat();
                let needed = fails(role, &peer(role, &[(0x81, &payload)]), ProtocolError::InvalidUtf8);
                assert_eq!(needed, header(role, payload.len()) + before.len() + at + 1, "{payload:02x?}");
            }
        }
    }
}

/// B-82, B-83: the same in fragments, one byte each, with an empty one and a ping between them.
#[test]
fn invalid_text_in_fragments_is_refused_at_its_first_impossible_byte() {
    for role in ROLES {
        for (bytes, at) in INVALID {
            let mut input = peer(role, &[(0x01, b"")]);
            let mut expected = 0;
            for (i, byte) in bytes.iter().enumerate() {
                input.extend(peer(role, &[(0x00, &[*byte])]));
                if i == at {
                    expected = input.len();
                }
                input.extend(peer(role, &[(0x00, b""), (0x89, b"ping")]));
            }
            assert_eq!(fails(role, &input, ProtocolError::InvalidUtf8), expected, "{bytes:02x?}");
        }
    }
}

/// B-82: text that ends inside a character is rejected at its last byte: of the frame, or of the last fragment's header
/// if that fragment is empty.
#[test]
fn text_does_not_end_inside_a_character() {
    for role in ROLES {
        for cut in [&b"\xc3"[..], b"\xe2\x82", b"\xf0", b"\xf0\x9f", b"\xf0\x9f\x98", b"whole \xf4\x8f\xbf"] {
            for script in [&[(0x81, cut)][..], &[(0x01, cut), (0x80, b"")], &[(0x01, b""), (0x00, cut), (0x80, b"")]] {
                let bytes = peer(role, script);
                assert_eq!(fails(role, &bytes, ProtocolError::InvalidUtf8), bytes.len(), "{script:02x?}");
            }
        }
    }
}

/// B-54: text may be split anywhere, also inside characters, with control frames between.
#[test]
fn fragments_may_split_characters() {
    for role in ROLES {
        let mut conn = open(role);
        let smile = "😀".as_bytes();
        let quarters: [(u8, &[u8]); 5] =
            [(0x01, &smile[..1]), (0x00, &smile[1..2]), (0x00, &smile[2..3]), (0x00, &smile[3..]), (0x80, b"")];
        assert_eq!(receive(&mut conn, &peer(role, &quarters)), [text("😀")]);

        let bytes = VALID.as_bytes();
        for a in 0..=bytes.len() {
            for b in a..=bytes.len() {
                let script = [(0x01, &bytes[..a]), (0x00, &bytes[a..b]), (0x80, &bytes[b..])];
                assert_eq!(receive(&mut conn, &peer(role, &script)), [text(VALID)], "cut at {a} and {b}");
            }
        }
    }
}

/// B-54: every character there is.
#[test]
fn every_character_arrives() {
    let all: String = ('\0'..=char::MAX).collect();
    for role in ROLES {
        let mut conn = open(role);
        let bytes = peer(role, &[(0x81, all.as_bytes())]);
        let (before, behind) = bytes.split_at(bytes.len() / 2 + 1);
        assert_eq!(receive(&mut conn, before), []);
        assert!(receive(&mut conn, behind) == [text(&all)]);
        assert!(receive(&mut conn, &bytes) == [text(&all)]);
    }
}

/// B-55, B-63: binary messages aren't text, also right after one and in fragments.
#[test]
fn binary_data_need_not_be_text() {
    for role in ROLES {
        let mut conn = open(role);
        for (bytes, _) in INVALID {
            let script = [(0x82, bytes), (0x02, bytes), (0x80, bytes), (0x81, b"text")];
            assert_eq!(receive(&mut conn, &peer(role, &script)).len(), 3);
        }
    }
}

/// B-54: text that we send in fragments is validated too; an invalid fragment is rejected and not sent, and the message
/// continues.
#[test]
fn sent_text_is_utf8_over_fragments() {
    for role in ROLES {
        let mut conn = open(role);
        let mut send = |data: &[u8], last| conn.send_fragment(MessageKind::Text, data, last);
        assert_eq!(send(b"\xff", true), Err(SendError::InvalidUtf8));
        assert_eq!(send(b"\xf0\x9f", true), Err(SendError::InvalidUtf8));
        assert_eq!(send(b"\xf0\x9f", false), Ok(()));
        assert_eq!(send(b"(", false), Err(SendError::InvalidUtf8));
        assert_eq!(send(b"", true), Err(SendError::InvalidUtf8));
        assert_eq!(send(b"\x98", true), Err(SendError::InvalidUtf8));
        assert_eq!(send(b"\x98", false), Ok(()));
        assert_eq!(send(b"\x80\x80", true), Err(SendError::InvalidUtf8));
        assert_eq!(send(b"\x80", true), Ok(()));
        assert_eq!(send(b"\x80", true), Err(SendError::InvalidUtf8));
        assert_eq!(conn.send_fragment(MessageKind::Binary, b"\xff", true), Ok(()));
        assert_sent(&mut conn, &[(0x01, b"\xf0\x9f"), (0x00, b"\x98"), (0x80, b"\x80"), (0x82, b"\xff")]);
    }
}

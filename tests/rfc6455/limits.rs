//! Limits are exact and finite by default (RFC 6455 section 10.4): `n` passes, `n + 1` doesn't, and the header is
//! enough to decide.

use websocket_proto::{Config, ProtocolError, Role};

use crate::checks::{Script, assert_sent, binary, fails_with, peer, receive, text};
use crate::support::{ROLES, open, open_with};

/// The frame's first bytes up to its length, without the masking key and the payload.
fn until_length(role: Role, first: u8, payload: &[u8]) -> usize {
    let key = if role == Role::Server { 4 } else { 0 };
    peer(role, &[(first, payload)]).len() - payload.len() - key
}

/// B-89: a frame with as many bytes as the limit passes; one more is rejected by the length in its header.
#[test]
fn the_frame_limit_is_exact() {
    for role in ROLES {
        for limit in [0, 1, 125, 126, 65_535, 65_536_usize] {
            let config = Config::new().max_frame_size(limit as u64);
            let mut conn = open_with(role, config.clone());
            let data = vec![7; limit + 1];
            assert_eq!(receive(&mut conn, &peer(role, &[(0x82, &data[1..])])), [binary(&data[1..])]);
            let script = [(0x02, &data[1..]), (0x80, &data[1..])];
            assert_eq!(receive(&mut conn, &peer(role, &script)), [binary(&data[1..].repeat(2))]);

            let bytes = peer(role, &[(0x82, &data)]);
            let needed = fails_with(config, role, &bytes, ProtocolError::FrameTooLarge);
            assert_eq!(needed, until_length(role, 0x82, &data), "{limit}");
        }
    }
}

/// B-89: a message with as many bytes as the limit passes, in one frame or in several; the header of the frame that
/// would exceed it is rejected.
#[test]
fn the_message_limit_is_exact() {
    let config = Config::new().max_message_size(300);
    let data = [7; 301];
    let whole: [Script; 4] = [
        &[(0x82, &data[..300])],
        &[(0x02, &data[..100]), (0x80, &data[..200])],
        &[(0x02, &data[..300]), (0x00, b""), (0x80, b"")],
        &[(0x02, b""), (0x89, &data[..125]), (0x80, &data[..300])],
    ];
    let over: [Script; 5] = [
        &[(0x82, &data)],
        &[(0x02, &data[..300]), (0x80, &data[..1])],
        &[(0x02, &data[..100]), (0x00, &data[..100]), (0x80, &data[..101])],
        &[(0x01, b""), (0x80, &data)],
        &[(0x01, b"text"), (0x89, &data[..125]), (0x80, &data[..297])],
    ];
    for role in ROLES {
        let mut conn = open_with(role, config.clone());
        // Again and again: a finished message frees its share for the next.
        for script in whole.iter().cycle().take(20) {
            assert_eq!(receive(&mut conn, &peer(role, script)).last(), Some(&binary(&data[..300])));
        }
        for script in over {
            let (last, before) = script.split_last().unwrap();
            let needed = fails_with(config.clone(), role, &peer(role, script), ProtocolError::MessageTooLarge);
            assert_eq!(needed, peer(role, before).len() + until_length(role, last.0, last.1));
        }
    }
}

/// B-28, B-89: as many frames as the limit make a message; the first byte of the next is rejected. Empty fragments
/// count, control frames don't.
#[test]
fn the_fragment_limit_is_exact() {
    for role in ROLES {
        for limit in [1, 2, 3, 100] {
            let config = Config::new().max_fragments(limit);
            let fragments = |count: u32, end: &[(u8, &[u8])]| {
                let middle = (1..count - 1).map(|_| (0x00, &b""[..]));
                let script: Vec<_> = [(0x01, &b""[..])].into_iter().chain(middle).collect();
                [peer(role, &script), peer(role, &[(0x89, b"")]), peer(role, end)].concat()
            };
            let mut conn = open_with(role, config.clone());
            for _ in 0..3 {
                assert_eq!(receive(&mut conn, &peer(role, &[(0x81, b"single")])), [text("single")]);
                if limit > 1 {
                    let bytes = fragments(limit, &[(0x80, b"end")]);
                    assert_eq!(receive(&mut conn, &bytes).last(), Some(&text("end")), "{limit}");
                }
            }
            for first in [0x00, 0x80] {
                let bytes = fragments(limit + 1, &[(first, b"end")]);
                let needed = fails_with(config.clone(), role, &bytes, ProtocolError::TooManyFragments);
                assert_eq!(needed, fragments(limit + 1, &[]).len() + 1, "{limit}");
            }
        }
    }
}

/// B-89: a limit of 0 fragments means 1: whole messages always pass.
#[test]
fn a_message_has_at_least_one_frame() {
    for role in ROLES {
        let mut conn = open_with(role, Config::new().max_fragments(0));
        assert_eq!(receive(&mut conn, &peer(role, &[(0x81, b"whole")])), [text("whole")]);
    }
}

/// B-89: the defaults: 16 MiB for a frame and a message, 131,072 fragments. Headers alone are enough.
#[test]
fn every_default_is_finite() {
    const SIZE: u64 = 16 << 20;
    for role in ROLES {
        let mask = if role == Role::Server { 0x80 } else { 0 };
        let header = |first: u8, length: u64| [&[first, mask | 127][..], &length.to_be_bytes()].concat();
        assert_eq!(receive(&mut open(role), &header(0x82, SIZE)), []);
        let over = header(0x82, SIZE + 1);
        assert_eq!(fails_with(Config::new(), role, &over, ProtocolError::FrameTooLarge), over.len());

        let start = peer(role, &[(0x02, b"x")]);
        assert_eq!(receive(&mut open(role), &[start.clone(), header(0x80, SIZE - 1)].concat()), []);
        let over = [start, header(0x80, SIZE)].concat();
        assert_eq!(fails_with(Config::new(), role, &over, ProtocolError::MessageTooLarge), over.len());

        let mut conn = open(role);
        let fragments = [peer(role, &[(0x01, b"")]), peer(role, &[(0x00, b"")]).repeat(131_070)].concat();
        assert_eq!(receive(&mut conn, &fragments), []);
        assert_eq!(receive(&mut conn, &peer(role, &[(0x80, b"end")])), [text("end")]);
        let over = [fragments, peer(role, &[(0x00, b"")]), vec![0x80]].concat();
        assert_eq!(fails_with(Config::new(), role, &over, ProtocolError::TooManyFragments), over.len());
    }
}

/// B-89: limits apply to received messages; you may send larger ones.
#[test]
fn limits_do_not_bind_what_is_sent() {
    for role in ROLES {
        let mut conn = open_with(role, Config::new().max_frame_size(1).max_message_size(1).max_fragments(1));
        conn.send_text("longer").unwrap();
        assert_sent(&mut conn, &[(0x81, b"longer")]);
    }
}

/// B-89, B-30: control frames have their own limit, 125 bytes, whatever those of messages are.
#[test]
fn limits_of_messages_do_not_bind_control_frames() {
    for role in ROLES {
        let mut conn = open_with(role, Config::new().max_frame_size(0).max_message_size(0));
        let payload = [7; 125];
        assert_eq!(receive(&mut conn, &peer(role, &[(0x89, &payload), (0x81, b""), (0x8a, &payload)])).len(), 3);
        assert_sent(&mut conn, &[(0x8a, &payload)]);
    }
}

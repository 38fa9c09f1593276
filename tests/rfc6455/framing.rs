//! Single frames (RFC 6455 sections 5.2, 5.3 and 5.6): every header, every mask, every payload.

use websocket_proto::{Config, Connection, Event, MessageKind, ProtocolError, Role};

use crate::checks::{assert_sent, binary, fails, fails_with, owned_events, peer, receive, sent_frames, text};
use crate::support::{ROLES, client, drain, frame, open, open_with, other, raw_frame, server};

/// Both sides of every border between the length forms.
const SIZES: [usize; 11] = [0, 1, 125, 126, 127, 128, 255, 256, 65_535, 65_536, 65_537];

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 31) as u8).collect()
}

/// The start of a frame from the connection's peer: the mask bit is right, the rest as given.
fn header(role: Role, first: u8, length: u8, rest: &[u8]) -> Vec<u8> {
    let mask = if role == Role::Server { 0x80 } else { 0 };
    [&[first, mask | length], rest].concat()
}

/// B-01, B-07, B-08, B-13, B-18, B-25: one frame with FIN is one message, of every form of length, payload unchanged.
#[test]
fn a_single_frame_is_a_whole_message() {
    for role in ROLES {
        let mut conn = open(role);
        for size in SIZES {
            let data = bytes(size);
            assert_eq!(receive(&mut conn, &peer(role, &[(0x82, &data)])), [binary(&data)]);
            let letters = "a".repeat(size);
            assert_eq!(receive(&mut conn, &peer(role, &[(0x81, letters.as_bytes())])), [text(&letters)]);
        }
        assert_sent(&mut conn, &[]);
    }
}

/// B-12: a frame is header, key and payload: it ends with exactly that byte, and the next begins after it.
#[test]
fn a_frame_ends_where_its_length_says() {
    for role in ROLES {
        let key = if role == Role::Server { 4 } else { 0 };
        for (size, header) in [(0, 2), (1, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let frame = peer(role, &[(0x82, &bytes(size))]);
            assert_eq!(frame.len(), header + key + size);
            let mut conn = open(role);
            assert_eq!(receive(&mut conn, &frame[..frame.len() - 1]), []);
            assert_eq!(receive(&mut conn, &frame[frame.len() - 1..]), [binary(&bytes(size))]);
            assert_eq!(receive(&mut conn, &peer(role, &[(0x81, b"next")])), [text("next")]);
        }
    }
}

/// B-55, B-13: binary data is any bytes at all.
#[test]
fn binary_messages_hold_every_byte() {
    let all: Vec<u8> = (0..=255).collect();
    for role in ROLES {
        let mut conn = open(role);
        assert_eq!(receive(&mut conn, &peer(role, &[(0x82, &all)])), [binary(&all)]);
        conn.send_binary(&all).unwrap();
        conn.send(all.clone()).unwrap();
        assert_sent(&mut conn, &[(0x82, &all), (0x82, &all)]);
    }
}

/// B-02, B-59, B-60: a decoder written from the RFC reads what is sent: opcode, FIN, no reserved bits.
#[test]
fn what_is_sent_is_what_was_meant() {
    for role in ROLES {
        for size in SIZES.into_iter().chain([4095, 4096, 8191, 8192, 8193, 16_385]) {
            let (data, letters) = (bytes(size), "é".repeat(size));
            let mut conn = open(role);
            conn.send_text(&letters).unwrap();
            conn.send_binary(&data).unwrap();
            conn.send(letters.clone()).unwrap();
            conn.send(data.clone()).unwrap();
            conn.send_fragment(MessageKind::Text, letters.as_bytes(), true).unwrap();
            conn.send_fragment(MessageKind::Binary, &data, true).unwrap();
            let (letters, data) = (letters.as_bytes(), &data[..]);
            assert_sent(
                &mut conn,
                &[(0x81, letters), (0x82, data), (0x81, letters), (0x82, data), (0x81, letters), (0x82, data)],
            );
        }
    }
}

/// B-10: a length is sent in its shortest form, whichever call sends it.
#[test]
fn lengths_are_sent_in_the_shortest_form() {
    const FORMS: [(usize, &[u8]); 7] = [
        (0, &[0]),
        (125, &[125]),
        (126, &[126, 0, 126]),
        (255, &[126, 0, 255]),
        (256, &[126, 1, 0]),
        (65_535, &[126, 255, 255]),
        (65_536, &[127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ];
    let calls: [fn(&mut Connection, Vec<u8>); 3] = [
        |conn, data| conn.send_binary(&data).unwrap(),
        |conn, data| conn.send(data).unwrap(),
        |conn, data| conn.send_fragment(MessageKind::Binary, &data, true).unwrap(),
    ];
    for role in ROLES {
        for (size, form) in FORMS {
            for call in calls {
                let mut conn = open(role);
                call(&mut conn, bytes(size));
                let output = drain(&mut conn);
                assert!(output.starts_with(&header(other(role), 0x82, form[0], &form[1..])), "{role:?} {size}");
                let key = if role == Role::Client { 4 } else { 0 };
                assert_eq!(output.len(), 1 + form.len() + key + size);
            }
        }
    }
}

/// B-03, B-05, B-06, B-20, B-31: the first byte is rejected alone if no second byte could make it valid; the length
/// isn't awaited, so a huge one costs nothing.
#[test]
fn every_first_byte_is_judged_at_once() {
    for role in ROLES {
        for first in 0..=255_u8 {
            let opcode = first & 15;
            let expected = if first & 0x70 != 0 {
                ProtocolError::ReservedBits
            } else if matches!(opcode, 3..8 | 11..) {
                ProtocolError::ReservedOpcode
            } else if opcode >= 8 && first < 0x80 {
                ProtocolError::FragmentedControl
            } else if opcode == 0 {
                ProtocolError::UnexpectedContinuation
            } else {
                let mut conn = open(role);
                assert_eq!(receive(&mut conn, &[first]), [], "{role:?} {first:02x}");
                assert_sent(&mut conn, &[]);
                continue;
            };
            let huge = header(role, first, 127, &[0x7f, 255, 255, 255, 255, 255, 255, 255]);
            assert_eq!(fails(role, &huge, expected), 1, "{role:?} {first:02x}");
        }
    }
}

/// B-09: a 64-bit length has 63 bits; its first byte shows a violation.
#[test]
fn a_length_with_its_top_bit_set_is_no_size() {
    for role in ROLES {
        for rest in [[0x80, 0, 0, 0, 0, 0, 0, 0], [0x80, 0, 0, 0, 0, 0, 0, 5], [255; 8]] {
            for first in [0x81, 0x82, 0x01] {
                let bytes = header(role, first, 127, &rest);
                assert_eq!(fails(role, &bytes, ProtocolError::LengthTopBit), 3);
            }
        }
    }
}

/// B-11: a form longer than needed is rejected.
#[test]
fn longer_forms_than_needed_are_refused() {
    for role in ROLES {
        for length in [0, 3, 125_u16] {
            let bytes = header(role, 0x82, 126, &length.to_be_bytes());
            assert_eq!(fails(role, &bytes, ProtocolError::LengthForm), 4);
        }
        for length in [0, 3, 125, 126, 65_535_u64] {
            let bytes = header(role, 0x82, 127, &length.to_be_bytes());
            assert_eq!(fails(role, &bytes, ProtocolError::LengthForm), 8);
        }
    }
}

/// B-08, B-90: lengths around 2^32 and up to 2^63 - 1 are read correctly, and allocate nothing.
#[test]
fn lengths_keep_all_their_bits() {
    const LENGTHS: [u64; 6] = [(1 << 32) - 1, 1 << 32, (1 << 32) + 1, (1 << 32) + 5, (1 << 62) + 1, (1 << 63) - 1];
    for role in ROLES {
        for length in LENGTHS {
            let bytes = header(role, 0x82, 127, &length.to_be_bytes());
            let limit = |limit| Config::new().max_frame_size(limit).max_message_size(u64::MAX);
            let mut conn = open_with(role, limit(length));
            assert_eq!(receive(&mut conn, &[&bytes, &[0_u8; 100][..]].concat()), [], "{length:x}");
            assert_sent(&mut conn, &[]);
            let needed = fails_with(limit(length - 1), role, &bytes, ProtocolError::FrameTooLarge);
            assert_eq!(needed, 10, "{length:x}");
        }
    }
}

/// B-16, B-17: the payload is unmasked as octet i XOR key octet i mod 4, wherever it is in memory, and wherever the
/// input splits it.
#[test]
fn unmasking_agrees_with_the_rfc_at_every_length_place_and_cut() {
    let mut conn = server();
    for length in 0..=300 {
        let data = bytes(length);
        for place in 0..64 {
            let phase = (place + length) % 8;
            let mut buffer = vec![0; place];
            buffer.extend(raw_frame(0x82, Some([0x12, 0x34, 0x56, 0xf8]), &data));
            let cut = buffer.len() - length + phase.min(length);
            let (before, behind) = buffer.split_at_mut(cut);
            let mut events = Vec::new();
            for mut input in [&mut before[place..], behind] {
                while let Some(event) = conn.receive(&mut input) {
                    events.push(event.into_owned());
                }
            }
            assert_eq!(owned_events(events), [binary(&data)], "{length} bytes at {place}, cut at {phase}");
        }
    }
}

/// B-17: the key continues where the chunk before ended.
#[test]
fn the_mask_goes_on_over_pieces() {
    let data = bytes(1000);
    let whole = frame(Role::Client, 0x82, &data);
    for size in [1, 2, 3, 5, 7, 64] {
        let mut conn = server();
        let events = whole.chunks(size).flat_map(|chunk| receive(&mut conn, chunk)).collect::<Vec<_>>();
        assert_eq!(events, [binary(&data)], "in chunks of {size}");
    }
}

/// B-16: payloads that a client masks are unmasked by the RFC's formula, at every length, also across the blocks of the
/// masking loop.
#[test]
fn masking_agrees_with_the_rfc_at_every_length() {
    let mut conn = client();
    for length in (0..=300).chain([8191, 8192, 8193, 8195, 20_000]) {
        let data = bytes(length);
        conn.send_binary(&data).unwrap();
        assert_eq!(sent_frames(&mut conn), [(0x82, data)]);
    }
}

/// B-91: a frame with the wrong mask bit is rejected at its second byte, control frames included.
#[test]
fn the_mask_bit_belongs_to_the_role() {
    let errors = [(Role::Server, ProtocolError::UnmaskedFrame), (Role::Client, ProtocolError::MaskedFrame)];
    for (role, error) in errors {
        for first in [0x81, 0x82, 0x01, 0x88, 0x89, 0x8a] {
            let bytes = frame(role, first, b"\x03\xe8");
            assert_eq!(fails(role, &bytes, error), 2);
        }
    }
}

/// B-15: a message that lies whole in the input is borrowed from it, not copied.
#[test]
fn whole_messages_borrow_the_input() {
    for role in ROLES {
        let mut conn = open(role);
        let mut arrived = frame(other(role), 0x81, b"Hello");
        let range = arrived.as_ptr_range();
        let Some(Event::Text(text)) = conn.receive(&mut &mut arrived[..]) else { panic!("a text") };
        assert!(range.contains(&text.as_ptr()));
    }
}

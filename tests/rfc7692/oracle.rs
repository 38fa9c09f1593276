//! The inflater that the other tests rely on, checked against RFC 7692's examples and its own writers.

use crate::inflate::Symbol::{Copy, Literal};
use crate::inflate::{Block, Fault, Inflater, Writer, inflate};

fn message(payload: &[u8]) -> Result<Vec<u8>, Fault> {
    inflate(payload, b"", 1 << 15).map(|inflated| inflated.bytes)
}

/// RFC 7692 section 7.2.3, written and read.
#[test]
fn the_examples_of_the_rfc() {
    let hello = || Writer::default().literals(false, b"Hello");
    assert_eq!(hello().message(), b"\xf2\x48\xcd\xc9\xc9\x07\x00");
    assert_eq!(Writer::default().stored(false, b"Hello").message(), b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00");
    assert_eq!(Writer::default().literals(true, b"Hello").message(), b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00");
    let two = Writer::default().literals(false, b"He").stored(false, b"").literals(false, b"llo");
    assert_eq!(two.message(), b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00");
    let again = Writer::default().fixed(false, [Literal(b'H'), Copy(4, 5)]);
    assert_eq!(again.message(), b"\xf2\x00\x11\x00\x00");
    assert_eq!(Writer::default().message(), b"\x00");

    let mut inflater = Inflater::new(15, true);
    for (payload, text) in [
        (&b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..], "Hello"),
        (b"\xf2\x00\x11\x00\x00", "Hello"),
        (b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "Hello"),
        (b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello"),
        (b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello"),
        (b"\x00", ""),
    ] {
        assert_eq!(inflater.message(payload).unwrap().bytes, text.as_bytes());
    }
}

/// A block with dynamic codes, bit by bit: thirty-two times "abaabbb".
#[test]
fn a_block_with_codes_of_its_own() {
    // HLIT 257, HDIST 1, HCLEN 18: codes 0 for "a", 10 for "b" and 11 for the end; no distance.
    let mut bits = String::from("0 01 00000 00000 0111");
    // The lengths of the code's codes, for 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1: 18 and 1 and 2 and 0 have two bits.
    for used in [0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2_u8] {
        bits.extend((0..3).map(|i| if used >> i & 1 == 1 { '1' } else { '0' }));
    }
    // In the order of the symbols: 0 is 00, 1 is 01, 2 is 10, 18 is 11; 11 and seven bits are 11 zeros and more.
    let zeros =
        |count: u8| format!("11 {}", (0..7).map(|i| char::from(b'0' + ((count - 11) >> i & 1))).collect::<String>());
    bits += &[&zeros(97), " 01 10", &zeros(138), &zeros(19), " 10", " 00"].concat();
    bits += &"0 10 0 0 10 10 10".repeat(32);
    bits += "11";
    // The empty block of the end.
    bits += "000";
    let bits: Vec<_> = bits.chars().filter(|bit| *bit != ' ').map(|bit| u8::from(bit == '1')).collect();
    let payload: Vec<u8> = bits.chunks(8).map(|bits| bits.iter().rev().fold(0, |byte, bit| 2 * byte + bit)).collect();
    let inflated = inflate(&payload, b"", 512).unwrap();
    assert_eq!(inflated.bytes, b"abaabbb".repeat(32));
    assert_eq!(inflated.blocks[0], Block { last: false, kind: 2, length: 224 });
}

/// Every literal, every length and every code of a distance comes back as it was written.
#[test]
fn what_is_written_is_read() {
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(message(&Writer::default().literals(false, &all).message()).unwrap(), all);
    let long: Vec<u8> =
        (0..32_768_u32).flat_map(|i| i.wrapping_mul(2_654_435_769).to_be_bytes()).take(32_768).collect();
    for bit in 0..15 {
        for distance in [1 << bit, (1 << bit) + 1, (3 << bit) / 2, (2 << bit) - 1, 2 << bit] {
            let payload = Writer::default().fixed(false, [Copy(3, distance)]).message();
            let from = long.len() - distance;
            let expected: Vec<_> = long[from..].iter().copied().cycle().take(3).collect();
            let inflated = inflate(&payload, &long, distance);
            assert_eq!(inflated.unwrap().bytes, expected, "{distance}");
            assert_eq!(inflate(&payload, &long, distance - 1), Err(Fault::Distance));
            assert_eq!(inflate(&payload, &long[from + 1..], 1 << 15), Err(Fault::Distance));
        }
    }
}

/// Invalid messages.
#[test]
fn what_is_not_a_message() {
    for (payload, fault) in [
        (&b""[..], Fault::Cut),
        (b"\xf2\x48", Fault::Cut),
        (b"\xf2\x48\xcd\xc9\xc9\x07", Fault::Cut),
        (b"\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff", Fault::Cut),
        (b"\x00\x04\x00\xfb\xff", Fault::Cut),
        (b"\x06", Fault::Type),
        (b"\x07", Fault::Type),
        (b"\x00\x05\x00\x05\x00", Fault::Length),
        (b"\xf2\x40\x30\x01\x00", Fault::Distance),
    ] {
        assert_eq!(message(payload), Err(fault), "{payload:02x?}");
    }
}

/// A window slides over the messages with takeover, and is new for each without.
#[test]
fn the_past_is_the_window() {
    let copy = Writer::default().fixed(false, [Copy(3, 512)]).message();
    let (mut keeps, mut forgets) = (Inflater::new(9, true), Inflater::new(9, false));
    for inflater in [&mut keeps, &mut forgets] {
        inflater.message(&Writer::default().stored(false, &[b'a'; 512]).message()).unwrap();
    }
    assert_eq!(keeps.message(&copy).unwrap().bytes, b"aaa");
    assert_eq!(forgets.message(&copy), Err(Fault::Distance));
    keeps.message(&Writer::default().stored(false, b"b").message()).unwrap();
    let far = Writer::default().fixed(false, [Copy(3, 513)]).message();
    assert_eq!(keeps.message(&far), Err(Fault::Distance));
}

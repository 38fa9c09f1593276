//! Flow control: what a peer sends and doesn't read stays on its own side.

use super::pair::{Pair, frame};

/// The windows of a stream and what the connection holds before it stops reading, with some space for what is counted in
/// other units.
const HELD: usize = 1 << 20;

#[test]
fn a_peer_that_does_not_read_its_answers_is_not_read_from() {
    let mut pair = Pair::new();
    let stream = pair.open();
    let message = frame(0x82, &[7; 10_000]);
    let mut sent = 0;
    // It would have sent 10 MB if it could.
    for _ in 0..1_000 {
        let count = pair.send(stream, &message);
        sent += count;
        if count < message.len() {
            break;
        }
    }
    assert!(sent < HELD, "{sent} bytes were accepted");
    assert!(pair.server.connections().all(|conn| conn.pending_output() < HELD));

    // Once it reads, everything goes on, and nothing is lost.
    let whole = sent / message.len();
    let rest = &message[sent % message.len()..];
    let (mut left, mut received) = (rest, Vec::new());
    while !left.is_empty() || received.len() < (whole + 1) * 10_004 {
        received.extend(pair.read(stream));
        let count = pair.send(stream, left);
        left = &left[count..];
    }
    let echo = [&[0x82, 126, 0x27, 0x10][..], &[7; 10_000]].concat();
    assert_eq!(received.len(), (whole + 1) * echo.len());
    assert!(received.chunks(echo.len()).all(|chunk| chunk == echo));
}

#[test]
fn a_peer_that_does_not_read_holds_up_no_other() {
    let mut pair = Pair::new();
    let (slow, other) = (pair.open(), pair.open());
    let message = frame(0x82, &[7; 10_000]);
    while pair.send(slow, &message) == message.len() {}
    pair.send(other, &frame(0x81, b"here"));
    assert_eq!(pair.read(other), b"\x81\x04here");
}

/// The boundaries of DATA frames mean nothing, and neither do empty ones.
#[test]
fn frames_however_they_are_cut() {
    let mut pair = Pair::new();
    let stream = pair.open();
    for byte in frame(0x81, b"hello") {
        pair.send(stream, &[byte]);
        // Some that are empty: quiche itself sends none without FIN, so they are written below HTTP/3.
        for _ in 0..3 {
            pair.quic.stream_send(stream, &[0, 0], false).unwrap();
        }
    }
    pair.run();
    assert_eq!(pair.read(stream), b"\x81\x05hello");
}

#[test]
fn a_message_larger_than_all_windows() {
    let mut pair = Pair::new();
    let stream = pair.open();
    let payload: Vec<u8> = (0..5_000_000_u32).map(|at| (at % 251) as u8).collect();
    let message = frame(0x82, &payload);
    let (mut left, mut received) = (&message[..], Vec::new());
    while !left.is_empty() || received.len() < payload.len() + 10 {
        let count = pair.send(stream, left);
        left = &left[count..];
        received.extend(pair.read(stream));
    }
    assert_eq!(received[..2], [0x82, 127]);
    assert_eq!(received[10..], payload);
}

//! Received frames give the results of the naive [reference](crate::reference) decoder.

use proptest::prelude::*;
use websocket_proto::{ProtocolError, Role};

use crate::generate::{cases, limits, role_and_stream};
use crate::reference::{Decoded, EventCollector, decode};
use crate::support::{feed, open_with, other, sent};

proptest! {
    #![proptest_config(cases(2000))]

    /// B-03, B-05, B-06, B-09, B-11, B-16, B-20, B-21, B-24, B-27, B-28, B-30, B-31, B-33, B-34, B-35, B-37, B-38,
    /// B-48, B-51, B-54, B-63, B-67, B-68, B-69, B-71, B-81, B-82, B-89, B-91: any stream gives the messages, the error
    /// and the answers that the text of the RFC and the limits require; messages below the threshold are whole.
    #[test]
    fn a_stream_says_what_the_reference_says((role, stream) in role_and_stream(), limits in limits()) {
        let mut conn = open_with(role, limits.config());
        let mut collector = EventCollector::new(limits.in_pieces_from());
        for event in feed(&mut conn, &stream) {
            collector.push(event);
        }
        let decoded = collector.decoded();
        prop_assert_eq!(&decoded, &decode(other(role), &stream, &limits));

        let answers: Vec<_> = decoded.iter().filter_map(answer).collect();
        let sent = sent(&mut conn);
        prop_assert!(sent.iter().all(|frame| frame.key.is_some() == (role == Role::Client)));
        prop_assert_eq!(sent.into_iter().map(|frame| (frame.first, frame.payload)).collect::<Vec<_>>(), answers);
    }

    /// B-05, B-30, B-71, B-83: every byte is checked when it arrives, in the middle of a header, a character or a
    /// payload as well, and nothing after the last event. If a message comes in chunks, each byte is delivered when it
    /// arrives, except for an incomplete character.
    #[test]
    fn every_byte_is_judged_when_it_comes((role, stream) in role_and_stream(), limits in limits()) {
        let mut conn = open_with(role, limits.config());
        let stream = &stream[..stream.len().min(300)];
        let mut collector = EventCollector::new(limits.in_pieces_from());
        for (at, byte) in stream.iter().enumerate() {
            for event in feed(&mut conn, &[*byte]) {
                collector.push(event);
            }
            prop_assert_eq!(collector.decoded(), decode(other(role), &stream[..=at], &limits), "behind byte {}", at);
        }
    }
}

/// The frame that answers: RFC 6455 sections 5.5.1, 5.5.2 and 7.4.1.
fn answer(decoded: &Decoded) -> Option<(u8, Vec<u8>)> {
    match decoded {
        Decoded::Text(_) | Decoded::Binary(_) | Decoded::Pong(_) | Decoded::Part(_) => None,
        Decoded::Ping(payload) => Some((0x8a, payload.clone())),
        Decoded::Close(1005, _) => Some((0x88, Vec::new())),
        Decoded::Close(code, reason) => Some((0x88, [&code.to_be_bytes()[..], reason.as_bytes()].concat())),
        Decoded::Wrong(error) => Some((0x88, code_for(*error).to_be_bytes().to_vec())),
    }
}

fn code_for(error: ProtocolError) -> u16 {
    match error {
        ProtocolError::InvalidUtf8 | ProtocolError::CloseReason => 1007,
        ProtocolError::FrameTooLarge | ProtocolError::MessageTooLarge | ProtocolError::TooManyFragments => 1009,
        _ => 1002,
    }
}

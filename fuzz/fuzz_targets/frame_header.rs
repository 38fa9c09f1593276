//! A frame with arbitrary fields is judged as the sentences of RFC 6455 section 5 say, one after the other: the
//! violation that shows first is reported, at the byte that shows it, and a valid frame gives its event.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use websocket_proto::{Cause, CloseCode, Connection, Event, Negotiated, ProtocolError, Role, Seed};
use websocket_proto_fuzz::{SMALL_FRAGMENTS, SMALL_FRAME, SMALL_MESSAGE, Watched, config, first_impossible};

#[path = "../../tests/support/mod.rs"]
mod support;

#[derive(Arbitrary, Debug)]
struct Input {
    small: bool,
    from_server: bool,
    /// The number of fragments that came before, and whether the message is text.
    before: u8,
    text: bool,
    first: u8,
    key: Option<[u8; 4]>,
    form: Form,
    /// Replaces the payload's length.
    announced: Option<u64>,
    payload: Vec<u8>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Form {
    Shortest,
    Medium,
    Long,
}

const FRAGMENT: &[u8] = b"twelve bytes";

fuzz_target!(|input: Input| {
    let role = if input.from_server { Role::Client } else { Role::Server };
    let mut conn = Watched::new(match role {
        Role::Client => Connection::upgraded_client(Negotiated::new(), config(input.small), Seed::new([7; 32])),
        Role::Server => Connection::upgraded_server(Negotiated::new(), config(input.small)),
    });
    let before = u32::from(input.before) % (SMALL_FRAGMENTS + 1);
    for i in 0..before {
        let first = if i > 0 { 0 } else { 2 - u8::from(input.text) };
        conn.receive(&support::frame(support::other(role), first, FRAGMENT), |_, _| panic!("nothing is whole"));
    }

    let length = input.announced.unwrap_or(input.payload.len() as u64);
    let (header, length) = header(&input, length);
    let payload = &input.payload[..input.payload.len().min(usize::try_from(length).unwrap_or(usize::MAX))];
    let broken = broken_rules(&input, role, before, length);
    let mut outcome = None;
    for (i, byte) in header.iter().enumerate() {
        conn.receive(&[*byte], |_, event| outcome = Some(event.into_owned()));
        if let Some(event) = &outcome {
            if length == 0 && i + 1 == header.len() && broken.is_empty() {
                // An empty frame is complete with its header.
                break;
            }
            let Event::Closed(closed) = event else { panic!("{event:?}") };
            let Cause::Protocol(error) = closed.cause else { panic!("{closed}") };
            let first = broken.iter().map(|(at, _)| *at).min();
            assert_eq!(first, Some(i + 1), "{error}");
            assert!(broken.contains(&(i + 1, error)), "{error}");
            let sent = support::sent(&mut conn.conn);
            assert_eq!(sent.len(), 1);
            assert_eq!((sent[0].first, &sent[0].payload[..]), (0x88, &u16::from(error.close_code()).to_be_bytes()[..]));
            return;
        }
    }
    assert_eq!(broken, [], "a broken rule goes unnoticed");

    let mut unmasked = payload.to_vec();
    let key = input.key.unwrap_or_default();
    unmasked.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    if !payload.is_empty() {
        conn.receive(payload, |_, event| {
            assert!(outcome.is_none());
            outcome = Some(event.into_owned());
        });
    }
    let is_whole = payload.len() as u64 == length;
    check_payload(&input, before, &unmasked, is_whole, outcome);
});

/// The header as RFC 6455 section 5.2 draws it, and the length that it announces.
fn header(input: &Input, length: u64) -> (Vec<u8>, u64) {
    let bit = if input.key.is_some() { 0x80 } else { 0 };
    let mut header = vec![input.first];
    let length = match (input.form, length) {
        (Form::Shortest, 0..=125) => {
            header.push(bit | length as u8);
            length
        }
        (Form::Shortest, ..=0xffff) | (Form::Medium, _) => {
            header.push(bit | 126);
            header.extend((length as u16).to_be_bytes());
            length & 0xffff
        }
        _ => {
            header.push(bit | 127);
            header.extend(length.to_be_bytes());
            length
        }
    };
    header.extend(input.key.into_iter().flatten());
    (header, length)
}

/// The rules that the header violates, each with the number of bytes that show it.
fn broken_rules(input: &Input, role: Role, before: u32, length: u64) -> Vec<(usize, ProtocolError)> {
    let (header, _) = header(input, length);
    let opcode = input.first & 0x0f;
    let (is_final, is_control, short) = (input.first & 0x80 != 0, opcode & 8 != 0, header[1] & 0x7f);
    let length_end = match short {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    let in_message = before > 0;
    let (max_frame, max_message, max_fragments) =
        if input.small { (SMALL_FRAME, SMALL_MESSAGE, SMALL_FRAGMENTS) } else { (16 << 20, 16 << 20, u32::MAX) };
    let total = length.saturating_add(u64::from(before) * FRAGMENT.len() as u64);
    [
        (1, ProtocolError::ReservedBits, input.first & 0x70 != 0),
        (1, ProtocolError::ReservedOpcode, matches!(opcode, 3..=7 | 11..=15)),
        (1, ProtocolError::FragmentedControl, is_control && !is_final),
        (1, ProtocolError::UnexpectedContinuation, opcode == 0 && !in_message),
        (1, ProtocolError::UnfinishedMessage, matches!(opcode, 1 | 2) && in_message),
        (1, ProtocolError::TooManyFragments, opcode == 0 && before == max_fragments),
        (2, ProtocolError::UnmaskedFrame, role == Role::Server && input.key.is_none()),
        (2, ProtocolError::MaskedFrame, role == Role::Client && input.key.is_some()),
        (2, ProtocolError::ControlTooLong, is_control && short > 125),
        (2, ProtocolError::CloseLength, opcode == 8 && short == 1),
        (4, ProtocolError::LengthForm, short == 126 && length < 126),
        (8, ProtocolError::LengthForm, short == 127 && length < 0x1_0000),
        (3, ProtocolError::LengthTopBit, length >> 63 != 0),
        (length_end, ProtocolError::FrameTooLarge, !is_control && length > max_frame),
        (length_end, ProtocolError::MessageTooLarge, !is_control && total > max_message),
    ]
    .into_iter()
    .filter_map(|(at, error, is_broken)| is_broken.then_some((at, error)))
    .collect()
}

/// The result of a frame whose header violates no rule.
fn check_payload(input: &Input, before: u32, payload: &[u8], is_whole: bool, outcome: Option<Event<'_>>) {
    let opcode = input.first & 0x0f;
    let is_final = input.first & 0x80 != 0;
    let is_text = opcode == 1 || opcode == 0 && input.text;
    if is_text {
        let impossible = first_impossible(payload).is_some();
        let cut_short = is_whole && is_final && std::str::from_utf8(payload).is_err();
        if impossible || cut_short {
            return expect_error(outcome, ProtocolError::InvalidUtf8);
        }
    }
    if !is_whole && let (8, [high, low, reason @ ..]) = (opcode, payload) {
        let code = u16::from_be_bytes([*high, *low]);
        if CloseCode::new(code).is_none() {
            return expect_error(outcome, ProtocolError::CloseCode(code));
        }
        if first_impossible(reason).is_some() {
            return expect_error(outcome, ProtocolError::CloseReason);
        }
    }
    if !is_whole || !is_final {
        assert!(outcome.is_none(), "{outcome:?}");
        return;
    }
    let message = [FRAGMENT.repeat(if opcode == 0 { before as usize } else { 0 }), payload.to_vec()].concat();
    match (opcode, outcome) {
        (0 | 1, Some(Event::Text(text))) if is_text => assert_eq!(text.as_bytes(), message),
        (0 | 2, Some(Event::Binary(data))) if !is_text => assert_eq!(data, message),
        (9, Some(Event::Ping(data))) | (10, Some(Event::Pong(data))) => assert_eq!(data, payload),
        (8, outcome) => check_close(payload, outcome),
        (_, outcome) => panic!("{outcome:?}"),
    }
}

/// RFC 6455 sections 5.5.1 and 7.4.
fn check_close(body: &[u8], outcome: Option<Event<'_>>) {
    let (code, reason) = match body {
        [] => (CloseCode::NO_STATUS, ""),
        [_] => panic!("the header was refused"),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            let Some(code) = CloseCode::new(code) else {
                return expect_error(outcome, ProtocolError::CloseCode(code));
            };
            let Ok(reason) = std::str::from_utf8(reason) else {
                return expect_error(outcome, ProtocolError::CloseReason);
            };
            (code, reason)
        }
    };
    let Some(Event::Closed(closed)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((closed.cause, closed.code, &closed.reason[..]), (Cause::Peer, code, reason));
}

fn expect_error(outcome: Option<Event<'_>>, error: ProtocolError) {
    let Some(Event::Closed(closed)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(closed.cause, Cause::Protocol(error));
}

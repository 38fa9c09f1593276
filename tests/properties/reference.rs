//! A decoder as naive as the text of RFC 6455 sections 5 and 7: the whole stream at once, one rule a line, in the
//! order of the bytes that break it.

use std::str;

use websocket_proto::{Cause, Event, ProtocolError, Role};

use crate::generate::Limits;

/// What a stream of frames says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// RFC 6455 7.1.5: the code is 1005 where there is none.
    Close(u16, String),
    Wrong(ProtocolError),
}

impl Heard {
    /// The same from an event; the opening handshake's say nothing.
    pub(crate) fn of(event: Event<'_>) -> Option<Self> {
        Some(match event {
            Event::Text(text) => Self::Text(text.into_owned()),
            Event::Binary(data) => Self::Binary(data.into_owned()),
            Event::Ping(payload) => Self::Ping(payload.into_owned()),
            Event::Pong(payload) => Self::Pong(payload.into_owned()),
            Event::Closed(closed) => match closed.cause {
                Cause::Protocol(error) => Self::Wrong(error),
                Cause::Peer | Cause::Local(_) if closed.clean => Self::Close(closed.code.get(), closed.reason),
                _ => panic!("{closed}"),
            },
            _ => return None,
        })
    }

    fn is_last(&self) -> bool {
        matches!(self, Self::Close(..) | Self::Wrong(_))
    }
}

/// What all of `bytes` says, if an endpoint of the role `from` sends it; an unfinished frame or message says nothing,
/// unless it is already wrong.
pub(crate) fn decode(from: Role, bytes: &[u8], limits: &Limits) -> Vec<Heard> {
    let mut decoder = Decoder { from, limits, bytes, message: None };
    let mut heard = Vec::new();
    while !heard.last().is_some_and(Heard::is_last) {
        match decoder.frame() {
            Ok(said) => heard.extend(said),
            Err(Stop::Wrong(error)) => heard.push(Heard::Wrong(error)),
            Err(Stop::UsedUp) => break,
        }
    }
    heard
}

enum Stop {
    UsedUp,
    Wrong(ProtocolError),
}

struct Decoder<'b> {
    from: Role,
    limits: &'b Limits,
    bytes: &'b [u8],
    message: Option<Message>,
}

#[derive(Default)]
struct Message {
    text: bool,
    frames: u32,
    payload: Vec<u8>,
}

impl Decoder<'_> {
    fn frame(&mut self) -> Result<Option<Heard>, Stop> {
        let first = self.number(1)? as u8;
        let (fin, rsv, opcode) = (first & 0x80 != 0, first & 0x70, first & 0x0f);
        let control = opcode >= 8;
        must(rsv == 0, ProtocolError::ReservedBits)?;
        must(matches!(opcode, 0..=2 | 8..=10), ProtocolError::ReservedOpcode)?;
        must(fin || !control, ProtocolError::FragmentedControl)?;
        must(opcode != 0 || self.message.is_some(), ProtocolError::UnexpectedContinuation)?;
        must(opcode == 0 || control || self.message.is_none(), ProtocolError::UnfinishedMessage)?;
        let frames = self.message.as_ref().map_or(0, |message| message.frames);
        must(control || frames < self.limits.fragments, ProtocolError::TooManyFragments)?;

        let second = self.number(1)?;
        let (masked, mut length) = (second & 0x80 != 0, second & 0x7f);
        must(masked || self.from == Role::Server, ProtocolError::UnmaskedFrame)?;
        must(!masked || self.from == Role::Client, ProtocolError::MaskedFrame)?;
        must(length <= 125 || !control, ProtocolError::ControlTooLong)?;

        if length == 126 {
            length = self.number(2)?;
            must(length > 125, ProtocolError::LengthForm)?;
        } else if length == 127 {
            must(self.bytes.first().is_none_or(|top| top & 0x80 == 0), ProtocolError::LengthTopBit)?;
            must(self.bytes.get(..6).is_none_or(|high| high != [0; 6]), ProtocolError::LengthForm)?;
            length = self.number(8)?;
        }
        let before = self.message.as_ref().map_or(0, |message| message.payload.len() as u64);
        must(control || length <= self.limits.frame, ProtocolError::FrameTooLarge)?;
        must(control || length <= self.limits.message.saturating_sub(before), ProtocolError::MessageTooLarge)?;

        let key = if masked { self.number(4)? as u32 } else { 0 }.to_be_bytes();
        let whole = length <= self.bytes.len() as u64;
        let (payload, behind) = self.bytes.split_at(if whole { length as usize } else { self.bytes.len() });
        let payload: Vec<u8> = payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
        self.bytes = behind;
        if control {
            return if whole { Ok(Some(control_frame(opcode, payload)?)) } else { Err(Stop::UsedUp) };
        }

        let message = self.message.get_or_insert_with(|| Message { text: opcode == 1, ..Message::default() });
        message.frames += 1;
        message.payload.extend(payload);
        let ends = whole && fin;
        if message.text
            && let Err(error) = str::from_utf8(&message.payload)
        {
            must(error.error_len().is_none() && !ends, ProtocolError::InvalidUtf8)?;
        }
        if !whole {
            return Err(Stop::UsedUp);
        }
        Ok(if fin { self.message.take().map(Message::said) } else { None })
    }

    /// An unsigned number of that many bytes, the highest first.
    fn number(&mut self, bytes: usize) -> Result<u64, Stop> {
        let (number, rest) = self.bytes.split_at_checked(bytes).ok_or(Stop::UsedUp)?;
        self.bytes = rest;
        Ok(number.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }
}

impl Message {
    fn said(self) -> Heard {
        if self.text { Heard::Text(String::from_utf8(self.payload).unwrap()) } else { Heard::Binary(self.payload) }
    }
}

fn control_frame(opcode: u8, payload: Vec<u8>) -> Result<Heard, Stop> {
    Ok(match (opcode, &payload[..]) {
        (9, _) => Heard::Ping(payload),
        (10, _) => Heard::Pong(payload),
        (_, []) => Heard::Close(1005, String::new()),
        (_, [_]) => return Err(Stop::Wrong(ProtocolError::CloseLength)),
        (_, [high, low, reason @ ..]) => {
            let code = u16::from_be_bytes([*high, *low]);
            let legal = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            must(legal, ProtocolError::CloseCode)?;
            let reason = str::from_utf8(reason).map_err(|_| Stop::Wrong(ProtocolError::CloseReason))?;
            Heard::Close(code, reason.to_owned())
        }
    })
}

fn must(rule: bool, error: ProtocolError) -> Result<(), Stop> {
    if rule { Ok(()) } else { Err(Stop::Wrong(error)) }
}

//! A decoder as naive as the text of RFC 6455 sections 5 and 7: the whole stream in one call, one rule per line, in the
//! order of the bytes that violate it.

use std::str;

use websocket_proto::{Cause, Chunk, Event, MessageKind, ProtocolError, Role};

use crate::generate::Limits;

/// The result of decoding a stream of frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// RFC 6455 section 7.1.5: the code is 1005 if there is none.
    Close(u16, String),
    Wrong(ProtocolError),
    /// The part that has arrived of an incomplete message in chunks; it is the last, if there is one.
    Part(Vec<u8>),
}

impl Decoded {
    /// The same from an event; `None` for events of the opening handshake and for a single chunk.
    fn of(event: Event<'_>) -> Option<Self> {
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

    fn message(kind: MessageKind, payload: Vec<u8>) -> Self {
        match kind {
            MessageKind::Text => Self::Text(String::from_utf8(payload).unwrap()),
            MessageKind::Binary => Self::Binary(payload),
        }
    }
}

/// Collects events, and joins the chunks of a message: messages of at least `in_pieces_from` bytes come in chunks,
/// others whole; first and last are marked, none but the last is empty, and no message comes between them.
#[derive(Debug)]
pub(crate) struct EventCollector {
    in_pieces_from: u64,
    decoded: Vec<Decoded>,
    part: Option<(MessageKind, Vec<u8>)>,
}

impl EventCollector {
    pub(crate) fn new(in_pieces_from: u64) -> Self {
        Self { in_pieces_from, decoded: Vec::new(), part: None }
    }

    pub(crate) fn push(&mut self, event: Event<'_>) {
        if let Event::Chunk(chunk) = event {
            return self.chunk(&chunk);
        }
        let Some(decoded) = Decoded::of(event) else { return };
        let whole = match &decoded {
            Decoded::Text(text) => Some(text.len()),
            Decoded::Binary(data) => Some(data.len()),
            _ => None,
        };
        assert!(whole.is_none_or(|length| self.part.is_none() && self.has_whole(length)), "{decoded:?}");
        if decoded.is_last() {
            self.part = None;
        }
        self.decoded.push(decoded);
    }

    fn chunk(&mut self, chunk: &Chunk<'_>) {
        assert_eq!(chunk.is_first(), self.part.is_none());
        assert!(chunk.is_last() || !chunk.is_empty());
        let (kind, mut data) = self.part.take().unwrap_or((chunk.kind(), Vec::new()));
        assert_eq!(chunk.kind(), kind);
        data.extend(chunk.parts().concat());
        if chunk.is_last() {
            assert!(!self.has_whole(data.len()));
            self.decoded.push(Decoded::message(kind, data));
        } else {
            self.part = Some((kind, data));
        }
    }

    fn has_whole(&self, length: usize) -> bool {
        (length as u64) < self.in_pieces_from
    }

    pub(crate) fn decoded(&self) -> Vec<Decoded> {
        let part = self.part.iter().map(|(_, data)| Decoded::Part(data.clone()));
        self.decoded.iter().cloned().chain(part).collect()
    }
}

/// Decodes all of `bytes` as sent by an endpoint of the role `from`. An unfinished frame or message gives nothing,
/// unless it is already invalid, or comes in chunks.
pub(crate) fn decode(from: Role, bytes: &[u8], limits: &Limits) -> Vec<Decoded> {
    let mut decoder = Decoder { from, limits, bytes, message: None };
    let mut all = Vec::new();
    while !all.last().is_some_and(Decoded::is_last) {
        match decoder.frame() {
            Ok(frame) => all.extend(frame),
            Err(Stop::Wrong(error)) => all.push(Decoded::Wrong(error)),
            Err(Stop::UsedUp) => {
                all.extend(decoder.part());
                break;
            }
        }
    }
    all
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

struct Message {
    kind: MessageKind,
    frames: u32,
    /// The lengths of its frames, as soon as a part of them has arrived.
    announced: u64,
    payload: Vec<u8>,
}

impl Decoder<'_> {
    fn frame(&mut self) -> Result<Option<Decoded>, Stop> {
        let first = self.number(1)? as u8;
        let (fin, rsv, opcode) = (first & 0x80 != 0, first & 0x70, first & 0x0f);
        let control = opcode >= 8;
        must(rsv == 0, ProtocolError::ReservedBits)?;
        must(matches!(opcode, 0..=2 | 8..=10), ProtocolError::ReservedOpcode)?;
        must(fin || !control, ProtocolError::FragmentedControl)?;
        must(opcode != 0 || self.message.is_some(), ProtocolError::UnexpectedContinuation)?;
        must(opcode == 0 || control || self.message.is_none(), ProtocolError::UnfinishedMessage)?;
        let (frames, in_pieces) =
            self.message.as_ref().map_or((0, false), |message| (message.frames, self.in_pieces(message)));
        must(control || in_pieces || frames < self.limits.fragments, ProtocolError::TooManyFragments)?;

        let second = self.number(1)?;
        let (masked, mut length) = (second & 0x80 != 0, second & 0x7f);
        must(masked || self.from == Role::Server, ProtocolError::UnmaskedFrame)?;
        must(!masked || self.from == Role::Client, ProtocolError::MaskedFrame)?;
        must(length <= 125 || !control, ProtocolError::ControlTooLong)?;
        must(opcode != 8 || length != 1, ProtocolError::CloseLength)?;

        if length == 126 {
            length = self.number(2)?;
            must(length > 125, ProtocolError::LengthForm)?;
        } else if length == 127 {
            must(self.bytes.first().is_none_or(|top| top & 0x80 == 0), ProtocolError::LengthTopBit)?;
            must(self.bytes.get(..6).is_none_or(|high| high != [0; 6]), ProtocolError::LengthForm)?;
            length = self.number(8)?;
        }
        let before = self.message.as_ref().map_or(0, |message| message.payload.len() as u64);
        let (longest_frame, longest_message) = self.limits.sizes();
        must(control || length <= longest_frame, ProtocolError::FrameTooLarge)?;
        must(control || length <= longest_message.saturating_sub(before), ProtocolError::MessageTooLarge)?;

        let key = if masked { self.number(4)? as u32 } else { 0 }.to_be_bytes();
        let whole = length <= self.bytes.len() as u64;
        let (payload, behind) = self.bytes.split_at(if whole { length as usize } else { self.bytes.len() });
        let payload: Vec<u8> = payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
        self.bytes = behind;
        if control {
            if whole {
                return Ok(Some(control_frame(opcode, payload)?));
            }
            if let (8, [high, low, reason @ ..]) = (opcode, &payload[..]) {
                close_code(*high, *low)?;
                let wrong = str::from_utf8(reason).is_err_and(|error| error.error_len().is_some());
                must(!wrong, ProtocolError::CloseReason)?;
            }
            return Err(Stop::UsedUp);
        }

        let kind = if opcode == 1 { MessageKind::Text } else { MessageKind::Binary };
        let message = self.message.get_or_insert(Message { kind, frames: 0, announced: 0, payload: Vec::new() });
        message.frames += 1;
        message.announced += if payload.is_empty() { 0 } else { length };
        message.payload.extend(payload);
        let ends = whole && fin;
        if message.kind == MessageKind::Text
            && let Err(error) = str::from_utf8(&message.payload)
        {
            must(error.error_len().is_none() && !ends, ProtocolError::InvalidUtf8)?;
        }
        if !whole {
            return Err(Stop::UsedUp);
        }
        let message = if fin { self.message.take() } else { None };
        Ok(message.map(|message| Decoded::message(message.kind, message.payload)))
    }

    fn in_pieces(&self, message: &Message) -> bool {
        message.announced >= self.limits.in_pieces_from()
    }

    /// The part of a message in chunks that has arrived, up to its last whole character.
    fn part(&self) -> Option<Decoded> {
        let message = self.message.as_ref().filter(|message| self.in_pieces(message))?;
        let payload = match str::from_utf8(&message.payload) {
            Err(error) if message.kind == MessageKind::Text => &message.payload[..error.valid_up_to()],
            _ => &message.payload,
        };
        (!payload.is_empty()).then(|| Decoded::Part(payload.to_vec()))
    }

    /// An unsigned big-endian number of that many bytes.
    fn number(&mut self, bytes: usize) -> Result<u64, Stop> {
        let (number, rest) = self.bytes.split_at_checked(bytes).ok_or(Stop::UsedUp)?;
        self.bytes = rest;
        Ok(number.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }
}

fn control_frame(opcode: u8, payload: Vec<u8>) -> Result<Decoded, Stop> {
    Ok(match (opcode, &payload[..]) {
        (9, _) => Decoded::Ping(payload),
        (10, _) => Decoded::Pong(payload),
        (_, []) => Decoded::Close(1005, String::new()),
        (_, [_]) => panic!("such a length is refused"),
        (_, [high, low, reason @ ..]) => {
            let code = close_code(*high, *low)?;
            let reason = str::from_utf8(reason).map_err(|_| Stop::Wrong(ProtocolError::CloseReason))?;
            Decoded::Close(code, reason.to_owned())
        }
    })
}

fn close_code(high: u8, low: u8) -> Result<u16, Stop> {
    let code = u16::from_be_bytes([high, low]);
    must(matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999), ProtocolError::CloseCode(code))?;
    Ok(code)
}

fn must(rule: bool, error: ProtocolError) -> Result<(), Stop> {
    if rule { Ok(()) } else { Err(Stop::Wrong(error)) }
}

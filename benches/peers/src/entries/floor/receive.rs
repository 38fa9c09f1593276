//! Receives frames in chunks of any size: in place if a message lies whole in the input, else assembled. The rest of a
//! payload is read directly behind its beginning.

use multiversion::multiversion;

use super::mask::{copy_masked, mask, rotate};
use super::room::Room;
use crate::tally::{Tally, Work};
use crate::wire::Wire;

const TEXT: u8 = 1;
const BINARY: u8 = 2;

/// The other entries have a limit, too.
const MAX_SIZE: usize = 16 << 20;
const MAX_HEADER: usize = 14;

/// After a message of this size, the next read takes a header: if another large message follows, nearly all of it is read
/// into place.
const LARGE: usize = 4 << 10;

/// The most that is read at a time, so that it stays in the first-level cache until it is unmasked.
const MAX_READ: usize = 16 << 10;

pub(super) fn work<const MASKED: bool>(mut wire: Wire) -> Work {
    let mut buffer = vec![0; wire.input.min(MAX_READ)];
    let mut receiver = Receiver::<MASKED>::default();
    Box::new(move || pass(&mut wire, &mut buffer, &mut receiver))
}

#[multiversion(targets("x86_64+avx2"))]
fn pass<const MASKED: bool>(wire: &mut Wire, buffer: &mut [u8], receiver: &mut Receiver<MASKED>) -> Tally {
    let mut tally = wire.tally();
    while tally.messages < wire.messages {
        receiver.receive(wire, buffer, |message| match message {
            Message::Text(text) => tally.visit_text(text),
            Message::Binary(data) => tally.visit(data),
        });
    }
    tally
}

pub(super) enum Message<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
}

#[derive(Default)]
pub(super) struct Receiver<const MASKED: bool> {
    /// The first bytes of a header that the input has split.
    cut: Vec<u8>,
    /// The opcode of the message in progress, or 0.
    under_way: u8,
    /// The frame in progress, and how much of it is still to come.
    frame: Option<Header>,
    /// The part of the message that has arrived.
    room: Room,
    length: usize,
    /// The last message was large.
    large: bool,
}

#[derive(Clone, Copy)]
struct Header {
    fin: bool,
    opcode: u8,
    key: [u8; 4],
    length: usize,
}

impl<const MASKED: bool> Receiver<MASKED> {
    /// Reads once, and yields what that completes.
    #[inline(always)]
    pub(super) fn receive(&mut self, wire: &mut Wire, buffer: &mut [u8], mut yields: impl FnMut(Message<'_>)) {
        let Some(frame) = &self.frame else {
            let most = if std::mem::take(&mut self.large) { MAX_HEADER.min(buffer.len()) } else { buffer.len() };
            let count = wire.read(&mut buffer[..most]);
            return self.consume(&mut buffer[..count], yields);
        };
        let end = self.length + frame.length;
        let place = &mut self.room.at_least(end)[self.length..end.min(self.length + MAX_READ)];
        let next = match place.len() {
            MAX_READ => 0,
            _ if end < LARGE => buffer.len(),
            _ => MAX_HEADER.min(buffer.len()),
        };
        let count = wire.read_vectored(place, &mut buffer[..next]);
        let in_place = count.min(place.len());
        if MASKED {
            mask(&mut place[..in_place], frame.key);
        }
        self.advance(in_place, &mut yields);
        self.consume(&mut buffer[..count - in_place], yields);
    }

    #[inline(always)]
    pub(super) fn consume(&mut self, mut input: &mut [u8], mut yields: impl FnMut(Message<'_>)) {
        if !self.cut.is_empty() {
            let known = self.cut.len();
            self.cut.extend(input.iter().take(MAX_HEADER - known));
            let Some((header, size)) = parse::<MASKED>(&self.cut, self.under_way) else { return };
            self.cut.clear();
            input = &mut input[size - known..];
            self.begin(header);
            input = self.go_on(input, &mut yields);
        } else if self.frame.is_some() {
            input = self.go_on(input, &mut yields);
        }
        loop {
            input = take_whole::<MASKED>(input, self.under_way, &mut yields);
            let Some((header, size)) = parse::<MASKED>(input, self.under_way) else { break };
            self.begin(header);
            input = self.go_on(&mut input[size..], &mut yields);
        }
        if !input.is_empty() {
            self.cut.extend_from_slice(input);
        }
    }

    pub(super) fn is_between_messages(&self) -> bool {
        self.cut.is_empty() && self.under_way == 0
    }

    fn begin(&mut self, header: Header) {
        if header.opcode != 0 {
            self.under_way = header.opcode;
        }
        assert!(self.length + header.length <= MAX_SIZE);
        self.frame = Some(header);
    }

    /// Consumes what the input has of the current frame, and leaves the rest of the input.
    #[inline(always)]
    fn go_on<'b>(&mut self, input: &'b mut [u8], yields: &mut impl FnMut(Message<'_>)) -> &'b mut [u8] {
        let Some(frame) = &self.frame else { return input };
        let (payload, rest) = input.split_at_mut(frame.length.min(input.len()));
        let end = self.length + payload.len();
        let place = &mut self.room.at_least(end)[self.length..end];
        if MASKED {
            copy_masked(place, payload, frame.key);
        } else {
            place.copy_from_slice(payload);
        }
        self.advance(payload.len(), yields);
        rest
    }

    /// So many bytes of the current frame have arrived and are unmasked.
    #[inline(always)]
    fn advance(&mut self, count: usize, yields: &mut impl FnMut(Message<'_>)) {
        let Some(frame) = &mut self.frame else { return };
        frame.key = rotate(frame.key, count);
        frame.length -= count;
        self.length += count;
        if frame.length == 0 {
            if frame.fin {
                yields(message(self.under_way, &self.room.get()[..self.length]));
                self.large = self.length >= LARGE;
                self.under_way = 0;
                self.length = 0;
            }
            self.frame = None;
        }
    }
}

/// Yields the messages that lie whole in the input, and leaves the rest.
#[inline(always)]
pub(super) fn take_whole<'b, const MASKED: bool>(
    mut input: &'b mut [u8],
    under_way: u8,
    yields: &mut impl FnMut(Message<'_>),
) -> &'b mut [u8] {
    while let Some((header, size)) = parse::<MASKED>(input, under_way) {
        if header.length > input.len() - size || !header.fin || header.opcode == 0 {
            break;
        }
        let payload;
        (payload, input) = input[size..].split_at_mut(header.length);
        if MASKED {
            mask(payload, header.key);
        }
        yields(message(header.opcode, payload));
    }
    input
}

#[inline(always)]
fn message(opcode: u8, payload: &[u8]) -> Message<'_> {
    match opcode {
        TEXT => Message::Text(simdutf8::basic::from_utf8(payload).expect("text")),
        _ => Message::Binary(payload),
    }
}

/// A header and its size, if it is complete (RFC 6455 section 5.2).
#[inline(always)]
fn parse<const MASKED: bool>(bytes: &[u8], under_way: u8) -> Option<(Header, usize)> {
    let &[first, second, ref rest @ ..] = bytes else { return None };
    assert!(first & 0x70 == 0, "reserved bits");
    assert!((second & 0x80 != 0) == MASKED, "masked by the client, and by nobody else");
    let opcode = first & 0x0f;
    match opcode {
        0 => assert!(under_way != 0, "nothing to continue"),
        TEXT | BINARY => assert!(under_way == 0, "a message within a message"),
        _ => panic!("no data frame"),
    }
    let (length, rest, size) = match second & 0x7f {
        126 => {
            let (length, rest) = rest.split_first_chunk()?;
            let length = u16::from_be_bytes(*length).into();
            assert!(length > 125, "not the shortest form");
            (length, rest, 4)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            let length = u64::from_be_bytes(*length);
            assert!(length > 0xffff, "not the shortest form");
            assert!(length <= MAX_SIZE as u64, "too long");
            (length as usize, rest, 10)
        }
        short => (short.into(), rest, 2),
    };
    let (key, size) = if MASKED { (*rest.first_chunk()?, size + 4) } else { ([0; 4], size) };
    Some((Header { fin: first & 0x80 != 0, opcode, key, length }, size))
}

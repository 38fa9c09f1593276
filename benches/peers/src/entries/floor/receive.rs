//! Receives frames in chunks of any size: in place if a message lies whole in the input, else assembled.

use super::mask::{copy_masked, mask, rotate};
use crate::tally::Work;
use crate::wire::Wire;

const TEXT: u8 = 1;
const BINARY: u8 = 2;

/// The other entries have a limit, too.
const MAX_SIZE: usize = 16 << 20;
const MAX_HEADER: usize = 14;

pub(super) fn work<const MASKED: bool>(mut wire: Wire) -> Work {
    let mut buffer = vec![0; wire.input];
    let mut receiver = Receiver::<MASKED>::default();
    Box::new(move || {
        let mut tally = wire.tally();
        while tally.messages < wire.messages {
            let count = wire.read(&mut buffer);
            receiver.receive(&mut buffer[..count], |message| match message {
                Message::Text(text) => tally.visit_text(text),
                Message::Binary(data) => tally.visit(data),
            });
        }
        tally
    })
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
    /// The part of the message that has arrived. The capacity is never freed, and the bytes are never cleared.
    room: Vec<u8>,
    length: usize,
}

#[derive(Clone, Copy)]
struct Header {
    fin: bool,
    opcode: u8,
    key: [u8; 4],
    length: usize,
}

impl<const MASKED: bool> Receiver<MASKED> {
    #[inline]
    pub(super) fn receive(&mut self, mut input: &mut [u8], mut yields: impl FnMut(Message<'_>)) {
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
        while let Some((header, size)) = parse::<MASKED>(input, self.under_way) {
            let rest = &mut input[size..];
            if header.length <= rest.len() && header.fin && header.opcode != 0 {
                let payload;
                (payload, input) = rest.split_at_mut(header.length);
                if MASKED {
                    mask(payload, header.key);
                }
                yields(message(header.opcode, payload));
            } else {
                self.begin(header);
                input = self.go_on(rest, &mut yields);
            }
        }
        self.cut.extend_from_slice(input);
    }

    fn begin(&mut self, header: Header) {
        if header.opcode != 0 {
            self.under_way = header.opcode;
        }
        assert!(self.length + header.length <= MAX_SIZE);
        self.frame = Some(header);
    }

    /// Consumes what the input has of the current frame, and leaves the rest of the input.
    fn go_on<'b>(&mut self, input: &'b mut [u8], yields: &mut impl FnMut(Message<'_>)) -> &'b mut [u8] {
        let Some(frame) = &mut self.frame else { return input };
        let (payload, rest) = input.split_at_mut(frame.length.min(input.len()));
        let end = self.length + payload.len();
        if self.room.len() < end {
            self.room.resize(end.next_power_of_two(), 0);
        }
        if MASKED {
            copy_masked(&mut self.room[self.length..end], payload, frame.key);
        } else {
            self.room[self.length..end].copy_from_slice(payload);
        }
        frame.key = rotate(frame.key, payload.len());
        frame.length -= payload.len();
        self.length = end;
        if frame.length == 0 {
            if frame.fin {
                yields(message(self.under_way, &self.room[..end]));
                self.under_way = 0;
                self.length = 0;
            }
            self.frame = None;
        }
        rest
    }
}

#[inline]
fn message(opcode: u8, payload: &[u8]) -> Message<'_> {
    match opcode {
        TEXT => Message::Text(simdutf8::basic::from_utf8(payload).expect("text")),
        _ => Message::Binary(payload),
    }
}

/// A header and its size, if it is complete (RFC 6455 section 5.2).
#[inline]
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

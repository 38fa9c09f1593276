//! The body of a response that isn't 101: bounded, for a person or a program that wants to know why.

use alloc::vec::Vec;
use core::mem;
use core::str;

use super::headers::{HeaderName, Headers, Occurrences};
use crate::http_grammar::lists;

/// The longest line that announces a chunk.
const MAX_CHUNK_LINE: usize = 256;

/// Collects a body however it is framed (RFC 9112 6).
#[derive(Debug)]
pub(crate) struct BodyReader {
    framing: Framing,
    body: Vec<u8>,
}

#[derive(Debug)]
enum Framing {
    /// Bytes to come.
    Length(u64),
    UntilEof,
    /// Bytes of the chunk to come, whether there was a chunk, and the line that is under way behind it.
    Chunked {
        rest: u64,
        behind: bool,
        line: Vec<u8>,
    },
}

impl BodyReader {
    pub(crate) fn new(status: u16, fields: &impl Headers) -> Self {
        let framing = if status == 204 || status == 304 {
            Framing::Length(0)
        } else if lists::contains_token(fields.all(HeaderName::TransferEncoding), b"chunked") {
            Framing::Chunked { rest: 0, behind: false, line: Vec::new() }
        } else {
            let length = match fields.single(HeaderName::ContentLength) {
                // A sign is no part of it, although the standard library reads one.
                Occurrences::One(value) if !value.iter().all(u8::is_ascii_digit) => None,
                Occurrences::One(value) => str::from_utf8(value).ok().and_then(|value| value.parse().ok()),
                Occurrences::None | Occurrences::Several => None,
            };
            length.map_or(Framing::UntilEof, Framing::Length)
        };
        Self { framing, body: Vec::new() }
    }

    /// Takes bytes in; whether the body is complete, or as long as it may be.
    pub(crate) fn read(&mut self, input: &mut &mut [u8], limit: usize) -> bool {
        loop {
            let rest = match &mut self.framing {
                Framing::Length(rest) => rest,
                Framing::UntilEof => &mut u64::MAX.clone(),
                Framing::Chunked { rest: 0, behind, line } => {
                    let [byte, rest @ ..] = mem::take(input) else { return false };
                    let byte = *byte;
                    *input = rest;
                    line.push(byte);
                    if byte != b'\n' {
                        if line.len() > MAX_CHUNK_LINE {
                            return true;
                        }
                        continue;
                    }
                    // RFC 9112 7.1: an empty line stands behind each chunk, in front of the next one's size.
                    if mem::take(behind) {
                        if line.as_slice() != b"\r\n" {
                            return true;
                        }
                        line.clear();
                        continue;
                    }
                    let Ok(httparse::Status::Complete((_, size @ 1..))) = httparse::parse_chunk_size(line) else {
                        return true;
                    };
                    line.clear();
                    self.framing = Framing::Chunked { rest: size, behind: true, line: mem::take(line) };
                    continue;
                }
                Framing::Chunked { rest, .. } => rest,
            };
            let room = limit - self.body.len();
            let count = usize::try_from(*rest).unwrap_or(usize::MAX).min(input.len()).min(room);
            let (piece, behind) = mem::take(input).split_at_mut(count);
            self.body.extend_from_slice(piece);
            *input = behind;
            *rest -= count as u64;
            if self.body.len() == limit {
                return true;
            }
            match self.framing {
                Framing::Length(0) => return true,
                Framing::Chunked { rest: 0, .. } => {}
                _ => return false,
            }
        }
    }

    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }
}

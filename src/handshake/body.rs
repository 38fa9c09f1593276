//! The body of a response other than 101, up to a limit.

use alloc::vec::Vec;
use core::mem;
use core::str;

use super::headers::{HeaderName, Headers};
use crate::http_grammar::lists;

/// Reads a body, however its length is determined (RFC 9112 section 6.3). If its framing is malformed, the body ends
/// there.
#[derive(Debug)]
pub(crate) struct BodyReader {
    framing: Framing,
    body: Vec<u8>,
}

/// The next part of the body.
#[derive(Debug)]
enum Framing {
    /// The remaining number of bytes.
    Length(u64),
    UntilEof,
    /// RFC 9112 section 7.1: the line with the size of the next chunk.
    ChunkSize(ChunkLine),
    /// The remaining number of bytes of a chunk. The line is empty and only kept for its allocation, which all lines
    /// between chunks share.
    ChunkData(u64, ChunkLine),
    /// The empty line after a chunk.
    ChunkEnd(ChunkLine),
}

impl BodyReader {
    pub(crate) fn new(status: u16, headers: &impl Headers) -> Self {
        // RFC 9112 section 6.3, item 1: these responses have no body, whatever their headers say. This is the rule for
        // recipients. A server must not send a body with 205 either (RFC 9110 section 15.3.6, see `Rejection`). But a
        // response with 205 is framed by its headers like any other, and a body that they announce must be read.
        let framing = if matches!(status, 204 | 304) {
            Framing::Length(0)
        } else if headers.contains(HeaderName::TransferEncoding) {
            // Items 3 and 4: the header overrides a length, and without `chunked` as the last coding the body ends with the
            // connection.
            match lists::elements(headers.all(HeaderName::TransferEncoding)).last() {
                Some(last) if lists::eq_token(last, b"chunked") => Framing::ChunkSize(ChunkLine::default()),
                _ => Framing::UntilEof,
            }
        } else {
            content_length(headers).map_or(Framing::UntilEof, Framing::Length)
        };
        Self { framing, body: Vec::new() }
    }

    /// Consumes input. Returns whether the body is complete or has reached the limit.
    pub(crate) fn read(&mut self, input: &mut &mut [u8], limit: usize) -> bool {
        // With a limit of 0, there is nothing to wait for.
        if self.body.len() == limit {
            return true;
        }
        loop {
            match &mut self.framing {
                Framing::Length(rest) => {
                    *rest -= append_up_to(&mut self.body, input, *rest, limit);
                    return *rest == 0 || self.body.len() == limit;
                }
                Framing::UntilEof => {
                    append_up_to(&mut self.body, input, u64::MAX, limit);
                    return self.body.len() == limit;
                }
                Framing::ChunkSize(line) => match line.read(input) {
                    LineStatus::Partial => return false,
                    LineStatus::TooLong => return true,
                    LineStatus::Complete => match line.chunk_size() {
                        // The last chunk has size 0.
                        None | Some(0) => return true,
                        Some(size) => self.framing = Framing::ChunkData(size, line.take_cleared()),
                    },
                },
                Framing::ChunkData(rest, line) => {
                    *rest -= append_up_to(&mut self.body, input, *rest, limit);
                    if self.body.len() == limit {
                        return true;
                    }
                    if *rest > 0 {
                        return false;
                    }
                    self.framing = Framing::ChunkEnd(line.take_cleared());
                }
                Framing::ChunkEnd(line) => match line.read(input) {
                    LineStatus::Partial => return false,
                    LineStatus::Complete if line.is_empty() => self.framing = Framing::ChunkSize(line.take_cleared()),
                    LineStatus::Complete | LineStatus::TooLong => return true,
                },
            }
        }
    }

    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }
}

/// Returns the value of `Content-Length`, if it is a number. RFC 9110 section 8.6: a recipient may accept several
/// values, in one line or in many, if they are all the same number.
fn content_length(headers: &impl Headers) -> Option<u64> {
    let mut values = headers.all(HeaderName::ContentLength).flat_map(|value| value.split(|&byte| byte == b','));
    let length = parse_length(values.next()?)?;
    values.all(|value| parse_length(value) == Some(length)).then_some(length)
}

fn parse_length(value: &[u8]) -> Option<u64> {
    let value = lists::trim(value);
    // A sign is not allowed, although the standard library would accept one.
    value.iter().all(u8::is_ascii_digit).then(|| str::from_utf8(value).ok()?.parse().ok())?
}

/// Moves at most `count` bytes from the input to a body of at most `limit` bytes. Returns how many were consumed.
fn append_up_to(body: &mut Vec<u8>, input: &mut &mut [u8], count: u64, limit: usize) -> u64 {
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(input.len()).min(limit - body.len());
    let (part, rest) = mem::take(input).split_at_mut(count);
    body.extend_from_slice(part);
    *input = rest;
    count as u64
}

/// A line before or after a chunk, as far as it has been received.
#[derive(Debug, Default)]
struct ChunkLine(Vec<u8>);

/// The longest line before or after a chunk, without its line feed.
const MAX_CHUNK_LINE: usize = 256;

enum LineStatus {
    Partial,
    Complete,
    TooLong,
}

impl ChunkLine {
    /// Consumes input up to the end of the line.
    fn read(&mut self, input: &mut &mut [u8]) -> LineStatus {
        while let [byte, rest @ ..] = mem::take(input) {
            let byte = *byte;
            *input = rest;
            self.0.push(byte);
            if byte == b'\n' {
                return LineStatus::Complete;
            }
            if self.0.len() > MAX_CHUNK_LINE {
                return LineStatus::TooLong;
            }
        }
        LineStatus::Partial
    }

    /// Returns the chunk size that a complete line announces.
    fn chunk_size(&self) -> Option<u64> {
        match httparse::parse_chunk_size(&self.0) {
            Ok(httparse::Status::Complete((_, size))) => Some(size),
            Ok(httparse::Status::Partial) | Err(_) => None,
        }
    }

    fn is_empty(&self) -> bool {
        self.0 == b"\r\n"
    }

    /// Returns an empty line with the same allocation, for the next state.
    fn take_cleared(&mut self) -> Self {
        self.0.clear();
        mem::take(self)
    }
}

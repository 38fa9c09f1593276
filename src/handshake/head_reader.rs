//! Reading an HTTP head from input that is split anywhere. Each byte is searched once.

use alloc::vec::Vec;
use core::mem;

use super::find_control::split_at_control;
use super::head::{Head, PackedLine};
use crate::config::Config;
use crate::error::HandshakeError;

/// Reads a head up to its empty line.
///
/// ```text
/// for each line feed in the new bytes:
///     the byte before it must be a carriage return, unless bare line feeds are accepted
///     if the line is empty, and others came before it: the head ends here
/// keep the new bytes; remember the length and the last byte of the unfinished line
/// ```
#[derive(Debug, Default)]
pub(crate) struct HeadReader {
    line_ends: LineEnds,
    bytes: Vec<u8>,
    /// The number of bytes consumed, including those of earlier heads: a client's limit applies to all interim
    /// responses together.
    size: usize,
    /// The number of complete lines, including the first one.
    lines: usize,
    /// The length of the unfinished line in earlier input, and its last byte.
    line_length: usize,
    last: u8,
}

/// The line ends that are accepted (RFC 9112 section 2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LineEnds {
    /// Only CR LF, for requests. If a proxy and a server split the same bytes into different lines, an attacker can
    /// make them see different requests.
    #[default]
    CrLf,
    /// CR LF or a bare LF, for responses. Browsers accept a bare LF, and small devices send it.
    CrLfOrLf,
}

impl HeadReader {
    pub(crate) fn new(line_ends: LineEnds) -> Self {
        Self { line_ends, ..Self::default() }
    }

    /// Consumes input up to the end of the head, and returns the head once it is complete. The reader is then ready for
    /// another one.
    pub(crate) fn read(&mut self, input: &mut &mut [u8], config: &Config) -> Result<Option<Head>, HandshakeError> {
        let most = input.len().min(config.max_handshake_size - self.size);
        let end = self.find_end(&input[..most], config.max_headers)?;
        let Some((chunk, rest)) = mem::take(input).split_at_mut_checked(end.unwrap_or(most)) else {
            debug_assert!(false, "the end is in the input");
            return Err(HandshakeError::Head);
        };
        *input = rest;
        if end.is_some() {
            // `Fields` appends the position of each line, the empty one included.
            self.bytes.reserve_exact(chunk.len() + (self.lines + 1) * size_of::<PackedLine>());
        }
        self.bytes.extend_from_slice(chunk);
        self.size += chunk.len();
        if end.is_some() {
            // The first line is not a header.
            let headers = mem::take(&mut self.lines) - 1;
            return Ok(Some(Head::new(mem::take(&mut self.bytes), headers)));
        }
        if self.size == config.max_handshake_size {
            return Err(HandshakeError::HeadTooLarge);
        }
        Ok(None)
    }

    /// Returns the length up to the end of the head, if `chunk` has that.
    fn find_end(&mut self, chunk: &[u8], max_headers: usize) -> Result<Option<usize>, HandshakeError> {
        let mut rest = chunk;
        while let Some((line, control, after)) = split_at_control(rest) {
            // The line may have begun in earlier input. If all of it is there, `last` is its last byte.
            let before = line.last().copied().unwrap_or(self.last);
            let length = self.line_length + line.len();
            let has_cr = length > 0 && before == b'\r';
            // RFC 9112 section 2.2: lines end with CR LF. Any other control character is an error.
            if control != b'\n' || !has_cr && self.line_ends == LineEnds::CrLf {
                return Err(HandshakeError::Head);
            }
            rest = after;
            self.line_length = 0;
            if length == usize::from(has_cr) {
                // RFC 9112 section 2.2: an empty line before the first is ignored.
                if self.lines == 0 {
                    continue;
                }
                return Ok(Some(chunk.len() - rest.len()));
            }
            self.lines += 1;
            // The first line is not a header.
            if self.lines - 1 > max_headers {
                return Err(HandshakeError::TooManyHeaders);
            }
        }
        self.line_length += rest.len();
        self.last = chunk.last().copied().unwrap_or(self.last);
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"\r\nGET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n";

    fn read_all(reader: &mut HeadReader, config: &Config, chunks: &[&[u8]]) -> Result<Option<Head>, HandshakeError> {
        for (i, chunk) in chunks.iter().enumerate() {
            let mut bytes = chunk.to_vec();
            if let Some(head) = reader.read(&mut &mut bytes[..], config)? {
                assert_eq!(i + 1, chunks.len(), "the head ends with the last chunk");
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    #[test]
    fn a_head_is_whole_at_its_last_byte_whatever_the_split() {
        for first in 0..HEAD.len() {
            for second in first..HEAD.len() {
                let mut reader = HeadReader::default();
                let chunks = [&HEAD[..first], &HEAD[first..second], &HEAD[second..]];
                let head = read_all(&mut reader, &Config::new(), &chunks).unwrap().unwrap();
                assert_eq!(head.bytes(), HEAD);
                assert_eq!(head.header_slots().len(), 2);
                assert!(reader.bytes.is_empty() && reader.lines == 0, "ready for another head");
            }
        }
    }

    /// Each line end with and without its CR, at every split.
    #[test]
    fn bare_line_feeds_end_lines_where_they_are_accepted() {
        let [line_ends, all] = [5, 1 << 5];
        for bare in 0..all {
            let mut line = 0..line_ends;
            let end = |line| if bare & 1 << line == 0 { "\r\n" } else { "\n" };
            let lines = ["", "HTTP/1.1 200", "Host: a", "X: 1", ""];
            let head = lines.map(|text| [text, end(line.next().unwrap())].concat()).concat();
            for at in 0..head.len() {
                let (first, second) = head.as_bytes().split_at(at);
                let mut reader = HeadReader::new(LineEnds::CrLfOrLf);
                let read = read_all(&mut reader, &Config::new(), &[first, second]).unwrap().unwrap();
                assert_eq!((read.bytes(), read.header_slots().len()), (head.as_bytes(), 2));
                let strict = read_all(&mut HeadReader::new(LineEnds::CrLf), &Config::new(), &[first, second]);
                assert_eq!(strict.err(), (bare != 0).then_some(HandshakeError::Head), "{head:?}");
            }
        }
    }

    #[test]
    fn what_follows_the_head_stays_in_the_input() {
        let mut bytes = [HEAD, b"\x81\x00"].concat();
        let mut input = &mut bytes[..];
        assert!(HeadReader::default().read(&mut input, &Config::new()).unwrap().is_some());
        assert_eq!(input, b"\x81\x00");
    }

    #[test]
    fn heads_are_limited_together() {
        let config = Config::new().max_handshake_size(2 * HEAD.len());
        let mut reader = HeadReader::default();
        assert!(read_all(&mut reader, &config, &[HEAD]).unwrap().is_some());
        assert!(read_all(&mut reader, &config, &[HEAD]).unwrap().is_some());
        assert_eq!(read_all(&mut reader, &config, &[b"H"]).unwrap_err(), HandshakeError::HeadTooLarge);
    }
}

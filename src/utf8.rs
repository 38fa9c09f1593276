//! Incremental UTF-8 validation (RFC 6455 sections 5.6 and 8.1).
//!
//! Each byte is examined once, and the first byte that cannot continue the text is rejected immediately. Only a
//! character that is cut by the end of a chunk is held back.

use core::str;

use crate::slices::{copy_to, part};

/// The error for bytes that cannot continue UTF-8 text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidUtf8;

/// Validates bytes that are a complete text.
#[inline]
pub(crate) fn validate(text: &[u8]) -> Result<&str, InvalidUtf8> {
    simdutf8::basic::from_utf8(text).map_err(|_| InvalidUtf8)
}

/// Returns the number of bytes at the end of `piece` that may be the beginning of an incomplete character.
#[inline]
fn cut_off(piece: &[u8]) -> usize {
    match piece {
        [.., 0xc0..=0xff] => 1,
        [.., 0xe0..=0xff, 0x80..=0xbf] => 2,
        [.., 0xf0..=0xff, 0x80..=0xbf, 0x80..=0xbf] => 3,
        _ => 0,
    }
}

/// The state between two chunks: the first bytes of a character whose other bytes have not arrived yet.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Utf8 {
    cut: [u8; 3],
    length: u8,
}

impl Utf8 {
    /// Validates the next chunk. Returns the character that it completes, if the last chunk ended inside one, and the
    /// text after it. The bytes of a character that is cut off at the end of this chunk are kept for the next.
    #[inline]
    pub(crate) fn next<'t>(&mut self, mut piece: &'t [u8]) -> Result<(Option<char>, &'t str), InvalidUtf8> {
        let mut completed = None;
        if self.length > 0 {
            (completed, piece) = self.complete(piece)?;
        }
        let end = piece.len() - cut_off(piece);
        let (text, cut) = (part(piece, ..end), part(piece, end..));
        let text = validate(text)?;
        if !cut.is_empty() {
            // At most three bytes of a cut character are here. They must still allow a valid character.
            if str::from_utf8(cut).is_err_and(|error| error.error_len().is_some()) {
                return Err(InvalidUtf8);
            }
            copy_to(&mut self.cut, 0, cut);
            self.length = cut.len() as u8;
        }
        Ok((completed, text))
    }

    /// Ends the text, which must not end inside a character.
    #[inline]
    pub(crate) fn finish(self) -> Result<(), InvalidUtf8> {
        if self.length == 0 { Ok(()) } else { Err(InvalidUtf8) }
    }

    /// The bytes of a cut character, held until the others arrive.
    #[inline]
    pub(crate) fn cut(&self) -> &[u8] {
        part(&self.cut, ..usize::from(self.length))
    }

    fn complete<'t>(&mut self, piece: &'t [u8]) -> Result<(Option<char>, &'t [u8]), InvalidUtf8> {
        let [first, second, third] = self.cut;
        // The bytes from `length` on are replaced.
        let mut bytes = [first, second, third, 0];
        let mut length = usize::from(self.length);
        let width = match first {
            0xf0.. => 4,
            0xe0.. => 3,
            _ => 2,
        };
        // Nearly always, all of the remaining bytes are in the next chunk.
        if let Some((rest, piece)) = piece.split_at_checked(width - length) {
            copy_to(&mut bytes, length, rest);
            let character = str::from_utf8(&bytes[..width]).map_err(|_| InvalidUtf8)?.chars().next();
            self.length = 0;
            return Ok((character, piece));
        }
        copy_to(&mut bytes, length, piece);
        length += piece.len();
        if str::from_utf8(part(&bytes, ..length)).is_err_and(|error| error.error_len().is_some()) {
            return Err(InvalidUtf8);
        }
        self.cut = [bytes[0], bytes[1], bytes[2]];
        self.length = length as u8;
        Ok((None, &[]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec::Vec;

    /// Feeds the chunks. Returns the text, or the number of bytes after which it was rejected.
    fn feed<'t>(pieces: impl Iterator<Item = &'t [u8]>) -> Result<(String, bool), usize> {
        let mut utf8 = Utf8::default();
        let mut text = String::new();
        let mut seen = 0;
        for piece in pieces {
            seen += piece.len();
            let (completed, rest) = utf8.next(piece).map_err(|_| seen)?;
            text.extend(completed);
            text.push_str(rest);
        }
        Ok((text, utf8.cut().is_empty()))
    }

    /// The first length at which no continuation can make `bytes` valid, by trying the standard library on each.
    fn first_impossible(bytes: &[u8]) -> Option<usize> {
        (1..=bytes.len()).find(|&n| str::from_utf8(&bytes[..n]).is_err_and(|error| error.error_len().is_some()))
    }

    const SAMPLES: &[&[u8]] = &[
        "κόσμε 聊天室 👋🏽 plain".as_bytes(),
        &[0xc0, 0x80],
        &[0xe0, 0x80, 0x80],
        &[0xf0, 0x80, 0x80, 0x80],
        &[0xed, 0xa0, 0x80],
        &[0xed, 0x9f, 0xbf],
        &[0xf4, 0x8f, 0xbf, 0xbf],
        &[0xf4, 0x90, 0x80, 0x80],
        &[0x80],
        &[b'a', 0xff],
        &[0xe4, 0xbd, b'a'],
        &[0xf0, 0x9f, 0x91],
    ];

    #[test]
    fn byte_by_byte_fails_at_the_first_impossible_byte() {
        for bytes in SAMPLES {
            match (feed(bytes.chunks(1)), first_impossible(bytes)) {
                (Err(at), impossible) => assert_eq!(Some(at), impossible, "{bytes:02x?}"),
                (Ok((text, complete)), None) => {
                    assert_eq!(complete, str::from_utf8(bytes).is_ok());
                    assert!(bytes.starts_with(text.as_bytes()));
                }
                (Ok(_), Some(at)) => panic!("{bytes:02x?} is impossible at {at}"),
            }
        }
    }

    #[test]
    fn every_cut_gives_the_same_answer() {
        for bytes in SAMPLES {
            for a in 0..=bytes.len() {
                for b in a..=bytes.len() {
                    let pieces = [&bytes[..a], &bytes[a..b], &bytes[b..]];
                    let whole = str::from_utf8(bytes).ok();
                    match feed(pieces.into_iter()) {
                        Ok((text, true)) => assert_eq!(Some(text.as_str()), whole),
                        Ok((_, false)) | Err(_) => assert_eq!(None, whole),
                    }
                }
            }
        }
    }

    /// Every length to 300 at every alignment, whole and byte by byte, whatever the ends cut.
    #[test]
    fn every_length_at_every_alignment() {
        let text = "aé好👋🏽 plain text, 聊天室里的人; ".repeat(12);
        for length in 0..=300 {
            for start in 0..64 {
                let bytes = &text.as_bytes()[start..start + length];
                let expected = str::from_utf8(bytes);
                assert_eq!(validate(bytes).ok(), expected.ok());
                if start % 8 == length % 8 {
                    let fed = feed(bytes.chunks(1));
                    assert_eq!(matches!(fed, Ok((_, true))), expected.is_ok());
                    assert_eq!(fed.err(), first_impossible(bytes));
                }
            }
        }
    }

    /// All sequences of up to three of the bytes at which the rules change.
    #[test]
    fn agrees_with_the_standard_library_on_all_edges() {
        const EDGES: &[u8] = &[
            0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef,
            0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
        ];
        let mut sequences: Vec<Vec<u8>> = alloc::vec![Vec::new()];
        for _ in 0..4 {
            sequences = sequences
                .iter()
                .flat_map(|start| {
                    EDGES.iter().map(move |&byte| {
                        let mut longer = start.clone();
                        longer.push(byte);
                        longer
                    })
                })
                .collect();
            for bytes in &sequences {
                let fed = feed(bytes.chunks(1));
                assert_eq!(fed.is_err(), first_impossible(bytes).is_some());
                assert_eq!(matches!(fed, Ok((_, true))), str::from_utf8(bytes).is_ok());
            }
        }
    }
}

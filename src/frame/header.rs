//! The frame header: 2 to 14 bytes before every payload (RFC 6455 section 5.2).
//!
//! ```text
//!   byte 0          byte 1            then
//!  ┌─┬───┬───────┐ ┌─┬─────────────┐ ┌──────────────────┬────────────────────────┐
//!  │F│RSV│opcode │ │M│ length 0–125│ │ 126: 2 more bytes │ masking key, 4 bytes,  │
//!  │I│   │       │ │A│ 126, 127    │ │ 127: 8 more bytes │ exactly when MASK is 1 │
//!  │N│   │       │ │S│             │ │ (big-endian)      │                        │
//!  └─┴───┴───────┘ └─┴─────────────┘ └──────────────────┴────────────────────────┘
//! ```

use super::{CloseFrame, OpCode};
use crate::error::ProtocolError;
use crate::role::Role;
use crate::slices::copy_to;

/// The longest header: two bytes, a 64-bit length, a masking key.
pub(crate) const MAX_HEADER: usize = 14;

/// RFC 6455 section 5.5: the longest payload of a control frame.
pub(crate) const MAX_CONTROL_PAYLOAD: usize = 125;

const FIN: u8 = 0x80;
const RSV: u8 = 0x70;
/// RFC 7692 section 6: marks a compressed message.
pub(crate) const RSV1: u8 = 0x40;
const OPCODE: u8 = 0x0f;
pub(crate) const MASK: u8 = 0x80;
const LENGTH: u8 = 0x7f;
pub(crate) const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// The first byte of an unfragmented, uncompressed message.
pub(crate) const WHOLE_TEXT: u8 = FIN | OpCode::Text as u8;
pub(crate) const WHOLE_BINARY: u8 = FIN | OpCode::Binary as u8;

/// The context for checking a header: the role of the peer, the message in progress, and the remaining limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameContext {
    pub(crate) from: Role,
    /// Messages may be compressed.
    pub(crate) deflate: bool,
    pub(crate) in_message: bool,
    /// Set if the message in progress may have one more frame.
    pub(crate) may_continue: bool,
    pub(crate) max_frame: u64,
    /// The number of bytes by which the message in progress, or a new one, may still grow.
    pub(crate) max_growth: u64,
    /// The maximum size of the first frame of a compressed message.
    pub(crate) max_compressed: u64,
}

/// A frame header that is valid in its context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) opcode: OpCode,
    pub(crate) fin: bool,
    /// In the first frame of a message: whether the message is compressed.
    pub(crate) compressed: bool,
    /// The masking key, or zero in an unmasked frame: unmasking with zero changes nothing.
    pub(crate) key: [u8; 4],
    /// The announced length of the payload. It stays a `u64` until it has passed the limits.
    pub(crate) length: u64,
}

impl Header {
    /// Parses the header at the front of `bytes`, and returns it with its size, or `None` if more bytes are needed.
    ///
    /// Each rule is applied as soon as its byte is available, in the order of the bytes. An invalid first byte is
    /// rejected before the second one arrives.
    pub(crate) fn parse(bytes: &[u8], context: &FrameContext) -> Result<Option<(Self, usize)>, ProtocolError> {
        let Some(&first) = bytes.first() else {
            return Ok(None);
        };
        let reserved = first & RSV;
        let compressed = reserved == RSV1 && context.deflate;
        if reserved != 0 && !compressed {
            return Err(ProtocolError::ReservedBits);
        }
        let Some(opcode) = OpCode::new(first & OPCODE) else {
            return Err(ProtocolError::ReservedOpcode);
        };
        // RFC 7692 section 6: only the first frame of a message may have the bit.
        if compressed && !matches!(opcode, OpCode::Text | OpCode::Binary) {
            return Err(ProtocolError::ReservedBits);
        }
        let fin = first & FIN != 0;
        if opcode.is_control() && !fin {
            return Err(ProtocolError::FragmentedControl);
        }
        match opcode {
            OpCode::Continuation if !context.in_message => {
                return Err(ProtocolError::UnexpectedContinuation);
            }
            OpCode::Continuation if !context.may_continue => {
                return Err(ProtocolError::TooManyFragments);
            }
            OpCode::Text | OpCode::Binary if context.in_message => {
                return Err(ProtocolError::UnfinishedMessage);
            }
            _ => {}
        }

        let Some(&second) = bytes.get(1) else {
            return Ok(None);
        };
        let masked = second & MASK != 0;
        match (masked, context.from) {
            (false, Role::Client) => return Err(ProtocolError::UnmaskedFrame),
            (true, Role::Server) => return Err(ProtocolError::MaskedFrame),
            _ => {}
        }
        let short = second & LENGTH;
        if opcode.is_control() && usize::from(short) > MAX_CONTROL_PAYLOAD {
            return Err(ProtocolError::ControlTooLong);
        }
        if opcode == OpCode::Close {
            CloseFrame::check_length(short)?;
        }

        let (length, size) = if short < LENGTH_16 {
            (u64::from(short), 2)
        } else if short == LENGTH_16 {
            let Some(&length) = bytes[2..].first_chunk() else {
                return Ok(None);
            };
            let length = u16::from_be_bytes(length);
            if length < u16::from(LENGTH_16) {
                return Err(ProtocolError::LengthForm);
            }
            (u64::from(length), 4)
        } else {
            // The top bit is in the first of the eight bytes.
            if bytes.get(2).is_some_and(|&top| top & 0x80 != 0) {
                return Err(ProtocolError::LengthTopBit);
            }
            // A length of up to 16 bits has a shorter form. In this form, its upper six bytes are zeros.
            if bytes.get(2..8).is_some_and(|high| high == [0; 6]) {
                return Err(ProtocolError::LengthForm);
            }
            let Some(&length) = bytes[2..].first_chunk() else {
                return Ok(None);
            };
            let length = u64::from_be_bytes(length);
            (length, 10)
        };

        if !opcode.is_control() {
            if length > context.max_frame {
                return Err(ProtocolError::FrameTooLarge);
            }
            let max_length = if compressed { context.max_compressed } else { context.max_growth };
            if length > max_length {
                return Err(ProtocolError::MessageTooLarge);
            }
        }

        if !masked {
            let key = [0; 4];
            return Ok(Some((Self { opcode, fin, compressed, key, length }, size)));
        }
        let Some(&key) = bytes.get(size..).and_then(<[u8]>::first_chunk) else {
            return Ok(None);
        };
        Ok(Some((Self { opcode, fin, compressed, key, length }, size + 4)))
    }

    /// Writes the header of a frame that we send, in the shortest form. It writes several parts of constant size, which
    /// is cheaper than a single part of variable size.
    #[inline]
    pub(crate) fn put(first: u8, length: usize, key: Option<[u8; 4]>, mut out: impl FnMut(&[u8])) {
        match (length, key) {
            (0..=125, None) => out(&[first, length as u8]),
            (0..=125, Some([a, b, c, d])) => out(&[first, MASK | length as u8, a, b, c, d]),
            (126..=65_535, _) => {
                let [high, low] = (length as u16).to_be_bytes();
                match key {
                    None => out(&[first, LENGTH_16, high, low]),
                    Some([a, b, c, d]) => out(&[first, MASK | LENGTH_16, high, low, a, b, c, d]),
                }
            }
            _ => {
                out(&[first, LENGTH_64 | if key.is_some() { MASK } else { 0 }]);
                out(&(length as u64).to_be_bytes());
                if let Some(key) = key {
                    out(&key);
                }
            }
        }
    }

    /// Returns the size of the header of a frame that we send.
    #[inline]
    pub(crate) fn size(length: usize, is_masked: bool) -> usize {
        let key = if is_masked { 4 } else { 0 };
        match length {
            0..=125 => 2 + key,
            126..=65_535 => 4 + key,
            _ => 10 + key,
        }
    }

    /// Encodes the same header into an array. Returns the array and the size of the header.
    pub(crate) fn encode(first: u8, length: usize, key: Option<[u8; 4]>) -> ([u8; MAX_HEADER], usize) {
        let (mut bytes, mut size) = ([0; MAX_HEADER], 0);
        Self::put(first, length, key, |piece| {
            copy_to(&mut bytes, size, piece);
            size += piece.len();
        });
        (bytes, size)
    }
}

/// Returns the first byte of a frame that we send, with FIN and the opcode. An extension may add bits to it.
#[inline]
pub(crate) fn first_byte(opcode: OpCode, fin: bool) -> u8 {
    opcode as u8 | if fin { FIN } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_that_of_the_encoded_header() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, usize::MAX] {
            for key in [None, Some([1; 4])] {
                assert_eq!(Header::size(length, key.is_some()), Header::encode(0x82, length, key).1, "{length}");
            }
        }
    }

    fn rules(from: Role) -> FrameContext {
        FrameContext {
            from,
            deflate: false,
            in_message: false,
            may_continue: true,
            max_frame: u64::MAX,
            max_growth: u64::MAX,
            max_compressed: u64::MAX,
        }
    }

    #[test]
    fn what_is_encoded_is_parsed() {
        for length in [0, 1, 125, 126, 127, 128, 255, 256, 65_535, 65_536, 1 << 20] {
            for key in [None, Some([1, 2, 3, 4])] {
                let (bytes, size) = Header::encode(first_byte(OpCode::Binary, false), length, key);
                let rules = rules(if key.is_some() { Role::Client } else { Role::Server });
                for short in 0..size {
                    assert_eq!(Header::parse(&bytes[..short], &rules), Ok(None));
                }
                let header = Header {
                    opcode: OpCode::Binary,
                    fin: false,
                    compressed: false,
                    key: key.unwrap_or_default(),
                    length: length as u64,
                };
                assert_eq!(Header::parse(&bytes[..size], &rules), Ok(Some((header, size))));
            }
        }
    }

    /// Every pair of a first and a second byte, checked against the sentences of RFC 6455 sections 5.2 and 5.5, one by
    /// one.
    #[test]
    fn every_pair_of_first_bytes() {
        for pair in 0..=u16::MAX {
            let [first, second] = pair.to_be_bytes();
            let opcode = first & 15;
            let expected = if first >> 4 & 7 != 0 {
                Err(ProtocolError::ReservedBits)
            } else if (3..8).contains(&opcode) || opcode > 10 {
                Err(ProtocolError::ReservedOpcode)
            } else if opcode >= 8 && first < 128 {
                Err(ProtocolError::FragmentedControl)
            } else if opcode == 0 {
                Err(ProtocolError::UnexpectedContinuation)
            } else if second < 128 {
                Err(ProtocolError::UnmaskedFrame)
            } else if opcode >= 8 && second > 128 + 125 {
                Err(ProtocolError::ControlTooLong)
            } else if opcode == 8 && second == 128 + 1 {
                Err(ProtocolError::CloseLength)
            } else {
                Ok(())
            };
            let bytes = [first, second, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            let parsed = Header::parse(&bytes, &rules(Role::Client));
            assert_eq!(parsed.map(|_| ()), expected, "{first:02x} {second:02x}");
        }
    }
}

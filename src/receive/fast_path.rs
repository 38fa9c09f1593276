//! The fast path for the common frame: a whole message of up to 64 KiB that is complete in the input.
//!
//! It is received in place with few comparisons. [`Receiver::receive`] has the same result for such a frame; the test
//! below compares both.

use core::mem;

use super::Receiver;

use crate::config::Config;
use crate::frame::{self, MessageKind, header};
use crate::role::Role;

impl Receiver {
    /// Returns the next message, if it is a common frame, for [`WholeMessage::new`]. `None` says nothing.
    #[inline(always)]
    pub(crate) fn whole_message<'b>(&self, input: &mut &'b mut [u8]) -> Option<(MessageKind, &'b mut [u8])> {
        if !self.is_between_messages() {
            return None;
        }
        let (&[first, second], rest) = input.split_first_chunk()?;
        let kind = match first {
            header::WHOLE_TEXT => MessageKind::Text,
            header::WHOLE_BINARY => MessageKind::Binary,
            _ => return None,
        };
        // This removes the mask bit if it is required. If the bit is wrong, the result is not a length below 128.
        let is_masked = self.from == Role::Client;
        let short = second ^ if is_masked { header::MASK } else { 0 };
        let (length, start) = match short {
            0..header::LENGTH_16 => (usize::from(short), 2),
            header::LENGTH_16 => {
                let length = u16::from_be_bytes(*rest.first_chunk()?);
                // The length is not in the shortest form.
                if length < u16::from(header::LENGTH_16) {
                    return None;
                }
                (usize::from(length), 4)
            }
            _ => return None,
        };
        if length >= self.whole_below as usize {
            return None;
        }
        let payload = if is_masked {
            let (head, payload) = split_frame(input, start + 4, length)?;
            if let Some(&key) = head.last_chunk() {
                frame::mask(payload, key);
            }
            payload
        } else {
            split_frame(input, start, length)?.1
        };
        Some((kind, payload))
    }
}

/// Returns the length below which the fast path may receive a message.
pub(super) fn whole_below(config: &Config) -> u32 {
    let longest = config.max_frame_size.min(config.max_message_size).min(u16::MAX.into());
    // Not above 65,536.
    (longest + 1).min(config.chunk_threshold) as u32
}

/// Splits a frame into its header and its payload and removes it from the input, if it is complete.
#[inline(always)]
fn split_frame<'b>(input: &mut &'b mut [u8], start: usize, length: usize) -> Option<(&'b mut [u8], &'b mut [u8])> {
    if input.len() < start + length {
        return None;
    }
    let (frame, rest) = mem::take(input).split_at_mut(start + length);
    *input = rest;
    Some(frame.split_at_mut(start))
}

#[cfg(test)]
mod tests {
    use super::super::{Context, Received, WholeMessage};
    use super::*;
    use alloc::borrow::Cow;
    use alloc::vec::Vec;

    fn configs() -> [Config; 4] {
        [
            Config::new(),
            Config::new().max_frame_size(1000),
            Config::new().max_message_size(126),
            Config::new().chunk_threshold(125),
        ]
    }

    /// Tries every first byte, with every second byte or with lengths at the limits, and both valid and invalid UTF-8.
    /// The fast path receives and leaves the same bytes as [`Receiver::receive`].
    #[test]
    fn the_fast_path_equals_the_slow_path() {
        let mut taken = 0;
        for from in [Role::Client, Role::Server] {
            for config in configs() {
                let pairs = (0..=u8::MAX).flat_map(|first| (0..=u8::MAX).map(move |second| (first, second)));
                // Other frames are never common ones, whatever the limits.
                let is_tried = |first| matches!(first, 0x81 | 0x82) || config.max_message_size > 1000;
                for (first, second) in pairs.filter(|&(first, _)| is_tried(first)) {
                    for bytes in frames(first, second) {
                        taken += usize::from(compare(from, &config, &bytes));
                    }
                }
            }
        }
        // Two opcodes with most lengths.
        assert!(taken > 2000, "{taken}");
    }

    /// Returns frames with those two bytes, with payloads of the declared length, one byte less and one byte more.
    fn frames(first: u8, second: u8) -> impl Iterator<Item = Vec<u8>> {
        let is_data = matches!(first, 0x81 | 0x82);
        let lengths = match second & 0x7f {
            126 if is_data => Vec::from([0, 125, 126, 127, 1000, 1001, 65535]),
            length => Vec::from([u16::from(length)]),
        };
        let fillings: &[u8] = if is_data { &[b'x', 0xff] } else { b"x" };
        lengths.into_iter().flat_map(move |length| {
            fillings.iter().flat_map(move |&filling| {
                [-1_isize, 0, 1].into_iter().filter_map(move |more| {
                    let mut bytes = Vec::from([first, second]);
                    if second & 0x7f == 126 {
                        bytes.extend(length.to_be_bytes());
                    }
                    if second & 0x80 != 0 {
                        bytes.extend([0; 4]);
                    }
                    let payload = usize::from(length).checked_add_signed(more)?;
                    bytes.resize(bytes.len() + payload, filling);
                    Some(bytes)
                })
            })
        })
    }

    /// Returns whether the fast path receives the frame. If so, the result must equal that of the slow path.
    fn compare(from: Role, config: &Config, bytes: &[u8]) -> bool {
        let (mut fast, mut slow) = (bytes.to_vec(), bytes.to_vec());
        let (mut fast_rest, mut slow_rest) = (&mut fast[..], &mut slow[..]);
        let Some((kind, payload)) = Receiver::new(from, config).whole_message(&mut fast_rest) else {
            assert_eq!(fast_rest, bytes, "nothing is consumed then");
            return false;
        };
        let received = Receiver::new(from, config).receive(&mut slow_rest, Context { config, lent: None });
        let expected = match received {
            Err(error) => Err(error),
            Ok(Some(Received::Text(Cow::Borrowed(text)))) => Ok(WholeMessage::Text(text)),
            Ok(Some(Received::Binary(Cow::Borrowed(data)))) => Ok(WholeMessage::Binary(data)),
            other => panic!("{from:?} {:02x?}: {other:?}", &bytes[..2]),
        };
        assert_eq!(WholeMessage::new(kind, payload), expected);
        assert_eq!(fast_rest, slow_rest);
        true
    }
}

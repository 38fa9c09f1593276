//! The message in progress, in one buffer. Here text is validated, memory grows, and messages or chunks are delivered,
//! whether the bytes were received uncompressed, were inflated, or were read directly into place.
//!
//! ```text
//! payload ───────► append ──────────┐
//! inflater ──────► append_with ─────┼──► bytes ──► deliver: a message, or a chunk of one
//! transport ─────► read_buffer ─────┘
//!                  commit_read
//! ```
//!
//! With chunks, a payload is delivered in place, borrowed from the input, if nothing is buffered here: `lend`.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use super::decoder::Rest;
use super::payload::Payload;
use super::received::Received;
use crate::chunk::Chunk;
use crate::config::Config;
use crate::frame::MessageKind;
use crate::pool::{BufferPool, empty_text, is_much_larger};
use crate::slices::{part, part_mut};
use crate::utf8::{InvalidUtf8, Utf8};

/// The message in progress.
#[derive(Debug)]
pub(super) enum Assembly {
    /// Text, validated as far as it has been received. `utf8` has the first bytes of a character that was cut.
    Text { delivery: Delivery, utf8: Utf8, text: String },
    /// Binary data, followed by `ahead` bytes that will be overwritten: zeros, bytes of a read that was not committed, or
    /// those of a message whose buffer was recycled.
    Binary { delivery: Delivery, read_offered: bool, ahead: u32, data: Vec<u8> },
}

/// The way in which the message is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    Whole,
    Chunks { first_delivered: bool },
}

/// The minimum space for a direct read. Less is not worth its own slice in a vectored read, which reads the rest in the
/// same call.
const MIN_DIRECT_READ: usize = 8 << 10;

/// The maximum number of bytes that are zeroed at once for reading into: as many as stay in a cache until they are
/// overwritten.
const MAX_ZEROED: usize = 64 << 10;

/// The maximum number of bytes to be overwritten, which are counted in 32 bits.
const MAX_AHEAD: usize = 1 << 30;

/// The blocks on the stack into which text is inflated before it is checked and appended, by how much input there is: a block
/// is set to zero before, and costs a call that copies up to 32 KiB of what came out into the inflater's window. Counted by
/// `tests/work/run`: with 16 KiB alone, a message costs 16,000 instructions more ("tiny-compressed-texts"); with 2 KiB alone, a
/// byte costs one more ("compressed-prose-as-text"). Measured by `benches/peers` ("G inflate"): with 64 KiB, JSON of that
/// length takes 15 % less time than with 16 KiB.
const SMALL_BLOCK: usize = 2 << 10;
const LARGE_BLOCK: usize = 16 << 10;
const HUGE_BLOCK: usize = 64 << 10;

impl Assembly {
    /// The message in progress, which begins where there is none. Each kind is made where it goes: made elsewhere and moved,
    /// a message that the input cuts costs 8 ns more.
    #[inline(always)]
    pub(super) fn in_progress<'a>(
        message: &'a mut Option<Self>,
        kind: MessageKind,
        pool: Option<&mut BufferPool>,
    ) -> &'a mut Self {
        match message {
            Some(message) => message,
            none => {
                let mut buffer = pool.map(BufferPool::get_used).unwrap_or_default();
                let delivery = Delivery::Whole;
                match kind {
                    MessageKind::Text => {
                        none.insert(Self::Text { delivery, utf8: Utf8::default(), text: empty_text(buffer) })
                    }
                    MessageKind::Binary => {
                        buffer.truncate(MAX_AHEAD);
                        let ahead = buffer.len() as u32;
                        none.insert(Self::Binary { delivery, read_offered: false, ahead, data: buffer })
                    }
                }
            }
        }
    }

    /// Returns the buffered bytes, without those of a cut character.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text { text, .. } => text.as_bytes(),
            Self::Binary { ahead, data, .. } => part(data, ..data.len() - *ahead as usize),
        }
    }

    /// Returns the buffered bytes, and those of a cut character.
    pub(super) fn all_bytes(&self) -> [&[u8]; 2] {
        match self {
            Self::Text { text, utf8, .. } => [text.as_bytes(), utf8.cut()],
            Self::Binary { .. } => [self.bytes(), &[]],
        }
    }

    pub(super) fn is_chunked(&self) -> bool {
        let (Self::Text { delivery, .. } | Self::Binary { delivery, .. }) = self;
        *delivery != Delivery::Whole
    }

    /// Records that the message is too large to be delivered whole.
    pub(super) fn set_chunked(&mut self) {
        let (Self::Text { delivery, .. } | Self::Binary { delivery, .. }) = self;
        if *delivery == Delivery::Whole {
            *delivery = Delivery::Chunks { first_delivered: false };
        }
    }

    /// Appends a payload, unmasking it while it is copied.
    #[inline(always)]
    pub(super) fn append(
        &mut self,
        payload: Payload<'_>,
        config: &Config,
        pool: Option<&mut BufferPool>,
    ) -> Result<(), InvalidUtf8> {
        match self {
            Self::Text { utf8, text, .. } => {
                let arrived = text.len() + utf8.cut().len() + payload.len();
                if arrived > text.capacity() {
                    grow_text(text, arrived, capacity_limit(arrived, payload.rest, payload.fin, config), pool);
                }
                for block in payload.unmasked_blocks() {
                    append_text(text, utf8, block)?;
                }
                Ok(())
            }
            Self::Binary { read_offered, ahead, data, .. } => {
                *read_offered = false;
                let arrived = data.len() - *ahead as usize + payload.len();
                if arrived > data.capacity() {
                    data.truncate(data.len() - mem::take(ahead) as usize);
                    grow(data, arrived, capacity_limit(arrived, payload.rest, payload.fin, config), pool);
                }
                payload.append_to(data, *ahead as usize);
                // At most what it was.
                *ahead = (data.len() - arrived) as u32;
                Ok(())
            }
        }
    }

    /// Appends the bytes that `write` writes into a space of at most `most` bytes. `write` returns their number.
    /// Returns that number, and whether the space is full.
    pub(super) fn append_with(
        &mut self,
        expected: usize,
        most: usize,
        pool: Option<&mut BufferPool>,
        write: impl FnOnce(&mut [u8]) -> usize,
    ) -> Result<(usize, bool), InvalidUtf8> {
        match self {
            Self::Text { utf8, text, .. } => match expected {
                ..1024 => append_text_with::<SMALL_BLOCK>(text, utf8, most, pool, write),
                1024..4096 => append_text_with::<LARGE_BLOCK>(text, utf8, most, pool, write),
                4096.. => append_text_with::<HUGE_BLOCK>(text, utf8, most, pool, write),
            },
            Self::Binary { ahead, data, .. } => {
                let filled = data.len() - *ahead as usize;
                if *ahead == 0 {
                    let guess = expected.saturating_mul(4).clamp(SMALL_BLOCK, MAX_ZEROED);
                    if filled == data.capacity() {
                        grow(data, filled + 1, filled.saturating_add(guess.max(filled).min(most)), pool);
                    }
                    let spare = data.capacity() - filled;
                    data.resize(filled + spare.min(guess).min(most), 0);
                }
                let end = data.len().min(filled.saturating_add(most));
                let space = part_mut(data, filled..end);
                let length = space.len();
                let written = write(space);
                // At most what was there to be overwritten.
                *ahead = (data.len() - filled - written) as u32;
                Ok((written, written == length))
            }
        }
    }

    /// Returns the space after the buffered bytes for the next bytes of the frame, if reading into it is worthwhile.
    pub(super) fn read_buffer(&mut self, rest: Rest, config: &Config) -> Option<&mut [u8]> {
        let Self::Binary { read_offered, ahead, data, .. } = self else { return None };
        let filled = data.len() - *ahead as usize;
        let length = usize::try_from(rest.length).unwrap_or(usize::MAX);
        if length < MIN_DIRECT_READ || config.is_chunked(rest.declared) {
            return None;
        }
        if data.capacity() - filled < MIN_DIRECT_READ {
            let capacity = capacity_limit(filled, rest.length, rest.fin, config);
            data.reserve_exact(capacity.saturating_sub(data.len()));
        }
        let end = data.capacity().min(filled.saturating_add(length)).min(data.len().max(filled + MAX_ZEROED));
        if end - filled < MIN_DIRECT_READ {
            return None;
        }
        if data.len() < end {
            data.resize(end, 0);
        }
        *read_offered = true;
        *ahead = (data.len() - filled) as u32;
        data.get_mut(filled..end)
    }

    /// Appends up to `count` bytes that were read into the [`read_buffer`](Self::read_buffer), and returns them.
    /// Returns none if the buffer has changed since.
    pub(super) fn commit_read(&mut self, count: usize, rest: Rest) -> &mut [u8] {
        match self {
            Self::Binary { read_offered: read_offered @ true, ahead, data, .. } => {
                *read_offered = false;
                let filled = data.len() - *ahead as usize;
                let rest = usize::try_from(rest.length).unwrap_or(usize::MAX);
                let count = count.min(*ahead as usize).min(rest);
                *ahead -= count as u32;
                part_mut(data, filled..filled + count)
            }
            _ => &mut [],
        }
    }

    /// Delivers what is here: the message, or a chunk; nothing where the message continues and there is nothing to deliver.
    #[inline(always)]
    pub(super) fn deliver(
        &mut self,
        ends: bool,
        pool: Option<&mut BufferPool>,
    ) -> Result<Option<Received<'static>>, InvalidUtf8> {
        if !ends && self.bytes().is_empty() {
            return Ok(None);
        }
        // The caller may keep it for long.
        if is_much_larger(self.capacity(), self.bytes().len()) {
            self.shrink(pool);
        }
        Ok(Some(match self {
            Self::Text { delivery, utf8, text } => {
                if ends {
                    utf8.finish()?;
                }
                let text = mem::take(text);
                match delivery.next_chunk() {
                    None => Received::Text(Cow::Owned(text)),
                    Some(first) => Received::Chunk(Chunk::owned_text(first, ends, text)),
                }
            }
            Self::Binary { delivery, ahead, data, .. } => {
                let mut data = mem::take(data);
                data.truncate(data.len() - mem::take(ahead) as usize);
                match delivery.next_chunk() {
                    None => Received::Binary(Cow::Owned(data)),
                    Some(first) => Received::Chunk(Chunk::owned_binary(first, ends, data)),
                }
            }
        }))
    }

    /// Delivers a payload in place as a chunk. Nothing must be buffered except the bytes of a cut character.
    pub(super) fn lend<'b>(&mut self, payload: Payload<'b>) -> Result<Option<Received<'b>>, InvalidUtf8> {
        debug_assert!(self.bytes().is_empty(), "it would be overtaken");
        let ends = payload.ends_message();
        let (delivery, completed, text, data) = match self {
            Self::Text { delivery, utf8, .. } => {
                let (completed, text) = utf8.next(payload.unmasked())?;
                if ends {
                    utf8.finish()?;
                }
                (delivery, completed, Some(text), &[][..])
            }
            Self::Binary { delivery, .. } => (delivery, None, None, &*payload.unmasked()),
        };
        if !ends && completed.is_none() && text.map_or(data, str::as_bytes).is_empty() {
            return Ok(None);
        }
        let first = delivery.next_chunk().unwrap_or_else(|| {
            debug_assert!(false, "the message is delivered in chunks");
            true
        });
        Ok(Some(Received::Chunk(match text {
            Some(text) => Chunk::text_piece(first, ends, completed, text),
            None => Chunk::binary_piece(first, ends, data),
        })))
    }

    /// Moves the buffered bytes out of a buffer that is much too large.
    pub(super) fn shrink(&mut self, pool: Option<&mut BufferPool>) {
        match self {
            Self::Text { text, .. } => match pool {
                Some(pool) => pool.shrink_text(text),
                None => text.shrink_to_fit(),
            },
            Self::Binary { read_offered, ahead, data, .. } => {
                *read_offered = false;
                data.truncate(data.len() - mem::take(ahead) as usize);
                match pool {
                    Some(pool) => _ = pool.shrink(data, 0),
                    None => data.shrink_to_fit(),
                }
            }
        }
    }

    #[inline]
    fn capacity(&self) -> usize {
        match self {
            Self::Text { text, .. } => text.capacity(),
            Self::Binary { data, .. } => data.capacity(),
        }
    }

    /// Recycles the buffer.
    pub(super) fn recycle(self, pool: Option<&mut BufferPool>) {
        if let Some(pool) = pool {
            match self {
                Self::Text { text, .. } => pool.recycle(text.into_bytes()),
                Self::Binary { data, .. } => pool.recycle(data),
            }
        }
    }
}

impl Delivery {
    /// Returns whether the next chunk is the first, or `None` if the message is delivered whole.
    fn next_chunk(&mut self) -> Option<bool> {
        match self {
            Self::Whole => None,
            Self::Chunks { first_delivered } => Some(!mem::replace(first_delivered, true)),
        }
    }
}

/// RFC 6455 section 8.1: the only place where the text of messages that are not whole in the input is validated.
#[inline]
fn append_text(text: &mut String, utf8: &mut Utf8, bytes: &[u8]) -> Result<(), InvalidUtf8> {
    let (completed, more) = utf8.next(bytes)?;
    text.extend(completed);
    text.push_str(more);
    Ok(())
}

// Not inlined: the stack is as large as the block while it runs only.
#[inline(never)]
fn append_text_with<const BLOCK: usize>(
    text: &mut String,
    utf8: &mut Utf8,
    most: usize,
    pool: Option<&mut BufferPool>,
    write: impl FnOnce(&mut [u8]) -> usize,
) -> Result<(usize, bool), InvalidUtf8> {
    let mut block = [0; BLOCK];
    let space = &mut block[..most.min(BLOCK)];
    let length = space.len();
    let written = write(space);
    let arrived = text.len() + utf8.cut().len() + written;
    if arrived > text.capacity() {
        grow_text(text, arrived, text.len().saturating_add(text.len().min(most)), pool);
    }
    append_text(text, utf8, part(&block, ..written))?;
    Ok((written, written == length))
}

/// Returns the capacity that an assembly may have for `arrived` bytes, when `rest` bytes of the frame are still
/// missing.
///
/// It is at most four times the bytes that arrived, so that a header that declares a large payload costs nothing. It is
/// also at most the size of the message, once the last frame has declared that.
fn capacity_limit(arrived: usize, rest: u64, fin: bool, config: &Config) -> usize {
    let declared = (arrived as u64).saturating_add(rest);
    let most = if fin { declared } else { declared.max(2 * arrived as u64).min(config.max_message_size) };
    usize::try_from(most).unwrap_or(usize::MAX).min(arrived.saturating_mul(4))
}

/// Grows a buffer to at least `least` bytes, by moving it into a buffer of the pool or by allocating `most` bytes.
#[cold]
fn grow(data: &mut Vec<u8>, least: usize, most: usize, pool: Option<&mut BufferPool>) {
    if let Some(pool) = pool {
        pool.grow(data, least);
    }
    if data.capacity() < least {
        data.reserve_exact(most.max(least) - data.len());
    }
}

/// Does what [`grow`] does, for text.
#[cold]
fn grow_text(text: &mut String, least: usize, most: usize, pool: Option<&mut BufferPool>) {
    if let Some(pool) = pool {
        pool.grow_text(text, least);
    }
    if text.capacity() < least {
        text.reserve_exact(most.max(least) - text.len());
    }
}

//! What is sent and what must come back, prepared so that the load has little to do besides what the kernel does for it.

use crate::servers::Answer;

/// Prepared messages together have about this many bytes at most, so that they stay in a cache.
const PREPARED: usize = 512 << 10;
const MIN_BATCHES: usize = 3;
const MAX_BATCHES: usize = 37;

/// Messages that are sent by one write, and their answers.
pub(crate) struct Batch {
    pub(crate) frames: Vec<u8>,
    pub(crate) answer: Vec<u8>,
}

/// Prepares different batches of `window` messages of `size` bytes.
pub(crate) fn batches(size: usize, window: usize, answer: Answer) -> Vec<Batch> {
    let count = (PREPARED / (2 * size * window)).clamp(MIN_BATCHES, MAX_BATCHES);
    (0..count as u32).map(|seed| Batch::new(seed, size, window, answer)).collect()
}

impl Batch {
    /// Binary messages of random bytes, with a masking key each.
    fn new(seed: u32, size: usize, window: usize, answer: Answer) -> Self {
        let mut noise = noise(seed);
        let mut batch = Self { frames: Vec::new(), answer: Vec::new() };
        for _ in 0..window {
            let key: [u8; 4] = std::array::from_fn(|_| noise());
            let payload: Vec<_> = (0..size).map(|_| noise()).collect();
            header(&mut batch.frames, size, 0x80);
            batch.frames.extend(key);
            batch.frames.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
            header(&mut batch.answer, size, 0);
            batch.answer.extend(payload);
        }
        if answer == Answer::SameBytes {
            batch.answer.clone_from(&batch.frames);
        }
        batch
    }
}

/// The header of a whole binary message, up to the masking key.
fn header(frames: &mut Vec<u8>, size: usize, mask: u8) {
    frames.push(0x82);
    match size {
        ..126 => frames.push(mask | size as u8),
        126..0x1_0000 => {
            frames.push(mask | 126);
            frames.extend((size as u16).to_be_bytes());
        }
        _ => {
            frames.push(mask | 127);
            frames.extend((size as u64).to_be_bytes());
        }
    }
}

fn noise(seed: u32) -> impl FnMut() -> u8 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    }
}

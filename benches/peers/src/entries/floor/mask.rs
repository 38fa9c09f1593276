//! Masking, in place and while copying.

/// From this length on whole words are masked; below it, the first and the last bytes, which overlap.
const WORDS: usize = 64;

#[inline]
pub(super) fn mask(payload: &mut [u8], key: [u8; 4]) {
    match payload.len() {
        0..4 => {
            for (byte, key) in payload.iter_mut().zip(key) {
                *byte ^= key;
            }
        }
        4..8 => ends::<4>(payload, key),
        8..16 => ends::<8>(payload, key),
        16..=32 => ends::<16>(payload, key),
        33..=WORDS => ends::<32>(payload, key),
        _ => {
            let (words, rest) = payload.as_chunks_mut();
            xor(words, key);
            for (byte, key) in rest.iter_mut().zip(key) {
                *byte ^= key;
            }
        }
    }
}

/// Copies and masks in one pass; both slices have the same length.
#[inline]
pub(super) fn copy_masked(to: &mut [u8], from: &[u8], key: [u8; 4]) {
    let (to_words, to_rest) = to.as_chunks_mut::<4>();
    let (from_words, from_rest) = from.as_chunks::<4>();
    let word = u32::from_ne_bytes(key);
    for (to, from) in to_words.iter_mut().zip(from_words) {
        *to = (u32::from_ne_bytes(*from) ^ word).to_ne_bytes();
    }
    for ((to, from), key) in to_rest.iter_mut().zip(from_rest).zip(key) {
        *to = from ^ key;
    }
}

/// The key for the byte that comes `count` later.
pub(super) fn rotate(key: [u8; 4], count: usize) -> [u8; 4] {
    u32::from_be_bytes(key).rotate_left(8 * (count % 4) as u32).to_be_bytes()
}

#[inline]
fn ends<const N: usize>(payload: &mut [u8], key: [u8; 4]) {
    let split = payload.len() - N;
    let mut front: [u8; N] = payload[..N].try_into().expect("so many");
    let mut back: [u8; N] = payload[split..].try_into().expect("so many");
    xor(front.as_chunks_mut().0, key);
    xor(back.as_chunks_mut().0, rotate(key, split));
    payload[..N].copy_from_slice(&front);
    payload[split..].copy_from_slice(&back);
}

#[inline]
fn xor(words: &mut [[u8; 4]], key: [u8; 4]) {
    let key = u32::from_ne_bytes(key);
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ key).to_ne_bytes();
    }
}

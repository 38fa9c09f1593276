//! Masking, in place and while copying (RFC 6455 section 5.3): always by vectors that may overlap, never byte by byte.
//!
//! Everything here is compiled into its callers, with the vectors that they are compiled for.

/// From this length on, lines are masked from a cache line's beginning on.
const MIN_ALIGNED: usize = 512;
pub(super) const CACHE_LINE: usize = 64;

#[inline(always)]
pub(super) fn mask(payload: &mut [u8], key: [u8; 4]) {
    match payload.len() {
        16..=32 => ends::<16>(payload, key),
        0..4 => {
            for (byte, key) in payload.iter_mut().zip(key) {
                *byte ^= key;
            }
        }
        4..8 => ends::<4>(payload, key),
        8..16 => ends::<8>(payload, key),
        33..=64 => ends::<32>(payload, key),
        65..=128 => ends::<64>(payload, key),
        _ => lines(payload, key),
    }
}

/// Copies and masks in one pass; both slices have the same length.
#[inline(always)]
pub(super) fn copy_masked(to: &mut [u8], from: &[u8], key: [u8; 4]) {
    match from.len() {
        16..=32 => copy_ends::<16>(to, from, key),
        0..4 => {
            for ((to, from), key) in to.iter_mut().zip(from).zip(key) {
                *to = from ^ key;
            }
        }
        4..8 => copy_ends::<4>(to, from, key),
        8..16 => copy_ends::<8>(to, from, key),
        33..=64 => copy_ends::<32>(to, from, key),
        65..=128 => copy_ends::<64>(to, from, key),
        _ => copy_lines(to, from, key),
    }
}

/// The key for the byte that comes `count` later.
#[inline(always)]
pub(super) fn rotate(key: [u8; 4], count: usize) -> [u8; 4] {
    u32::from_be_bytes(key).rotate_left(8 * (count % 4) as u32).to_be_bytes()
}

#[inline(always)]
fn ends<const N: usize>(payload: &mut [u8], key: [u8; 4]) {
    let (front, back, split) = masked_ends::<N>(payload, key);
    payload[..N].copy_from_slice(&front);
    payload[split..].copy_from_slice(&back);
}

#[inline(always)]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8], key: [u8; 4]) {
    let (front, back, split) = masked_ends::<N>(from, key);
    to[..N].copy_from_slice(&front);
    to[split..].copy_from_slice(&back);
}

/// The ends are masked first and written last, over what the lines in between have made of them.
#[inline(always)]
fn lines(payload: &mut [u8], key: [u8; 4]) {
    let (front, back, split) = masked_ends::<CACHE_LINE>(payload, key);
    let start = first_line(payload);
    let key = rotate(key, start);
    for line in payload[start..].as_chunks_mut::<CACHE_LINE>().0 {
        xor(line, key);
    }
    payload[..CACHE_LINE].copy_from_slice(&front);
    payload[split..].copy_from_slice(&back);
}

/// The destination's lines are aligned: a store across two lines costs more than a load.
#[inline(always)]
fn copy_lines(to: &mut [u8], from: &[u8], key: [u8; 4]) {
    copy_ends::<CACHE_LINE>(to, from, key);
    let start = first_line(to);
    let key = rotate(key, start);
    let lines = to[start..].as_chunks_mut::<CACHE_LINE>().0.iter_mut().zip(from[start..].as_chunks::<CACHE_LINE>().0);
    for (to, &(mut line)) in lines {
        xor(&mut line, key);
        *to = line;
    }
}

#[inline(always)]
fn first_line(place: &[u8]) -> usize {
    if place.len() < MIN_ALIGNED { 0 } else { place.as_ptr().align_offset(CACHE_LINE).min(CACHE_LINE) }
}

/// The first and the last `N` bytes, masked, and where the last begin.
#[inline(always)]
fn masked_ends<const N: usize>(payload: &[u8], key: [u8; 4]) -> ([u8; N], [u8; N], usize) {
    let split = payload.len() - N;
    let mut front: [u8; N] = payload[..N].try_into().expect("so many");
    let mut back: [u8; N] = payload[split..].try_into().expect("so many");
    xor(&mut front, key);
    xor(&mut back, rotate(key, split));
    (front, back, split)
}

#[inline(always)]
fn xor<const N: usize>(bytes: &mut [u8; N], key: [u8; 4]) {
    let key = u32::from_ne_bytes(key);
    for word in bytes.as_chunks_mut().0 {
        *word = (u32::from_ne_bytes(*word) ^ key).to_ne_bytes();
    }
}

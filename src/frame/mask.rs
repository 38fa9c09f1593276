//! Masking (RFC 6455 section 5.3): octet `i` of the payload is combined with octet `i mod 4` of the key by XOR.
//!
//! Short payloads are most of the traffic, so they take no loop: the first and the last 4, 8, 16, 32 or 64 bytes, which may
//! overlap, are read before either is written. In the overlap both write the same. Up to 32 bytes that is compiled into the
//! caller.
//!
//! To measure the sizes below again, run `benches/peers` with other values ("A receive binary", "D client send").

use alloc::vec::Vec;

use crate::slices::part_mut;

/// Up to this size a payload is masked by its two overlapping ends. Measured at 64 bytes: 2 ns, where the loop over words takes
/// 6 ns; at 125 bytes 183 instructions a message instead of 263.
const MAX_ENDS: usize = 128;

/// From this size on, masking in place begins at a cache line. Measured 6 bytes after one, with and without: 12 and 16 ns at
/// 1,100 bytes, 32 and 55 ns at 4,000; from 256 bytes on instead, 300 bytes take 8.5 ns and not 5.6.
const MIN_ALIGNED: usize = 1024;

/// The same for masking while appending. Measured for a client's messages of 16 KiB, with and without: 178 and 270 ns; at 1 KiB
/// 29 and 26 ns.
const MIN_APPEND_ALIGNED: usize = 4096;
const CACHE_LINE: usize = 64;

/// From this size on, a payload is masked while it is copied or appended; below, afterwards. Measured at 300 bytes: 19 ns fused,
/// 15 ns afterwards; at 600 bytes both take 18 ns.
const MIN_FUSED: usize = 512;

/// The length of the repeated key with which a payload is combined while it is appended. The compiler turns the loop over a line
/// into vectors. Measured at 4,000 bytes: 99 ns by lines of 64 bytes, 67 ns by 256, 65 to 77 ns by 1,024.
const KEY_LINE: usize = 256;

/// Masks or unmasks `payload` in place: the same XOR does both.
///
/// `key` belongs to the first byte of `payload`; a payload that arrives in parts continues with [`rotate`].
#[inline(always)]
pub(crate) fn mask(payload: &mut [u8], key: [u8; 4]) {
    match payload.len() {
        16..=32 => mask_ends::<16>(payload, key),
        8..16 => mask_ends::<8>(payload, key),
        4..8 => mask_ends::<4>(payload, key),
        0..4 => {
            for (byte, key) in payload.iter_mut().zip(key) {
                *byte ^= key;
            }
        }
        _ => mask_longer(payload, key),
    }
}

/// Masks or unmasks `payload` while it is appended to `to`, which has capacity for it.
#[inline]
pub(crate) fn append_masked(to: &mut Vec<u8>, payload: &[u8], key: [u8; 4]) {
    match payload.len() {
        16..=32 => append_ends::<16>(to, payload, key),
        8..16 => append_ends::<8>(to, payload, key),
        _ => append_others(to, payload, key),
    }
}

/// Copies `payload` to `place`, which has the same length, masking or unmasking it on the way.
pub(crate) fn copy_masked(place: &mut [u8], payload: &[u8], key: [u8; 4]) {
    if payload.len() < MIN_FUSED {
        place.copy_from_slice(payload);
        mask(place, key);
    } else {
        copy_words(place, payload, key);
    }
}

/// The key for the byte that comes `bytes` after the one that `key` belongs to.
#[inline]
pub(crate) fn rotate(key: [u8; 4], bytes: usize) -> [u8; 4] {
    // `bytes % 4` is below 4: the cast keeps it.
    u32::from_be_bytes(key).rotate_left(8 * (bytes % 4) as u32).to_be_bytes()
}

#[inline(never)]
fn mask_longer(payload: &mut [u8], key: [u8; 4]) {
    match payload.len() {
        ..=64 => mask_ends::<32>(payload, key),
        65..=MAX_ENDS => mask_ends::<64>(payload, key),
        _ => mask_lines(payload, key),
    }
}

#[inline(never)]
fn append_others(to: &mut Vec<u8>, payload: &[u8], key: [u8; 4]) {
    match payload.len() {
        33..=64 => append_ends::<32>(to, payload, key),
        65..=MAX_ENDS => append_ends::<64>(to, payload, key),
        MIN_FUSED.. => append_lines(to, payload, key),
        _ => {
            let start = to.len();
            to.extend_from_slice(payload);
            mask(part_mut(to, start..), key);
        }
    }
}

#[inline]
fn mask_ends<const N: usize>(payload: &mut [u8], key: [u8; 4]) {
    let (front, back, _) = masked_ends::<N>(payload, key);
    if let Some(place) = payload.first_chunk_mut() {
        *place = front;
    }
    if let Some(place) = payload.last_chunk_mut() {
        *place = back;
    }
}

#[inline]
fn append_ends<const N: usize>(to: &mut Vec<u8>, payload: &[u8], key: [u8; 4]) {
    let (front, back, split) = masked_ends::<N>(payload, key);
    let start = to.len();
    to.extend_from_slice(&front);
    to.truncate(start + split);
    to.extend_from_slice(&back);
}

/// The first and the last `N` bytes of a payload that has at least as many, masked; and where the last begin.
#[inline(always)]
fn masked_ends<const N: usize>(payload: &[u8], key: [u8; 4]) -> ([u8; N], [u8; N], usize) {
    let split = payload.len() - N;
    let (Some(&(mut front)), Some(&(mut back))) = (payload.first_chunk(), payload.last_chunk()) else {
        debug_assert!(false, "the payload has at least {N} bytes");
        return ([0; N], [0; N], split);
    };
    xor(&mut front, key);
    xor(&mut back, rotate(key, split));
    (front, back, split)
}

/// Flat loops over words, which the compiler turns into the widest vectors it may use: those of the CPU, where that can
/// be asked. A long payload is masked from a cache line's beginning on: no vector lies across two lines then.
#[cfg_attr(feature = "std", multiversion::multiversion(targets("x86_64+avx2")))]
fn mask_lines(mut payload: &mut [u8], mut key: [u8; 4]) {
    if payload.len() >= MIN_ALIGNED {
        let unaligned = payload.as_ptr().align_offset(CACHE_LINE).min(CACHE_LINE);
        let unaligned = payload.split_off_mut(..unaligned).unwrap_or_default();
        mask(unaligned, key);
        key = rotate(key, unaligned.len());
    }
    // The end is masked before the lines are, which may overlap it.
    let (_, end, _) = masked_ends::<CACHE_LINE>(payload, key);
    for line in payload.as_chunks_mut::<CACHE_LINE>().0 {
        xor(line, key);
    }
    if let Some(place) = payload.last_chunk_mut() {
        *place = end;
    }
}

#[cfg_attr(feature = "std", multiversion::multiversion(targets("x86_64+avx2")))]
fn append_lines(to: &mut Vec<u8>, mut payload: &[u8], mut key: [u8; 4]) {
    if payload.len() >= MIN_APPEND_ALIGNED {
        let unaligned = to.spare_capacity_mut().as_ptr().align_offset(CACHE_LINE).min(CACHE_LINE);
        let unaligned = payload.split_off(..unaligned).unwrap_or_default();
        append_masked(to, unaligned, key);
        key = rotate(key, unaligned.len());
    }
    let mut key_line = [0; KEY_LINE];
    key_line.as_chunks_mut().0.fill(key);
    let lines = payload.chunks_exact(KEY_LINE);
    let rest = lines.remainder();
    for line in lines {
        to.extend(line.iter().zip(&key_line).map(|(byte, key)| byte ^ key));
    }
    if !rest.is_empty() {
        append_masked(to, rest, key);
    }
}

#[cfg_attr(feature = "std", multiversion::multiversion(targets("x86_64+avx2")))]
fn copy_words(place: &mut [u8], payload: &[u8], key: [u8; 4]) {
    let (place, place_rest) = place.as_chunks_mut();
    let (payload, payload_rest) = payload.as_chunks();
    let word = u32::from_ne_bytes(key);
    for (to, from) in place.iter_mut().zip(payload) {
        *to = (u32::from_ne_bytes(*from) ^ word).to_ne_bytes();
    }
    for ((to, from), key) in place_rest.iter_mut().zip(payload_rest).zip(key) {
        *to = from ^ key;
    }
}

/// Masks bytes whose number is a multiple of four. Compiled with the vectors of its caller.
#[inline(always)]
fn xor<const N: usize>(bytes: &mut [u8; N], key: [u8; 4]) {
    let key = u32::from_ne_bytes(key);
    for word in bytes.as_chunks_mut().0 {
        *word = (u32::from_ne_bytes(*word) ^ key).to_ne_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The algorithm of the RFC, literally.
    fn naive(payload: &mut [u8], key: [u8; 4]) {
        for (i, byte) in payload.iter_mut().enumerate() {
            *byte ^= key[i % 4];
        }
    }

    /// B-16: every length to 300 at every alignment and phase.
    #[test]
    fn agrees_with_the_naive_loop() {
        let source: Vec<u8> = (0..1600).map(|i: usize| (i * 7 + i / 256) as u8).collect();
        for length in (0..=300).chain([1023, 1024, 1100, 1499]) {
            for start in 0..64 {
                for phase in 0..4 {
                    let key = rotate([0x37, 0xfa, 0x21, 0x3d], phase);
                    let mut fast = source.clone();
                    let mut slow = source.clone();
                    mask(&mut fast[start..start + length], key);
                    naive(&mut slow[start..start + length], key);
                    assert_eq!(fast, slow, "{length} bytes at {start}, phase {phase}");
                }
            }
        }
    }

    /// The same for masking while copying.
    #[test]
    fn appending_agrees_with_the_naive_loop() {
        let source: Vec<u8> = (0..5000).map(|i: usize| (i * 7 + i / 256) as u8).collect();
        for length in (0..=300).chain([511, 512, 513, 1000, 4095, 4096, 5000]) {
            for phase in 0..4 {
                let key = rotate([0x37, 0xfa, 0x21, 0x3d], phase);
                let (mut fast, mut slow) = (b"before".to_vec(), source[..length].to_vec());
                append_masked(&mut fast, &source[..length], key);
                naive(&mut slow, key);
                assert_eq!(fast, [b"before", &slow[..]].concat(), "{length} bytes, phase {phase}");
                fast.fill(0);
                copy_masked(&mut fast[6..], &source[..length], key);
                assert_eq!(fast, [&[0; 6], &slow[..]].concat(), "{length} bytes, phase {phase}");
            }
        }
    }

    /// B-17: the phase continues across parts.
    #[test]
    fn rotation_continues_where_a_piece_ended() {
        for cut in 0..40 {
            let key = [1, 2, 4, 8];
            let mut whole = [0u8; 40];
            naive(&mut whole, key);
            let mut pieces = [0u8; 40];
            mask(&mut pieces[..cut], key);
            mask(&mut pieces[cut..], rotate(key, cut));
            assert_eq!(whole, pieces);
        }
    }
}

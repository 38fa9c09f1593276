//! Masking (RFC 6455 section 5.3): octet `i` of the payload is combined with octet `i mod 4` of the key by XOR.

use alloc::vec::Vec;

/// Payloads up to this size are masked by their two overlapping ends. Measured at 64 bytes: 2 ns, compared to 6 ns for
/// the loop over words. To measure these constants again, time this function with other values, and take the best of 40
/// runs in one process.
const MAX_ENDS: usize = 64;

/// From this size on, masking is aligned to cache lines. Measured with a payload 6 bytes after one, with and without
/// alignment: 12 and 16 ns at 1,100 bytes, 32 and 55 ns at 4,000 bytes. With a value of 256, a payload of 300 bytes
/// takes 8.5 ns instead of 5.6 ns.
const MIN_ALIGNED: usize = 1024;
const CACHE_LINE: usize = 64;

/// Masks or unmasks `payload` in place. Both are the same XOR.
///
/// `key` starts at the first byte of `payload`. For the next part of a payload that arrives in parts, [`rotate`] the
/// key.
#[inline]
pub(crate) fn mask(payload: &mut [u8], key: [u8; 4]) {
    // Short payloads are masked by their first and their last 4, 8, 16 or 32 bytes, which may overlap. Both are read
    // before either is written, and both write the same bytes in the overlap. So no loop over the remaining bytes is
    // needed.
    match payload.len() {
        16..=32 => ends::<16>(payload, key),
        33..=MAX_ENDS => ends::<32>(payload, key),
        8..16 => ends::<8>(payload, key),
        4..8 => ends::<4>(payload, key),
        0..4 => {
            for (byte, key) in payload.iter_mut().zip(key) {
                *byte ^= key;
            }
        }
        _ => words(payload, key),
    }
}

/// Appends `payload` to `to`, which has capacity for it, masking or unmasking it while it is copied.
pub(crate) fn append_masked(to: &mut Vec<u8>, payload: &[u8], key: [u8; 4]) {
    if payload.len() < MIN_FUSED {
        let start = to.len();
        to.extend_from_slice(payload);
        mask(&mut to[start..], key);
        return;
    }
    append_lines(to, payload, key);
}

/// Copies `payload` to `place`, which has the same length, masking or unmasking it on the way.
pub(crate) fn copy_masked(place: &mut [u8], payload: &[u8], key: [u8; 4]) {
    if payload.len() < MIN_FUSED {
        place.copy_from_slice(payload);
        mask(place, key);
        return;
    }
    copy_words(place, payload, key);
}

/// From this size on, a payload is masked while it is copied. A smaller one is copied first. Measured at 300 bytes: 19
/// ns while it is copied, 15 ns afterwards. At 600 bytes both take 18 ns.
const MIN_FUSED: usize = 512;

/// The length of the repeated key for masking a payload while it is appended. The compiler vectorizes the loop over
/// such a line. Measured at 4,000 bytes: 99 ns with lines of 64 bytes, 67 ns with 256, 65 to 77 ns with 1,024.
const KEY_LINE: usize = 256;

#[cfg_attr(feature = "std", multiversion::multiversion(targets("x86_64+avx2")))]
fn append_lines(to: &mut Vec<u8>, payload: &[u8], key: [u8; 4]) {
    let mut line = [0; KEY_LINE];
    line.as_chunks_mut().0.fill(key);
    for payload in payload.chunks(KEY_LINE) {
        to.extend(payload.iter().zip(&line).map(|(byte, key)| byte ^ key));
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

/// Returns the key for a payload that continues after `bytes` bytes.
#[inline]
pub(crate) fn rotate(key: [u8; 4], bytes: usize) -> [u8; 4] {
    // `bytes % 4` is below 4: the cast keeps it.
    u32::from_be_bytes(key).rotate_left(8 * (bytes % 4) as u32).to_be_bytes()
}

#[inline]
fn ends<const N: usize>(payload: &mut [u8], key: [u8; 4]) {
    let split = payload.len() - N;
    let (Some(&(mut front)), Some(&(mut back))) = (payload.first_chunk::<N>(), payload.last_chunk::<N>()) else {
        debug_assert!(false, "the payload has at least {N} bytes");
        return;
    };
    xor(front.as_chunks_mut().0, key);
    xor(back.as_chunks_mut().0, rotate(key, split));
    payload[..N].copy_from_slice(&front);
    payload[split..].copy_from_slice(&back);
}

// Inlined, and so compiled with the vector instructions of its caller.
#[inline(always)]
fn xor(words: &mut [[u8; 4]], key: [u8; 4]) {
    let key = u32::from_ne_bytes(key);
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ key).to_ne_bytes();
    }
}

/// Flat loops over words, which the compiler vectorizes with the widest vectors available: with `std`, those that the
/// CPU has at run time. A long payload is processed from the start of a cache line, so that no vector crosses two
/// lines.
#[cfg_attr(feature = "std", multiversion::multiversion(targets("x86_64+avx2")))]
fn words(payload: &mut [u8], key: [u8; 4]) {
    if payload.len() < MIN_ALIGNED {
        return flat(payload, key);
    }
    let start = payload.as_ptr().align_offset(CACHE_LINE).min(payload.len());
    let (unaligned, aligned) = payload.split_at_mut(start);
    flat(unaligned, key);
    flat(aligned, rotate(key, start));
}

// Inlined, and so compiled with the vector instructions of its caller.
#[inline(always)]
fn flat(payload: &mut [u8], key: [u8; 4]) {
    let (words, rest) = payload.as_chunks_mut();
    xor(words, key);
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
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
        let source: Vec<u8> = (0..2000).map(|i: usize| (i * 7 + i / 256) as u8).collect();
        for length in (0..=300).chain([511, 512, 513, 1000, 1999]) {
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

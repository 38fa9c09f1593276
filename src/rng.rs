//! A client's random numbers: an unpredictable new masking key for every frame, the nonce of its handshake, and the seeds
//! of many clients (RFC 6455 sections 5.3 and 10.3).

use alloc::boxed::Box;
use core::fmt;

use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::seed::Seed;

/// A client's random number generator: `ChaCha` with 12 rounds, the algorithm of `StdRng` in the `rand` crate.
pub(crate) struct MaskKeys(Box<ChaCha12Rng>);

impl MaskKeys {
    pub(crate) fn new(seed: Seed) -> Self {
        Self(Box::new(ChaCha12Rng::from_seed(seed.0)))
    }

    #[inline]
    pub(crate) fn next(&mut self) -> [u8; 4] {
        self.0.next_u32().to_le_bytes()
    }

    /// The nonce of an opening handshake (RFC 6455 section 4.1, item 7).
    pub(crate) fn nonce(&mut self) -> [u8; 16] {
        let mut nonce = [0; 16];
        self.0.fill_bytes(&mut nonce);
        nonce
    }
}

/// A generator of seeds.
pub(crate) struct SeedRng(ChaCha12Rng);

impl SeedRng {
    pub(crate) fn new(seed: Seed) -> Self {
        Self(ChaCha12Rng::from_seed(seed.0))
    }

    pub(crate) fn next(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        seed
    }
}

impl fmt::Debug for MaskKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskKeys(..)")
    }
}

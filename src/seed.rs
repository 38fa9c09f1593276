//! Entropy from outside: the engine asks no operating system for it by itself.

use core::fmt;

/// 32 bytes of entropy, from which a client draws the key of its handshake and the masking key of every frame
/// (RFC 6455 5.3 and 10.3).
///
/// They must be unpredictable and used for one connection only, which is why a seed can't be cloned and shows nothing
/// in `Debug`.
///
/// ```
/// # #[cfg(feature = "getrandom")] {
/// use websocket_proto::Seed;
///
/// let seed = Seed::from_os().unwrap();
/// assert_eq!(format!("{seed:?}"), "Seed(..)");
/// # }
/// ```
pub struct Seed(pub(crate) [u8; 32]);

impl Seed {
    /// A seed of the caller's own entropy. Equal seeds give equal connections, which is what tests want and nobody
    /// else.
    pub const fn new(entropy: [u8; 32]) -> Self {
        Self(entropy)
    }

    /// A seed from the operating system's generator.
    ///
    /// # Errors
    ///
    /// The operating system's, when it has no entropy to give.
    #[cfg(feature = "getrandom")]
    #[cfg_attr(docsrs, doc(cfg(feature = "getrandom")))]
    pub fn from_os() -> Result<Self, SeedError> {
        let mut entropy = [0; 32];
        getrandom::fill(&mut entropy).map_err(|_| SeedError)?;
        Ok(Self(entropy))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// The operating system has no entropy to give.
#[cfg(feature = "getrandom")]
#[cfg_attr(docsrs, doc(cfg(feature = "getrandom")))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system has no entropy to give")]
pub struct SeedError;

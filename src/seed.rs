//! Entropy from the caller: the engine itself never asks the operating system for any.

use core::fmt;

use crate::rng::SeedRng;

/// 32 bytes of entropy for a client, which derives the key of its handshake and the masking key of every frame from
/// them (RFC 6455 sections 5.3 and 10.3).
///
/// The bytes must be unpredictable, and used for one connection only. A seed can therefore not be cloned, and `Debug`
/// does not show it.
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
    /// Creates a seed from your own entropy. Connections with equal seeds send the same keys: useful in tests, a
    /// vulnerability anywhere else.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Negotiated, Seed};
    ///
    /// // In a test, every run sends the same bytes.
    /// let new = || Connection::upgraded_client(Negotiated::new(), Config::new(), Seed::new([7; 32]));
    /// let (mut conn, mut same) = (new(), new());
    /// conn.send_text("hi")?;
    /// same.send_text("hi")?;
    /// assert_eq!(conn.output().take(), same.output().take());
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub const fn new(entropy: [u8; 32]) -> Self {
        Self(entropy)
    }

    /// Creates a seed from the random number generator of the operating system.
    ///
    /// # Errors
    ///
    /// The operating system failed to provide entropy.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Seed, client};
    ///
    /// let request = client::Request::new("ws://example.com/chat".parse()?);
    /// let conn = Connection::client(request, Config::new(), Seed::from_os()?)?; // a seed for each connection
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

/// A generator of [`Seed`]s, for a client that opens many connections. It asks the operating system for entropy once,
/// and not for each connection: a seed costs tens of nanoseconds instead of hundreds.
///
/// Give each thread its own. The seeds are the output of `ChaCha` with 12 rounds, so they are as unpredictable as the
/// entropy that it was created with. Code that can read the memory of a generator can compute the seeds that it has yielded
/// and will yield. A process that forks must create a new one in the child, which would otherwise yield the same seeds.
///
/// ```
/// # #[cfg(feature = "getrandom")] {
/// use std::sync::Arc;
/// use websocket_proto::{Config, Connection, Seeds, client};
///
/// let config = Arc::new(Config::new());
/// let request = client::Request::new("ws://example.com/load".parse()?);
/// let mut seeds = Seeds::from_os()?;
/// let connections: Result<Vec<_>, _> =
///     (0..100).map(|_| Connection::client(request.clone(), Arc::clone(&config), seeds.next_seed())).collect();
/// # assert_eq!(connections?.len(), 100);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Seeds(SeedRng);

impl Seeds {
    /// Creates a generator from your own entropy. Generators with equal entropy yield the same seeds.
    ///
    /// ```
    /// use websocket_proto::{Seed, Seeds};
    ///
    /// let mut seeds = Seeds::new(Seed::new([7; 32])); // in a test, every run uses the same seeds
    /// let seed = seeds.next_seed();
    /// # let _ = seed;
    /// ```
    pub fn new(seed: Seed) -> Self {
        Self(SeedRng::new(seed))
    }

    /// Creates a generator from the random number generator of the operating system.
    ///
    /// # Errors
    ///
    /// The operating system failed to provide entropy.
    #[cfg(feature = "getrandom")]
    #[cfg_attr(docsrs, doc(cfg(feature = "getrandom")))]
    pub fn from_os() -> Result<Self, SeedError> {
        Ok(Self::new(Seed::from_os()?))
    }

    /// Returns a seed that was not returned before.
    pub fn next_seed(&mut self) -> Seed {
        Seed(self.0.next())
    }
}

impl fmt::Debug for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seeds(..)")
    }
}

/// The operating system failed to provide entropy.
#[cfg(feature = "getrandom")]
#[cfg_attr(docsrs, doc(cfg(feature = "getrandom")))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system failed to provide entropy")]
pub struct SeedError;

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::format;

    use super::*;

    #[test]
    fn seeds_differ_and_depend_on_the_entropy() {
        let mut all = BTreeSet::new();
        for entropy in [[0; 32], [1; 32]] {
            let (mut seeds, mut same) = (Seeds::new(Seed::new(entropy)), Seeds::new(Seed::new(entropy)));
            for _ in 0..1000 {
                let seed = seeds.next_seed();
                assert_eq!(seed.0, same.next_seed().0);
                // The entropy of a connection must not be that of the generator.
                assert_ne!(seed.0, entropy);
                assert!(all.insert(seed.0));
            }
        }
    }

    /// Otherwise the keys of later connections could be read in a log.
    #[test]
    fn debug_shows_no_entropy() {
        assert_eq!(format!("{:?}", Seeds::new(Seed::new([7; 32]))), "Seeds(..)");
    }
}

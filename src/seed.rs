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
    /// Creates a seed from your own entropy. Equal seeds give equal connections, which is useful in tests and a
    /// vulnerability elsewhere.
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
    /// The operating system has no entropy to give.
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

/// The operating system has no entropy to give.
#[cfg(feature = "getrandom")]
#[cfg_attr(docsrs, doc(cfg(feature = "getrandom")))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system has no entropy to give")]
pub struct SeedError;

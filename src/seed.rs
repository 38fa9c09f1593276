//! Entropy from the caller: the engine itself never asks the operating system for any.

use core::fmt;

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

/// The operating system failed to provide entropy.
#[cfg(feature = "getrandom")]
#[cfg_attr(docsrs, doc(cfg(feature = "getrandom")))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system failed to provide entropy")]
pub struct SeedError;

//! The settings of compression.

/// How a connection compresses, and what it asks of its peer: the parameters of RFC 7692 7.1, and what is nobody
/// else's business.
///
/// Handed to [`Config::deflate`](crate::Config::deflate), without which nothing is compressed. The defaults compress
/// best: windows of 32 KiB both ways, which are kept from message to message.
///
/// ```
/// use websocket_proto::{Config, DeflateConfig};
///
/// // Little memory: 4 KiB windows, and none of it kept between messages.
/// let config = Config::new().deflate(
///     DeflateConfig::new()
///         .server_max_window_bits(12)
///         .client_max_window_bits(12)
///         .server_no_context_takeover(true)
///         .client_no_context_takeover(true),
/// );
/// ```
///
/// # Memory
///
/// Nothing is allocated for compression before the first compressed message of a direction. From then on, a connection
/// that keeps its context (which is called takeover) holds for that direction, in bytes:
///
// The table is held to what is measured by `tests/deflate_memory/memory.rs`.
#[doc = include_str!("memory.md")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeflateConfig {
    pub(crate) server_no_context_takeover: bool,
    pub(crate) client_no_context_takeover: bool,
    pub(crate) server_max_window_bits: u8,
    pub(crate) client_max_window_bits: u8,
    pub(crate) offer_client_max_window_bits: bool,
    pub(crate) level: u8,
    pub(crate) memory_level: u8,
    pub(crate) min_size: usize,
}

/// The smallest window that the compressor can be held to, as a power of two; RFC 7692 7.1.2 knows 8 as well.
pub(super) const MIN_WINDOW_BITS: u8 = 9;

/// The largest window (RFC 1951).
pub(super) const MAX_WINDOW_BITS: u8 = 15;

impl DeflateConfig {
    pub(crate) const DEFAULT: Self = Self {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: MAX_WINDOW_BITS,
        client_max_window_bits: MAX_WINDOW_BITS,
        offer_client_max_window_bits: true,
        level: 4,
        memory_level: 8,
        min_size: 64,
    };

    /// Returns the settings that messages are compressed with: the first, or the defaults.
    pub(crate) fn first_of(settings: &[Self]) -> &Self {
        settings.first().unwrap_or(&Self::DEFAULT)
    }

    /// The defaults, which are named at each setter.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether the server begins every message with an empty window (RFC 7692 7.1.1.1). Off by default. It makes messages
    /// larger, and lets the server keep no compressor and the client no window between them.
    pub fn server_no_context_takeover(mut self, on: bool) -> Self {
        self.server_no_context_takeover = on;
        self
    }

    /// Sets whether the client begins every message with an empty window (RFC 7692 7.1.1.2). Off by default; a server agrees
    /// in any case with a client that offers it.
    pub fn client_no_context_takeover(mut self, on: bool) -> Self {
        self.client_no_context_takeover = on;
        self
    }

    /// The most that the server's window may have, as a power of two (RFC 7692 7.1.2.1): 9 to 15, 15 by default; what
    /// is beyond counts as the nearest.
    ///
    /// The RFC knows 8 as well, which the compressor can't be held to: a server declines an offer that asks for it.
    pub fn server_max_window_bits(mut self, bits: u8) -> Self {
        self.server_max_window_bits = bits.clamp(MIN_WINDOW_BITS, MAX_WINDOW_BITS);
        self
    }

    /// The most that the client's window may have, as a power of two (RFC 7692 7.1.2.2): 9 to 15, 15 by default; what
    /// is beyond counts as the nearest. A server can ask it only of clients that say that they understand, as browsers
    /// do.
    ///
    /// A client whose server asks for 8 sends its messages as they are, and receives compressed ones.
    pub fn client_max_window_bits(mut self, bits: u8) -> Self {
        self.client_max_window_bits = bits.clamp(MIN_WINDOW_BITS, MAX_WINDOW_BITS);
        self
    }

    /// Sets whether a client's offer has the parameter `client_max_window_bits`, by which a server learns that it may limit
    /// the client's window (RFC 7692 section 7.1.2.2). On by default, as in browsers.
    ///
    /// Some servers decline every offer that has a parameter. With this off, and the other parameters as they are by
    /// default, the offer is `permessage-deflate` alone. The client still keeps to
    /// [`client_max_window_bits`](Self::client_max_window_bits), and fails the connection if the server names a limit. To a
    /// server the setting means nothing.
    ///
    /// ```
    /// use websocket_proto::DeflateConfig;
    ///
    /// assert_eq!(DeflateConfig::new().offer(), "permessage-deflate; client_max_window_bits");
    /// let bare = DeflateConfig::new().offer_client_max_window_bits(false);
    /// assert_eq!(bare.offer(), "permessage-deflate");
    /// ```
    pub fn offer_client_max_window_bits(mut self, on: bool) -> Self {
        self.offer_client_max_window_bits = on;
        self
    }

    /// Sets how hard to look for repetitions: from 0 (not at all) and 1 (fastest) to 9 (smallest). 4 by default.
    /// Measured on JSON messages of 1 KiB with takeover, level 1 takes a fifth of its time and gives 1.4 times its
    /// size, level 6 takes 1.5 times the time and gives 4 % less, level 9 twice the time for 9 % less.
    ///
    /// ```
    /// use websocket_proto::{Config, DeflateConfig};
    ///
    /// // A slow network: spend time and memory on large messages, and none on small ones.
    /// let slow_network = Config::new().deflate(DeflateConfig::new().level(9).memory_level(9).min_size(1024));
    /// ```
    pub fn level(mut self, level: u8) -> Self {
        self.level = level.min(9);
        self
    }

    /// Sets how much memory the compressor has for what it collects before it chooses a code: 1 to 9, 8 by default; what is
    /// beyond counts as the nearest. See the table above.
    pub fn memory_level(mut self, level: u8) -> Self {
        self.memory_level = level.clamp(1, 9);
        self
    }

    /// Messages of fewer bytes are sent as they are. 64 by default. Fragmented messages are compressed whatever their
    /// size, which isn't known at their beginning.
    pub fn min_size(mut self, bytes: usize) -> Self {
        self.min_size = bytes;
        self
    }
}

/// The settings, read back.
impl DeflateConfig {
    /// Returns the value of [`server_no_context_takeover`](Self::server_no_context_takeover).
    pub fn get_server_no_context_takeover(&self) -> bool {
        self.server_no_context_takeover
    }

    /// Returns the value of [`client_no_context_takeover`](Self::client_no_context_takeover).
    pub fn get_client_no_context_takeover(&self) -> bool {
        self.client_no_context_takeover
    }

    /// Returns the value of [`server_max_window_bits`](Self::server_max_window_bits).
    pub fn get_server_max_window_bits(&self) -> u8 {
        self.server_max_window_bits
    }

    /// Returns the value of [`client_max_window_bits`](Self::client_max_window_bits).
    pub fn get_client_max_window_bits(&self) -> u8 {
        self.client_max_window_bits
    }

    /// Returns the value of [`offer_client_max_window_bits`](Self::offer_client_max_window_bits).
    pub fn get_offer_client_max_window_bits(&self) -> bool {
        self.offer_client_max_window_bits
    }

    /// Returns the value of [`level`](Self::level).
    pub fn get_level(&self) -> u8 {
        self.level
    }

    /// Returns the value of [`memory_level`](Self::memory_level).
    pub fn get_memory_level(&self) -> u8 {
        self.memory_level
    }

    /// Returns the value of [`min_size`](Self::min_size).
    pub fn get_min_size(&self) -> usize {
        self.min_size
    }
}

impl Default for DeflateConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

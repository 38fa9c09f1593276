//! The compression settings.

/// Compression settings: the parameters to negotiate (RFC 7692 section 7.1), and local settings that the peer does not
/// learn.
///
/// Pass them to [`Config::deflate`](crate::Config::deflate), without which nothing is compressed. The default
/// parameters give the best compression: a window of 32 KiB in each direction, kept from message to message.
///
/// ```
/// use websocket_proto::{Config, DeflateConfig};
///
/// // Low memory use: windows of 4 KiB, not kept between messages.
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
/// A connection allocates nothing for compression before the first compressed message in a direction. From then on, a
/// connection with context takeover holds the following for that direction, in bytes:
///
// `tests/deflate_memory/memory.rs` checks the table against measurements.
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

/// The smallest window that the compressor supports, as a power of two. RFC 7692 section 7.1.2 allows 8 as well.
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

    /// Returns the settings for compressing messages: the first ones, or the defaults.
    pub(crate) fn first_of(settings: &[Self]) -> &Self {
        settings.first().unwrap_or(&Self::DEFAULT)
    }

    /// Creates the default settings. The docs of each setter name its default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether the server begins every message with an empty window (RFC 7692 section 7.1.1.1). Off by default. If
    /// on, messages are larger, but the server keeps no compressor and the client no window between messages.
    pub fn server_no_context_takeover(mut self, on: bool) -> Self {
        self.server_no_context_takeover = on;
        self
    }

    /// Sets whether the client begins every message with an empty window (RFC 7692 section 7.1.1.2). Off by default. A
    /// server always agrees if the client offers it.
    pub fn client_no_context_takeover(mut self, on: bool) -> Self {
        self.client_no_context_takeover = on;
        self
    }

    /// Sets the maximum size of the server's window in bytes, as a power of two from 9 to 15 (RFC 7692 section
    /// 7.1.2.1). 15 by default. Other values are clamped.
    ///
    /// The RFC also allows 8, which the compressor does not support: a server declines an offer that asks for it.
    pub fn server_max_window_bits(mut self, bits: u8) -> Self {
        self.server_max_window_bits = bits.clamp(MIN_WINDOW_BITS, MAX_WINDOW_BITS);
        self
    }

    /// Sets the maximum size of the client's window in bytes, as a power of two from 9 to 15 (RFC 7692 section
    /// 7.1.2.2). 15 by default. Other values are clamped. A server can limit only clients whose offer has this
    /// parameter, as those of browsers do.
    ///
    /// If the server asks a client for 8, the client sends its messages uncompressed, and still receives compressed
    /// ones.
    pub fn client_max_window_bits(mut self, bits: u8) -> Self {
        self.client_max_window_bits = bits.clamp(MIN_WINDOW_BITS, MAX_WINDOW_BITS);
        self
    }

    /// Sets whether a client's offer has the parameter `client_max_window_bits`, which allows the server to limit the
    /// client's window (RFC 7692 section 7.1.2.2). On by default, as in browsers.
    ///
    /// Some servers decline every offer that has a parameter. With this off and the other parameters at their defaults,
    /// the offer is just `permessage-deflate`. The client still respects its own
    /// [`client_max_window_bits`](Self::client_max_window_bits), and fails the connection if the server sends a limit.
    /// The setting has no effect on servers.
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

    /// Sets the compression level, from 0 (none) and 1 (fastest) to 9 (smallest output). 4 by default.
    ///
    /// Measured on JSON messages of 1 KiB with context takeover, relative to level 4: level 1 takes 20 % of the time
    /// and its output is 1.4x as large. Level 6 takes 1.5x the time for 4 % less output, and level 9 takes 2x the time
    /// for 9 % less.
    ///
    /// ```
    /// use websocket_proto::{Config, DeflateConfig};
    ///
    /// // A slow network: spend time and memory on large messages, but none on small ones.
    /// let slow_network = Config::new().deflate(DeflateConfig::new().level(9).memory_level(9).min_size(1024));
    /// ```
    pub fn level(mut self, level: u8) -> Self {
        self.level = level.min(9);
        self
    }

    /// Sets how much memory the compressor uses for the data that it collects into a block, from 1 to 9. 8 by default.
    /// Other values are clamped. The [table](Self#memory) shows the effect.
    pub fn memory_level(mut self, level: u8) -> Self {
        self.memory_level = level.clamp(1, 9);
        self
    }

    /// Sets the minimum size of a message to compress, in bytes. 64 by default. Smaller messages are sent uncompressed.
    /// Fragmented messages are always compressed, because their size is not known at their beginning.
    pub fn min_size(mut self, bytes: usize) -> Self {
        self.min_size = bytes;
        self
    }
}

/// Getters.
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

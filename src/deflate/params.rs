//! The negotiated parameters, for the connection and for each direction.

use super::DeflateConfig;
use super::config::MIN_WINDOW_BITS;
use crate::role::Role;

/// The negotiated compression parameters (RFC 7692 section 7.1), returned by
/// [`Connection::deflate`](crate::Connection::deflate).
///
/// If the opening handshake is done elsewhere, [`DeflateConfig::answer`] and [`DeflateConfig::check`] return the
/// parameters for [`Negotiated::deflate`](crate::Negotiated::deflate).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeflateParams {
    pub(super) server_no_context_takeover: bool,
    pub(super) client_no_context_takeover: bool,
    pub(super) server_max_window_bits: u8,
    pub(super) client_max_window_bits: u8,
}

impl DeflateParams {
    /// Returns whether the server begins every message with an empty window.
    pub fn server_no_context_takeover(&self) -> bool {
        self.server_no_context_takeover
    }

    /// Returns whether the client begins every message with an empty window.
    pub fn client_no_context_takeover(&self) -> bool {
        self.client_no_context_takeover
    }

    /// Returns the size of the server's window in bytes, as a power of two from 9 to 15. On a client it can also be 8.
    pub fn server_max_window_bits(&self) -> u8 {
        self.server_max_window_bits
    }

    /// Returns the size of the client's window in bytes, as a power of two from 8 to 15.
    pub fn client_max_window_bits(&self) -> u8 {
        self.client_max_window_bits
    }

    /// Splits the parameters into the two directions of an endpoint with this role.
    pub(crate) fn directions(self, role: Role) -> (ReceiveCompression, SendCompression) {
        let server = (self.server_max_window_bits, !self.server_no_context_takeover);
        let client = (self.client_max_window_bits, !self.client_no_context_takeover);
        let (receive, send) = match role {
            Role::Server => (client, server),
            Role::Client => (server, client),
        };
        (ReceiveCompression::new(receive.0, receive.1), SendCompression::new(send.0, send.1))
    }

    /// The reverse of [`directions`](Self::directions).
    pub(crate) fn from_directions(role: Role, receive: ReceiveCompression, send: SendCompression) -> Self {
        let receive = (receive.window_bits(), receive.context_takeover());
        let send = (send.window_bits(), send.context_takeover());
        let (server, client) = match role {
            Role::Server => (send, receive),
            Role::Client => (receive, send),
        };
        Self {
            server_no_context_takeover: !server.1,
            client_no_context_takeover: !client.1,
            server_max_window_bits: server.0,
            client_max_window_bits: client.0,
        }
    }
}

/// The compression of received messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReceiveCompression {
    window_bits: u8,
    context_takeover: bool,
}

impl ReceiveCompression {
    fn new(window_bits: u8, context_takeover: bool) -> Self {
        Self { window_bits, context_takeover }
    }

    fn window_bits(self) -> u8 {
        self.window_bits
    }

    /// Returns whether a message may refer to earlier ones.
    pub(crate) fn context_takeover(self) -> bool {
        self.context_takeover
    }

    /// Returns the window size in bytes, at least that of 9 bits: some compressors that start at 9 bits declare 8.
    pub(crate) fn window_size(self) -> usize {
        1 << self.window_bits.max(MIN_WINDOW_BITS)
    }
}

/// The compression of sent messages, and whether it is enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SendCompression {
    window_bits: u8,
    context_takeover: bool,
    enabled: bool,
}

impl SendCompression {
    pub(super) fn new(window_bits: u8, context_takeover: bool) -> Self {
        Self { window_bits, context_takeover, enabled: true }
    }

    pub(crate) fn window_bits(self) -> u8 {
        self.window_bits
    }

    /// Returns whether a message may refer to earlier ones.
    pub(crate) fn context_takeover(self) -> bool {
        self.context_takeover
    }

    pub(super) fn window_size(self) -> usize {
        1 << self.window_bits
    }

    /// Sets whether messages are compressed from now on.
    pub(crate) fn set_enabled(&mut self, enabled: bool) {
        self.enabled = enabled;
    }

    /// Returns whether the compressor supports the window and compression is enabled.
    pub(crate) fn is_enabled(self) -> bool {
        self.enabled && self.window_bits >= MIN_WINDOW_BITS
    }

    /// Returns whether a message of `length` bytes should be compressed.
    pub(crate) fn is_worth_while(self, length: usize, settings: &[DeflateConfig]) -> bool {
        self.is_enabled() && length >= DeflateConfig::first_of(settings).min_size
    }

    /// Returns whether the sent bytes are kept in a window, so that the stream can serve other connections between
    /// messages. Reseeding it takes 7 µs for 4 KiB and 45 µs for 32 KiB. In comparison, compressing a message of 1 KiB
    /// takes 12 µs (criterion, level 4).
    pub(super) fn keeps_window(self) -> bool {
        self.context_takeover && self.window_bits <= 12
    }
}

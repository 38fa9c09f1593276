//! Getters. The setters have the plain names, so the name of a getter is that of its setter with the prefix `get_`, as
//! in `std::process::Command`.

use core::time::Duration;

use super::Config;
#[cfg(feature = "deflate")]
use crate::deflate::DeflateConfig;

/// Getters.
///
/// ```
/// use websocket_proto::Config;
///
/// let config = Config::new().max_message_size(1 << 20);
/// let greeting = format!("Send me up to {} bytes in one message.", config.get_max_message_size());
/// assert_eq!(greeting, "Send me up to 1048576 bytes in one message.");
/// ```
impl Config {
    /// Returns the value of [`max_handshake_size`](Self::max_handshake_size).
    pub fn get_max_handshake_size(&self) -> usize {
        self.max_handshake_size
    }

    /// Returns the value of [`max_headers`](Self::max_headers).
    pub fn get_max_headers(&self) -> usize {
        self.max_headers
    }

    /// Returns the value of [`max_rejection_body`](Self::max_rejection_body).
    pub fn get_max_rejection_body(&self) -> usize {
        self.max_rejection_body
    }

    /// Returns the value of [`max_frame_size`](Self::max_frame_size).
    pub fn get_max_frame_size(&self) -> u64 {
        self.max_frame_size
    }

    /// Returns the value of [`max_message_size`](Self::max_message_size).
    pub fn get_max_message_size(&self) -> u64 {
        self.max_message_size
    }

    /// Returns the value of [`chunk_threshold`](Self::chunk_threshold), or `None` if all messages are delivered whole.
    pub fn get_chunk_threshold(&self) -> Option<u64> {
        (self.chunk_threshold != u64::MAX).then_some(self.chunk_threshold)
    }

    /// Returns the value of [`max_chunked_message_size`](Self::max_chunked_message_size).
    pub fn get_max_chunked_message_size(&self) -> u64 {
        self.max_chunked_message_size
    }

    /// Returns the value of [`max_fragments`](Self::max_fragments).
    pub fn get_max_fragments(&self) -> u32 {
        self.max_fragments
    }

    /// Returns the value of [`max_pending_output`](Self::max_pending_output).
    pub fn get_max_pending_output(&self) -> usize {
        self.max_pending_output
    }

    /// Returns the value of [`handshake_timeout`](Self::handshake_timeout).
    pub fn get_handshake_timeout(&self) -> Option<Duration> {
        self.handshake_timeout
    }

    /// Returns the value of [`close_timeout`](Self::close_timeout).
    pub fn get_close_timeout(&self) -> Option<Duration> {
        self.close_timeout
    }

    /// Returns the two values of [`keepalive`](Self::keepalive), `idle` and `timeout`, or `None` if there is no keepalive.
    pub fn get_keepalive(&self) -> Option<(Duration, Duration)> {
        self.keepalive.map(|keepalive| (keepalive.idle, keepalive.timeout))
    }

    /// Returns the value of [`auto_pong`](Self::auto_pong).
    pub fn get_auto_pong(&self) -> bool {
        self.auto_pong
    }

    /// Returns the settings of all calls of [`deflate`](Self::deflate), in their order. The slice is empty if
    /// compression is off.
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    pub fn get_deflate(&self) -> &[DeflateConfig] {
        &self.deflate
    }
}

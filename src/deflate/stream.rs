//! The compression streams of zlib-rs, which the connections of a thread share between messages.

use alloc::vec::Vec;
use core::fmt;

use super::config::DeflateConfig;
use super::params::SendCompression;

/// Spare streams, at most one for every configuration that the connections of a thread use.
#[derive(Debug, Default)]
pub(super) struct StreamPool(Vec<Stream>);

impl StreamPool {
    pub(super) fn get(&mut self, config: StreamConfig) -> Option<Stream> {
        let at = self.0.iter().position(|stream| stream.config == config)?;
        Some(self.0.swap_remove(at))
    }

    pub(super) fn recycle(&mut self, stream: Stream) {
        if self.0.iter().all(|other| other.config != stream.config) {
            self.0.push(stream);
        }
    }
}

/// The configuration of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StreamConfig {
    window_bits: u8,
    level: u8,
    memory_level: u8,
}

impl StreamConfig {
    pub(super) fn new(compression: SendCompression, settings: &DeflateConfig) -> Self {
        Self { window_bits: compression.window_bits(), level: settings.level, memory_level: settings.memory_level }
    }
}

/// A stream of zlib-rs.
pub(super) struct Stream {
    pub(super) inner: zlib_rs::Deflate,
    config: StreamConfig,
}

impl Stream {
    pub(super) fn new(config: StreamConfig) -> Self {
        let inner = zlib_rs::Deflate::new_with_config(zlib_rs::DeflateConfig {
            level: config.level.into(),
            // A negative value means no zlib header.
            window_bits: -i32::from(config.window_bits),
            mem_level: config.memory_level.into(),
            ..zlib_rs::DeflateConfig::default()
        });
        Self { inner, config }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stream").field(&self.config).finish()
    }
}

//! The compressors that a thread's connections share between messages.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::{Compressor, Deflate, SendCompression};

/// Spare streams, at most one for every configuration that the connections of a thread use, and a box for one at work.
#[derive(Debug, Default)]
pub(crate) struct CompressorPool {
    streams: Vec<Stream>,
    spare_box: Option<Box<Compressor>>,
}

impl CompressorPool {
    /// Returns a compressor without a stream or a window.
    pub(crate) fn get(&mut self) -> Option<Box<Compressor>> {
        self.spare_box.take()
    }

    /// Takes back a compressor whose connection has no more use for it: without context takeover, its window is empty.
    pub(crate) fn recycle(&mut self, mut compressor: Box<Compressor>) {
        compressor.recycle_stream(self);
        self.spare_box = Some(compressor);
    }

    pub(super) fn get_stream(&mut self, config: StreamConfig) -> Option<Stream> {
        let at = self.streams.iter().position(|stream| stream.config == config)?;
        Some(self.streams.swap_remove(at))
    }

    pub(super) fn recycle_stream(&mut self, stream: Stream) {
        if self.streams.iter().all(|other| other.config != stream.config) {
            self.streams.push(stream);
        }
    }
}

/// What a stream of zlib-rs is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StreamConfig {
    window_bits: u8,
    level: u8,
    memory_level: u8,
}

impl StreamConfig {
    pub(super) fn new(compression: SendCompression, settings: &Deflate) -> Self {
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
            // Below zero: without the header of zlib.
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

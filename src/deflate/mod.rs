//! permessage-deflate (RFC 7692): compressed messages.
//!
//! ```text
//! config.rs       what an endpoint wants: DeflateConfig
//! negotiation.rs  Sec-WebSocket-Extensions ◄──► params.rs: what both endpoints agree on
//! inflater.rs     compressed bytes, any split ──► bytes          (used by receive/)
//! compressor.rs   bytes ──► compressed bytes                     (used by send/)
//! window.rs       what a connection keeps when it gives either back
//! stream.rs       the streams of zlib-rs that compressors share between messages
//! off.rs          all of this without the feature: types that have no values
//! ```
//!
//! The compression itself (RFC 1951) is done by zlib-rs.

mod compressor;
mod config;
mod inflater;
mod negotiation;
mod params;
mod stream;
mod window;

pub(crate) use compressor::{Compressor, CompressorPool, compress_alone};
pub use config::DeflateConfig;
pub(crate) use inflater::{Inflater, Status};
pub(crate) use negotiation::{Answer, answer_offers, check_answer, write_offers};
pub use params::DeflateParams;
pub(crate) use params::{ReceiveCompression, SendCompression};
pub(crate) use window::Window;

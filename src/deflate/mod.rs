//! permessage-deflate (RFC 7692): messages that travel compressed.
//!
//! ```text
//! config.rs           what an endpoint wants: Deflate
//! negotiation.rs      Sec-WebSocket-Extensions ◄──► params.rs: what both endpoints agree on
//! inflater.rs         compressed bytes, any split ──► bytes          (used by receive/)
//! compressor.rs       bytes ──► compressed bytes                     (used by send/)
//! window.rs           what a connection keeps when it gives either back
//! compressor_pool.rs  what the connections of a thread share
//! off.rs              all of this without the feature: types that have no values
//! ```
//!
//! The compression itself (RFC 1951) is that of zlib-rs.

mod compressor;
mod compressor_pool;
mod config;
mod inflater;
mod negotiation;
mod params;
mod window;

pub(crate) use compressor::{Compressor, compress_alone};
pub(crate) use compressor_pool::CompressorPool;
pub use config::Deflate;
pub(crate) use inflater::{Inflater, Status};
pub(crate) use negotiation::{Answer, answer_offers, check_answer, write_offers};
pub use params::DeflateParams;
pub(crate) use params::{ReceiveCompression, SendCompression};
pub(crate) use window::Window;

/// What ends every flushed part of a DEFLATE stream, and isn't sent (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

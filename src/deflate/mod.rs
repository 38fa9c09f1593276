//! permessage-deflate (RFC 7692): messages that travel compressed.
//!
//! ```text
//! offer.rs       Sec-WebSocket-Extensions ◄──► what the two ends agree on: DeflateParams
//! inflater.rs    compressed bytes, any split ──► bytes          (used by receive/)
//! compressor.rs  bytes ──► compressed bytes                     (used by send/)
//! history.rs     what a connection keeps when it gives either back
//! ```
//!
//! The compression itself (RFC 1951) is that of zlib-rs.

mod compressor;
mod history;
mod inflater;
mod offer;
mod settings;

pub(crate) use compressor::{Compressor, Compressors, Outgoing};
pub(crate) use history::History;
pub(crate) use inflater::{Incoming, Inflater, Then};
pub use offer::DeflateParams;
pub(crate) use offer::{Answer, answer, check, offers};
pub use settings::Deflate;

/// What ends every flushed piece of a DEFLATE stream, and isn't sent (RFC 7692 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

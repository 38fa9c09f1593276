//! Messages for many connections: encoded once and shared.

use alloc::vec::Vec;

use bytes::Bytes;

use super::Message;
#[cfg(feature = "deflate")]
use crate::deflate::{self, DeflateConfig};
#[cfg(feature = "deflate")]
use crate::frame::header::RSV1;
use crate::frame::{Header, MessageKind, first_byte};
use crate::slices::part;

/// A message that is encoded once and can be sent to any number of connections, from any thread, with
/// [`Connection::send_prepared`](crate::Connection::send_prepared).
///
/// A server's connection shares a large message by reference count, without copying it. A client's connection must mask
/// the message, so it makes a copy. Cloning is cheap.
#[cfg_attr(
    feature = "deflate",
    doc = "\nIt can have a [compressed](Self::compressed) form as well, for the connections that agreed on compression."
)]
///
/// ```
/// use bytes::Buf;
/// use websocket_proto::{Config, Connection, Negotiated, PreparedMessage};
///
/// let news = PreparedMessage::new("大家好");
/// for _ in 0..3 {
///     let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
///     conn.send_prepared(&news).unwrap();
///     assert_eq!(conn.output().remaining(), 2 + 9);
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedMessage {
    kind: MessageKind,
    plain: Encoded,
    compressed: Option<Compressed>,
}

/// A message as the single unmasked frame that a server sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Encoded {
    frame: Bytes,
    /// The length of the header.
    header: usize,
    /// The reserved bits that are set in the header.
    reserved: u8,
}

/// The compressed form, which refers to no earlier message, and the window size that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Compressed {
    encoded: Encoded,
    window_bits: u8,
}

impl PreparedMessage {
    /// Encodes a message of the kind of `message`.
    pub fn new(message: impl Into<Message>) -> Self {
        let message = message.into();
        Self::encode(message.kind(), message.payload())
    }

    /// Encodes a text message, which is copied once.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Negotiated, PreparedMessage};
    ///
    /// let news = PreparedMessage::text(format!("{} users", 3));
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.send_prepared(&news)?;
    /// assert_eq!(conn.output().take().unwrap(), &b"\x81\x073 users"[..]);
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::encode(MessageKind::Text, text.as_ref().as_bytes())
    }

    /// Encodes a binary message, which is copied once.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Negotiated, PreparedMessage};
    ///
    /// let tick = PreparedMessage::binary(7_u32.to_be_bytes());
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.send_prepared(&tick)?;
    /// assert_eq!(conn.output().take().unwrap(), &b"\x82\x04\0\0\0\x07"[..]);
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn binary(data: impl AsRef<[u8]>) -> Self {
        Self::encode(MessageKind::Binary, data.as_ref())
    }

    fn encode(kind: MessageKind, payload: &[u8]) -> Self {
        Self { kind, plain: Encoded::new(kind, payload, 0), compressed: None }
    }

    /// Encodes a message and also compresses it once, with the [`level`](DeflateConfig::level) and the
    /// [`server_max_window_bits`](DeflateConfig::server_max_window_bits) of `settings`. It is not compressed if it is
    /// shorter than [`min_size`](DeflateConfig::min_size), or if compression would not make it smaller.
    ///
    /// Connections that negotiated a window of at least that size, or of at least the size of the message, send the
    /// compressed form. Other connections send the message uncompressed.
    ///
    /// The compressed form refers to no earlier message. With context takeover and a window of more than 4 KiB, the next
    /// message that the connection compresses cannot refer to earlier messages either, because the connection's
    /// compressor has not seen this one. The connection itself keeps a smaller window, and adds this message to it.
    ///
    /// ```
    /// use bytes::Buf;
    /// use websocket_proto::{Config, Connection, DeflateConfig, Negotiated, PreparedMessage};
    ///
    /// let settings = DeflateConfig::new();
    /// let news = PreparedMessage::compressed("大家好".repeat(100), &settings);
    ///
    /// let (_, params) = settings.answer([&b"permessage-deflate"[..]]).unwrap();
    /// let negotiated = Negotiated::new().deflate(params);
    /// let mut compresses = Connection::upgraded_server(negotiated, Config::new().deflate(settings));
    /// compresses.send_prepared(&news).unwrap();
    /// assert!(compresses.output().remaining() < 50);
    ///
    /// let mut does_not = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// does_not.send_prepared(&news).unwrap();
    /// assert_eq!(does_not.output().remaining(), 4 + 900);
    /// ```
    #[cfg(feature = "deflate")]
    pub fn compressed(message: impl Into<Message>, settings: &DeflateConfig) -> Self {
        let mut this = Self::new(message);
        let payload = this.payload();
        if payload.len() < settings.min_size {
            return this;
        }
        let (compressed, window_bits) = deflate::compress_alone(payload, settings);
        if compressed.len() < payload.len() {
            let encoded = Encoded::new(this.kind, &compressed, RSV1);
            this.compressed = Some(Compressed { encoded, window_bits });
        }
        this
    }

    /// Returns the kind of the message.
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// Returns the payload of the message.
    pub fn payload(&self) -> &[u8] {
        self.plain.payload()
    }

    pub(super) fn plain(&self) -> &Encoded {
        &self.plain
    }

    /// Returns the compressed form, if there is one and a window of that size is large enough for it.
    pub(super) fn compressed_for(&self, window_bits: u8) -> Option<&Encoded> {
        let compressed = self.compressed.as_ref()?;
        (compressed.window_bits <= window_bits).then_some(&compressed.encoded)
    }
}

impl Encoded {
    fn new(kind: MessageKind, payload: &[u8], reserved: u8) -> Self {
        let (header, size) = Header::encode(first_byte(kind.opcode(), true) | reserved, payload.len(), None);
        let mut frame = Vec::with_capacity(size + payload.len());
        frame.extend_from_slice(part(&header, ..size));
        frame.extend_from_slice(payload);
        Self { frame: frame.into(), header: size, reserved }
    }

    pub(super) fn bytes(&self) -> &Bytes {
        &self.frame
    }

    pub(super) fn payload(&self) -> &[u8] {
        part(&self.frame, self.header..)
    }

    pub(super) fn reserved(&self) -> u8 {
        self.reserved
    }
}

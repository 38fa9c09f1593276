//! Messages that are sent to many: encoded once, shared by all.

use alloc::vec::Vec;

use bytes::Bytes;

use super::Message;
use crate::frame::{Header, Kind};

/// A message encoded once, to be sent to any number of connections from any thread with
/// [`Connection::send_prepared`](crate::Connection::send_prepared).
///
/// A server's connection takes a large one by reference count, without copying a byte of it; a client's must mask it
/// and makes a copy. Cloning is cheap.
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
    kind: Kind,
    /// The one frame of the message as a server sends it.
    frame: Bytes,
    /// How long its header is.
    header: usize,
}

impl PreparedMessage {
    /// Encodes a message; the kind is that of the [`Message`].
    pub fn new(message: impl Into<Message>) -> Self {
        let message = message.into();
        let kind = message.kind();
        let payload = message.payload();
        let (header, size) = Header::encode(kind.opcode(), true, payload.len(), None);
        let mut frame = Vec::with_capacity(size + payload.len());
        frame.extend_from_slice(&header[..size]);
        frame.extend_from_slice(payload);
        Self { kind, frame: frame.into(), header: size }
    }

    /// What the message carries.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The bytes of the message.
    pub fn payload(&self) -> &[u8] {
        &self.frame[self.header..]
    }

    pub(super) fn frame(&self) -> &Bytes {
        &self.frame
    }
}

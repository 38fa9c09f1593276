//! Messages that are handed over rather than lent.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::frame::MessageKind;

/// A whole message that owns its payload, for [`Connection::send`](crate::Connection::send).
///
/// ```
/// use websocket_proto::{Message, MessageKind};
///
/// let text = Message::from(String::from("你好"));
/// assert_eq!(text.kind(), MessageKind::Text);
/// assert_eq!(text.payload().len(), 6);
/// assert_eq!(Message::from(vec![1, 2, 3]).kind(), MessageKind::Binary);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    kind: MessageKind,
    /// UTF-8 where the kind is text: every constructor has a `str`.
    payload: Bytes,
}

impl Message {
    /// What the message carries.
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// The bytes of the message.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    pub(crate) fn into_payload(self) -> Bytes {
        self.payload
    }

    fn text(payload: Bytes) -> Self {
        Self { kind: MessageKind::Text, payload }
    }

    fn binary(payload: Bytes) -> Self {
        Self { kind: MessageKind::Binary, payload }
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::text(text.into())
    }
}

impl From<&'static str> for Message {
    fn from(text: &'static str) -> Self {
        Self::text(Bytes::from_static(text.as_bytes()))
    }
}

impl From<Cow<'_, str>> for Message {
    fn from(text: Cow<'_, str>) -> Self {
        text.into_owned().into()
    }
}

impl From<Bytes> for Message {
    fn from(data: Bytes) -> Self {
        Self::binary(data)
    }
}

impl From<Vec<u8>> for Message {
    fn from(data: Vec<u8>) -> Self {
        Self::binary(data.into())
    }
}

impl From<Cow<'_, [u8]>> for Message {
    fn from(data: Cow<'_, [u8]>) -> Self {
        data.into_owned().into()
    }
}

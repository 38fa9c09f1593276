//! Messages that own their payload.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::{self, Utf8Error};

use bytes::Bytes;

use crate::event::Event;
use crate::frame::MessageKind;

/// A whole message that owns its payload, for [`Connection::send`](crate::Connection::send).
///
/// Owned payloads (`String`, `Vec<u8>`, [`Bytes`]) are moved without copying. Borrowed payloads are copied once.
///
/// ```
/// use websocket_proto::{Message, MessageKind};
///
/// let text = Message::from("你好");
/// assert_eq!(text.kind(), MessageKind::Text);
/// assert_eq!(text.as_text(), Some("你好"));
/// assert_eq!(Message::from([1, 2, 3]).into_bytes(), &[1, 2, 3][..]);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Message {
    kind: MessageKind,
    /// UTF-8 if the kind is text: every constructor starts from a `str` or validates the bytes.
    payload: Bytes,
}

impl Message {
    /// Creates a text message.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Message, Negotiated};
    ///
    /// let queue = [Message::text(format!("{} users", 3)), Message::binary(vec![0; 4096])];
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// for message in queue {
    ///     conn.send(message)?;
    /// }
    /// # assert_eq!(conn.pending_output(), 2 + 7 + 4 + 4096);
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn text(text: impl Into<String>) -> Self {
        Self { kind: MessageKind::Text, payload: text.into().into() }
    }

    /// Creates a binary message.
    pub fn binary(data: impl Into<Bytes>) -> Self {
        Self { kind: MessageKind::Binary, payload: data.into() }
    }

    /// Creates a text message from bytes that must be UTF-8, without copying them.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are not UTF-8.
    ///
    /// ```
    /// use websocket_proto::Message;
    ///
    /// assert!(Message::try_text("你好".as_bytes()).is_ok());
    /// assert_eq!(Message::try_text(&b"ok\xff"[..]).unwrap_err().valid_up_to(), 2);
    /// ```
    pub fn try_text(text: impl Into<Bytes>) -> Result<Self, Utf8Error> {
        let payload = text.into();
        str::from_utf8(&payload)?;
        Ok(Self { kind: MessageKind::Text, payload })
    }

    /// Returns the kind of the message.
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// Returns the bytes of the message.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// Returns the text, or `None` if the message is binary.
    pub fn as_text(&self) -> Option<&str> {
        match self.kind {
            MessageKind::Text => str::from_utf8(&self.payload).ok(),
            MessageKind::Binary => None,
        }
    }

    /// Returns the text, or `None` if the message is binary. The text is copied only if its [`Bytes`] have other
    /// references.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Message, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// let mut arrived = *b"\x81\x82\0\0\0\0hi";
    /// let event = conn.receive(&mut &mut arrived[..]).unwrap();
    /// let message = Message::try_from(event).unwrap(); // for a queue to another thread
    /// assert_eq!(message.into_text().as_deref(), Some("hi"));
    /// ```
    pub fn into_text(self) -> Option<String> {
        match self.kind {
            MessageKind::Text => String::from_utf8(self.payload.into()).ok(),
            MessageKind::Binary => None,
        }
    }

    /// Returns the bytes of the message, whatever its kind.
    pub fn into_bytes(self) -> Bytes {
        self.payload
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

/// Copies the text.
impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// Copies the text.
impl From<&String> for Message {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<Box<str>> for Message {
    fn from(text: Box<str>) -> Self {
        Self::text(text)
    }
}

/// Copies the text.
impl From<Arc<str>> for Message {
    fn from(text: Arc<str>) -> Self {
        Self::text(&*text)
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
        Self::binary(data)
    }
}

/// Copies the bytes.
impl From<&[u8]> for Message {
    fn from(data: &[u8]) -> Self {
        Self::binary(Bytes::copy_from_slice(data))
    }
}

/// Copies the bytes.
impl From<&Vec<u8>> for Message {
    fn from(data: &Vec<u8>) -> Self {
        data[..].into()
    }
}

/// Copies the bytes.
impl<const N: usize> From<[u8; N]> for Message {
    fn from(data: [u8; N]) -> Self {
        data[..].into()
    }
}

/// Copies the bytes.
impl<const N: usize> From<&[u8; N]> for Message {
    fn from(data: &[u8; N]) -> Self {
        data[..].into()
    }
}

impl From<Cow<'_, [u8]>> for Message {
    fn from(data: Cow<'_, [u8]>) -> Self {
        data.into_owned().into()
    }
}

/// Converts [`Event::Text`] and [`Event::Binary`]. Any other event is returned as the error.
///
/// ```
/// use websocket_proto::{Event, Message};
///
/// assert_eq!(Message::try_from(Event::Text("hi".into())), Ok(Message::from("hi")));
/// assert!(Message::try_from(Event::Ping(b"hi".into())).is_err());
/// ```
impl<'b> TryFrom<Event<'b>> for Message {
    type Error = Event<'b>;

    fn try_from(event: Event<'b>) -> Result<Self, Event<'b>> {
        match event {
            Event::Text(text) => Ok(text.into()),
            Event::Binary(data) => Ok(data.into()),
            other => Err(other),
        }
    }
}

/// Shows text as text.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_text() {
            Some(text) => f.debug_tuple("Text").field(&text).finish(),
            None => f.debug_tuple("Binary").field(&self.payload).finish(),
        }
    }
}

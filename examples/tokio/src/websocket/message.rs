//! A whole message that owns its payload.

use bytes::Bytes;
use websocket_proto::Event;

/// What [`recv`](crate::WebSocket::recv) answers with; it may be held over `.await`, and sent as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Anything.
    Binary(Bytes),
}

impl Message {
    /// The message of an event, if it is one. What lies in the input is copied; what was assembled isn't.
    pub(super) fn from_event(event: Event<'_>) -> Option<Self> {
        match event {
            Event::Text(text) => Some(Self::Text(text.into_owned())),
            Event::Binary(data) => Some(Self::Binary(data.into_owned().into())),
            _ => None,
        }
    }
}

impl From<Message> for websocket_proto::Message {
    fn from(message: Message) -> Self {
        match message {
            Message::Text(text) => text.into(),
            Message::Binary(data) => data.into(),
        }
    }
}

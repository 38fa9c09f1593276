//! Chunks of messages that are too large to be delivered whole.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::str;

use crate::frame::MessageKind;
use crate::slices::part;

/// A chunk of a message that is delivered as it arrives ([`Config::chunk_threshold`](crate::Config::chunk_threshold)).
///
/// The chunks of a message are delivered in order. Only events of control frames come between them. Text is validated
/// as UTF-8 incrementally, and a chunk never ends inside a character: if the input is split inside one, its first bytes
/// are held until the next chunk.
///
/// ```
/// use websocket_proto::{Config, Connection, Event, MessageKind, Negotiated};
///
/// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new().chunk_threshold(0));
/// // A text of 6 bytes, "你好", whose second character is cut.
/// let mut arrived = *b"\x81\x86\0\0\0\0\xe4\xbd\xa0\xe5\xa5";
/// let Some(Event::Chunk(chunk)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
/// assert_eq!((chunk.kind(), chunk.is_first(), chunk.is_last()), (MessageKind::Text, true, false));
/// assert_eq!(chunk.text().concat(), "你");
///
/// let mut arrived = *b"\xbd";
/// let Some(Event::Chunk(chunk)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
/// assert!(chunk.is_last());
/// assert_eq!(chunk.text().concat(), "好");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk<'b>(Repr<'b>);

/// The flags are inside the variants, where they fit into the padding.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Repr<'b> {
    Text { first: bool, last: bool, carried: Character, text: &'b str },
    Binary { first: bool, last: bool, data: &'b [u8] },
    OwnedText { first: bool, last: bool, text: String },
    OwnedBinary { first: bool, last: bool, data: Vec<u8> },
}

/// A character that was split between two inputs, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Character {
    bytes: [u8; 4],
    length: u8,
}

impl<'b> Chunk<'b> {
    pub(crate) fn text_piece(first: bool, last: bool, carried: Option<char>, text: &'b str) -> Self {
        let mut character = Character::default();
        if let Some(carried) = carried {
            character.length = carried.encode_utf8(&mut character.bytes).len() as u8;
        }
        Self(Repr::Text { first, last, carried: character, text })
    }

    pub(crate) fn binary_piece(first: bool, last: bool, data: &'b [u8]) -> Self {
        Self(Repr::Binary { first, last, data })
    }

    pub(crate) fn owned_text(first: bool, last: bool, text: String) -> Self {
        Self(Repr::OwnedText { first, last, text })
    }

    pub(crate) fn owned_binary(first: bool, last: bool, data: Vec<u8>) -> Self {
        Self(Repr::OwnedBinary { first, last, data })
    }

    /// Returns the kind of the message that this chunk belongs to.
    pub fn kind(&self) -> MessageKind {
        match self.0 {
            Repr::Text { .. } | Repr::OwnedText { .. } => MessageKind::Text,
            Repr::Binary { .. } | Repr::OwnedBinary { .. } => MessageKind::Binary,
        }
    }

    /// Returns whether this is the first chunk of its message.
    pub fn is_first(&self) -> bool {
        match self.0 {
            Repr::Text { first, .. }
            | Repr::Binary { first, .. }
            | Repr::OwnedText { first, .. }
            | Repr::OwnedBinary { first, .. } => first,
        }
    }

    /// Returns whether this is the last chunk of its message. A last chunk may be empty.
    pub fn is_last(&self) -> bool {
        match self.0 {
            Repr::Text { last, .. }
            | Repr::Binary { last, .. }
            | Repr::OwnedText { last, .. }
            | Repr::OwnedBinary { last, .. } => last,
        }
    }

    /// Returns the bytes of the chunk in two parts. The first part is empty unless a character was split between two
    /// inputs.
    pub fn parts(&self) -> [&[u8]; 2] {
        match &self.0 {
            Repr::Binary { data, .. } => [&[], data],
            Repr::OwnedBinary { data, .. } => [&[], data],
            Repr::Text { .. } | Repr::OwnedText { .. } => self.text().map(str::as_bytes),
        }
    }

    /// Returns the text of the chunk in two parts. The first part is empty unless a character was split between two
    /// inputs. Both are empty if the message is binary.
    pub fn text(&self) -> [&str; 2] {
        match &self.0 {
            Repr::Text { carried, text, .. } => {
                let carried = str::from_utf8(part(&carried.bytes, ..usize::from(carried.length)));
                debug_assert!(carried.is_ok(), "it was made of a character");
                [carried.unwrap_or_default(), text]
            }
            Repr::OwnedText { text, .. } => ["", text],
            Repr::Binary { .. } | Repr::OwnedBinary { .. } => ["", ""],
        }
    }

    /// Returns the number of bytes in the chunk.
    pub fn len(&self) -> usize {
        self.parts().iter().map(|part| part.len()).sum()
    }

    /// Returns whether the chunk has no bytes. The last chunk of a message may be empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of the chunk in one part, borrowed from the input unless a character was split between two
    /// inputs.
    ///
    /// ```
    /// use std::io::Write;
    /// use websocket_proto::{Config, Connection, Event, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new().chunk_threshold(0));
    /// let mut arrived = *b"\x82\x86\0\0\0\0upl"; // the first half of a message
    /// # let mut file = Vec::new();
    /// if let Some(Event::Chunk(chunk)) = conn.receive(&mut &mut arrived[..]) {
    ///     file.write_all(&chunk.into_bytes())?;
    /// }
    /// # assert_eq!(file, b"upl");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_bytes(self) -> Cow<'b, [u8]> {
        match self.0 {
            Repr::Text { carried: Character { length: 0, .. }, text, .. } => Cow::Borrowed(text.as_bytes()),
            Repr::Binary { data, .. } => Cow::Borrowed(data),
            Repr::OwnedText { text, .. } => Cow::Owned(text.into_bytes()),
            Repr::OwnedBinary { data, .. } => Cow::Owned(data),
            Repr::Text { .. } => Cow::Owned(self.parts().concat()),
        }
    }

    /// Returns the same chunk with its bytes copied out of the input.
    pub fn into_owned(self) -> Chunk<'static> {
        let (first, last) = (self.is_first(), self.is_last());
        Chunk(match self.0 {
            Repr::Text { .. } => Repr::OwnedText { first, last, text: self.text().concat() },
            Repr::Binary { data, .. } => Repr::OwnedBinary { first, last, data: data.to_vec() },
            Repr::OwnedText { text, .. } => Repr::OwnedText { first, last, text },
            Repr::OwnedBinary { data, .. } => Repr::OwnedBinary { first, last, data },
        })
    }
}

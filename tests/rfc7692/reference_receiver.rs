//! A receiver of compressed messages that is written from the RFCs alone.

use websocket_proto::{Connection, Role};

use crate::inflate::{Inflated, Inflater, TAIL};
use crate::support::{drain, frames};

/// A received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The opcode of its first frame.
    pub(crate) opcode: u8,
    pub(crate) compressed: bool,
    /// The payload of each of its frames.
    pub(crate) frames: Vec<Vec<u8>>,
    pub(crate) bytes: Vec<u8>,
}

impl Message {
    /// All its frames' payloads together.
    pub(crate) fn payload(&self) -> Vec<u8> {
        self.frames.concat()
    }
}

/// The peer of a connection: decodes its frames, checks them against the RFC, and remembers no more than was
/// negotiated.
#[derive(Debug)]
pub(crate) struct Receiver {
    inflater: Inflater,
    message: Option<Message>,
}

impl Receiver {
    /// The peer of a connection that sends in windows of that size, with takeover or without.
    pub(crate) fn new(bits: u8, takeover: bool) -> Self {
        Self { inflater: Inflater::new(bits, takeover), message: None }
    }

    /// The messages in the output of a connection. Control frames are skipped.
    #[track_caller]
    pub(crate) fn messages(&mut self, conn: &mut Connection) -> Vec<Message> {
        let role = conn.role();
        self.decode(role, &drain(conn))
    }

    /// The messages in these bytes, which a connection of that role sent.
    #[track_caller]
    pub(crate) fn decode(&mut self, role: Role, wire: &[u8]) -> Vec<Message> {
        let mut messages = Vec::new();
        for frame in frames(wire) {
            assert_eq!(frame.key.is_some(), role == Role::Client, "a client masks, a server doesn't");
            let (fin, reserved, opcode) = (frame.first & 0x80 != 0, frame.first & 0x70, frame.first & 0x0f);
            assert_eq!(reserved & 0x30, 0, "RSV2 and RSV3 mean nothing");
            if opcode >= 8 {
                assert_eq!(reserved, 0, "a control frame isn't compressed");
                continue;
            }
            let message = match &mut self.message {
                None => {
                    assert_ne!(opcode, 0, "a message begins with its kind");
                    let compressed = reserved != 0;
                    self.message.insert(Message { opcode, compressed, frames: Vec::new(), bytes: Vec::new() })
                }
                Some(message) => {
                    assert_eq!((opcode, reserved), (0, 0), "a message goes on with nothing but its continuation");
                    message
                }
            };
            message.frames.push(frame.payload);
            if fin {
                messages.extend(self.message.take().map(|message| self.read(message)));
            }
        }
        messages
    }

    /// The only message in the output of a connection.
    #[track_caller]
    pub(crate) fn message(&mut self, conn: &mut Connection) -> Message {
        let mut messages = self.messages(conn);
        assert_eq!(messages.len(), 1);
        messages.remove(0)
    }

    #[track_caller]
    fn read(&mut self, message: Message) -> Message {
        let payload = message.payload();
        if !message.compressed {
            return Message { bytes: payload, ..message };
        }
        assert!(!payload.ends_with(&TAIL), "the tail isn't sent");
        let Inflated { bytes, blocks } = self.inflater.message(&payload).unwrap();
        let empty = blocks.iter().filter(|block| (block.kind, block.length) == (0, 0)).count();
        assert_eq!(empty, 1, "one flush is enough, at the end: {blocks:?}");
        Message { bytes, ..message }
    }
}

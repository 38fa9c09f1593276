//! Connections that agreed on compression, and a receiver of what they send that is written from the RFCs alone.

use websocket_proto::{Cause, Config, Connection, Deflate, DeflateParams, Negotiated, ProtocolError, Role, State};

use crate::checks::{Told, failed, hear};
use crate::inflate::{Inflated, Inflater, TAIL};
use crate::support::{close_body, drain, frames, seed, sent};

/// Windows of that size, and takeover or not, in both directions.
pub(crate) fn both_ways(bits: u8, takeover: bool) -> Deflate {
    Deflate::new()
        .server_max_window_bits(bits)
        .client_max_window_bits(bits)
        .server_no_context_takeover(!takeover)
        .client_no_context_takeover(!takeover)
}

/// What a server and a client of these settings agree on.
pub(crate) fn params(settings: &Deflate) -> DeflateParams {
    settings.answer([settings.offer().as_bytes()]).unwrap().1
}

/// An open connection that agreed on exactly these settings.
pub(crate) fn open_with(role: Role, settings: &Deflate, config: Config) -> Connection {
    upgraded(role, params(settings), config.deflate(settings.clone()))
}

pub(crate) fn upgraded(role: Role, params: DeflateParams, config: Config) -> Connection {
    let negotiated = Negotiated::new().deflate(params);
    match role {
        Role::Server => Connection::upgraded_server(negotiated, config),
        Role::Client => Connection::upgraded_client(negotiated, config, seed()),
    }
}

/// The same with everything that the settings don't say by default; messages of any size are compressed.
pub(crate) fn open(role: Role, settings: &Deflate) -> Connection {
    open_with(role, &settings.clone().min_size(0), Config::new())
}

/// A message that was sent.
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

/// The peer of a connection: takes its frames, holds them to the RFC, and remembers what was agreed on and no more.
#[derive(Debug)]
pub(crate) struct Peer {
    inflater: Inflater,
    message: Option<Message>,
}

impl Peer {
    /// The peer of a connection that sends in windows of that size, with takeover or without.
    pub(crate) fn new(bits: u8, takeover: bool) -> Self {
        Self { inflater: Inflater::new(bits, takeover), message: None }
    }

    /// The messages that a connection has to send. Control frames are passed over.
    #[track_caller]
    pub(crate) fn hear(&mut self, conn: &mut Connection) -> Vec<Message> {
        let role = conn.role();
        self.take(role, &drain(conn))
    }

    /// The messages in these bytes, which a connection of that role sent.
    #[track_caller]
    pub(crate) fn take(&mut self, role: Role, wire: &[u8]) -> Vec<Message> {
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

    /// The one message that a connection has to send.
    #[track_caller]
    pub(crate) fn hear_one(&mut self, conn: &mut Connection) -> Message {
        let mut messages = self.hear(conn);
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

/// Whole and byte by byte, these bytes make a connection say the same and fail, with a Close frame of the error's code as
/// its last frame. What it told before, and how many bytes it took to see it.
#[track_caller]
pub(crate) fn fails(open: impl Fn() -> Connection, bytes: &[u8], error: ProtocolError) -> (Vec<Told>, usize) {
    let (mut whole, mut slow) = (open(), open());
    let mut events = hear(&mut whole, bytes);
    let mut slow_events = Vec::new();
    let mut needed = 0;
    while slow.state() != State::Closed {
        assert!(needed < bytes.len(), "nothing wrong is seen: {events:?} {slow_events:?}");
        slow_events.extend(hear(&mut slow, &bytes[needed..=needed]));
        needed += 1;
    }
    assert_eq!(slow_events, events);
    assert_eq!(events.pop(), Some(failed(error)));
    for conn in [&mut whole, &mut slow] {
        let last = sent(conn).pop().unwrap();
        assert_eq!((last.first, last.payload), (0x88, close_body(error.close_code().get(), "")));
        assert_eq!(hear(conn, b"\x81\x00"), [], "it is over");
    }
    (events, needed)
}

/// Why a connection ended, if it did, and what it told before.
pub(crate) fn ended(mut events: Vec<Told>) -> (Vec<Told>, Option<Cause>) {
    match events.pop() {
        Some(Told::Closed { cause, .. }) => (events, Some(cause)),
        other => {
            events.extend(other);
            (events, None)
        }
    }
}

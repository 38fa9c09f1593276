//! What the tests of compression share: ends that agreed on it, messages of their making, and DEFLATE by hand.
#![allow(dead_code)]

use std::sync::Arc;

use websocket_proto::{Config, Connection, Deflate, DeflateParams, Negotiated, Role};

use crate::support::{drain, frames, seed};

/// What ends every flushed piece of a DEFLATE stream, and isn't sent (RFC 7692 7.2.1).
pub(crate) const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Compresses everything, and keeps the windows from message to message.
pub(crate) fn settings() -> Deflate {
    Deflate::new().min_size(0)
}

/// The same, and keeps none.
pub(crate) fn without_takeover() -> Deflate {
    settings().server_no_context_takeover(true).client_no_context_takeover(true)
}

/// What a client and a server with these settings agree on.
pub(crate) fn agree(client: &Deflate, server: &Deflate) -> DeflateParams {
    let offer = client.offer();
    let (answer, params) = server.answer([offer.as_bytes()]).expect("an answer");
    assert_eq!(client.check([answer.as_bytes()]), Ok(Some(params)));
    params
}

/// An end that agreed with a peer of the same settings.
pub(crate) fn end(role: Role, config: Config, settings: &Deflate) -> Connection {
    end_with(role, config.deflate(settings.clone()), agree(settings, settings))
}

/// An end of what was agreed on, of any configuration.
pub(crate) fn end_with(role: Role, config: impl Into<Arc<Config>>, params: DeflateParams) -> Connection {
    let negotiated = Negotiated::new().deflate(params);
    match role {
        Role::Client => Connection::upgraded_client(negotiated, config, seed()),
        Role::Server => Connection::upgraded_server(negotiated, config),
    }
}

/// The payload of a compressed message: it refers to none before it, and may be cut into fragments anywhere.
pub(crate) fn deflated(data: &[u8]) -> Vec<u8> {
    // With takeover, a message is compressed although it grows.
    let mut conn = end(Role::Server, Config::new(), &settings().level(9));
    conn.send_binary(data).unwrap();
    let [frame] = &frames(&drain(&mut conn))[..] else { panic!("not one frame") };
    assert_eq!(frame.first, 0xc2);
    frame.payload.clone()
}

/// Bytes in which nothing repeats.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// DEFLATE (RFC 1951) by hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blocks {
    bytes: Vec<u8>,
    /// How many bits of the last byte are used; none if all are.
    used: u32,
}

impl Blocks {
    /// RFC 1951 3.2.4: bytes as they are, perhaps none.
    pub(crate) fn stored(mut self, last: bool, data: &[u8]) -> Self {
        self.header(last, 0);
        self.used = 0;
        let length = u16::try_from(data.len()).unwrap();
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend((!length).to_le_bytes());
        self.bytes.extend(data);
        self.end(last)
    }

    /// RFC 1951 3.2.6: bytes in the fixed code.
    pub(crate) fn literals(mut self, last: bool, data: &[u8]) -> Self {
        self.header(last, 1);
        for &byte in data {
            match u32::from(byte) {
                byte @ ..144 => self.code(0x30 + byte, 8),
                byte => self.code(0x190 + byte - 144, 9),
            }
        }
        self.code(0, 7);
        self.end(last)
    }

    /// RFC 1951 3.2.5: three bytes from `distance` (at least 5) bytes before, in the fixed code.
    pub(crate) fn copy(mut self, last: bool, distance: usize) -> Self {
        self.header(last, 1);
        // Two codes for each number of further bits, from that of 5 and 6, with one.
        let past = distance as u32 - 1;
        let extra = past.ilog2() - 1;
        self.code(1, 7);
        self.code(2 * extra + 2 + (past >> extra & 1), 5);
        self.bits(past & ((1 << extra) - 1), extra);
        self.code(0, 7);
        self.end(last)
    }

    /// As a message ends: with an empty block, of which four bytes aren't sent.
    pub(crate) fn flushed(mut self) -> Vec<u8> {
        self.header(false, 0);
        self.bytes
    }

    /// As it stands.
    pub(crate) fn bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn header(&mut self, last: bool, kind: u32) {
        self.bits(u32::from(last) | kind << 1, 3);
    }

    /// Behind a last block, another stream begins with the next byte.
    fn end(mut self, last: bool) -> Self {
        if last {
            self.used = 0;
        }
        self
    }

    /// A code of the fixed ones, whose highest bit comes first.
    fn code(&mut self, code: u32, length: u32) {
        for bit in (0..length).rev() {
            self.bits(code >> bit, 1);
        }
    }

    fn bits(&mut self, number: u32, count: u32) {
        for bit in 0..count {
            if self.used == 0 {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((number >> bit & 1) as u8) << self.used;
            self.used = (self.used + 1) % 8;
        }
    }
}

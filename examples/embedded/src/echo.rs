//! A server that says again what it is told: small messages whole, large ones part by part as they come.

use alloc::vec::Vec;

use websocket_proto::{Chunk, Connection, Event, SendError, server};

use crate::limits::WHOLE;
use crate::wire::MTU;

/// Pieces come as small as the wire hands them over. They are collected, since every fragment that is sent costs a header,
/// and some clients take only some thousands for a message.
#[derive(Default)]
pub struct Echo {
    part: Vec<u8>,
}

impl Echo {
    pub fn handle(&mut self, conn: &mut Connection, event: Event<'_>) {
        let sent = match event {
            Event::Request(_) => conn.accept(server::Response::new()).map_err(|_| SendError::Connecting),
            Event::Text(text) => conn.send_text(&text),
            Event::Binary(data) => conn.send_binary(&data),
            Event::Chunk(chunk) => self.collect(conn, &chunk),
            _ => Ok(()),
        };
        // An answer that can't be sent is one that the peer doesn't wait for.
        if sent.is_err() {
            conn.abort();
        }
    }

    fn collect(&mut self, conn: &mut Connection, chunk: &Chunk<'_>) -> Result<(), SendError> {
        // Only the first is larger than an input: it has what was assembled until the message turned out to be large.
        self.part.reserve_exact((WHOLE + MTU).saturating_sub(self.part.len()));
        for bytes in chunk.parts() {
            self.part.extend_from_slice(bytes);
        }
        if chunk.is_last() {
            let part = core::mem::take(&mut self.part);
            conn.send_fragment(chunk.kind(), &part, true)
        } else if self.part.len() >= WHOLE {
            let sent = conn.send_fragment(chunk.kind(), &self.part, false);
            self.part.clear();
            sent
        } else {
            Ok(())
        }
    }
}

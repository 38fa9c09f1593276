//! An echo server: small messages are sent back whole, large ones chunk by chunk as they arrive.

use alloc::vec::Vec;

use websocket_proto::{Chunk, Connection, Event, SendError, server};

use crate::limits::WHOLE;
use crate::wire::MTU;

/// Chunks are as small as the wire delivers them. They are collected, because every fragment costs a header, and some
/// clients accept only some thousands per message.
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
        // An answer that can't be sent is dropped: the peer doesn't wait for it.
        if sent.is_err() {
            conn.abort();
        }
    }

    fn collect(&mut self, conn: &mut Connection, chunk: &Chunk<'_>) -> Result<(), SendError> {
        // Only the first chunk is larger than an input: it has the bytes that were assembled until the message turned
        // out to be large.
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

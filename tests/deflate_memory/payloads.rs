//! Compressed payloads that inflate to much, and messages of them.

use std::sync::OnceLock;

use websocket_proto::{MessageKind, Role};

use crate::deflate::deflated;
use crate::support::frame;

/// The memory apart from the bytes of a message: an inflater of 47 kB, a window of 32, the vector of the events.
pub(crate) const BESIDE: usize = 128 << 10;

/// The longest chunk.
pub(crate) const CHUNK: usize = 64 << 10;

pub(crate) const MESSAGE: usize = 50 << 20;

/// 50 MiB of zeros, 48 kB on the wire, as one payload.
pub(crate) fn bomb() -> &'static [u8] {
    static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
    BOMB.get_or_init(|| {
        let bomb = deflated(&vec![0; MESSAGE]);
        assert!(bomb.len() < 60_000, "{}", bomb.len());
        bomb
    })
}

/// One payload as a message of one frame, or of a frame for every `size` bytes.
pub(crate) fn message(from: Role, kind: MessageKind, payload: &[u8], size: usize) -> Vec<u8> {
    let opcode = if kind == MessageKind::Text { 0x41 } else { 0x42 };
    let count = payload.len().div_ceil(size);
    let frames = payload.chunks(size).enumerate();
    frames
        .flat_map(|(i, data)| {
            let first = if i == 0 { opcode } else { 0x00 } | if i + 1 == count { 0x80 } else { 0x00 };
            frame(from, first, data)
        })
        .collect()
}

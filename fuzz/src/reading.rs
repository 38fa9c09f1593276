//! Reads of various sizes, directly into a message or through the input, and the events that come of them.

use arbitrary::Arbitrary;
use websocket_proto::{Connection, Event};

/// One read, and whether a scratch is attached for it.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Reading {
    pub most: u16,
    pub buffer: u16,
    pub directly: bool,
    pub lends: bool,
    pub gives_back: bool,
    /// The number of bytes that are reported as read beyond those that fit.
    pub too_many: u8,
}

impl Reading {
    /// Reads from `wire`, and returns how many bytes were read directly, and how many in total.
    pub fn read(self, conn: &mut Connection, wire: &[u8]) -> (usize, usize) {
        let most = wire.len().min(usize::from(self.most) + 1);
        let buffer = usize::from(self.buffer) + 1;
        let Some(space) = conn.read_buffer().filter(|_| self.directly) else {
            return (0, most.min(buffer));
        };
        let direct = most.min(space.len());
        space[..direct].copy_from_slice(&wire[..direct]);
        let claimed = if direct == space.len() { direct + usize::from(self.too_many) } else { direct };
        assert_eq!(conn.commit_read(claimed), direct);
        (direct, most.min(direct + buffer))
    }
}

/// Appends an event, with the chunks of a message joined.
pub fn tell(told: &mut Vec<(String, Vec<u8>)>, event: &Event<'_>) {
    match (told.last_mut(), event) {
        (Some((what, data)), Event::Chunk(chunk)) if what == "chunks" && !chunk.is_first() => {
            data.extend(chunk.parts().concat());
        }
        (_, Event::Chunk(chunk)) => told.push(("chunks".into(), chunk.parts().concat())),
        (_, Event::Text(text)) => told.push(("text".into(), text.as_bytes().to_vec())),
        (_, Event::Binary(data)) => told.push(("binary".into(), data.to_vec())),
        (_, event) => told.push((format!("{event:?}"), Vec::new())),
    }
}

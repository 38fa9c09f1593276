//! The transport: a few bytes at a time, never blocking.

/// The most that is read at a time, as from a line with a small FIFO.
pub const MTU: usize = 64;

pub trait Wire {
    /// Reads the bytes that are there now, perhaps none; `None` when no more will come.
    fn receive(&mut self, buffer: &mut [u8]) -> Option<usize>;

    /// Writes as many bytes as possible now, perhaps none, and returns their number.
    fn send(&mut self, bytes: &[u8]) -> usize;
}

/// One direction of a line in memory.
#[derive(Default)]
pub struct Pipe {
    bytes: [u8; 32],
    start: usize,
    filled: usize,
    pub has_ended: bool,
}

/// One end of such a line.
pub struct End<'a> {
    pub incoming: &'a mut Pipe,
    pub outgoing: &'a mut Pipe,
}

impl Wire for End<'_> {
    fn receive(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let Pipe { bytes, start, filled, has_ended } = &mut *self.incoming;
        if *filled == 0 && *has_ended {
            return None;
        }
        let count = buffer.len().min(*filled);
        for byte in &mut buffer[..count] {
            *byte = bytes[*start];
            *start = (*start + 1) % bytes.len();
        }
        *filled -= count;
        Some(count)
    }

    fn send(&mut self, sent: &[u8]) -> usize {
        let Pipe { bytes, start, filled, .. } = &mut *self.outgoing;
        let count = sent.len().min(bytes.len() - *filled);
        for byte in &sent[..count] {
            bytes[(*start + *filled) % bytes.len()] = *byte;
            *filled += 1;
        }
        count
    }
}

//! What carries the bytes: a few at a time, and never waiting.

/// The most that is read at a time, as of a line that has a small FIFO.
pub const MTU: usize = 64;

pub trait Wire {
    /// Reads what is there now, perhaps nothing; `None` when nothing more will come.
    fn receive(&mut self, buffer: &mut [u8]) -> Option<usize>;

    /// Writes what there is room for now, perhaps nothing; says how much.
    fn send(&mut self, bytes: &[u8]) -> usize;
}

/// One direction of a line that lies in memory.
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

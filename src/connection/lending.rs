//! Buffers: whose they are while a connection is at work, and what stays behind.

use alloc::boxed::Box;

use super::{Connection, Scratch, Used};

/// Buffers that a thread lends.
impl Connection {
    /// Lends a thread's buffers to this connection, until [`release`](Self::release). One that was lent before is
    /// dropped.
    pub fn lend(&mut self, mut scratch: Box<Scratch>) {
        self.output.borrow_from(&mut scratch.buffers, &mut scratch.chain);
        self.scratch = Some(scratch);
    }

    /// Takes the buffers back. What is pending stays behind with the buffer that it is in: output that wasn't drained,
    /// a message that isn't whole.
    pub fn release(&mut self) -> Option<Box<Scratch>> {
        let mut scratch = self.scratch.take()?;
        self.output.return_to(&mut scratch.buffers, &mut scratch.chain);
        self.receiver.return_to(scratch.for_receiver());
        self.sender.return_to(&mut scratch.compressors);
        Some(scratch)
    }

    /// Gives back the payload of an event that is done with, for the next message that must be assembled. Without a
    /// [`Scratch`] it is dropped.
    #[inline]
    pub fn give_back(&mut self, payload: impl Into<Used>) {
        let Used(buffer) = payload.into();
        // What was borrowed gives nothing.
        if buffer.capacity() > 0
            && let Some(scratch) = &mut self.scratch
        {
            scratch.buffers.recycle(buffer);
        }
    }
}

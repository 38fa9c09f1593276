//! Buffers that a thread lends to the connection that it is serving, and takes back.

use alloc::boxed::Box;

use super::{Connection, Scratch, Used};

/// Borrowed buffers.
impl Connection {
    /// Gives this connection the buffers of a thread, until [`release`](Self::release). Those that it had are dropped.
    pub fn lend(&mut self, mut scratch: Box<Scratch>) {
        self.output.borrow_from(&mut scratch.buffers, &mut scratch.chain);
        self.scratch = Some(scratch);
    }

    /// Takes the buffers back. Pending output and an unfinished message stay with the connection, in buffers that fit them.
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

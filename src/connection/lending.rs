//! Buffers that a thread lends to the connection that it is serving, and takes back.

use alloc::boxed::Box;

use super::{Connection, Recycled, Scratch};

/// Borrowed buffers.
impl Connection {
    /// Gives this connection the buffers of a thread, until [`detach_scratch`](Self::detach_scratch). Returns those that it
    /// had before, as that does.
    pub fn attach_scratch(&mut self, mut scratch: Box<Scratch>) -> Option<Box<Scratch>> {
        let previous = self.detach_scratch();
        self.output.borrow_from(&mut scratch.buffers, &mut scratch.chain);
        self.scratch = Some(scratch);
        previous
    }

    /// Takes the buffers back. Pending output and an unfinished message stay with the connection, in buffers that fit them.
    pub fn detach_scratch(&mut self) -> Option<Box<Scratch>> {
        let mut scratch = self.scratch.take()?;
        self.output.return_to(&mut scratch.buffers, &mut scratch.chain);
        self.receiver.return_to(scratch.for_receiver());
        self.sender.return_to(&mut scratch.compressors);
        Some(scratch)
    }

    /// Gives back the payload of an event that is done with, for the next message that must be assembled. Without a
    /// [`Scratch`] it is dropped.
    #[inline]
    pub fn recycle(&mut self, payload: impl Into<Recycled>) {
        let Recycled(buffer) = payload.into();
        // What was borrowed gives nothing.
        if buffer.capacity() > 0
            && let Some(scratch) = &mut self.scratch
        {
            scratch.buffers.recycle(buffer);
        }
    }
}

//! Attaching and detaching the buffers of a thread.

use core::mem;

use super::{Connection, Recycled, Scratch};

/// Borrowed buffers.
impl Connection {
    /// Attaches a thread's buffers to this connection until [`detach_scratch`](Self::detach_scratch). Returns the
    /// scratch that was attached before, if any.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Scratch};
    ///
    /// let mut conn = Connection::server(Config::new());
    /// assert!(conn.attach_scratch(Scratch::new()).is_none());
    /// // …receive, send, write the output…
    /// let scratch = conn.detach_scratch();
    /// assert!(scratch.is_some());
    /// ```
    pub fn attach_scratch(&mut self, scratch: Scratch) -> Option<Scratch> {
        let previous = self.detach_scratch();
        let mut buffers = scratch.0.unwrap_or_default();
        self.output.borrow_from(&mut buffers.pool, &mut buffers.chain);
        self.scratch = Some(buffers);
        previous
    }

    /// Detaches the scratch and returns it, or `None` if none is attached. Pending output and an incomplete message
    /// stay with the connection, in buffers of fitting size.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Negotiated, Scratch};
    ///
    /// let new = || Connection::upgraded_server(Negotiated::new(), Config::new());
    /// let mut connections = [new(), new(), new()];
    /// let mut scratch = Scratch::new();
    /// for conn in &mut connections {
    ///     conn.attach_scratch(scratch);
    ///     conn.send_text("hi")?;
    ///     // …write the output…
    ///     scratch = conn.detach_scratch().unwrap_or_default();
    /// }
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn detach_scratch(&mut self) -> Option<Scratch> {
        let mut buffers = self.scratch.take()?;
        self.output.return_to(&mut buffers.pool, &mut buffers.chain);
        self.receiver.return_to(buffers.for_receiver());
        self.sender.return_to(&mut buffers.compressors);
        Some(Scratch(Some(buffers)))
    }

    /// Attaches a scratch while `work` runs, and detaches it afterwards, even if `work` panics. A scratch that was
    /// attached before is attached again.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Negotiated, Scratch, SendError};
    ///
    /// let mut scratch = Scratch::new();
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.with_scratch(&mut scratch, |conn| {
    ///     conn.send_text("one")?;
    ///     conn.send_text("two")
    /// })?;
    /// # Ok::<(), SendError>(())
    /// ```
    pub fn with_scratch<R>(&mut self, scratch: &mut Scratch, work: impl FnOnce(&mut Self) -> R) -> R {
        let previous = self.attach_scratch(mem::take(scratch));
        let attached = Attached { conn: self, scratch, previous };
        work(attached.conn)
    }

    /// Returns the buffer of a payload that you no longer need to the attached [`Scratch`], which reuses it for the
    /// next assembled message. Without a scratch, the buffer is dropped.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event, Negotiated, Scratch};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.attach_scratch(Scratch::new());
    /// let mut arrived = *b"\x01\x82\0\0\0\0he\x80\x83\0\0\0\0llo"; // two fragments, assembled in a buffer
    /// let mut input = &mut arrived[..];
    /// while let Some(event) = conn.receive(&mut input) {
    ///     if let Event::Text(text) = event {
    ///         println!("{text}");
    ///         conn.recycle(text);
    ///     }
    /// }
    /// ```
    #[inline]
    pub fn recycle(&mut self, payload: impl Into<Recycled>) {
        let Recycled(buffer) = payload.into();
        // A borrowed payload has no buffer to reuse.
        if buffer.capacity() > 0
            && let Some(scratch) = &mut self.scratch
        {
            scratch.pool.recycle(buffer);
        }
    }
}

/// Guard that detaches the scratch when it is dropped.
struct Attached<'a> {
    conn: &'a mut Connection,
    scratch: &'a mut Scratch,
    previous: Option<Scratch>,
}

impl Drop for Attached<'_> {
    fn drop(&mut self) {
        if let Some(scratch) = self.conn.detach_scratch() {
            *self.scratch = scratch;
        }
        if let Some(previous) = self.previous.take() {
            self.conn.attach_scratch(previous);
        }
    }
}

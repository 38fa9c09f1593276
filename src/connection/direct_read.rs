//! Reading large messages from the transport directly into the buffer in which they are assembled.

use super::Connection;

/// Reading without a copy.
impl Connection {
    /// Returns the part of the message buffer that the next bytes from the transport belong to, if reading directly
    /// into it saves a copy. That is the case inside a frame of an uncompressed binary message, while at least 8 KiB of
    /// the frame are missing. Most of the time this is `None`. Then read into your own buffer and pass that to
    /// [`receive`](Self::receive) as usual.
    ///
    /// Use it if you expect large messages and can read into two buffers at once (`readv`): bytes beyond this space go
    /// into your own buffer. After reading, call [`commit_read`](Self::commit_read).
    ///
    /// The space never extends past the end of the frame. Its size grows with the bytes received, never with the length
    /// that the peer announced. Until they are overwritten, its contents are zeros, or bytes that this connection has received or
    /// sent, or that you have passed to its [`recycle`](Self::recycle), while the same scratch was attached.
    ///
    /// ```
    /// use std::io::{self, IoSliceMut, Read};
    ///
    /// use websocket_proto::Connection;
    ///
    /// /// Reads once. Returns how much of `buffer` is input for `receive`, which must be called even if that is 0.
    /// fn read(stream: &mut impl Read, conn: &mut Connection, buffer: &mut [u8]) -> io::Result<usize> {
    ///     let read = match conn.read_buffer() {
    ///         Some(space) => stream.read_vectored(&mut [IoSliceMut::new(space), IoSliceMut::new(buffer)])?,
    ///         None => stream.read(buffer)?,
    ///     };
    ///     if read == 0 {
    ///         conn.receive_eof();
    ///     }
    ///     Ok(read - conn.commit_read(read))
    /// }
    /// # use websocket_proto::{Config, Event, Negotiated};
    /// # let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// # let mut message = b"\x82\xfe\xea\x60\0\0\0\0".to_vec();
    /// # message.resize(8 + 60000, b'x');
    /// # message.extend(b"\x89\x80\0\0\0\0");
    /// # let (mut stream, mut buffer) = (&message[..], [0; 16384]);
    /// # let (mut direct, mut events) = (0, Vec::new());
    /// # while events.len() < 2 {
    /// #     let before = stream.len();
    /// #     let count = read(&mut stream, &mut conn, &mut buffer).unwrap();
    /// #     direct += before - stream.len() - count;
    /// #     let mut input = &mut buffer[..count];
    /// #     while let Some(event) = conn.receive(&mut input) {
    /// #         events.push(format!("{event:?}"));
    /// #     }
    /// # }
    /// # assert_eq!(direct, 8 + 60000 - 16384);
    /// # assert!(events[0].starts_with("Binary") && events[1].starts_with("Ping"));
    /// ```
    pub fn read_buffer(&mut self) -> Option<&mut [u8]> {
        if self.phase.is_open() { self.receiver.read_buffer(&self.config) } else { None }
    }

    /// Consumes up to `count` bytes that you read into [`read_buffer`](Self::read_buffer), and returns how many it
    /// consumed. The rest of what you read is in your own buffer, as input for [`receive`](Self::receive).
    ///
    /// Returns 0 if there was no such space, so it is safe to call this after every read. It also returns 0 if the
    /// space has changed since: other input was received, or the [`Scratch`](crate::Scratch) was
    /// [detached](Self::detach_scratch).
    ///
    /// Call [`receive`](Self::receive) afterwards, even with an empty input, because the message may be complete.
    ///
    /// ```
    /// use std::io::{self, Read};
    /// use websocket_proto::{Config, Connection, Event, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// let mut arrived = [&b"\x82\xfe\xea\x60\0\0\0\0"[..], &[b'x'; 16_000]].concat(); // the start of a message of 60,000 bytes
    /// assert!(conn.receive(&mut &mut arrived[..]).is_none());
    /// let (mut stream, mut event) = (io::repeat(b'x').take(44_000), None);
    /// while let Some(space) = conn.read_buffer() {
    ///     let read = stream.read(space)?;
    ///     conn.commit_read(read);
    ///     event = conn.receive(&mut &mut [][..]);
    /// }
    /// let Some(Event::Binary(data)) = event else { panic!() };
    /// assert_eq!(data.len(), 60_000);
    /// # Ok::<(), io::Error>(())
    /// ```
    pub fn commit_read(&mut self, count: usize) -> usize {
        if count == 0 || !self.phase.is_open() {
            return 0;
        }
        let filled = self.receiver.commit_read(count);
        if filled > 0 {
            self.timers.on_receive();
        }
        filled
    }
}

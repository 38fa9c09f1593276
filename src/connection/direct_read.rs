//! Large messages: read from the transport straight to where they are assembled.

use super::Connection;

/// Reading without a copy.
impl Connection {
    /// Returns space for the next bytes of the current message, where reading them straight into it saves a copy: in a frame
    /// of an uncompressed binary message, of which at least 8 KiB are still to come. `None` most of the time; then read into
    /// the buffer for [`receive`](Self::receive), as always.
    ///
    /// It is for callers that expect large messages, and can read into two buffers at once (`readv`): what the transport has
    /// beyond this space goes into your own buffer. Report how much was read by [`commit_read`](Self::commit_read).
    /// The space ends with the frame, and grows with what has arrived, as all memory of messages does. Its bytes have no
    /// meaning before they are overwritten; they are never those of another connection.
    ///
    /// ```
    /// use std::io::{self, IoSliceMut, Read};
    ///
    /// use websocket_proto::Connection;
    ///
    /// /// Reads once; how much of `buffer` is input for `receive`, which is to be called in either case.
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

    /// Consumes up to `count` bytes that were read into [`read_buffer`](Self::read_buffer), and returns how many. The rest
    /// of what was read is in your own buffer, as input for [`receive`](Self::receive).
    ///
    /// It is 0 where there was no such space, so that you may call this after every read, and where the space has changed
    /// since: other input was received, or the buffers were [released](Self::detach_scratch).
    ///
    /// Call [`receive`](Self::receive) afterwards, even with an empty input: the message may be complete.
    ///
    /// ```
    /// use std::io::{self, Read};
    /// use websocket_proto::{Config, Connection, Event, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// let mut arrived = [&b"\x82\xfe\xea\x60\0\0\0\0"[..], &[b'x'; 16_000]].concat(); // of a message of 60,000 bytes
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

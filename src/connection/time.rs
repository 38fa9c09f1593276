//! Time, and the deadlines that pass.

use core::time::Duration;

use super::{Connection, State};
use crate::event::{Cause, Deadline};
use crate::frame::OpCode;

/// Time.
impl Connection {
    /// Sets the current time, measured from an epoch of your choice. If you never call this, there are no deadlines.
    ///
    /// Call it once on each iteration of your loop, and when [`next_timeout`](Self::next_timeout) has passed. You may
    /// call it at any point and as often as you like, because it never ends a connection by itself. If `now` is earlier
    /// than before, the time stays the same.
    ///
    /// A deadline that has passed takes effect in [`receive`](Self::receive), once your loop has had a whole iteration
    /// to read from the transport and all input has been consumed. Bytes that arrive in the meantime count: a pong or
    /// any other data satisfies the keepalive, and the peer's Close frame completes the closing handshake. A loop that
    /// was delayed, or a process that was stopped, therefore does not drop a peer whose bytes are waiting in the
    /// socket.
    ///
    /// This method also appends the ping of the [keepalive](crate::Config::keepalive) to the output.
    ///
    /// ```
    /// use std::time::Duration;
    /// use websocket_proto::{CloseCode, Config, Connection, Negotiated};
    ///
    /// let second = Duration::from_secs(1);
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.advance_time(0 * second);
    /// assert_eq!(conn.next_timeout(), None);
    ///
    /// // The loop was idle for an hour. The peer's five seconds start at the time that is set next.
    /// conn.close(CloseCode::NORMAL, "")?;
    /// assert_eq!(conn.next_timeout(), Some(0 * second));
    /// conn.advance_time(3600 * second);
    /// assert_eq!(conn.next_timeout(), Some(3605 * second));
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn advance_time(&mut self, now: Duration) {
        if let Some(payload) = self.timers.advance(now, self.output.was_drained(), &self.config) {
            // There is at most one ping per idle time, so it is sent even if the output is full. Nothing is sent after
            // our Close frame.
            if self.state() == State::Open {
                let (sender, output) = self.sending();
                sender.control(output, OpCode::Ping, &payload);
            }
            // Progress of the output counts from now on.
            self.output.take_progress();
        }
        if self.phase.is_closed() && self.timers.is_neglected(&self.config) {
            self.abort_transport();
        }
    }

    /// Returns when to call [`advance_time`](Self::advance_time) next, on your clock, or `None` if there is no
    /// deadline.
    ///
    /// A time in the past (initially [`Duration::ZERO`]) means immediately. That is the case if a deadline has started
    /// since the time was last set, if a deadline has passed and your loop gets another iteration to read, if you have
    /// accepted a request after which the client has sent more or closed its side, or if
    /// [`wants_shutdown`](Self::wants_shutdown) now returns `Abort`. If you keep setting the time without calling
    /// [`receive`](Self::receive), the returned time moves ahead by up to a second, so that your loop does not spin.
    ///
    /// Received bytes do not move the deadline, so you need not reset a timer for each message. When the deadline of
    /// the keepalive passes, the connection takes the bytes received since into account.
    ///
    /// ```
    /// use std::time::Duration;
    /// use websocket_proto::{Config, Connection};
    ///
    /// let mut conn = Connection::server(Config::new());
    /// assert_eq!(conn.next_timeout(), Some(Duration::ZERO));
    /// conn.advance_time(Duration::from_secs(100));
    /// assert_eq!(conn.next_timeout(), Some(Duration::from_secs(110)));
    /// ```
    pub fn next_timeout(&self) -> Option<Duration> {
        self.timers.next()
    }

    /// Reports that you have paused reading on purpose, so that the [keepalive](crate::Config::keepalive) does not
    /// mistake the pause for a silent peer. Call it on each iteration of your loop while paused, at any point. Do not
    /// call it while you wait for this peer to read your output: the keepalive detects that by itself.
    ///
    /// The other deadlines keep running. If that of the closing handshake passes,
    /// [`wants_shutdown`](Self::wants_shutdown) returns [`Abort`](crate::TransportShutdown::Abort) after one more such
    /// iteration. You can still receive input that you have already read.
    ///
    /// ```
    /// use std::time::Duration;
    /// use websocket_proto::{Config, Connection, Negotiated};
    ///
    /// let second = Duration::from_secs(1);
    /// let config = Config::new().keepalive(30 * second, 10 * second);
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), config);
    /// for now in 0..300 {
    ///     conn.advance_time(now * second);
    ///     conn.reading_paused();                  // the receiver of this peer's messages is not ready yet
    ///     assert!(conn.receive(&mut &mut [][..]).is_none());
    /// }
    /// ```
    pub fn reading_paused(&mut self) {
        self.timers.on_receive();
        match self.timers.input_consumed() {
            // Once the transport is to be aborted, the rest of the input may still be received.
            Some(Deadline::Closing) if self.timers.is_over() => {}
            Some(Deadline::Closing) if !self.phase.is_closed() => {
                self.output.clear();
                self.timers.abort();
            }
            Some(deadline) => self.on_deadline(deadline),
            None => {}
        }
    }

    /// Returns the time from the last answered ping to its pong, on the clock of [`advance_time`](Self::advance_time).
    /// It is `None` before the first pong.
    ///
    /// The measurement starts with the first time set after the ping and ends with the first time set after the pong,
    /// so it is accurate to within one iteration of your loop. While you handle [`Event::Pong`](crate::Event::Pong),
    /// this is still the previous value. The newest ping is measured, your own or that of the keepalive. Pings are
    /// distinguished by their payloads, so use a different payload for each.
    ///
    /// ```
    /// use std::time::Duration;
    /// use websocket_proto::{Config, Connection, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.ping(b"a")?;
    /// conn.advance_time(Duration::from_millis(1000)); // write the ping
    /// let mut arrived = *b"\x8a\x81\0\0\0\0a";
    /// conn.receive(&mut &mut arrived[..]);
    /// conn.advance_time(Duration::from_millis(1030)); // the next iteration
    /// assert_eq!(conn.round_trip(), Some(Duration::from_millis(30)));
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn round_trip(&self) -> Option<Duration> {
        self.timers.round_trip()
    }

    /// Applies a deadline.
    pub(super) fn on_deadline(&mut self, deadline: Deadline) {
        // The ping may have been written only after the deadline passed.
        if deadline == Deadline::Keepalive && self.is_taking_output() {
            return;
        }
        if !self.phase.is_closed() {
            self.fail(Cause::Timeout(deadline));
        } else if !self.timers.is_over() {
            self.abort_transport();
        }
    }

    /// Returns whether the transport accepted output that was pending before the ping. The peer then gets the full time
    /// again.
    fn is_taking_output(&mut self) -> bool {
        let is_written = self.output.was_drained();
        let is_taking = self.timers.ping_was_unwritten() && self.output.take_progress();
        if is_taking {
            self.timers.wait_for_pong(!is_written, &self.config);
        }
        is_taking
    }
}

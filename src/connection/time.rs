//! Time: what the caller's clock says, and which deadline it makes pass.

use core::time::Duration;

use super::{Connection, State};
use crate::event::{Cause, Deadline};
use crate::frame::OpCode;

/// Time.
impl Connection {
    /// Sets the time, a duration since an epoch of your choice. Without it there are no deadlines.
    ///
    /// Call it at any moment, as often as you like, in whatever order with the other methods: it ends no connection by
    /// itself. Once in each turn of your loop is enough, and when [`next_timeout`](Self::next_timeout) has passed.
    /// An earlier `now` than before counts as the same.
    ///
    /// A deadline that has passed takes effect in [`receive`](Self::receive), when that has nothing left to consume, and
    /// after your loop had a whole turn to read what the transport holds. Bytes that come in between count: a pong,
    /// or any other data, satisfies the keepalive, and the peer's Close frame completes the closing handshake. So a
    /// loop that was held up, or a process that was stopped, loses no peer whose bytes are waiting in the socket.
    ///
    /// The [keepalive](crate::Config::keepalive)'s ping is put into the output here.
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
    /// // An hour later: the peer has five seconds to answer from the time that is set next.
    /// conn.close(CloseCode::NORMAL, "")?;
    /// assert_eq!(conn.next_timeout(), Some(0 * second));
    /// conn.advance_time(3600 * second);
    /// assert_eq!(conn.next_timeout(), Some(3605 * second));
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn advance_time(&mut self, now: Duration) {
        if let Some(payload) = self.timers.advance(now, self.output.was_drained(), &self.config) {
            // At most one in an idle time, so a full output is no obstacle. Nothing follows our Close frame.
            if self.state() == State::Open {
                self.sender.control(&mut self.output, OpCode::Ping, &payload);
            }
            // Whether the transport takes what is pending is of interest from now on.
            self.output.take_progress();
        }
        if self.phase.is_closed() && self.timers.is_neglected() {
            self.abort_transport();
        }
    }

    /// Returns the time to call [`advance_time`](Self::advance_time) next, on your clock; `None` if there is no
    /// deadline.
    ///
    /// A time that has passed, [`Duration::ZERO`] at first, means at once: something has begun since the time was last
    /// set, a deadline has passed and gives your loop a turn to read, or
    /// [`wants_shutdown`](Self::wants_shutdown) has begun to ask for an abort. If you keep setting the time without calling
    /// [`receive`](Self::receive), it moves ahead, up to a second: no loop spins.
    ///
    /// Received bytes move no deadline. How long the peer has really been silent is found out when the keepalive's
    /// passes, so that a timer isn't touched for each message.
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

    /// Reports that you deliberately don't read at the moment, so that the [keepalive](crate::Config::keepalive) doesn't
    /// take the pause for the peer's silence. Call it once in each turn of your loop in which that is so, at any moment
    /// of the turn; but not where you wait for this peer to read what it was sent, which the keepalive sees by itself.
    ///
    /// The other deadlines continue. Where the closing one passes, [`wants_shutdown`](Self::wants_shutdown) answers
    /// [`Abort`](crate::TransportShutdown::Abort) after one more such turn. Input that you hold can still be received.
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
    ///     conn.reading_paused();                  // the receiver of what this peer sends isn't ready yet
    ///     assert!(conn.receive(&mut &mut [][..]).is_none());
    /// }
    /// ```
    pub fn reading_paused(&mut self) {
        self.timers.on_receive();
        match self.timers.input_consumed() {
            Some(Deadline::Closing) if !self.phase.is_closed() => {
                self.output.clear();
                self.timers.abort();
            }
            Some(deadline) => self.on_deadline(deadline),
            None => {}
        }
    }

    /// Returns the time from the last answered ping to its pong, on the clock of [`advance_time`](Self::advance_time);
    /// `None` before the first answer.
    ///
    /// Both ends are the first time that is set after the event, so it is right to within a turn of your loop. While
    /// you handle [`Event::Pong`](crate::Event::Pong), it is still the one before. It is measured for the newest ping,
    /// your own or the keepalive's. Pings are known apart by their payload.
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
    /// conn.advance_time(Duration::from_millis(1030)); // the next turn
    /// assert_eq!(conn.round_trip(), Some(Duration::from_millis(30)));
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn round_trip(&self) -> Option<Duration> {
        self.timers.round_trip()
    }

    /// A deadline takes effect.
    pub(super) fn on_deadline(&mut self, deadline: Deadline) {
        // What was written since it passed may have been the ping.
        if deadline == Deadline::Keepalive && self.is_taking_output() {
            return;
        }
        if !self.phase.is_closed() {
            self.fail(Cause::Timeout(deadline));
        } else if !self.timers.is_over() {
            self.abort_transport();
        }
    }

    /// Returns whether the peer took output that the ping had to wait for. Then it has the full time again.
    fn is_taking_output(&mut self) -> bool {
        let is_written = self.output.was_drained();
        let is_taking = self.timers.ping_was_unwritten() && self.output.take_progress();
        if is_taking {
            self.timers.wait_for_pong(!is_written, &self.config);
        }
        is_taking
    }
}

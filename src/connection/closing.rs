//! The end of a connection: the closing handshake (RFC 6455 section 7), violations, lost peers, and what is left to do
//! with the transport.

use alloc::boxed::Box;

use bytes::Buf;

use super::opening::Around;
use super::{Connection, Phase};
use crate::close::{CloseCode, CloseFrame};
use crate::config::Role;
use crate::error::{ProtocolError, SendError};
use crate::event::{Cause, Closed, Deadline, Event};
use crate::frame::{MAX_CONTROL_PAYLOAD, OpCode};
use crate::receive::Receiver;
use crate::timers::Timer;

/// How to shut the transport down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// Shut down the writing side, read and discard until the peer does the same (for a bounded time), then close, so
    /// that no reset overtakes the last bytes.
    Finish,
    /// Close at once.
    Abort,
}

/// What stays to be done with the transport once the connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nothing yet: it isn't over.
    Open,
    /// A client lets the server close first (RFC 6455 7.1.1).
    AwaitEof,
    Finish,
    Abort,
}

/// How it ends.
impl Connection {
    /// Begins the closing handshake, with a reason of at most 123 bytes. A fragmented message that is unfinished is
    /// abandoned; the peer's messages are delivered until its Close frame comes, and can't be answered any more.
    ///
    /// # Errors
    ///
    /// The connection isn't open, the code may not be sent by this role, or the reason is too long; nothing is sent
    /// then. A full output is no obstacle.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), SendError> {
        self.is_open()?;
        // RFC 6455 7.4.1: 1010 is the client's.
        if !code.may_travel() || self.role == Role::Server && code == CloseCode::MISSING_EXTENSION {
            return Err(SendError::CloseCode);
        }
        if reason.len() > MAX_CONTROL_PAYLOAD - 2 {
            return Err(SendError::ReasonTooLong);
        }
        self.send_close(Some(code), reason);
        self.close_sent = Some(code);
        // Without a deadline of its own, the keepalive's goes on.
        if self.config.close_timeout.is_some() {
            self.timers.arm(Timer::Closing, &self.config);
        }
        Ok(())
    }

    /// Gives the connection up at once: what is pending is dropped, and the transport is to be closed. The next
    /// [`receive`](Self::receive) tells of it, by [`Event::Closed`], although
    /// [`wants_shutdown`](Self::wants_shutdown) answers before.
    pub fn abort(&mut self) {
        if self.phase == Phase::Over {
            self.give_up();
            self.timers.arm(Timer::Off, &self.config);
        } else {
            self.end(Closed::abnormal(Cause::Aborted), Ending::Abort);
        }
    }

    /// Whether and how the transport is to be shut down. `None` as long as output is pending or the peer has something
    /// left to do: go on reading and writing then.
    pub fn wants_shutdown(&self) -> Option<Shutdown> {
        match self.ending {
            Ending::Open | Ending::AwaitEof => None,
            Ending::Finish => (!self.output.has_remaining()).then_some(Shutdown::Finish),
            Ending::Abort => Some(Shutdown::Abort),
        }
    }

    /// A deadline passed; bytes that came after that keep the peer of a keepalive.
    pub(super) fn overdue(&mut self, deadline: Deadline, heard: bool) {
        if deadline == Deadline::Keepalive && heard {
            self.timers.arm(Timer::Idle, &self.config);
        } else {
            self.expired(deadline);
        }
    }

    /// A deadline passed, and nothing that arrived before changes that.
    pub(super) fn expired(&mut self, deadline: Deadline) {
        if deadline == Deadline::Opening {
            self.opening_expired();
        } else {
            self.end(Closed::abnormal(Cause::Timeout(deadline)), Ending::Abort);
        }
    }

    /// The transport ended, and nothing that arrived before changes that.
    pub(super) fn lost(&mut self) {
        // What is left of a request is of no use to a server that has gone.
        let ending = if self.phase == Phase::Response { Ending::Abort } else { Ending::Finish };
        if !self.refusal_ends() {
            self.end(Closed::abnormal(Cause::Eof), ending);
        }
    }

    /// It is over, but the last bytes weren't taken, or the server didn't close.
    pub(super) fn give_up(&mut self) {
        self.output.clear();
        self.ending = Ending::Abort;
    }

    /// What is to be told at the end: why a client was refused, and then that it is over.
    pub(super) fn last_events(&mut self) -> Option<Event<'static>> {
        if let Some(Around::End { refusal, .. }) = self.around.as_deref_mut()
            && let Some(response) = refusal.take()
        {
            return Some(Event::Rejected(response));
        }
        match *self.around.take()? {
            Around::End { closed, .. } => Some(Event::Closed(closed)),
            _ => None,
        }
    }

    /// RFC 6455 7.1.7: fails the connection, with a Close frame that says why.
    #[cold]
    pub(super) fn violated(&mut self, error: ProtocolError) {
        if self.close_sent.is_none() {
            self.send_close(Some(error.close_code()), "");
        }
        self.end(Closed::abnormal(Cause::Protocol(error)), Ending::Finish);
    }

    /// RFC 6455 5.5.1: answers a Close frame with its own code, unless it is the answer to ours.
    pub(super) fn close_received(&mut self, frame: CloseFrame) {
        let cause = match self.close_sent {
            Some(code) => Cause::Local(code),
            None => {
                self.send_close(frame.code, "");
                Cause::Peer
            }
        };
        let closed =
            Closed { code: frame.code.unwrap_or(CloseCode::NO_STATUS), reason: frame.reason, clean: true, cause };
        // RFC 6455 7.1.1: the server closes TCP first.
        let ending = match self.role {
            Role::Server => Ending::Finish,
            Role::Client => Ending::AwaitEof,
        };
        self.end(closed, ending);
    }

    /// Queues a Close frame, the last frame that we send.
    pub(super) fn send_close(&mut self, code: Option<CloseCode>, reason: &str) {
        let mut body = [0; MAX_CONTROL_PAYLOAD];
        let mut length = 0;
        if let Some(code) = code {
            length = 2 + reason.len();
            body[..2].copy_from_slice(&code.get().to_be_bytes());
            body[2..length].copy_from_slice(reason.as_bytes());
        }
        self.output.drop_pong();
        self.sender.control(&mut self.output, OpCode::Close, &body[..length]);
    }

    /// The connection is over; what is in the output may still go out, for as long as a closing handshake may take.
    pub(super) fn end(&mut self, closed: Closed, ending: Ending) {
        self.phase = Phase::Over;
        self.ending = match ending {
            Ending::AwaitEof if self.eof => Ending::Finish,
            ending => ending,
        };
        self.around = Some(Box::new(Around::End { refusal: None, closed: Box::new(closed) }));
        self.due = None;
        #[cfg(feature = "deflate")]
        let incoming = self.receiver.incoming();
        self.receiver = Receiver::new(self.role.peer());
        #[cfg(feature = "deflate")]
        {
            // What was agreed on can still be asked for.
            if let Some(incoming) = incoming {
                self.receiver.agree(incoming);
            }
            self.sender.finish();
        }
        if ending == Ending::Abort {
            self.output.clear();
            self.timers.arm(Timer::Off, &self.config);
        } else {
            self.output.drop_pong();
            self.timers.arm(Timer::Closing, &self.config);
        }
    }
}

//! Every transition between the [phases](Phase) of a connection.
//!
//! ```text
//! Connection::server                Connection::client             upgraded_server, upgraded_client
//!         │                                 │                                 │
//!         ▼                                 ▼                                 │
//!      Request                          Response                              │
//!         │ on_request                      │ on_open                         │
//!         ▼                on_open          ▼                                 ▼
//!   AwaitingAnswer ───────────────────────► Open ◄────────────────────────────┘
//!         │ on_open with early data          ▲
//!         └──────► OpenEarlyData ────────────┘ on_early_data_consumed
//!
//! any of them ── fail, on_rejection, on_close_frame ──► Closed
//! ```
//!
//! `on_close_sent` does not change the phase: frames are received as before, but nothing more can be sent. The cause of
//! the end decides how the transport is shut down, which is a table in [`Connection::say_goodbye`].

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Connection;
use super::phase::{AwaitingAnswer, CloseSent, EarlyData, LastEvents, Phase, TransportEnd};
use crate::close::CloseCode;
use crate::event::{Cause, Closed, Deadline};
use crate::frame::CloseFrame;
use crate::handshake::{HandshakeResponse, Negotiated, Purpose, Rejection};
use crate::role::Role;
use crate::timers::Timer;

/// The only methods that assign the phase.
impl Connection {
    /// Handles a complete request.
    pub(super) fn on_request(&mut self, purpose: Purpose) {
        self.phase = Phase::AwaitingAnswer(Box::new(AwaitingAnswer { purpose, early_data: Vec::new() }));
    }

    /// Handles an opening handshake that was completed in time.
    pub(super) fn on_open(&mut self, negotiated: Negotiated, early_data: Vec<u8>) {
        self.phase = if early_data.is_empty() {
            Phase::Open { close_sent: None }
        } else {
            let data = Box::new(EarlyData { bytes: early_data, start: 0 });
            Phase::OpenEarlyData { data, close_sent: None }
        };
        self.apply_negotiated(negotiated);
        self.timers.start(Timer::Idle, &self.config);
        // The caller may have answered after its last `receive`.
        if !self.phase.is_open() || self.receiver.is_at_eof() {
            self.timers.wake();
        }
    }

    pub(super) fn on_early_data_consumed(&mut self, close_sent: CloseSent) {
        self.phase = Phase::Open { close_sent };
    }

    /// Records that we sent the first Close frame.
    pub(super) fn on_close_sent(&mut self, code: CloseCode) {
        match &mut self.phase {
            Phase::Open { close_sent } | Phase::OpenEarlyData { close_sent, .. } => *close_sent = Some(code),
            _ => debug_assert!(false, "a Close frame is sent by an open connection"),
        }
        self.timers.start(Timer::Closing, &self.config);
    }

    /// RFC 6455 section 7.1.4: the peer's Close frame completes the closing handshake, whichever side began it.
    pub(super) fn on_close_frame(&mut self, frame: CloseFrame) {
        let cause = self.close_sent().map_or(Cause::Peer, Cause::Local);
        let code = frame.code.unwrap_or(CloseCode::NO_STATUS);
        self.end_with(Closed { code, reason: frame.reason, clean: true, cause }, None);
    }

    /// Handles a response other than 101.
    pub(super) fn on_rejection(&mut self, response: Box<HandshakeResponse>) {
        let cause = Cause::Rejected(response.status());
        self.end_with(Closed::abnormal(cause), Some(response));
    }

    /// Ends the connection without a closing handshake: _Fail the WebSocket Connection_ (RFC 6455 section 7.1.7), EOF,
    /// a deadline or an abort.
    #[cold]
    pub(super) fn fail(&mut self, cause: Cause) {
        // EOF may be the end of a response's body. After a deadline, a partial body is better than none.
        if matches!(cause, Cause::Eof | Cause::Timeout(Deadline::Opening))
            && let Phase::Response(handshake) = &mut self.phase
            && let Some(response) = handshake.finish_rejection()
        {
            return self.on_rejection(response);
        }
        self.end_with(Closed::abnormal(cause), None);
    }

    /// Handles the EOF for which a client waits: the server has closed the transport (RFC 6455 section 7.1.1).
    pub(super) fn on_awaited_eof(&mut self) {
        if let Phase::Closed { transport: transport @ TransportEnd::AwaitEof, .. } = &mut self.phase {
            *transport = TransportEnd::Graceful;
        }
    }

    /// Aborts the transport: the last bytes were not written in time, or the server did not close it.
    pub(super) fn abort_transport(&mut self) {
        if let Phase::Closed { transport, .. } = &mut self.phase {
            *transport = TransportEnd::Abort;
        }
        self.output.clear();
        self.timers.abort();
    }

    /// Returns the code of our Close frame, if we sent one first.
    pub(super) fn close_sent(&self) -> CloseSent {
        match self.phase {
            Phase::Open { close_sent } | Phase::OpenEarlyData { close_sent, .. } => close_sent,
            _ => None,
        }
    }

    /// Closes the connection. Output may still be written, for as long as a closing handshake may take.
    pub(super) fn end_with(&mut self, closed: Closed, rejected: Option<Box<HandshakeResponse>>) {
        let mut transport = self.say_goodbye(&closed);
        // The caller has already been asked to abort the transport.
        if self.timers.is_over() {
            transport = TransportEnd::Abort;
        }
        let last = Some(Box::new(LastEvents { rejected, closed: Box::new(closed) }));
        self.phase = Phase::Closed { transport, last };
        self.receiver.stop();
        self.sender.stop();
        if transport == TransportEnd::Abort {
            self.abort_transport();
        } else {
            self.output.drop_pong();
            self.timers.start(Timer::Closing, &self.config);
        }
    }

    /// Sends the Close frame or the response that the cause calls for, and returns how the transport is to end. This is
    /// the table of both.
    fn say_goodbye(&mut self, closed: &Closed) -> TransportEnd {
        let is_server = self.role() == Role::Server;
        match closed.cause {
            // RFC 6455 section 5.5.1: the answer to a Close frame repeats its code; browsers repeat the reason as well.
            Cause::Peer | Cause::Local(_) => {
                if closed.cause == Cause::Peer {
                    // 1005 means a Close frame without a code.
                    let code = Some(closed.code).filter(|code| code.may_travel());
                    self.send_close(code, &closed.reason);
                }
                // RFC 6455 section 7.1.1: the server closes TCP first.
                if is_server || self.receiver.is_at_eof() { TransportEnd::Graceful } else { TransportEnd::AwaitEof }
            }
            Cause::Protocol(error) => {
                if self.close_sent().is_none() {
                    self.send_close(Some(error.close_code()), "");
                }
                TransportEnd::Graceful
            }
            Cause::Handshake(error) if is_server => self.send_rejection(Rejection::from(error)),
            Cause::Timeout(Deadline::Opening) => match self.phase {
                // Either the client or the caller was too slow.
                Phase::Request(Some(_)) => self.send_rejection(Rejection::new(408).body(TOO_LATE)),
                Phase::AwaitingAnswer(_) => self.send_rejection(Rejection::new(503).body(TOO_LATE)),
                Phase::Request(None) | Phase::Response(_) => TransportEnd::Abort,
                Phase::OpenEarlyData { .. } | Phase::Open { .. } | Phase::Closed { .. } => {
                    debug_assert!(false, "the deadline of the opening handshake ends with it");
                    TransportEnd::Abort
                }
            },
            // `reject` has already appended the response to the output.
            Cause::Rejected(_) if is_server => TransportEnd::Graceful,
            // The rest of a request is of no use once the server is gone.
            Cause::Eof if matches!(self.phase, Phase::Response(_)) => TransportEnd::Abort,
            Cause::Eof => TransportEnd::Graceful,
            Cause::Handshake(_)
            | Cause::Rejected(_)
            | Cause::Timeout(Deadline::Keepalive | Deadline::Closing)
            | Cause::Aborted => TransportEnd::Abort,
        }
    }

    fn send_rejection(&mut self, rejection: Rejection) -> TransportEnd {
        let sent = self.respond(rejection);
        debug_assert!(sent.is_ok(), "the connection's own answers can be sent");
        TransportEnd::Graceful
    }
}

/// The body of the response after the deadline of the opening handshake.
const TOO_LATE: &str = "the opening handshake took too long\n";

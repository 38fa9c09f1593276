//! A model of what an endpoint has to send and to report: the table of causes (`src/guide/closing.md`), written a second time.

use std::time::Duration;

use websocket_proto::{Cause, CloseCode, Closed, Deadline, ProtocolError, Role, TransportShutdown};

use crate::action::{CLOSING, HANDSHAKE, IDLE, SILENCE};
use crate::wire::Said;

pub(crate) const CODE: CloseCode = CloseCode::NORMAL;
pub(crate) const REASON: &str = "x";
pub(crate) const STATUS: u16 = 403;

/// The consequences of the calls that were made and of what was received.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// The frames to send: the first byte and the payload of each. The pings of a keepalive come between them.
    pub(crate) sends: Vec<(u8, Vec<u8>)>,
    pub(crate) texts: u8,
    pub(crate) has_unfinished: bool,
    pub(crate) awaits_answer: bool,
    /// The answer to the request.
    pub(crate) answer: Option<Said>,
    pub(crate) close_called: bool,
    /// It ended by a call, which is still to be reported.
    pub(crate) ended_by_call: Option<Cause>,
    pub(crate) was_aborted: bool,
    /// When the deadline began that runs, if the model knows it.
    pub(crate) since: Option<(Deadline, Duration)>,
    /// The number of turns in which that deadline was due.
    pub(crate) due_turns: usize,
    /// When bytes were last received.
    pub(crate) last_received: Option<Duration>,
}

impl Model {
    /// The next text: each differs from the one before, and has a character of two bytes.
    pub(crate) fn text(&mut self) -> Vec<u8> {
        self.texts += 1;
        vec![0xc3, 0xa0 + self.texts]
    }

    pub(crate) fn close(&mut self, code: Option<u16>, reason: &str) {
        let mut body = code.map_or(Vec::new(), |code| code.to_be_bytes().to_vec());
        body.extend(reason.as_bytes());
        self.sends.push((0x88, body));
    }

    /// Notes what the connection answers by itself.
    pub(crate) fn report(&mut self, said: &Said) {
        match said {
            Said::Request => self.awaits_answer = true,
            // RFC 6455 section 5.5.2; nothing follows a Close frame (section 5.5.1).
            Said::Ping(payload) if !self.close_called => self.sends.push((0x8a, payload.clone())),
            Said::Close(code, reason) if !self.close_called => self.close(*code, reason),
            Said::Broken if !self.close_called => self.close(Some(1002), ""),
            _ => {}
        }
    }

    /// A turn begins at this time: deadlines that began with a call start, and one may be due.
    pub(crate) fn turn(&mut self, now: Duration, deadline: Option<Deadline>, has_bytes: bool) {
        match (deadline, self.since) {
            (Some(deadline), Some((running, _))) if deadline == running => {}
            (Some(deadline), _) => (self.since, self.due_turns) = (Some((deadline, now)), 0),
            (None, _) => (self.since, self.due_turns) = (None, 0),
        }
        self.due_turns += usize::from(self.is_due(now));
        if has_bytes || self.last_received.is_none() {
            self.last_received = Some(now);
        }
    }

    fn is_due(&self, now: Duration) -> bool {
        self.since.is_some_and(|(deadline, since)| {
            now >= since + if deadline == Deadline::Opening { HANDSHAKE } else { CLOSING }
        })
    }

    /// The deadline has been due for a whole turn: it takes effect in this one.
    pub(crate) fn is_overdue(&self) -> bool {
        self.due_turns >= 2
    }

    /// Returns what ends the connection when it has received that, if anything does.
    pub(crate) fn end(&self, received: &[Said], is_at_eof: bool, role: Role) -> Option<Cause> {
        match received.last() {
            _ if self.ended_by_call.is_some() => self.ended_by_call,
            Some(Said::Close(..)) if self.close_called => Some(Cause::Local(CODE)),
            Some(Said::Close(..)) => Some(Cause::Peer),
            Some(Said::Broken) => Some(Cause::Protocol(ProtocolError::ReservedOpcode)),
            Some(Said::Rejected(status)) if role == Role::Client => Some(Cause::Rejected(*status)),
            _ if is_at_eof && !self.awaits_answer => Some(Cause::Eof),
            _ => None,
        }
    }

    /// A deadline that took effect was due.
    pub(crate) fn check_timeout(&self, deadline: Deadline, now: Duration) {
        match deadline {
            Deadline::Keepalive => {
                let received = self.last_received.expect("a turn");
                assert!(now >= received + IDLE + SILENCE, "dropped {:?} after its last bytes", now - received);
            }
            deadline => {
                assert_eq!(self.since.map(|(running, _)| running), Some(deadline));
                assert!(self.is_overdue(), "{deadline:?} took effect without a turn in which it was due");
            }
        }
    }
}

/// Returns what is reported of that cause, where a Close frame of the peer was received last.
pub(crate) fn reported(cause: Cause, received: &[Said]) -> (CloseCode, &str, bool) {
    match (cause, received.last()) {
        (Cause::Peer | Cause::Local(_), Some(Said::Close(code, reason))) => {
            let code =
                code.map_or(CloseCode::NO_STATUS, |code| CloseCode::try_from(code).expect("one that may travel"));
            (code, reason, true)
        }
        _ => (CloseCode::ABNORMAL, "", false),
    }
}

/// How the transport ends, once the output is written: `None` where the peer's end is still to come.
pub(crate) fn transport(closed: &Closed, role: Role, is_at_eof: bool, was_open: bool) -> Option<TransportShutdown> {
    let is_server = role == Role::Server;
    match closed.cause {
        Cause::Peer | Cause::Local(_) if is_server || is_at_eof => Some(TransportShutdown::Graceful),
        Cause::Peer | Cause::Local(_) => None,
        Cause::Protocol(_) => Some(TransportShutdown::Graceful),
        Cause::Eof if is_server || was_open => Some(TransportShutdown::Graceful),
        Cause::Rejected(_) if is_server => Some(TransportShutdown::Graceful),
        _ => Some(TransportShutdown::Abort),
    }
}

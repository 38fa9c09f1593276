//! An endpoint, and the invariants that hold after every action.

use std::io::IoSlice;
use std::time::Duration;

use bytes::Buf;
use websocket_proto::{
    Cause, Closed, Connection, Deadline, Event, MessageKind, Role, State, TransportShutdown, server,
};

use crate::action::{CLOSING, Call, IDLE, SILENCE, Scenario};
use crate::model::{self, CODE, Model, REASON, STATUS};
use crate::transport::Incoming;
use crate::wire::{Decoded, Frame, Said, decode, is_keepalive};

pub(crate) struct Endpoint {
    pub(crate) conn: Connection,
    pub(crate) incoming: Incoming,
    pub(crate) model: Model,
    pub(crate) opens: bool,
    pub(crate) calls: usize,
    pub(crate) received: Vec<Said>,
    pub(crate) closed: Option<Closed>,
    pub(crate) written: Vec<u8>,
    /// The end of the transport was reported.
    is_at_eof: bool,
    /// A deadline passed when bytes had been received.
    had_request: bool,
    shut: Option<TransportShutdown>,
    has_keepalive: bool,
    closes_slowly: bool,
    /// The number of pending bytes when it had closed.
    pending_at_end: Option<usize>,
    /// When it was found closed by a turn, from which it has the time of a closing handshake to write what is left.
    pub(crate) closed_since: Option<Duration>,
    pub(crate) last_turn: Option<Duration>,
    /// The first turn in which the peer had been silent for the keepalive's idle time, and turns since, up to a few.
    pub(crate) silent: Option<(Duration, u8)>,
    pub(crate) recent: Recent,
}

/// The calls and events since the turn before, for the identity of the state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Recent {
    pub(crate) calls: Vec<Call>,
    pub(crate) received: usize,
    pub(crate) has_bytes: bool,
    /// Turns and writes since a ping of the keepalive was sent, up to a few.
    pub(crate) ping: Option<(u8, u8)>,
    pub(crate) pending: usize,
}

impl Endpoint {
    pub(crate) fn new(conn: Connection, scenario: &Scenario) -> Self {
        Self {
            conn,
            incoming: Incoming::default(),
            model: Model::default(),
            opens: scenario.opens,
            calls: 0,
            received: Vec::new(),
            closed: None,
            written: Vec::new(),
            is_at_eof: false,
            had_request: false,
            shut: None,
            has_keepalive: scenario.keepalive,
            closes_slowly: scenario.closes_slowly,
            pending_at_end: None,
            closed_since: None,
            last_turn: None,
            silent: None,
            recent: Recent::default(),
        }
    }

    /// The call is one that succeeds.
    pub(crate) fn can(&self, call: Call) -> bool {
        let is_open = self.conn.state() == State::Open;
        match call {
            Call::Accept | Call::Reject => self.model.awaits_answer && self.conn.state() == State::Connecting,
            Call::Text | Call::First => is_open && !self.model.has_unfinished,
            Call::Last => is_open && self.model.has_unfinished,
            Call::Ping | Call::Close => is_open,
            Call::Abort => !self.model.was_aborted,
        }
    }

    pub(crate) fn call(&mut self, call: Call) {
        self.calls += 1;
        self.recent.calls.push(call);
        let (conn, model) = (&mut self.conn, &mut self.model);
        match call {
            Call::Accept => {
                conn.accept(server::Response::new()).unwrap();
                model.awaits_answer = false;
                model.answer = Some(Said::Open);
            }
            Call::Reject => {
                conn.reject(server::Rejection::new(STATUS)).unwrap();
                model.awaits_answer = false;
                model.ended_by_call = Some(Cause::Rejected(STATUS));
                model.answer = Some(Said::Rejected(STATUS));
            }
            Call::Text => {
                let text = model.text();
                conn.send_text(std::str::from_utf8(&text).unwrap()).unwrap();
                model.sends.push((0x81, text));
            }
            Call::First => {
                let text = model.text();
                conn.send_fragment(MessageKind::Text, &text[..1], false).unwrap();
                model.sends.push((0x01, text[..1].to_vec()));
                model.has_unfinished = true;
            }
            Call::Last => {
                let text = [0xa0 + model.texts];
                conn.send_fragment(MessageKind::Text, &text, true).unwrap();
                model.sends.push((0x80, text.to_vec()));
                model.has_unfinished = false;
            }
            Call::Ping => {
                let payload = vec![b'a' + model.sends.len() as u8];
                conn.ping(&payload).unwrap();
                model.sends.push((0x89, payload));
            }
            Call::Close => {
                conn.close(CODE, REASON).unwrap();
                model.close(Some(CODE.get()), REASON);
                model.close_called = true;
            }
            Call::Abort => {
                if conn.state() != State::Closed {
                    model.ended_by_call = Some(Cause::Aborted);
                }
                conn.abort();
                model.was_aborted = true;
            }
        }
    }

    /// A turn: the time is set, and so many bytes are received.
    pub(crate) fn read(&mut self, count: usize, now: Duration) {
        self.recent = Recent { ping: self.recent.ping, pending: self.conn.output().remaining(), ..Recent::default() };
        self.recent.has_bytes = count > 0;
        self.last_turn = Some(now);
        let state = self.conn.state();
        let deadline = match state {
            State::Connecting => Some(Deadline::Opening),
            State::Closing if !self.closes_slowly => Some(Deadline::Closing),
            _ => None,
        };
        self.model.turn(now, deadline, count > 0);
        let is_silent = self.model.last_received.is_some_and(|received| now >= received + IDLE);
        let (since, turns) = self.silent.unwrap_or((now, 0));
        self.silent = is_silent.then_some((since, (turns + 1).min(8)));
        self.conn.advance_time(now);
        let mut bytes = self.incoming.read(count).to_vec();
        if self.incoming.is_at_eof() && !self.is_at_eof {
            assert!(self.conn.wants_read());
            self.conn.receive_eof();
            self.is_at_eof = true;
        }
        assert_eq!(self.conn.wants_read(), !self.is_at_eof);
        let mut input = &mut bytes[..];
        let was_reported = self.closed.is_some();
        while let Some(event) = self.conn.receive(&mut input) {
            assert!(self.closed.is_none(), "{event:?} after the last event");
            self.report(event);
        }
        assert!(input.is_empty());
        if !was_reported {
            self.check_received(state, now);
        }
        if self.conn.state() == State::Closed {
            self.closed_since.get_or_insert(now);
        }
        self.recent.ping = self.recent.ping.map(|(turns, writes)| (turns.saturating_add(1).min(6), writes));
    }

    fn report(&mut self, event: Event<'_>) {
        let said = match event {
            Event::Request(_) => Said::Request,
            Event::Open(_) => Said::Open,
            Event::Rejected(response) => Said::Rejected(response.status()),
            Event::Text(text) => Said::Text(text.as_bytes().to_vec()),
            Event::Ping(payload) => Said::Ping(payload.to_vec()),
            Event::Pong(payload) => {
                // The answer to the newest ping of the keepalive is its own business.
                let is_own = |frame: &Frame| frame.first == 0x89 && is_keepalive(&frame.payload);
                let newest = self.sent().frames.into_iter().rfind(is_own);
                assert!(newest.is_none_or(|newest| newest.payload != *payload), "a keepalive's pong");
                Said::Pong(payload.to_vec())
            }
            Event::Closed(closed) => {
                let said = match closed.cause {
                    Cause::Peer | Cause::Local(_) => {
                        let code = Some(closed.code.get()).filter(|code| *code != 1005);
                        Some(Said::Close(code, closed.reason.clone()))
                    }
                    Cause::Protocol(_) => Some(Said::Broken),
                    _ => None,
                };
                self.closed = Some(*closed);
                let Some(said) = said else { return };
                said
            }
            other => panic!("{other:?} is none of this world"),
        };
        self.recent.received += 1;
        self.model.report(&said);
        self.received.push(said);
    }

    /// Every byte that was received was reported, in order, and nothing else; and the end is the one that follows from it.
    fn check_received(&mut self, before: State, now: Duration) {
        let decoded = decode(self.incoming.received(), self.opens);
        if before != State::Closed {
            let is_own_pong = |said: &Said| matches!(said, Said::Pong(payload) if is_keepalive(payload));
            let said: Vec<Said> = decoded.said().into_iter().filter(|said| !is_own_pong(said)).collect();
            let received: Vec<Said> = self.received.iter().filter(|said| !is_own_pong(said)).cloned().collect();
            let is_cut_off = decoded.head.is_none() && matches!(received[..], [Said::Rejected(_)]);
            assert!(received == said || is_cut_off, "{received:?} was received of {said:?}");
        }
        let expected = self.model.end(&self.received, self.is_at_eof, self.conn.role());
        let Some(closed) = &self.closed else {
            assert_eq!(expected, None, "not reported");
            let is_overdue = self.model.is_overdue() && self.conn.state() == before;
            assert!(!is_overdue, "a deadline passed and took no effect");
            return assert_ne!(self.conn.state(), State::Closed);
        };
        match (expected, closed.cause) {
            (None, Cause::Timeout(deadline)) => {
                self.model.check_timeout(deadline, now);
                self.had_request = !self.incoming.received().is_empty();
                if deadline == Deadline::Opening && self.had_request {
                    let status = if self.model.awaits_answer { 503 } else { 408 };
                    self.model.answer = Some(Said::Rejected(status));
                }
                self.model.awaits_answer = false;
            }
            (expected, cause) => assert_eq!(expected, Some(cause)),
        }
        let reported = (closed.code, &closed.reason[..], closed.clean);
        assert_eq!(reported, model::reported(closed.cause, &self.received));
    }

    /// Writes the output. Returns it, and what is to be done with the transport, once.
    pub(crate) fn write(&mut self) -> (Vec<u8>, Option<TransportShutdown>) {
        let pending = self.conn.output().remaining();
        let bytes = self.conn.output().copy_to_bytes(pending).to_vec();
        self.written.extend(&bytes);
        let shutdown = self.conn.wants_shutdown().filter(|shutdown| self.shut != Some(*shutdown));
        self.shut = shutdown.or(self.shut);
        self.recent.ping = self.recent.ping.map(|(turns, writes)| (turns, (writes + 1).min(2)));
        (bytes, shutdown)
    }

    pub(crate) fn has_to_write(&self) -> bool {
        self.conn.pending_output() > 0 || self.conn.wants_shutdown().is_some_and(|shutdown| self.shut != Some(shutdown))
    }

    /// The transport was shut down as it was asked for.
    pub(crate) fn is_shut(&self) -> bool {
        self.shut.is_some()
    }

    /// The opening handshake was completed.
    fn was_open(&self) -> bool {
        !self.opens || self.received.first() == Some(&Said::Open)
    }

    /// The transport is closed.
    pub(crate) fn is_gone(&self) -> bool {
        self.shut == Some(TransportShutdown::Abort)
    }

    /// It ended in a way that may cost messages.
    pub(crate) fn has_failed(&self) -> bool {
        self.closed.as_ref().is_some_and(|closed| !closed.clean)
    }

    /// The frames that are written, and those that are pending.
    pub(crate) fn sent(&mut self) -> Decoded {
        let stream = [&self.written[..], &pending(&mut self.conn)].concat();
        let sent = decode(&stream, self.opens);
        assert_eq!(sent.end, stream.len(), "only whole frames are sent");
        sent
    }

    /// Checks what holds after every action.
    pub(crate) fn check(&mut self, now: Duration) {
        self.check_sent();
        self.check_shutdown(now);
        let (state, remaining) = (self.conn.state(), self.conn.pending_output());
        if state == State::Closed {
            let most = self.pending_at_end.replace(remaining).unwrap_or(remaining);
            assert!(remaining <= most, "the output grows after the end");
        }
        // Nothing is owed: an open connection without a keepalive may wait forever, and one that is to be aborted waits
        // for nothing.
        if self.conn.next_timeout().is_none() {
            let may_wait = state == State::Open && !self.has_keepalive;
            assert!(may_wait || self.conn.wants_shutdown() == Some(TransportShutdown::Abort), "{:?}", self.conn);
        }
        assert_eq!(self.conn.can_send(), state == State::Open);
    }

    /// Checks that what was sent is what had to be: each frame once, in order, whole; and nothing after a Close.
    fn check_sent(&mut self) {
        let sent = self.sent();
        let is_client = self.conn.role() == Role::Client;
        assert!(sent.frames.iter().all(|frame| frame.masked == is_client));
        let is_ping = |first, payload: &[u8]| first == 0x89 && is_keepalive(payload);
        let pings = sent.frames.iter().filter(|frame| is_ping(frame.first, &frame.payload)).count();
        assert!(self.has_keepalive || pings == 0);
        if pings > 0 && self.recent.ping.is_none() {
            self.recent.ping = Some((0, 0));
        }
        assert!(sent.frames.iter().rev().skip(1).all(|frame| frame.first != 0x88), "frames after a Close");
        let frames: Vec<_> = sent
            .frames
            .iter()
            .filter(|frame| !is_ping(frame.first, &frame.payload))
            .map(|frame| (frame.first, frame.payload.clone()))
            .collect();
        if self.conn.wants_shutdown() == Some(TransportShutdown::Abort) {
            assert_eq!(self.conn.pending_output(), 0, "output of an aborted connection");
            assert!(self.model.sends.starts_with(&frames), "{frames:?} of {:?}", self.model.sends);
        } else {
            assert_eq!(frames, self.model.sends);
            if self.opens && !is_client {
                assert_eq!(sent.head, self.model.answer);
            }
        }
    }

    /// How the transport is to end follows from the cause.
    fn check_shutdown(&self, now: Duration) {
        let shutdown = self.conn.wants_shutdown();
        if self.model.was_aborted || self.model.ended_by_call == Some(Cause::Aborted) {
            return assert_eq!(shutdown, Some(TransportShutdown::Abort));
        }
        let Some(closed) = &self.closed else {
            // A rejection is reported by the turn after it.
            return assert!(
                shutdown.is_none() || self.model.ended_by_call.is_some(),
                "{shutdown:?} of what isn't closed"
            );
        };
        // What is left to write has the time of a closing handshake, or of a silence where that has none.
        let late = if self.closes_slowly {
            self.model.last_received.map(|received| received + IDLE + SILENCE)
        } else {
            self.closed_since.map(|since| since + CLOSING)
        };
        let is_late = late.is_some_and(|late| now >= late);
        if shutdown == Some(TransportShutdown::Abort) && is_late {
            return;
        }
        let mut expected = model::transport(closed, self.conn.role(), self.is_at_eof, self.was_open());
        // The client was late: it is answered if its request had begun.
        if closed.cause == Cause::Timeout(Deadline::Opening) && self.conn.role() == Role::Server && self.had_request {
            expected = Some(TransportShutdown::Graceful);
        }
        if expected == Some(TransportShutdown::Graceful) && self.conn.pending_output() > 0 {
            expected = None;
        }
        assert_eq!(shutdown, expected, "of {closed:?}");
    }
}

/// Returns the pending output, without writing it.
fn pending(conn: &mut Connection) -> Vec<u8> {
    let output = conn.output();
    let mut slices = [IoSlice::new(&[]); 8];
    let filled = output.chunks_vectored(&mut slices);
    let pending = slices[..filled].iter().flat_map(|slice| slice.iter().copied()).collect::<Vec<u8>>();
    assert_eq!(pending.len(), output.remaining());
    pending
}

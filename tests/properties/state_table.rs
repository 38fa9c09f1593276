//! Every call in every state, in any order: the invariants.

use std::io::IoSlice;
use std::time::Duration;

use bytes::Buf;
use proptest::prelude::*;
use websocket_proto::{
    AcceptError, Cause, CloseCode, Config, Connection, Deadline, Event, MessageKind, Negotiated, PreparedMessage, Role,
    Scratch, SendError, State, TransportShutdown, server,
};

use crate::actions::{Action, IDLE, LONGEST, SILENCE, actions, config};
use crate::generate::{Limits, cases, dial, response, role};
use crate::reference::{Decoded, decode};
use crate::support::{self, frame, other, request, seed};

/// The largest output that the limit doesn't hold back: a head with its body, and a Close frame.
const HEAD_AND_CLOSE: usize = 512;

/// A connection, and what has been observed of it so far.
struct Table {
    conn: Connection,
    /// True if a head precedes the frames.
    upgraded: bool,
    max_pending: usize,
    now: Option<Duration>,
    last_received: Duration,
    /// The output that was drained.
    written: Vec<u8>,
    /// That, and the output pending after it.
    stream: Vec<u8>,
    state: State,
    /// Pending output has been dropped.
    cut_off: bool,
    closed: bool,
    /// The number of pauses in reading.
    pauses: usize,
    /// The thread's scratch, while it isn't attached.
    scratch: Option<Scratch>,
}

impl Table {
    fn new(role: Role, upgraded: bool, config: Config, max_pending: usize) -> Self {
        let mut conn = match (role, upgraded) {
            (Role::Client, false) => dial(config),
            (Role::Server, false) => Connection::server(config),
            (Role::Client, true) => Connection::upgraded_client(Negotiated::new(), config, seed()),
            (Role::Server, true) => Connection::upgraded_server(Negotiated::new(), config),
        };
        let (state, stream) = (conn.state(), pending(&mut conn));
        Self {
            conn,
            upgraded,
            max_pending,
            now: None,
            last_received: Duration::ZERO,
            written: Vec::new(),
            stream,
            state,
            cut_off: false,
            closed: false,
            pauses: 0,
            scratch: Some(Scratch::new()),
        }
    }

    fn step(&mut self, action: Action) {
        let conn = &mut self.conn;
        match action {
            Action::Handshake if conn.role() == Role::Client => self.receive(&response()),
            Action::Handshake => self.receive(&request()),
            Action::Bytes(bytes) => self.receive(&bytes),
            Action::Answer => self.answer(),
            Action::Eof => conn.receive_eof(),
            Action::Pause => {
                conn.reading_paused();
                self.pauses += 1;
                self.last_received = self.now.unwrap_or_default();
            }
            Action::PlainHttp => self.receive_one(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            Action::Time(more) => self.pass_time(Duration::from_millis(more)),
            Action::SetTime(more) => self.set_time(Duration::from_millis(more)),
            Action::Accept(subprotocol, header) => {
                let response = server::Response::new().subprotocol(subprotocol);
                let response = if header.is_empty() { response } else { response.header(header, "value") };
                let accepted = conn.accept(response);
                self.answered(accepted, State::Open);
            }
            Action::Reject(status) => {
                let rejected = conn.reject(server::Rejection::new(status));
                self.answered(rejected, State::Closed);
            }
            Action::Abort => conn.abort(),
            Action::Advance(count) => {
                let output = conn.output();
                let count = count.min(output.chunk().len());
                self.written.extend(&output.chunk()[..count]);
                output.advance(count);
            }
            Action::Take => self.written.extend(conn.output().take().into_iter().flatten()),
            Action::Lend => drop(conn.attach_scratch(self.scratch.take().unwrap_or_default())),
            Action::Release => {
                let released = conn.detach_scratch();
                assert_ne!(released.is_some(), self.scratch.is_some());
                self.scratch = self.scratch.take().or(released);
            }
            Action::GiveBack(buffer) => conn.recycle(buffer),
            send => self.send(send),
        }
        self.check();
    }

    /// Everything that the peer sent, and every event of it.
    fn receive(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() && self.conn.state() != State::Closed {
            self.last_received = self.now.unwrap_or_default();
        }
        let mut bytes = bytes.to_vec();
        let mut input = &mut bytes[..];
        while let Some(event) = self.conn.receive(&mut input) {
            assert!(!self.closed, "{event:?} behind the last event");
            let state = self.conn.state();
            match event {
                Event::Request(_) | Event::HttpRequest(_) => assert_eq!(state, State::Connecting),
                Event::Open(_) => assert_eq!(state, State::Open),
                Event::Text(_) | Event::Binary(_) | Event::Chunk(_) | Event::Ping(_) | Event::Pong(_) => {
                    assert!(matches!(state, State::Open | State::Closing));
                }
                Event::Closed(closed) => {
                    self.closed = true;
                    if closed.cause == Cause::Timeout(Deadline::Keepalive) {
                        assert!(
                            self.now.unwrap() >= self.last_received + IDLE + SILENCE,
                            "timed out although bytes arrived"
                        );
                    }
                }
                _ => assert_eq!(state, State::Closed),
            }
        }
        assert!(input.is_empty());
        assert_eq!(self.closed, self.conn.state() == State::Closed);
    }

    /// One event of these bytes, if there is one: the bytes after it wait for the next call.
    fn receive_one(&mut self, bytes: &[u8]) {
        if self.conn.state() != State::Connecting || self.conn.output().has_remaining() {
            return self.receive(bytes);
        }
        let mut bytes = bytes.to_vec();
        match self.conn.receive(&mut &mut bytes[..]) {
            Some(Event::HttpRequest(_)) => assert_eq!(self.conn.state(), State::Connecting),
            Some(Event::Closed(_)) => self.closed = true,
            Some(event) => panic!("{event:?}"),
            None => {}
        }
    }

    fn answer(&mut self) {
        let role = self.conn.role();
        let sent = self.behind_head().filter(|_| !self.cut_off).map(support::frames).unwrap_or_default();
        if let Some(ping) = sent.iter().rfind(|frame| frame.first == 0x89) {
            self.receive(&frame(other(role), 0x8a, &ping.payload));
        }
    }

    /// The iterations of the loop at that time, until no deadline is due.
    fn pass_time(&mut self, time: Duration) {
        self.set_time(time);
        self.receive(&[]);
        for _ in 0..6 {
            if self.conn.next_timeout().is_none_or(|next| next > self.now.unwrap()) {
                return;
            }
            self.set_time(Duration::ZERO);
            self.receive(&[]);
        }
        panic!("the loop spins");
    }

    fn set_time(&mut self, time: Duration) {
        let now = self.now.unwrap_or_default() + time;
        if self.now.is_none() {
            self.last_received = now;
        }
        self.now = Some(now);
        self.conn.advance_time(now);
    }

    fn answered(&mut self, answered: Result<(), AcceptError>, then: State) {
        match answered {
            Ok(()) => assert_eq!((self.state, self.conn.state()), (State::Connecting, then)),
            Err(_) => assert_eq!((self.state, pending_behind(self)), (self.conn.state(), self.stream.clone())),
        }
    }

    /// Everything is sent completely, or not at all.
    fn send(&mut self, action: Action) {
        let conn = &mut self.conn;
        let is_close = matches!(action, Action::Close(..));
        let sent = match action {
            Action::Text(text) => conn.send_text(&text),
            Action::Binary(data) => conn.send_binary(&data),
            Action::SendOwned(data) => conn.send(data),
            Action::Prepared(message) => conn.send_prepared(&PreparedMessage::new(message)),
            Action::Fragment(text, data, last) => {
                conn.send_fragment(if text { MessageKind::Text } else { MessageKind::Binary }, &data, last)
            }
            Action::Ping(payload) => conn.ping(&payload),
            Action::Pong(payload) => conn.pong(&payload),
            Action::Close(code, reason) => conn.close(code, &reason),
            other => unreachable!("{other:?} sends nothing"),
        };
        match self.state {
            State::Connecting => assert_eq!(sent, Err(SendError::Connecting)),
            State::Open => assert_ne!(sent, Err(SendError::Closed)),
            State::Closing | State::Closed => assert_eq!(sent, Err(SendError::Closed)),
        }
        let stream = pending_behind(self);
        if sent.is_ok() {
            assert!(stream.len() > self.stream.len());
            assert_eq!(self.conn.state(), if is_close { State::Closing } else { State::Open });
        } else {
            assert_eq!((stream, self.conn.state()), (self.stream.clone(), self.state));
        }
    }

    /// The invariants.
    fn check(&mut self) {
        let state = self.conn.state();
        assert!(rank(self.state) <= rank(state), "from {:?} back to {state:?}", self.state);
        self.state = state;

        let remaining = self.conn.output().remaining();
        assert!(remaining < self.max_pending + LONGEST + HEAD_AND_CLOSE, "{remaining} bytes are pending");
        match self.conn.wants_shutdown() {
            None => {}
            Some(TransportShutdown::Graceful) => assert_eq!((state, remaining), (State::Closed, 0)),
            // While reading is paused, the caller may still hold input of a connection that is closing.
            Some(TransportShutdown::Abort) => {
                assert!(state == State::Closed || state == State::Closing && self.pauses > 0);
            }
        }

        let stream = pending_behind(self);
        if !stream.starts_with(&self.stream) {
            assert_eq!((self.conn.wants_shutdown(), remaining), (Some(TransportShutdown::Abort), 0));
            self.cut_off = true;
        }
        self.stream = stream;
        if !self.cut_off {
            self.check_stream();
        }
    }

    /// All sent frames are valid, whatever caused them.
    fn check_stream(&self) {
        let role = self.conn.role();
        let Some(stream) = self.behind_head() else {
            return;
        };
        let sent = support::frames(stream);
        assert!(sent.iter().all(|frame| frame.key.is_some() == (role == Role::Client)));
        let close = sent.iter().position(|frame| frame.first == 0x88);
        assert!(close.is_none_or(|close| close == sent.len() - 1), "frames behind a Close frame");
        assert!(close.is_none() || matches!(self.state, State::Closing | State::Closed));
        let decoded = decode(role, stream, &Limits::NONE);
        assert!(!matches!(decoded.last(), Some(Decoded::Wrong(_))), "{decoded:?}");
        assert!(decoded.len() <= sent.len());
    }

    /// The frames that were sent; `None` if an opening handshake failed or is incomplete.
    fn behind_head(&self) -> Option<&[u8]> {
        if self.upgraded {
            return Some(&self.stream);
        }
        let head = self.stream.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
        let opens = self.conn.role() == Role::Client || self.stream.starts_with(b"HTTP/1.1 101 ");
        opens.then(|| &self.stream[head..])
    }

    fn drain(&mut self) {
        while self.conn.output().has_remaining() {
            self.step(Action::Take);
        }
    }

    /// In any case, the connection reaches its end, and stays closed.
    fn finish(mut self) {
        self.drain();
        self.step(Action::Eof);
        // A waiting request is answered before the end.
        self.step(Action::Reject(404));
        self.step(Action::Bytes(Vec::new()));
        self.drain();
        assert!(self.closed && self.conn.wants_shutdown().is_some());
        let stream = self.stream.clone();
        for action in [
            Action::Handshake,
            Action::Accept(None, ""),
            Action::Reject(404),
            Action::Text("late".into()),
            Action::SendOwned(vec![0; LONGEST]),
            Action::Prepared(vec![0; LONGEST].into()),
            Action::Lend,
            Action::GiveBack(vec![0; LONGEST]),
            Action::Release,
            Action::Fragment(true, Vec::new(), true),
            Action::Ping(vec![0; 126]),
            Action::Close(CloseCode::NO_STATUS, String::new()),
            Action::Time(10_000),
            Action::Abort,
        ] {
            self.step(action);
        }
        assert_eq!(self.stream, stream);
    }
}

fn rank(state: State) -> usize {
    [State::Connecting, State::Open, State::Closing, State::Closed].iter().position(|other| *other == state).unwrap()
}

/// The pending output, without draining it.
fn pending(conn: &mut Connection) -> Vec<u8> {
    let output = conn.output();
    let mut slices = [IoSlice::new(&[]); 128];
    let filled = output.chunks_vectored(&mut slices);
    let pending: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.iter().copied()).collect();
    assert_eq!(pending.len(), output.remaining());
    pending
}

/// The drained output, and the output pending after it.
fn pending_behind(table: &mut Table) -> Vec<u8> {
    [&table.written[..], &pending(&mut table.conn)].concat()
}

proptest! {
    #![proptest_config(cases(1500))]

    /// B-02, B-22, B-26, B-32, B-36, B-52, B-58, B-71, C-28, C-47, S-37, S-43: whatever is called, whatever arrives and
    /// however late it is, after every step
    ///
    /// - `Closed` comes once, as the last event;
    /// - the state only moves forward;
    /// - all sent frames are valid, masked by clients only, and a Close frame is the last of them;
    /// - a call sends everything or changes nothing, and sends nothing unless the state is open;
    /// - no more is pending than the limit and one message;
    /// - the scratch's buffers come back when it is detached, and pending output doesn't change;
    /// - the transport is shut down after the last byte, and the peer is not timed out while it sends.
    #[test]
    fn what_always_holds(
        (role, upgraded, actions) in (role(), any::<bool>())
            .prop_flat_map(|(role, upgraded)| (Just(role), Just(upgraded), actions(role, upgraded))),
        (config, max_pending) in config(),
    ) {
        let mut table = Table::new(role, upgraded, config, max_pending);
        table.check();
        for action in actions {
            table.step(action);
        }
        table.finish();
    }
}

//! A loop that is late by any amount, in any order of calls, against a model of the deadlines that is written from the guide's
//! chapter on them: none takes effect early or without a turn to read, none is missed by a turn, `next_timeout` is never in the
//! past after one, and the connection ends once.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use bytes::Buf;
use libfuzzer_sys::fuzz_target;
use websocket_proto::{
    Cause, CloseCode, Config, Connection, Deadline, Event, Negotiated, Role, Seed, State, TransportShutdown, server,
};
use websocket_proto_fuzz::Watched;

#[path = "../../tests/support/mod.rs"]
mod support;

#[derive(Arbitrary, Debug)]
struct Script {
    client: bool,
    /// Begins with the opening handshake.
    connecting: bool,
    /// In milliseconds.
    handshake_timeout: Option<u16>,
    close_timeout: Option<u16>,
    keepalive: Option<(u16, u16)>,
    actions: Vec<Action>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Action {
    /// The peer sends something, which is then in the transport.
    Peer(Sent),
    /// So many of these bytes are received.
    Receive(u8),
    /// The time is set to so many milliseconds later.
    Late(u16),
    /// To so many milliseconds before or after the announced deadline.
    Near(i8),
    /// To a time before the one that was set.
    Back(u16),
    /// At most so many bytes of the output are written.
    Write(u16),
    Message(u16),
    Ping,
    Close,
    Accept,
    Reject,
    Paused,
    Eof,
    Abort,
    /// Iterations of the loop at the time of the last one, until none is due: in what order, and whether the transport
    /// accepts output.
    Turns(u8, bool),
    /// The time passes from one deadline to the next while the loop only sets it, so many times.
    Neglect(u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Sent {
    Request,
    HalfRequest,
    Response,
    Text,
    HalfFrame,
    Ping,
    /// The answer to the keepalive's last ping.
    Pong,
    Close,
    Garbage,
}

/// The most iterations without waiting, if all timeouts are zero: a ping is due, is given a turn to be written, its answer is
/// overdue, and so are the closing handshake and the end of the transport. Each deadline gives a turn to read.
const MOST_TURNS: usize = 12;

fuzz_target!(|script: Script| {
    let mut world = World::new(&script);
    for action in script.actions {
        world.act(action);
    }
    world.turns(0, true);
    // A request that waits for an answer outlives the end of the transport.
    world.watched.conn.abort();
    world.watched.end();
});

struct World {
    watched: Watched,
    model: Model,
    /// Bytes in the transport, to be received.
    wire: Vec<u8>,
    /// The response to a client's request.
    response: Vec<u8>,
    /// The payload of the keepalive's last ping.
    pong: Vec<u8>,
}

/// What has happened that the deadlines depend on, and what the guide says about them.
struct Model {
    opening: Option<Duration>,
    closing: Option<Duration>,
    keepalive: Option<(Duration, Duration)>,
    /// The time that was set last, and first.
    now: Duration,
    first: Option<Duration>,
    /// The opening of the connection, the call of `close`, and the end.
    opened: Since,
    close_called: Since,
    ended: Since,
    /// When bytes were last received, or reading was paused.
    received: Duration,
    /// The keepalive's ping that isn't answered.
    ping: Option<Ping>,
    /// When the wait for the answer to an answered ping passes at the latest: a deadline doesn't move before it passes.
    answered: Duration,
    calls: Vec<Call>,
    state: State,
    shutdown: Option<TransportShutdown>,
    /// The deadlines that may have ended the connection, when it ended.
    possible: Vec<Deadline>,
    aborted: bool,
}

#[derive(Clone, Copy, Debug)]
struct Ping {
    sent: Duration,
    /// When a peer that stays silent has been dropped.
    latest: Option<Duration>,
    /// The transport has accepted output that the ping may have waited for.
    progress: bool,
    /// The number of times that everything was consumed while the ping was in the output.
    turns: usize,
}

/// A call that a deadline starts with, and the time that was set next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Since {
    Never,
    NextTime,
    Time(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    Time(Duration),
    /// `receive` had nothing left to consume.
    Consumed,
}

impl World {
    fn new(script: &Script) -> Self {
        let millis = |millis: u16| Duration::from_millis(millis.into());
        let mut config = Config::new()
            .handshake_timeout(script.handshake_timeout.map(millis))
            .close_timeout(script.close_timeout.map(millis));
        if let Some((idle, timeout)) = script.keepalive {
            config = config.keepalive(millis(idle), millis(timeout));
        }
        let mut response = Vec::new();
        let conn = match (script.client, script.connecting) {
            (false, true) => Connection::server(config),
            (false, false) => Connection::upgraded_server(Negotiated::new(), config),
            (true, false) => Connection::upgraded_client(Negotiated::new(), config, Seed::new([7; 32])),
            (true, true) => {
                response = websocket_proto_fuzz::response::fill_in(
                    b"HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: @ACCEPT@\r\n\r\n",
                    &websocket_proto_fuzz::response::accept(),
                );
                websocket_proto_fuzz::response::client(config)
            }
        };
        let state = conn.state();
        let model = Model {
            opening: script.handshake_timeout.map(millis),
            closing: script.close_timeout.map(millis),
            keepalive: script.keepalive.map(|(idle, timeout)| (millis(idle), millis(timeout))),
            now: Duration::ZERO,
            first: None,
            opened: if state == State::Open { Since::NextTime } else { Since::Never },
            close_called: Since::Never,
            ended: Since::Never,
            received: Duration::ZERO,
            ping: None,
            answered: Duration::ZERO,
            calls: Vec::new(),
            state,
            shutdown: None,
            possible: Vec::new(),
            aborted: false,
        };
        Self { watched: Watched::new(conn), model, wire: Vec::new(), response, pong: Vec::new() }
    }

    fn act(&mut self, action: Action) {
        let now = self.model.now;
        let millis = |millis: u16| Duration::from_millis(millis.into());
        let conn = &mut self.watched.conn;
        match action {
            Action::Peer(sent) => self.peer(sent),
            Action::Receive(count) => self.receive(count.into()),
            Action::Late(delay) => self.advance(now + millis(delay)),
            Action::Near(offset) => {
                let next = conn.next_timeout().unwrap_or_default().max(now);
                let distance = Duration::from_millis(offset.unsigned_abs().into());
                self.advance(if offset < 0 { next.saturating_sub(distance) } else { next + distance });
            }
            Action::Back(distance) => self.advance(now.saturating_sub(millis(distance))),
            Action::Write(count) => self.write(count.into()),
            Action::Message(length) => drop(conn.send_text(&"x".repeat(length.into()))),
            Action::Ping => drop(conn.ping(b"own")),
            Action::Close => {
                if conn.close(CloseCode::NORMAL, "").is_ok() {
                    self.model.close_called = Since::NextTime;
                }
            }
            Action::Accept => _ = conn.accept(server::Response::new()),
            Action::Reject => drop(conn.reject(server::Rejection::new(404))),
            Action::Paused => {
                self.model.on_bytes();
                conn.reading_paused();
                self.note();
                self.consumed();
            }
            Action::Eof => conn.receive_eof(),
            Action::Abort => {
                self.model.aborted = true;
                conn.abort();
            }
            Action::Turns(order, writes) => self.turns(order, writes),
            Action::Neglect(times) => self.neglect(times % 16),
        }
        self.note();
    }

    fn peer(&mut self, sent: Sent) {
        let from = if self.watched.conn.role() == Role::Client { Role::Server } else { Role::Client };
        let bytes = match sent {
            Sent::Request => support::request(),
            Sent::HalfRequest => support::request()[..40].to_vec(),
            Sent::Response => self.response.clone(),
            Sent::Text => support::frame(from, 0x81, b"text"),
            Sent::HalfFrame => support::frame(from, 0x81, b"text")[..3].to_vec(),
            Sent::Ping => support::frame(from, 0x89, b"peer"),
            Sent::Pong => support::frame(from, 0x8a, &self.pong),
            Sent::Close => support::frame(from, 0x88, &[3, 232]),
            Sent::Garbage => vec![0xff; 4],
        };
        self.wire.extend(bytes);
    }

    /// Sets the time, which ends no connection.
    fn advance(&mut self, to: Duration) {
        let conn = &mut self.watched.conn;
        let (state, before) = (conn.state(), conn.pending_output());
        conn.advance_time(to);
        assert_eq!(conn.state(), state);
        let model = &mut self.model;
        model.now = model.now.max(to);
        model.first.get_or_insert(model.now);
        for since in [&mut model.opened, &mut model.close_called, &mut model.ended] {
            if *since == Since::NextTime {
                *since = Since::Time(model.now);
            }
        }
        model.calls.push(Call::Time(model.now));
        if conn.pending_output() > before {
            // Nothing but a ping of four bytes is sent then, and only to a peer that has been silent.
            let is_client = conn.role() == Role::Client;
            assert_eq!(conn.pending_output() - before, if is_client { 10 } else { 6 });
            assert_eq!(state, State::Open);
            let (idle, _) = model.keepalive.unwrap();
            let Since::Time(opened) = model.opened else { panic!("a ping of a connection that isn't open") };
            assert!(model.now >= model.received + idle && model.now >= opened + idle, "a ping too early");
            assert!(model.ping.is_none(), "a ping while another one is unanswered");
            model.ping = Some(Ping { sent: model.now, latest: None, progress: false, turns: 0 });
            let output = conn.output().chunk().to_vec();
            if let [.., a, b, c, d] = output[..] {
                self.pong = vec![a, b, c, d];
                if let ([.., e, f, g, h, _, _, _, _], true) = (&output[..], is_client) {
                    self.pong = vec![a ^ e, b ^ f, c ^ g, d ^ h];
                }
            }
        }
        self.note();
    }

    /// Receives at most so many bytes, and what they mean.
    fn receive(&mut self, count: usize) {
        let count = count.min(self.wire.len());
        let mut bytes: Vec<u8> = self.wire.drain(..count).collect();
        let mut input = &mut bytes[..];
        loop {
            if !input.is_empty() {
                self.model.on_bytes();
            }
            let event = self.watched.step(&mut input);
            let state = self.watched.conn.state();
            self.model.note(state, self.watched.conn.wants_shutdown());
            match event {
                Some(Event::Closed(closed)) => {
                    if let Cause::Timeout(deadline) = closed.cause {
                        assert!(self.model.possible.contains(&deadline), "{deadline:?} too early");
                    }
                }
                Some(_) => {}
                None => break,
            }
        }
        self.consumed();
    }

    fn consumed(&mut self) {
        let is_pending = self.watched.conn.output().has_remaining();
        self.model.calls.push(Call::Consumed);
        if let Some(ping) = self.model.ping.as_mut().filter(|_| is_pending) {
            ping.turns += 1;
        }
    }

    fn write(&mut self, count: usize) {
        let output = self.watched.conn.output();
        let count = count.min(output.remaining());
        output.advance(count);
        if let Some(ping) = self.model.ping.as_mut().filter(|_| count > 0) {
            ping.progress = true;
        }
        self.note();
    }

    /// Iterations at the time of the last one.
    fn turns(&mut self, order: u8, writes: bool) {
        for _ in 0..MOST_TURNS {
            for step in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]][usize::from(order) % 6] {
                match step {
                    0 => self.advance(self.model.now),
                    1 => self.receive(0),
                    _ if writes => self.write(usize::MAX),
                    _ => {}
                }
            }
            if self.watched.conn.next_timeout().is_none_or(|next| next > self.model.now) {
                let pending = self.watched.conn.pending_output();
                return self.model.check(self.watched.conn.next_timeout(), pending == 0);
            }
        }
        panic!("the loop spins");
    }

    /// The loop sets the time only.
    fn neglect(&mut self, times: u8) {
        let mut immediately = 0;
        for _ in 0..times {
            let Some(next) = self.watched.conn.next_timeout() else { return };
            immediately = if next > self.model.now { 0 } else { immediately + 1 };
            assert!(immediately < 4, "the loop spins");
            self.advance(next.max(self.model.now) + Duration::from_micros(1));
        }
    }

    fn note(&mut self) {
        let conn = &self.watched.conn;
        self.model.note(conn.state(), conn.wants_shutdown());
    }
}

impl Model {
    /// Bytes are received, or reading is paused.
    fn on_bytes(&mut self) {
        self.received = self.now;
        if let (Some(ping), Some((_, timeout))) = (self.ping.take(), self.keepalive) {
            self.answered = ping.latest.unwrap_or_default().max(self.now + timeout);
        }
    }

    /// Notes a change of the state.
    fn note(&mut self, state: State, shutdown: Option<TransportShutdown>) {
        let is_abort = |shutdown| shutdown == Some(TransportShutdown::Abort);
        if state == State::Open && self.state == State::Connecting {
            self.opened = Since::NextTime;
        }
        if state == State::Closed && self.state != State::Closed {
            self.ended = Since::NextTime;
            let deadlines = [Deadline::Opening, Deadline::Keepalive, Deadline::Closing];
            self.possible = deadlines.into_iter().filter(|deadline| self.is_due(*deadline, self.state)).collect();
        } else if is_abort(shutdown) && !is_abort(self.shutdown) && !self.aborted {
            // The caller pauses reading, or the last bytes were not written in time.
            assert!(matches!(state, State::Closing | State::Closed));
            let is_due = match (state, self.closing, self.ended) {
                (State::Closing, ..) => {
                    self.is_due(Deadline::Closing, state) || self.is_due(Deadline::Keepalive, state)
                }
                (_, Some(timeout), Since::Time(ended)) => self.now >= ended + timeout,
                (_, None, _) => self.keepalive_passes().is_some_and(|at| self.now >= at),
                _ => false,
            };
            assert!(is_due, "an abort too early");
        }
        (self.state, self.shutdown) = (state, shutdown);
    }

    /// A deadline has passed, and the loop had a turn to read.
    fn is_due(&self, deadline: Deadline, state: State) -> bool {
        let passes = match (deadline, state) {
            (Deadline::Opening, State::Connecting) => {
                self.first.zip(self.opening).map(|(first, timeout)| first + timeout)
            }
            (Deadline::Closing, State::Closing) => match self.close_called {
                Since::Time(called) => self.closing.map(|timeout| called + timeout),
                _ => None,
            },
            (Deadline::Keepalive, State::Open) if self.ping.is_none() => None,
            (Deadline::Keepalive, State::Open) => self.keepalive_passes(),
            (Deadline::Keepalive, State::Closing) if self.closing.is_none() => self.keepalive_passes(),
            _ => None,
        };
        let Some(passes) = passes else { return false };
        let mut calls = self.calls.iter();
        calls.any(|call| matches!(call, Call::Time(time) if *time >= passes))
            && calls.any(|call| *call == Call::Consumed)
            && calls.any(|call| matches!(call, Call::Time(_)))
    }

    /// When a peer that stays silent is dropped at the earliest.
    fn keepalive_passes(&self) -> Option<Duration> {
        let (idle, timeout) = self.keepalive?;
        Some(self.ping.map_or(self.received + idle + timeout, |ping| ping.sent + timeout))
    }

    /// After a turn, nothing that is due is left, and the next deadline is announced.
    fn check(&mut self, next: Option<Duration>, is_written: bool) {
        let now = self.now;
        let passes = match self.state {
            State::Connecting => self.opening.map(|timeout| self.first.unwrap() + timeout),
            State::Open => return self.check_keepalive(next, is_written),
            State::Closing | State::Closed if self.shutdown == Some(TransportShutdown::Abort) => None,
            State::Closing | State::Closed => {
                let since = if self.state == State::Closing { self.close_called } else { self.ended };
                match (self.closing, self.keepalive, since) {
                    (Some(timeout), _, Since::Time(since)) => Some(since + timeout),
                    (Some(_), ..) => panic!("the time was set"),
                    (None, Some(_), _) => return,
                    (None, None, _) => None,
                }
            }
        };
        assert!(passes.is_none_or(|passes| now < passes), "{:?} at {now:?}: missed {passes:?}", self.state);
        // Once nothing is left to wait for, the deadline doesn't matter.
        if self.shutdown != Some(TransportShutdown::Graceful) {
            assert_eq!(next, passes);
        }
    }

    fn check_keepalive(&mut self, next: Option<Duration>, is_written: bool) {
        let Some((idle, timeout)) = self.keepalive else { return assert_eq!(next, None) };
        let (now, next) = (self.now, next.unwrap());
        let Since::Time(opened) = self.opened else { panic!("the time was set") };
        let Some(ping) = &mut self.ping else {
            // A peer that sent bytes at this very time isn't sent a ping.
            let idle = idle.max(Duration::from_nanos(1));
            let latest = (self.received + idle).max(opened + idle).max(self.answered);
            assert!(now < latest && next <= latest, "at {now:?}: a ping was due at {latest:?}, next is {next:?}");
            return;
        };
        match ping.latest {
            None => {
                // The wait begins now at the latest. A transport that took the ping in time has no more to accept.
                ping.progress &= !is_written || ping.turns >= 2;
                ping.latest = Some(now + timeout);
            }
            // A peer that accepts output has the time again once its deadline has passed.
            Some(latest) if ping.progress => {
                ping.progress = now < latest;
                ping.latest = Some(latest.max(now + timeout));
            }
            Some(_) => {}
        }
        let latest = ping.latest.unwrap();
        assert!(now < latest && next <= latest, "at {now:?}: a dead peer since {ping:?}, next is {next:?}");
        assert!(next >= ping.sent + timeout, "{next:?} is too early for {ping:?}");
    }
}

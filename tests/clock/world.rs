//! A connection, its peer, and the transport between them, simulated.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Buf;
use websocket_proto::{
    Cause, CloseCode, Closed, Config, Connection, Event, Negotiated, Role, State, TransportShutdown, server,
};

use crate::scenario::{At, CLOSING, Happening, IDLE, Loop, Peer, SECOND, SILENCE, Step, Wait};
use crate::support::{close_body, frame, other, request, seed};

/// The time that a step takes.
const STEP: Duration = Duration::from_micros(10);

/// The number of iterations that may pass without waiting and without anything to do: to start a deadline, to notice
/// that it has passed, to let the loop read, and to take effect.
const MOST_IDLE_TURNS: usize = 5;

pub(crate) fn config() -> Config {
    Config::new().keepalive(IDLE, SILENCE).close_timeout(CLOSING)
}

pub(crate) fn connection(role: Role, config: Config) -> Connection {
    match role {
        Role::Server => Connection::upgraded_server(Negotiated::new(), config),
        Role::Client => Connection::upgraded_client(Negotiated::new(), config, seed()),
    }
}

pub(crate) struct World {
    pub(crate) conn: Connection,
    pub(crate) now: Duration,
    peer: Peer,
    program: Loop,
    happenings: Vec<At<Happening>>,
    /// The number of bytes that the transport accepts in one write.
    write_size: usize,
    /// In transit to us, by arrival.
    in_flight: VecDeque<(Duration, Vec<u8>)>,
    /// In the socket, each byte with its arrival.
    socket: VecDeque<(Duration, u8)>,
    /// Read and not received.
    input: Vec<u8>,
    /// Written, and not yet a whole frame.
    written: Vec<u8>,
    messages_sent: usize,
    /// It begins with the opening handshake.
    opens: bool,
    paused: Option<Paused>,
    /// The deadline that was announced last, and the first time set after it.
    announced: Option<Duration>,
    noticed: Option<Duration>,
    idle_turns: usize,
    seen: Seen,
}

#[derive(Clone, Copy, Debug)]
struct Paused {
    until: Duration,
    step: usize,
    reported: bool,
}

/// The observations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) messages: Vec<String>,
    /// How many pings the peer has answered.
    pub(crate) pongs: usize,
    pub(crate) closed: Option<Closed>,
    pub(crate) shutdown: Option<TransportShutdown>,
    /// When the transport was to be shut down, or the connection closed.
    pub(crate) ended: Option<Duration>,
    /// When the request was accepted.
    pub(crate) accepted: Option<Duration>,
    /// When `close` was called.
    pub(crate) close_called: Option<Duration>,
    pub(crate) turns: usize,
    /// The total delay of the loop.
    pub(crate) delays: Duration,
    /// The peer's bytes in the transport, not yet received, when the deadline was noticed.
    pub(crate) lost: usize,
    pub(crate) paused: bool,
}

impl World {
    pub(crate) fn new(role: Role, peer: Peer, program: Loop, mut happenings: Vec<At<Happening>>) -> Self {
        for at in &mut happenings {
            let is_unreported = matches!(at.what, Happening::Pause { reported: false, .. });
            at.step = if is_unreported { 0 } else { at.step.min(program.steps.len()) };
        }
        let mut world = Self {
            conn: connection(role, config()),
            now: 100 * SECOND,
            peer,
            program,
            happenings,
            write_size: usize::MAX,
            in_flight: VecDeque::new(),
            socket: VecDeque::new(),
            input: Vec::new(),
            written: Vec::new(),
            messages_sent: 0,
            opens: false,
            paused: None,
            announced: None,
            noticed: None,
            idle_turns: 0,
            seen: Seen::default(),
        };
        world.talk();
        world
    }

    /// The peer is a client that sends its request in two parts, at these times.
    pub(crate) fn opening(mut self, arrivals: [Duration; 2]) -> Self {
        self.conn = Connection::server(config());
        self.opens = true;
        self.in_flight.clear();
        let request = request();
        let (one, two) = request.split_at(20);
        for (time, part) in arrivals.into_iter().zip([one, two]) {
            self.send(self.now + time, part.to_vec());
        }
        self
    }

    /// How much the transport accepts in one call, from a loop that doesn't block.
    pub(crate) fn write_size(mut self, bytes: usize) -> Self {
        if self.program.wait == Wait::Between {
            self.write_size = bytes;
        }
        self
    }

    /// Runs until the transport is to be shut down, nothing more can happen, or the time is over.
    pub(crate) fn run(mut self, time: Duration) -> Seen {
        let end = self.now + time;
        while self.now < end && self.seen.shutdown.is_none() && self.turn(end) {}
        self.seen
    }

    /// Runs one iteration. Returns whether anything can happen after it.
    fn turn(&mut self, end: Duration) -> bool {
        self.seen.turns += 1;
        let before = self.now;
        let mut is_busy = false;
        for (number, step) in self.program.steps.clone().into_iter().enumerate() {
            is_busy |= self.happen(number);
            is_busy |= match step {
                Step::Read => self.read(end),
                Step::Advance => self.advance(),
                Step::Receive => self.receive(),
                Step::Write => self.write(),
            };
            self.pass(STEP);
            self.announce();
        }
        is_busy |= self.happen(self.program.steps.len());
        self.check_end();
        let can_go_on = self.program.wait == Wait::InRead || self.wait(end);
        let waited = self.now - before > 2 * STEP * self.program.steps.len() as u32;
        self.idle_turns = if is_busy || waited { 0 } else { self.idle_turns + 1 };
        assert!(self.idle_turns <= MOST_IDLE_TURNS, "the loop spins at {:?}", self.now);
        can_go_on
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        while self.in_flight.front().is_some_and(|(arrival, _)| *arrival <= self.now) {
            let (arrival, bytes) = self.in_flight.pop_front().unwrap();
            self.socket.extend(bytes.into_iter().map(|byte| (arrival, byte)));
            self.talk();
        }
    }

    /// Runs the events that are due before the step of that number.
    fn happen(&mut self, number: usize) -> bool {
        if let Some(paused) = self.paused {
            // An iteration without a read has no report only if it has no `receive` either.
            if self.now >= paused.until && (paused.reported || number == 0) {
                self.paused = None;
            } else if paused.reported && paused.step == number {
                self.conn.reading_paused();
            }
        }
        let due = |at: &At<Happening>| at.time <= self.now && at.step == number;
        let Some(index) = self.happenings.iter().position(due) else { return false };
        let At { what, step, .. } = self.happenings.remove(index);
        self.act(what, step);
        // A caller whose loop blocks in a read writes its messages from outside.
        if self.program.wait == Wait::InRead {
            self.write();
        }
        true
    }

    fn act(&mut self, what: Happening, step: usize) {
        match what {
            Happening::Accept => {
                if self.conn.accept(server::Response::new()).is_ok() {
                    self.seen.accepted = Some(self.now);
                }
            }
            Happening::Close => {
                if self.conn.close(CloseCode::GOING_AWAY, "").is_ok() {
                    self.seen.close_called = Some(self.now);
                }
            }
            Happening::Ping => drop(self.conn.ping(b"ping")),
            Happening::Delay(delay) => {
                self.seen.delays += delay;
                self.pass(delay);
            }
            Happening::Pause { length, reported } => {
                self.seen.paused = true;
                // The connection may be closed before the loop gets here again.
                if reported {
                    self.conn.reading_paused();
                }
                self.paused = Some(Paused { until: self.now + length, step, reported });
            }
        }
    }

    fn read(&mut self, end: Duration) -> bool {
        if self.paused.is_some() {
            // A loop that waits in its read waits elsewhere then.
            return self.program.wait == Wait::InRead && !self.wait(end);
        }
        if !self.input.is_empty() {
            return false;
        }
        if self.program.wait == Wait::InRead && self.socket.is_empty() {
            self.wait(end);
        }
        self.input = self.socket.drain(..).map(|(_, byte)| byte).collect();
        !self.input.is_empty()
    }

    fn advance(&mut self) -> bool {
        if self.announced.is_some_and(|announced| self.now >= announced) && self.noticed.is_none() {
            self.noticed = Some(self.now);
        }
        self.conn.advance_time(self.now);
        false
    }

    /// Records the deadlines: one that was announced before its time, and when a time after it was set.
    fn announce(&mut self) {
        // A nearer one is another reminder of one that has passed.
        if let Some(next) = self.conn.next_timeout()
            && next > self.now + SECOND
            && self.announced != Some(next)
        {
            self.announced = Some(next);
            self.noticed = None;
        }
        self.note_end();
    }

    fn note_end(&mut self) {
        let is_over = self.conn.wants_shutdown().is_some() || self.conn.state() == State::Closed;
        if self.seen.ended.is_none() && is_over {
            self.seen.ended = Some(self.now);
        }
    }

    fn receive(&mut self) -> bool {
        if self.paused.is_some() {
            return false;
        }
        let mut input = std::mem::take(&mut self.input);
        let mut rest = &mut input[..];
        let mut is_busy = !rest.is_empty();
        while let Some(event) = self.conn.receive(&mut rest) {
            is_busy = true;
            match event {
                Event::Text(text) => self.seen.messages.push(text.into_owned()),
                Event::Closed(closed) => {
                    assert!(self.seen.closed.is_none());
                    // A deadline that takes effect while the caller doesn't read is reported later.
                    if let Cause::Timeout(_) = closed.cause
                        && !(self.seen.paused && self.noticed.is_none())
                    {
                        let noticed = self.noticed.expect("a deadline that was announced");
                        self.seen.lost = self.socket.iter().filter(|(arrival, _)| *arrival <= noticed).count();
                    }
                    self.seen.closed = Some(*closed);
                }
                _ => {}
            }
        }
        assert!(rest.is_empty());
        is_busy
    }

    fn write(&mut self) -> bool {
        let pending = self.conn.output().remaining().min(self.write_size);
        self.written.extend(self.conn.output().copy_to_bytes(pending));
        while let Some((first, payload)) = self.next_written() {
            let role = other(self.conn.role());
            let answer_at = self.now + 2 * self.peer.latency;
            match first {
                0x89 if self.peer.answers_pings => {
                    self.seen.pongs += 1;
                    self.send(answer_at, frame(role, 0x8a, &payload));
                }
                0x88 => {
                    if let Some(time) = self.peer.answers_close {
                        self.send(answer_at + time, frame(role, 0x88, &close_body(1000, "")));
                    }
                }
                _ => {}
            }
        }
        pending > 0
    }

    /// The next whole frame that was written: its first byte, and its payload.
    fn next_written(&mut self) -> Option<(u8, Vec<u8>)> {
        if self.written.first() == Some(&b'H') {
            let end = self.written.windows(4).position(|end| end == b"\r\n\r\n")?;
            self.written.drain(..end + 4);
        }
        // The body of a response other than 101.
        if self.opens && self.seen.accepted.is_none() {
            self.written.clear();
        }
        let masked = self.conn.role() == Role::Client;
        let header = if masked { 6 } else { 2 };
        let length = usize::from(*self.written.get(1)? & 0x7f);
        assert!(length < 126, "control frames only");
        if self.written.len() < header + length {
            return None;
        }
        let written: Vec<u8> = self.written.drain(..header + length).collect();
        let key = if masked { written[2..6].to_vec() } else { vec![0; 4] };
        let payload = written[header..].iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
        Some((written[0], payload))
    }

    /// The peer's next message is in transit.
    fn talk(&mut self) {
        let Some((every, count)) = self.peer.talks else { return };
        if self.messages_sent < count {
            self.messages_sent += 1;
            let text = self.messages_sent.to_string();
            let bytes = frame(other(self.conn.role()), 0x81, text.as_bytes());
            self.send(self.now + every, bytes);
        }
    }

    fn send(&mut self, arrival: Duration, bytes: Vec<u8>) {
        let at = self.in_flight.partition_point(|(other, _)| *other <= arrival);
        self.in_flight.insert(at, (arrival, bytes));
    }

    /// Waits as a loop does: for bytes, unless it has paused reading, for the time at which it is asked to wake up, and
    /// for events. Returns whether there was anything to wait for.
    fn wait(&mut self, end: Duration) -> bool {
        let reads = self.paused.is_none();
        if reads && (!self.input.is_empty() || !self.socket.is_empty()) {
            return true;
        }
        // Between iterations, a loop waits until the transport has accepted the pending output, which it does
        // immediately.
        if self.program.wait == Wait::Between && self.conn.output().has_remaining() {
            return true;
        }
        let arrival = self.in_flight.front().map(|(arrival, _)| *arrival).filter(|_| reads);
        let happening = self.happenings.iter().map(|at| at.time).min();
        let resumes = self.paused.map(|paused| paused.until);
        let wakes = [self.conn.next_timeout(), arrival, happening, resumes];
        match wakes.into_iter().flatten().min() {
            Some(wake) => {
                // Bytes that arrive during a pause are in the socket all the same.
                self.pass(wake.min(end).saturating_sub(self.now));
                true
            }
            None => {
                self.now = end;
                false
            }
        }
    }

    fn check_end(&mut self) {
        self.note_end();
        self.seen.shutdown = self.conn.wants_shutdown();
        if self.seen.shutdown == Some(TransportShutdown::Abort) && self.conn.state() != State::Closed {
            // The transport is to be closed. Bytes that were read before can still be received.
            self.paused = None;
            self.receive();
        }
    }
}

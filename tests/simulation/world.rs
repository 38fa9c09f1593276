//! All sessions, the transports between their ends, the clock, and what happens to all of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use websocket_proto::{DeflateConfig, Message, MessageKind, PreparedMessage, Role, Scratch, State, TransportShutdown};

use crate::content::Content;
use crate::memory::{SCRATCH, counted};
use crate::plan::{Act, Fault, Plan, SECOND};
use crate::random::Random;
use crate::session::{Session, index};
use crate::tally::Tally;

/// The turns after which the server's thread drops its scratch, so that what is left is the connections' own.
const SCRATCH_TURNS: usize = 64;

/// The most turns of a session, on average.
const MOST_TURNS: usize = 2_000;

pub(crate) struct World {
    random: Random,
    now: Duration,
    /// The clock doesn't show an earlier time: it has jumped.
    floor: Duration,
    /// The server's thread is held up.
    held_up_until: Duration,
    is_going_down: bool,
    sessions: Vec<Session>,
    queue: BinaryHeap<Reverse<Entry>>,
    entries: u64,
    /// The server's thread, and that of the clients.
    scratches: [Scratch; 2],
    /// Kept, so that what the connections share of them is freed here.
    broadcasts: Vec<PreparedMessage>,
    /// The heap memory of the server, its scratch included, and the bound of that of its connections.
    held: isize,
    bound: usize,
    tally: Tally,
}

/// An event at its time; those of one time are in the order in which they were entered.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at: Duration,
    number: u64,
    what: What,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Start(usize),
    /// The end with this index has a turn.
    Turn(usize, usize),
    Arrive(usize, usize, Vec<u8>),
    Fin(usize, usize),
    Act(usize, usize),
    Fault(usize, usize),
    Broadcast,
    /// The clock jumps so far ahead, as where a machine slept.
    Jump(Duration),
    /// The server's thread is held up for so long.
    HoldUp(Duration),
    GoDown,
}

const ROLES: [Role; 2] = [Role::Client, Role::Server];

impl World {
    pub(crate) fn new(seed: u64, sessions: usize) -> Self {
        let mut random = Random::new(seed);
        let sessions: Vec<Session> = (0..sessions).map(|_| Session::new(Plan::new(&mut random))).collect();
        let mut world = Self {
            random,
            now: 100 * SECOND,
            floor: Duration::ZERO,
            held_up_until: Duration::ZERO,
            is_going_down: false,
            sessions,
            queue: BinaryHeap::new(),
            entries: 0,
            scratches: Default::default(),
            broadcasts: Vec::new(),
            held: 0,
            bound: 0,
            tally: Tally::default(),
        };
        for number in 0..world.sessions.len() {
            let starts = world.now + world.sessions[number].plan.starts;
            world.enter(starts, What::Start(number));
        }
        world.disturb();
        world
    }

    /// Enters the events that concern all sessions.
    fn disturb(&mut self) {
        for _ in 0..5 {
            let at = self.now + self.random.time(80 * SECOND);
            self.enter(at, What::Broadcast);
        }
        let at = self.now + self.random.time(80 * SECOND);
        let length = self.random.time(60 * SECOND);
        match self.random.below(4) {
            0 => self.enter(at, What::Jump(length)),
            1 => self.enter(at, What::HoldUp(length / 2)),
            2 => self.enter(at, What::GoDown),
            _ => {}
        }
    }

    /// Runs until nothing is due any more.
    pub(crate) fn run(mut self) -> Tally {
        while let Some(Reverse(Entry { at, what, .. })) = self.queue.pop() {
            self.now = self.now.max(at).max(self.floor);
            self.happen(at, what);
        }
        assert!(self.sessions.iter().all(|session| session.ends.is_none()), "without an end");
        assert_eq!(self.tally.sessions, self.sessions.len());
        self.drop_scratch();
        assert_eq!(self.held, 0, "bytes that nobody frees");
        self.tally
    }

    fn enter(&mut self, at: Duration, what: What) {
        self.entries += 1;
        self.queue.push(Reverse(Entry { at, number: self.entries, what }));
    }

    fn happen(&mut self, at: Duration, what: What) {
        match what {
            What::Start(number) => self.start(number),
            What::Turn(number, side) => self.turn(at, number, side),
            What::Arrive(number, side, bytes) => self.arrive(number, side, bytes),
            What::Fin(number, side) => {
                let session = &mut self.sessions[number];
                if self.now < session.stalled_until {
                    let until = session.stalled_until;
                    return self.enter(until, What::Fin(number, side));
                }
                if session.is_silent {
                    return;
                }
                if let Some(end) = session.end(ROLES[side]) {
                    end.fin = true;
                    self.schedule(number, side, self.now);
                }
            }
            What::Act(number, act) => {
                let (_, role, act) = self.sessions[number].plan.acts[act];
                if let Some(end) = self.sessions[number].end(role) {
                    end.acts.push_back(act);
                    self.schedule(number, index(role), self.now);
                }
            }
            What::Fault(number, fault) => self.fault(number, fault),
            What::Broadcast => self.broadcast(),
            What::Jump(length) => {
                self.floor = self.now + length;
                self.alarm();
            }
            What::HoldUp(length) => {
                self.held_up_until = self.now + length;
                self.alarm();
            }
            What::GoDown => self.go_down(),
        }
    }

    /// From now on, deadlines may pass that are nobody's fault.
    fn alarm(&mut self) {
        for session in &mut self.sessions {
            session.is_calm = false;
        }
    }

    fn start(&mut self, number: usize) {
        let session = &mut self.sessions[number];
        session.start(number);
        let acts: Vec<Duration> = session.plan.acts.iter().map(|(time, _, _)| *time).collect();
        let faults: Vec<Duration> = session.plan.faults.iter().map(|(time, _)| *time).collect();
        for (act, time) in acts.into_iter().enumerate() {
            self.enter(self.now + time, What::Act(number, act));
        }
        for (fault, time) in faults.into_iter().enumerate() {
            self.enter(self.now + time, What::Fault(number, fault));
        }
        if self.is_going_down {
            self.sessions[number].plan.is_rejected = true;
        }
        for side in [0, 1] {
            self.schedule(number, side, self.now);
        }
        let connections = self.sessions.iter().filter(|session| session.ends.is_some()).count() * 2;
        self.tally.most_connections = self.tally.most_connections.max(connections);
    }

    /// A turn at that time, unless there is one before.
    fn schedule(&mut self, number: usize, side: usize, at: Duration) {
        let Some(end) = self.sessions[number].end(ROLES[side]) else { return };
        if end.scheduled.is_none_or(|scheduled| at < scheduled) {
            end.scheduled = Some(at);
            self.enter(at, What::Turn(number, side));
        }
    }

    fn turn(&mut self, at: Duration, number: usize, side: usize) {
        let is_server = side == 1;
        if is_server && self.now < self.held_up_until {
            let until = self.held_up_until;
            if let Some(end) = self.sessions[number].end(Role::Server)
                && end.scheduled == Some(at)
            {
                end.scheduled = Some(until);
                self.enter(until, What::Turn(number, side));
            }
            return;
        }
        let (now, space) = (self.now, self.sessions[number].space(ROLES[side]));
        let most_turns = MOST_TURNS * self.sessions.len();
        let Session { ends: Some(ends), said, .. } = &mut self.sessions[number] else { return };
        let end = &mut ends[side];
        if end.scheduled != Some(at) {
            return;
        }
        end.scheduled = None;
        let (held, bound, sent) = (end.held, end.bound, said[side].len());
        let [of_client, of_server] = said;
        let (expected, said) = if is_server { (of_client, of_server) } else { (of_server, of_client) };
        let turned = end.turn(now, &mut self.scratches[side], expected, said, space);
        self.tally.turns += 1;
        assert!(self.tally.turns < most_turns, "turns without end: {:?}", end.conn);
        self.tally.messages += said.len().saturating_sub(sent);
        let trace = self.tally.trace.rotate_left(5) ^ now.as_micros() as u64 ^ turned.written.len() as u64;
        self.tally.trace = trace.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if is_server {
            self.held += end.held - held;
            self.bound = self.bound + end.bound - bound;
        }
        let (is_aborted, is_done) = (end.is_aborted(), end.is_done());
        self.send(number, side, turned.written, turned.shutdown);
        if let Some(wakes_at) = turned.wakes_at.filter(|_| !is_done) {
            self.schedule(number, side, wakes_at);
        } else if is_aborted && !is_done {
            self.schedule(number, side, now);
        }
        if is_server {
            self.check_memory();
        }
        self.end(number);
    }

    /// Puts the written bytes on the way, and the end of the transport.
    fn send(&mut self, number: usize, side: usize, bytes: Vec<u8>, shutdown: Option<TransportShutdown>) {
        let session = &mut self.sessions[number];
        let link = &mut session.links[side];
        link.last_arrival = link.last_arrival.max(self.now + session.plan.latency);
        let arrival = link.last_arrival;
        if !bytes.is_empty() && !session.is_reset {
            link.in_flight += bytes.len();
            self.enter(arrival, What::Arrive(number, 1 - side, bytes));
        }
        if shutdown.is_some() {
            self.enter(arrival, What::Fin(number, 1 - side));
        }
    }

    fn arrive(&mut self, number: usize, side: usize, bytes: Vec<u8>) {
        let session = &mut self.sessions[number];
        if session.is_silent || session.is_reset {
            return;
        }
        if self.now < session.stalled_until {
            let until = session.stalled_until;
            return self.enter(until, What::Arrive(number, side, bytes));
        }
        session.links[1 - side].in_flight -= bytes.len();
        if let Some(end) = session.end(ROLES[side])
            && !end.is_aborted()
        {
            end.socket.extend(bytes);
            self.schedule(number, side, self.now);
        }
        // The peer may write more.
        self.schedule(number, 1 - side, self.now);
    }

    fn fault(&mut self, number: usize, fault: usize) {
        let session = &mut self.sessions[number];
        let Some(ends) = &mut session.ends else { return };
        match session.plan.faults[fault].1 {
            Fault::Silence => session.is_silent = true,
            Fault::Stall(time) => {
                session.stalled_until = self.now + time;
                for link in &mut session.links {
                    link.last_arrival = session.stalled_until + Duration::from_micros(1);
                }
            }
            Fault::Reset => {
                session.is_reset = true;
                for end in ends {
                    end.socket.clear();
                    end.fin = true;
                }
                for side in [0, 1] {
                    self.schedule(number, side, self.now);
                }
            }
        }
    }

    /// One message for everybody, encoded once, and compressed for those that agreed on that.
    fn broadcast(&mut self) {
        let content = Content::new(&mut self.random);
        let message: Message = match content.kind {
            MessageKind::Text => content.text().into(),
            MessageKind::Binary => content.bytes().into(),
        };
        let settings = DeflateConfig::new();
        let message = if self.random.once_in(2) {
            PreparedMessage::new(message)
        } else {
            PreparedMessage::compressed(message, &settings)
        };
        self.broadcasts.push(message.clone());
        for number in 0..self.sessions.len() {
            let Session { ends: Some([_, server]), said: [_, said], .. } = &mut self.sessions[number] else { continue };
            if server.conn.state() == State::Open {
                let (held, bound) = (server.held, server.bound);
                server.broadcast(&message, content, said);
                self.held += server.held - held;
                self.bound = self.bound + server.bound - bound;
                self.tally.broadcasts += 1;
                self.tally.compressed += usize::from(server.conn.deflate().is_some());
                self.schedule(number, 1, self.now);
            }
        }
    }

    /// The server closes every connection, and accepts none any more.
    fn go_down(&mut self) {
        self.is_going_down = true;
        for number in 0..self.sessions.len() {
            self.sessions[number].is_calm = false;
            if let Some(server) = self.sessions[number].end(Role::Server) {
                let is_open = server.conn.state() == State::Open;
                server.acts.push_front(if is_open { Act::Close } else { Act::Abort });
                self.schedule(number, 1, self.now);
            }
        }
    }

    /// The session is over when both ends are done.
    fn end(&mut self, number: usize) {
        let session = &mut self.sessions[number];
        let Some(ends) = &session.ends else { return };
        if !ends.iter().all(super::end::End::is_done) {
            return;
        }
        let is_clean = ends.iter().all(|end| end.closed.as_ref().is_some_and(|closed| closed.clean));
        for end in ends {
            self.tally.deadlines += usize::from(end.deadlines.has_ended_it);
            self.tally.most_late_turns = self.tally.most_late_turns.max(end.deadlines.most_late_turns);
        }
        let (held, bound) = (ends[1].held, ends[1].bound);
        self.held += session.finish() - held;
        self.bound -= bound;
        self.tally.sessions += 1;
        self.tally.clean += usize::from(is_clean);
        self.tally.unclean += usize::from(!is_clean);
    }

    /// The server holds no more than is documented.
    fn check_memory(&mut self) {
        let held = self.held.max(0).unsigned_abs();
        self.tally.most_held = self.tally.most_held.max(held);
        assert!(held <= self.bound + SCRATCH, "{held} bytes, of {} and a scratch", self.bound);
        if self.tally.turns.is_multiple_of(SCRATCH_TURNS) {
            self.drop_scratch();
            assert!(self.held.unsigned_abs() <= self.bound, "{} bytes, of {}", self.held, self.bound);
        }
    }

    fn drop_scratch(&mut self) {
        counted(&mut self.held, || drop(std::mem::take(&mut self.scratches[1])));
    }
}

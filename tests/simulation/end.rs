//! An end: its connection, its socket, and one turn of its loop.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Buf;
use websocket_proto::{
    Cause, CloseCode, Closed, Connection, Event, MessageKind, PreparedMessage, Scratch, SendError, State,
    TransportShutdown, server,
};

use crate::content::Content;
use crate::deadlines::{Deadlines, Turn};
use crate::memory::{bound, counted};
use crate::plan::{Act, LARGEST, MOST_PENDING};

/// The most bytes that are read at once.
const READ: usize = 16 << 10;
/// The same for a slow reader, and the time that it takes for them.
const SLOW_READ: usize = 1000;
const SLOW: Duration = Duration::from_millis(700);
/// Between two fragments of a message.
const BETWEEN_FRAGMENTS: Duration = Duration::from_millis(1);
/// Until one is tried again that the output had no space for.
const UNTIL_WRITTEN: Duration = Duration::from_millis(200);

pub(crate) struct End {
    pub(crate) conn: Connection,
    pub(crate) socket: VecDeque<u8>,
    /// Nothing more comes.
    pub(crate) fin: bool,
    is_at_eof: bool,
    pub(crate) shut: Option<TransportShutdown>,
    pub(crate) closed: Option<Closed>,
    pub(crate) acts: VecDeque<Act>,
    /// The message that is sent in fragments: what is left of it, and how much of that goes into each.
    fragments: Option<(Content, Vec<u8>, usize)>,
    answer: Answer,
    /// The largest payload that was passed in since nothing was pending: it stays whole until its last byte is written.
    passed_in: usize,
    reads_slowly: bool,
    /// It doesn't read before.
    reads_at: Duration,
    /// The chunks of a message so far.
    chunks: Vec<u8>,
    /// The number of bytes received since the last message.
    unfinished: usize,
    /// The pings that were sent and received, and the pongs that were received.
    pub(crate) pings: [usize; 3],
    pub(crate) pongs_sent: usize,
    pub(crate) deadlines: Deadlines,
    /// The heap memory that it holds, with the growth of the scratch in its turns, and the bound of that.
    pub(crate) held: isize,
    pub(crate) bound: usize,
    pub(crate) scheduled: Option<Duration>,
}

/// When and how a request is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) after: Duration,
    pub(crate) rejects: bool,
    due: Option<Duration>,
}

impl Answer {
    pub(crate) fn new(after: Duration, rejects: bool) -> Self {
        Self { after, rejects, due: None }
    }
}

/// The result of a turn.
pub(crate) struct Turned {
    pub(crate) written: Vec<u8>,
    pub(crate) shutdown: Option<TransportShutdown>,
    pub(crate) wakes_at: Option<Duration>,
}

impl End {
    pub(crate) fn new(conn: Connection, held: isize, answer: Answer) -> Self {
        Self {
            conn,
            socket: VecDeque::new(),
            fin: false,
            is_at_eof: false,
            shut: None,
            closed: None,
            acts: VecDeque::new(),
            fragments: None,
            answer,
            passed_in: 0,
            reads_slowly: false,
            reads_at: Duration::ZERO,
            chunks: Vec::new(),
            unfinished: 0,
            pings: [0; 3],
            pongs_sent: 0,
            deadlines: Deadlines::default(),
            held,
            bound: 0,
            scheduled: None,
        }
    }

    /// One turn. `expected` are the messages that the peer has sent and this end has not received, `said`
    /// those that this end sends, and `space` is the number of bytes that the transport accepts.
    pub(crate) fn turn(
        &mut self,
        now: Duration,
        scratch: &mut Scratch,
        expected: &mut VecDeque<Content>,
        said: &mut VecDeque<Content>,
        space: usize,
    ) -> Turned {
        let before = self.conn.state();
        self.deadlines.begin(now, before);
        let lent = std::mem::take(scratch);
        counted(&mut self.held, || {
            self.conn.attach_scratch(lent);
            self.conn.advance_time(now);
        });
        let is_paused = now < self.reads_at && !self.is_aborted();
        let mut has_bytes = false;
        if is_paused {
            counted(&mut self.held, || self.conn.reading_paused());
        } else {
            has_bytes = self.read(now, expected);
        }
        let has_acted = self.act(now, said);
        let written = self.write(space);
        *scratch = counted(&mut self.held, || self.conn.detach_scratch().expect("it is attached"));
        self.bound = self.bound();
        assert!(
            self.conn.pending_output() < MOST_PENDING + LARGEST,
            "{} bytes are pending",
            self.conn.pending_output()
        );

        let shutdown = self.conn.wants_shutdown().filter(|shutdown| self.shut != Some(*shutdown));
        self.shut = shutdown.or(self.shut);
        assert!(!self.is_aborted() || self.conn.pending_output() == 0, "output of an aborted connection");
        self.deadlines.check(Turn {
            now,
            before,
            after: self.conn.state(),
            is_over: self.shut == Some(TransportShutdown::Abort),
            has_bytes,
            is_paused,
            has_written: !written.is_empty(),
            has_acted,
            asks_again: self.conn.next_timeout().is_some_and(|next| next <= now),
        });
        Turned { wakes_at: self.wakes_at(now), written, shutdown }
    }

    fn read(&mut self, now: Duration, expected: &mut VecDeque<Content>) -> bool {
        let most = if self.reads_slowly { SLOW_READ } else { READ };
        let mut bytes: Vec<u8> = self.socket.drain(..self.socket.len().min(most)).collect();
        if self.reads_slowly && !bytes.is_empty() {
            self.reads_at = now + SLOW;
        }
        if self.fin && self.socket.is_empty() && !self.is_at_eof {
            self.is_at_eof = true;
            self.conn.receive_eof();
        }
        self.unfinished += bytes.len();
        let has_bytes = !bytes.is_empty();
        let mut input = &mut bytes[..];
        while let Some(event) = counted(&mut self.held, || self.conn.receive(&mut input)) {
            assert!(self.closed.is_none(), "{event:?} after the last event");
            let left = input.len();
            if self.report(event, now, expected) {
                self.unfinished = left;
            }
        }
        assert!(input.is_empty());
        has_bytes
    }

    /// Returns whether the event ends a message, or the opening handshake.
    fn report(&mut self, event: Event<'_>, now: Duration, expected: &mut VecDeque<Content>) -> bool {
        let mut is_whole = true;
        match event {
            Event::Request(_) => {
                self.answer.due = Some(now + self.answer.after);
                is_whole = false;
            }
            Event::Text(text) => {
                assert_eq!(next(expected, MessageKind::Text), text.as_bytes());
                counted(&mut self.held, || self.conn.recycle(text));
                return true;
            }
            Event::Binary(data) => {
                assert_eq!(next(expected, MessageKind::Binary), &data[..]);
                counted(&mut self.held, || self.conn.recycle(data));
                return true;
            }
            Event::Chunk(chunk) => {
                self.chunks.extend(chunk.parts().concat());
                let is_last = chunk.is_last();
                if is_last {
                    assert_eq!(next(expected, chunk.kind()), self.chunks);
                    self.chunks = Vec::new();
                }
                counted(&mut self.held, || drop(chunk));
                return is_last;
            }
            // Those of a keepalive have four bytes.
            Event::Ping(ref payload) => {
                if payload.len() != 4 {
                    self.pings[1] += 1;
                    // Nothing follows our Close frame, and above that limit only the newest ping is answered.
                    let is_answered = self.conn.state() == State::Open && self.conn.pending_output() < MOST_PENDING;
                    self.pongs_sent += usize::from(is_answered);
                }
                is_whole = false;
            }
            Event::Pong(ref payload) => {
                self.pings[2] += usize::from(payload.len() != 4);
                is_whole = false;
            }
            Event::Closed(ref closed) => {
                self.deadlines.check_closed(closed, now);
                self.closed = Some((**closed).clone());
                self.chunks = Vec::new();
            }
            Event::Open(_) | Event::Rejected(_) => {}
            ref other => panic!("{other:?} is none of this world"),
        }
        counted(&mut self.held, || drop(event));
        is_whole
    }

    /// Does what is due. Returns whether there was anything.
    fn act(&mut self, now: Duration, said: &mut VecDeque<Content>) -> bool {
        if self.answer.due.is_some_and(|due| due <= now) {
            self.answer.due = None;
            counted(&mut self.held, || {
                // The request may have been too late.
                if self.answer.rejects {
                    drop(self.conn.reject(server::Rejection::new(403)));
                } else {
                    drop(self.conn.accept(server::Response::new()));
                }
            });
            return true;
        }
        if self.fragments.is_some() {
            return self.send_fragment(said);
        }
        if self.conn.state() == State::Connecting && self.acts.front() != Some(&Act::Abort) {
            return false;
        }
        let Some(act) = self.acts.pop_front() else { return false };
        let conn = &mut self.conn;
        match act {
            Act::Message(content) => {
                let sent = counted(&mut self.held, || match content.kind {
                    MessageKind::Text => conn.send_text(&content.text()),
                    MessageKind::Binary => conn.send(content.bytes()),
                });
                self.passed_in = self.passed_in.max(content.length);
                note(sent, content, said);
            }
            Act::Fragments(content, count) => {
                let bytes = content.bytes();
                let size = bytes.len().div_ceil(count).max(1);
                self.fragments = Some((content, bytes, size));
            }
            Act::Pings(count) => {
                for _ in 0..count {
                    let sent = counted(&mut self.held, || conn.ping(b"ping!"));
                    self.pings[0] += usize::from(sent.is_ok());
                }
            }
            Act::Close => drop(counted(&mut self.held, || conn.close(CloseCode::NORMAL, "done"))),
            Act::Abort => counted(&mut self.held, || conn.abort()),
            Act::Pause(time) => self.reads_at = now + time,
            Act::ReadSlowly => self.reads_slowly = true,
        }
        true
    }

    fn send_fragment(&mut self, said: &mut VecDeque<Content>) -> bool {
        let Some((content, mut left, size)) = self.fragments.take() else { return false };
        let rest = left.split_off(size.min(left.len()));
        let is_last = rest.is_empty();
        let sent = counted(&mut self.held, || self.conn.send_fragment(content.kind, &left, is_last));
        match sent {
            Ok(()) if is_last => said.push_back(content),
            Ok(()) => self.fragments = Some((content, rest, size)),
            Err(SendError::OutputFull) => {
                left.extend(rest);
                self.fragments = Some((content, left, size));
                return false;
            }
            Err(SendError::Closed) => {}
            Err(other) => panic!("{other}"),
        }
        true
    }

    /// A message for everybody.
    pub(crate) fn broadcast(&mut self, message: &PreparedMessage, content: Content, said: &mut VecDeque<Content>) {
        note(counted(&mut self.held, || self.conn.send_prepared(message)), content, said);
        self.bound = self.bound();
    }

    fn bound(&mut self) -> usize {
        if self.conn.pending_output() == 0 {
            self.passed_in = 0;
        }
        bound(&self.conn, self.unfinished, self.fragments.is_some()) + self.passed_in
    }

    fn write(&mut self, space: usize) -> Vec<u8> {
        let mut written = Vec::new();
        while self.conn.output().has_remaining() && written.len() < space {
            let output = self.conn.output();
            let chunk = output.chunk();
            let count = chunk.len().min(space - written.len());
            written.extend(&chunk[..count]);
            counted(&mut self.held, || self.conn.output().advance(count));
        }
        written
    }

    fn wakes_at(&self, now: Duration) -> Option<Duration> {
        let next = self.conn.next_timeout();
        let reads = self.reads_at.max(now);
        // A message in fragments comes first.
        let has_acts = !self.acts.is_empty() && self.fragments.is_none();
        let wakes = [
            next.map(|next| next.max(now)),
            (!self.socket.is_empty() || self.fin && !self.is_at_eof).then_some(reads),
            (now < self.reads_at).then_some(reads),
            self.answer.due.map(|due| due.max(now)),
            self.fragments
                .is_some()
                .then_some(now + if self.conn.can_send() { BETWEEN_FRAGMENTS } else { UNTIL_WRITTEN }),
            (has_acts && self.conn.state() != State::Connecting).then_some(now),
        ];
        wakes.into_iter().flatten().min()
    }

    /// The transport is closed, from here or from both sides, and all is reported.
    pub(crate) fn is_done(&self) -> bool {
        let is_shut = match self.shut {
            Some(TransportShutdown::Abort) => true,
            Some(TransportShutdown::Graceful) => self.is_at_eof,
            None => false,
        };
        is_shut && self.closed.is_some()
    }

    /// Nobody waits for it any more: an abort is reported by one more turn.
    pub(crate) fn is_aborted(&self) -> bool {
        self.shut == Some(TransportShutdown::Abort)
    }

    pub(crate) fn was_rejected(&self) -> bool {
        self.closed.as_ref().is_some_and(|closed| matches!(closed.cause, Cause::Rejected(_)))
    }
}

fn next(expected: &mut VecDeque<Content>, kind: MessageKind) -> Vec<u8> {
    let content = expected.pop_front().expect("a message that nobody sent");
    assert_eq!(content.kind, kind);
    content.bytes()
}

fn note(sent: Result<(), SendError>, content: Content, said: &mut VecDeque<Content>) {
    match sent {
        Ok(()) => said.push_back(content),
        Err(SendError::OutputFull | SendError::Closed | SendError::Connecting | SendError::UnfinishedMessage) => {}
        Err(other) => panic!("{other}"),
    }
}

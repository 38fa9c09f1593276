//! The load of the latency: messages are sent by a schedule, whether or not those before are answered, and each counts
//! from when it should have been sent. So a server that pauses pays for all that would have come meanwhile
//! ("coordinated omission" is what leaving them out is called).

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::case::Case;
use crate::load;
use crate::messages::{self, Batch};
use crate::servers::Answer;

/// How long after the end of the schedule answers may come.
const PATIENCE: Duration = Duration::from_secs(20);

const INPUT: usize = 256 << 10;

pub(crate) struct Schedule {
    poll: Poll,
    peers: Vec<Peer>,
    messages: Vec<Batch>,
    input: Vec<u8>,
}

struct Peer {
    stream: TcpStream,
    /// What the socket hasn't taken.
    unsent: Vec<u8>,
    waiting: VecDeque<Waiting>,
    /// How much of the first answer has come.
    at: usize,
}

/// A message that isn't answered yet.
struct Waiting {
    message: usize,
    /// When it should have been sent.
    due: Duration,
}

impl Schedule {
    pub(crate) fn new(case: Case, address: &str, answer: Answer) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut peers = Vec::new();
        for stream in load::connect(case, address)? {
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(peers.len()), Interest::READABLE | Interest::WRITABLE)?;
            peers.push(Peer { stream, unsent: Vec::new(), waiting: VecDeque::new(), at: 0 });
        }
        Ok(Self { poll, peers, messages: messages::batches(case.size, 1, answer), input: vec![0; INPUT] })
    }

    /// Sends that many messages at that rate, and records the nanoseconds until they are answered.
    pub(crate) fn run(&mut self, rate: u64, count: u64, latencies: &mut Histogram<u64>) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let due = |number: u64| Duration::from_nanos((u128::from(number) * 1_000_000_000 / u128::from(rate)) as u64);
        let start = Instant::now();
        let mut sent = 0;
        while sent < count || self.peers.iter().any(|peer| !peer.waiting.is_empty()) {
            let now = start.elapsed();
            if now > due(count) + PATIENCE {
                return Err(ErrorKind::TimedOut.into());
            }
            while sent < count && due(sent) <= now {
                let number = sent as usize % self.peers.len();
                let message = sent as usize % self.messages.len();
                self.peers[number].waiting.push_back(Waiting { message, due: due(sent) });
                self.peers[number].send(&self.messages[message].frames)?;
                sent += 1;
            }
            // It never sleeps: waking up takes longer than the server needs.
            self.poll.poll(&mut events, Some(Duration::ZERO))?;
            for event in &events {
                let peer = &mut self.peers[event.token().0];
                peer.flush()?;
                peer.receive(&mut self.input, &self.messages, start, latencies)?;
            }
        }
        Ok(())
    }
}

impl Peer {
    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        self.unsent.extend_from_slice(frame);
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn receive(
        &mut self,
        input: &mut [u8],
        messages: &[Batch],
        start: Instant,
        latencies: &mut Histogram<u64>,
    ) -> io::Result<()> {
        loop {
            let read = match self.stream.read(input) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let now = start.elapsed();
            let mut rest = &input[..read];
            while !rest.is_empty() {
                let Some(first) = self.waiting.front() else { return Err(io::Error::other("nothing was asked")) };
                let answer = &messages[first.message].answer[self.at..];
                let (part, after) = rest.split_at(rest.len().min(answer.len()));
                if *part != answer[..part.len()] {
                    return Err(io::Error::other("a wrong answer"));
                }
                self.at += part.len();
                if part.len() == answer.len() {
                    latencies.saturating_record((now - first.due).as_nanos() as u64);
                    self.waiting.pop_front();
                    self.at = 0;
                }
                rest = after;
            }
            if read < input.len() {
                return Ok(());
            }
        }
    }
}

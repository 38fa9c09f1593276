//! Whose turn it is: whoever something was completed for, and whoever's time has come. Completions go in, operations come
//! out.

use std::sync::Arc;
use std::time::Duration;

use websocket_proto::{Config, Connection, Deflate, PreparedMessage, Scratch};

use crate::deadlines::Deadlines;
use crate::ops::{Done, Op, PLACES};
use crate::peer::{Peer, Shared};

/// How long nobody is accepted after that has failed: there is no memory, perhaps.
const PAUSE: Duration = Duration::from_millis(100);

pub struct Server {
    peers: Vec<Option<Peer>>,
    here: usize,
    accepting: bool,
    /// Not before, after it has failed.
    accept_at: Duration,
    shared: Shared,
    config: Arc<Config>,
    deadlines: Deadlines,
    /// Who may have something to do next.
    touched: Vec<usize>,
    ops: Vec<Op>,
}

impl Server {
    pub fn new() -> Self {
        let config = Config::new()
            .keepalive(Duration::from_secs(30), Duration::from_secs(20))
            .deflate(Deflate::new().min_size(1024));
        Self {
            peers: (0..PLACES).map(|_| None).collect(),
            here: 0,
            accepting: false,
            accept_at: Duration::ZERO,
            shared: Shared { now: Duration::ZERO, scratch: Some(Box::new(Scratch::new())), said: Vec::new() },
            config: Arc::new(config),
            deadlines: Deadlines::default(),
            touched: Vec::new(),
            ops: Vec::new(),
        }
    }

    /// Tells the time, for what is handled next.
    pub fn advance_time(&mut self, now: Duration) {
        self.shared.now = now;
    }

    pub fn handle(&mut self, done: Done<'_>) {
        match done {
            Done::Accepted { peer, more } => {
                self.accepting = more;
                match peer {
                    Ok(peer) => self.welcome(peer),
                    Err(error) => {
                        eprintln!("io-uring: can't take a connection: {error}");
                        self.accept_at = self.shared.now + PAUSE;
                    }
                }
            }
            Done::Received { peer, input, more } => {
                self.with(peer, |peer, shared| peer.received(input, more, shared));
            }
            Done::Sent { peer, bytes, sent } => self.with(peer, |peer, shared| peer.sent(bytes, sent, shared)),
            Done::Closed { peer } => {
                self.peers[peer] = None;
                self.here -= 1;
            }
        }
    }

    /// What the ring is to do, now that all that was done is handled.
    pub fn next_ops(&mut self, now: Duration) -> impl Iterator<Item = Op> {
        self.advance_time(now);
        self.call_who_is_due();
        self.say();
        // A full table isn't asked of again before somebody leaves.
        if !self.accepting && self.here < PLACES && now >= self.accept_at {
            self.accepting = true;
            self.ops.push(Op::Accept);
        }
        for place in self.touched.drain(..) {
            if let Some(peer) = &mut self.peers[place] {
                peer.touched = false;
                peer.next_ops(place, now, &mut self.ops);
                self.deadlines.schedule(place, peer.next_timeout(), &mut peer.scheduled);
            }
        }
        self.ops.drain(..)
    }

    /// When `next_ops` is to be called, at the latest.
    pub fn next_timeout(&self) -> Option<Duration> {
        let accept_at = (!self.accepting && self.here < PLACES).then_some(self.accept_at);
        self.deadlines.next().into_iter().chain(accept_at).min()
    }

    fn welcome(&mut self, place: usize) {
        self.here += 1;
        self.peers[place] = Some(Peer::new(Connection::server(Arc::clone(&self.config))));
        // Arms its first deadline.
        self.with(place, |peer, shared| peer.turn(&mut [], shared));
    }

    fn with(&mut self, place: usize, work: impl FnOnce(&mut Peer, &mut Shared)) {
        if let Some(peer) = &mut self.peers[place] {
            work(peer, &mut self.shared);
            if !peer.touched {
                peer.touched = true;
                self.touched.push(place);
            }
        }
    }

    fn call_who_is_due(&mut self) {
        while let Some((at, place)) = self.deadlines.due(self.shared.now) {
            // The place may be another's by now, whose deadline is another.
            if let Some(peer) = &mut self.peers[place]
                && peer.scheduled == Some(at)
            {
                peer.scheduled = None;
                self.with(place, |peer, shared| peer.turn(&mut [], shared));
            }
        }
    }

    /// Says to all in the chat what was said by some.
    fn say(&mut self) {
        let said = std::mem::take(&mut self.shared.said);
        let messages: Vec<_> =
            said.into_iter().map(|message| PreparedMessage::compressed(message, &Deflate::new())).collect();
        if messages.is_empty() {
            return;
        }
        for place in 0..self.peers.len() {
            if self.peers[place].as_ref().is_some_and(|peer| peer.chats) {
                self.with(place, |peer, _| messages.iter().for_each(|message| peer.push(message)));
            }
        }
    }
}

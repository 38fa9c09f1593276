//! The queue of turns. Peers with an event or a deadline are queued, and each has one bounded turn before any peer
//! has another.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Poll, Token};
use slab::Slab;
use websocket_proto::{Config, Connection, DeflateConfig, PreparedMessage, Scratch};

use crate::deadlines::Deadlines;
use crate::listener::Listener;
use crate::peer::{Peer, Shared, Then};
use crate::signals::{Signal, Signals};

/// The size of the input buffer, which all connections share. A read is a system call: with 16 KiB, messages of that size
/// take a tenth to a quarter more CPU time (`benches/loopback`).
const INPUT: usize = 64 << 10;

/// The number of connections that are accepted before the others have their turns.
const ACCEPTED: usize = 64;

/// How long connections have to end when the server stops: the 5 seconds of a closing handshake, and a little for its
/// deadline to take effect.
const FAREWELL: Duration = Duration::from_millis(5_300);

const LISTENER: Token = Token(usize::MAX);
const SIGNALS: Token = Token(usize::MAX - 1);

pub struct Server {
    poll: Poll,
    events: Events,
    /// `None` once the server stops.
    listener: Option<Listener>,
    signals: Option<Signals>,
    peers: Slab<Peer>,
    /// The peers that have something to do.
    queue: VecDeque<usize>,
    deadlines: Deadlines,
    config: Arc<Config>,
    shared: Shared,
    start: Instant,
    /// The peers that are left when the server is stopped.
    stop_at: Option<Duration>,
    #[cfg(feature = "memory")]
    memory: crate::memory::Account,
}

impl Server {
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let poll = Poll::new()?;
        // No window is kept from message to message, in neither direction: with thousands of connections, it is what each
        // would own forever, and the compressor that goes with it is several hundred KiB.
        let deflate =
            DeflateConfig::new().min_size(1024).server_no_context_takeover(true).client_no_context_takeover(true);
        let config = Config::new().keepalive(Duration::from_secs(30), Duration::from_secs(20)).deflate(deflate);
        Ok(Self {
            events: Events::with_capacity(1024),
            listener: Some(Listener::bind(address, poll.registry(), LISTENER)?),
            signals: None,
            poll,
            peers: Slab::new(),
            queue: VecDeque::new(),
            deadlines: Deadlines::default(),
            config: Arc::new(config),
            shared: Shared {
                now: Duration::ZERO,
                buffer: vec![0; INPUT].into(),
                scratch: Some(Scratch::new()),
                said: Vec::new(),
            },
            start: Instant::now(),
            stop_at: None,
            #[cfg(feature = "memory")]
            memory: crate::memory::Account::default(),
        })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.as_ref().map_or_else(|| Err(ErrorKind::NotConnected.into()), Listener::address)
    }

    /// From now on, SIGINT and SIGTERM don't end the process but [`run`](Self::run).
    pub fn handle_signals(&mut self) -> io::Result<()> {
        self.signals = Some(Signals::register(self.poll.registry(), SIGNALS)?);
        Ok(())
    }

    /// Serves until a signal asks the process to stop, and then until all peers have left or their time is up. Whether
    /// all have.
    pub fn run(&mut self) -> io::Result<bool> {
        #[cfg(feature = "memory")]
        self.memory.begin();
        while !self.is_stopped() {
            self.turn(None)?;
        }
        Ok(self.peers.is_empty())
    }

    /// One turn of the loop, which waits for `longest` if there is nothing to do.
    fn turn(&mut self, longest: Option<Duration>) -> io::Result<()> {
        self.wait(longest)?;
        let signalled = self.note_events();
        self.accept();
        self.queue_who_is_due();
        for _ in 0..self.queue.len() {
            // It may have disconnected since it was queued.
            if let Some(token) = self.queue.pop_front()
                && let Some(peer) = self.peers.get_mut(token)
            {
                peer.queued = false;
                self.turn_of(token);
            }
        }
        self.say();
        if signalled {
            self.obey_signals();
        }
        Ok(())
    }

    /// Closes all connections with 1001; those whose handshake isn't done are dropped. A second call drops all.
    fn stop(&mut self) {
        let now = self.shared.now;
        self.stop_at = Some(if self.stop_at.is_some() { now } else { now + FAREWELL });
        self.listener = None;
        self.peers.retain(|token, peer| {
            let stays = peer.stop(now);
            if stays {
                enqueue(token, peer, &mut self.queue);
            }
            stays
        });
    }

    fn is_stopped(&self) -> bool {
        self.stop_at.is_some_and(|at| self.peers.is_empty() || at <= self.shared.now)
    }

    fn wait(&mut self, longest: Option<Duration>) -> io::Result<()> {
        let next = if self.queue.is_empty() {
            let accept_at = self.listener.as_ref().and_then(Listener::next_timeout);
            [self.deadlines.next(), accept_at, self.stop_at].into_iter().flatten().min()
        } else {
            Some(Duration::ZERO)
        };
        let timeout = next.map(|at| at.saturating_sub(self.start.elapsed())).into_iter().chain(longest).min();
        let polled = self.poll.poll(&mut self.events, timeout);
        // The clock is read once for all that is ready.
        self.shared.now = self.start.elapsed();
        match polled {
            // A signal, or the process was stopped for a while. There are no events then.
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            polled => polled,
        }
    }

    /// Notes who has something to do; whether signals have come.
    fn note_events(&mut self) -> bool {
        let mut signalled = false;
        for event in &self.events {
            match event.token() {
                SIGNALS => signalled = true,
                LISTENER => self.listener.iter_mut().for_each(|listener| listener.ready(self.shared.now)),
                Token(token) => {
                    // It may have left since the event came.
                    if let Some(peer) = self.peers.get_mut(token) {
                        peer.note(event);
                        enqueue(token, peer, &mut self.queue);
                    }
                }
            }
        }
        signalled
    }

    fn obey_signals(&mut self) {
        while let Some(signal) = self.signals.as_mut().and_then(Signals::next) {
            match signal {
                Signal::Stop => self.stop(),
                #[cfg(feature = "memory")]
                Signal::PrintMemory => {
                    self.memory.print(&self.peers, &self.deadlines, &self.queue, &mut self.shared.scratch);
                }
            }
        }
    }

    fn accept(&mut self) {
        for _ in 0..ACCEPTED {
            let Some(stream) = self.listener.as_mut().and_then(|listener| listener.accept(self.shared.now)) else {
                return;
            };
            self.welcome(stream);
        }
    }

    /// Serves a connection, whose handshake is still to come.
    pub fn welcome(&mut self, stream: TcpStream) {
        let entry = self.peers.vacant_entry();
        let token = entry.key();
        let mut peer = Peer::new(stream, Connection::server(Arc::clone(&self.config)));
        if peer.register(self.poll.registry(), Token(token)).is_ok() {
            // Its first turn arms its first deadline.
            enqueue(token, entry.insert(peer), &mut self.queue);
        }
    }

    fn queue_who_is_due(&mut self) {
        while let Some((at, token)) = self.deadlines.due(self.shared.now) {
            // The place may be another's by now, whose deadline is another.
            if let Some(peer) = self.peers.get_mut(token)
                && peer.scheduled == Some(at)
            {
                peer.scheduled = None;
                peer.overdue();
                enqueue(token, peer, &mut self.queue);
            }
        }
    }

    fn turn_of(&mut self, token: usize) {
        let Some(peer) = self.peers.get_mut(token) else { return };
        match peer.turn(&mut self.shared, self.poll.registry(), Token(token)) {
            Then::Leave => return drop(self.peers.remove(token)),
            Then::Again => enqueue(token, peer, &mut self.queue),
            Then::Stay => {}
        }
        // A deadline that has passed brings another turn, and so on until the connection has dealt with it.
        self.deadlines.schedule(token, peer.next_timeout(), &mut peer.scheduled);
    }

    /// Says to all in the chat what was said by some.
    fn say(&mut self) {
        let said = std::mem::take(&mut self.shared.said);
        if said.is_empty() {
            return;
        }
        let messages: Vec<_> =
            said.into_iter().map(|message| PreparedMessage::compressed(message, &DeflateConfig::new())).collect();
        let chatting: Vec<_> = self.peers.iter().filter(|(_, peer)| peer.chats).map(|(token, _)| token).collect();
        for token in chatting {
            if let Some(peer) = self.peers.get_mut(token) {
                messages.iter().for_each(|message| peer.push(message, self.shared.now));
            }
            // At once: what thousands have pending at the same time takes memory.
            self.turn_of(token);
        }
    }
}

/// Queues a peer, unless it is queued already.
fn enqueue(token: usize, peer: &mut Peer, queue: &mut VecDeque<usize>) {
    if !std::mem::replace(&mut peer.queued, true) {
        queue.push_back(token);
    }
}

#[cfg(test)]
#[path = "tests/server.rs"]
mod tests;

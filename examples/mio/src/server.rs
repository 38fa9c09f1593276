//! Whose turn it is: whoever bytes came for, whoever has room to write again, and whoever's time has come.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use websocket_proto::{Config, Connection, Deflate, Message, PreparedMessage, Scratch};

use crate::deadlines::Deadlines;
use crate::peer::{Peer, Then};

/// Fits the first-level cache, and so does what is done with it.
const INPUT: usize = 16 << 10;

const LISTENER: Token = Token(usize::MAX);

struct Server {
    poll: Poll,
    listener: TcpListener,
    peers: Slab<Peer>,
    deadlines: Deadlines,
    config: Arc<Config>,
    buffer: Box<[u8]>,
    scratch: Option<Box<Scratch>>,
    said: Vec<Message>,
    /// Who has more to read.
    again: Vec<usize>,
    start: Instant,
    /// Since the start: the clock is read once for all that is ready.
    now: Duration,
}

pub fn run(address: SocketAddr) -> io::Result<()> {
    let poll = Poll::new()?;
    let mut listener = TcpListener::bind(address)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    #[cfg(feature = "memory")]
    let mut memory = crate::memory::Account::open()?;
    let address = listener.local_addr()?;
    println!(
        "mio: listening on {address}: http://{address}/ is a chat page, ws://{address}/chat the chat, any other path echoes"
    );
    // No window is kept from message to message, in neither direction: with thousands of connections, it is what each
    // would own for ever, and the compressor that goes with it is several hundred KiB.
    let deflate = Deflate::new().min_size(1024).server_no_context_takeover(true).client_no_context_takeover(true);
    let config = Config::new().keepalive(Duration::from_secs(30), Duration::from_secs(20)).deflate(deflate);
    let mut server = Server {
        poll,
        listener,
        peers: Slab::new(),
        deadlines: Deadlines::default(),
        config: Arc::new(config),
        buffer: vec![0; INPUT].into(),
        scratch: Some(Box::new(Scratch::new())),
        said: Vec::new(),
        again: Vec::new(),
        start: Instant::now(),
        now: Duration::ZERO,
    };
    let mut events = Events::with_capacity(1024);
    loop {
        server.wait(&mut events)?;
        #[cfg(feature = "memory")]
        memory.show_if_asked(&server.peers, &server.deadlines, &mut server.scratch);
        for event in &events {
            if event.token() == LISTENER {
                server.accept()?;
                continue;
            }
            let Token(peer) = event.token();
            if event.is_readable()
                && let Some(peer) = server.peers.get_mut(peer)
            {
                peer.may_read();
            }
            server.turn(peer);
        }
        for peer in std::mem::take(&mut server.again) {
            server.turn(peer);
        }
        server.call_who_is_due();
        server.say();
    }
}

impl Server {
    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let timeout = match self.deadlines.next() {
            _ if !self.again.is_empty() || !self.said.is_empty() => Some(Duration::ZERO),
            next => next.map(|at| at.saturating_sub(self.now)),
        };
        let polled = self.poll.poll(events, timeout);
        self.now = self.start.elapsed();
        match polled {
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            polled => polled,
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => self.welcome(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                // One that went away meanwhile, or no descriptor left.
                Err(error) => {
                    eprintln!("mio: can't take a connection: {error}");
                    return Ok(());
                }
            }
        }
    }

    fn welcome(&mut self, stream: mio::net::TcpStream) {
        let entry = self.peers.vacant_entry();
        let token = entry.key();
        let Ok(mut peer) = Peer::new(stream, Connection::server(Arc::clone(&self.config))) else { return };
        if peer.register(self.poll.registry(), Token(token)).is_ok() {
            entry.insert(peer);
            // Arms its first deadline.
            self.turn(token);
        }
    }

    fn turn(&mut self, token: usize) {
        // It may have left since the event came.
        let Some(peer) = self.peers.get_mut(token) else { return };
        let registry = self.poll.registry();
        match peer.turn(self.now, &mut self.buffer, &mut self.scratch, &mut self.said, registry, Token(token)) {
            Then::Leave => return drop(self.peers.remove(token)),
            Then::Again => self.again.push(token),
            Then::Stay => {}
        }
        self.deadlines.schedule(token, peer.next_timeout(), &mut peer.scheduled);
    }

    fn call_who_is_due(&mut self) {
        while let Some((at, token)) = self.deadlines.due(self.now) {
            // The place may be another's by now, whose deadline is another.
            if let Some(peer) = self.peers.get_mut(token)
                && peer.scheduled == Some(at)
            {
                peer.scheduled = None;
                self.turn(token);
            }
        }
    }

    /// Says to all in the chat what was said by some.
    fn say(&mut self) {
        let said = std::mem::take(&mut self.said);
        if said.is_empty() {
            return;
        }
        let messages: Vec<_> =
            said.into_iter().map(|message| PreparedMessage::compressed(message, &Deflate::new())).collect();
        let chatting: Vec<_> = self.peers.iter().filter(|(_, peer)| peer.chats).map(|(token, _)| token).collect();
        for token in chatting {
            if let Some(peer) = self.peers.get_mut(token) {
                messages.iter().for_each(|message| peer.push(message));
            }
            self.turn(token);
        }
    }
}

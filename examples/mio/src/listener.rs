//! The listening socket. The poll reports waiting connections only once, so the listener remembers them until it has
//! accepted them.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};

/// The time between two attempts where accepting fails. It does so as long as there is no descriptor left or no memory:
/// no event reports the end of that, and those in the backlog are still to be served then.
const PAUSE: Duration = Duration::from_millis(100);

pub struct Listener {
    socket: TcpListener,
    /// When to accept again; `None` while the backlog is empty.
    accept_at: Option<Duration>,
    /// The last attempt failed, which has been printed.
    fails: bool,
}

impl Listener {
    pub fn bind(address: SocketAddr, registry: &Registry, token: Token) -> io::Result<Self> {
        let mut socket = TcpListener::bind(address)?;
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Self { socket, accept_at: None, fails: false })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Notes that an event has come for this socket.
    pub fn ready(&mut self, now: Duration) {
        // A pause continues: another client doesn't mean that there are descriptors again.
        self.accept_at.get_or_insert(now);
    }

    /// When [`accept`](Self::accept) should be called next.
    pub fn next_timeout(&self) -> Option<Duration> {
        self.accept_at
    }

    /// The next connection, if there is one now.
    pub fn accept(&mut self, now: Duration) -> Option<TcpStream> {
        while self.accept_at.is_some_and(|at| at <= now) {
            match self.socket.accept() {
                Ok((stream, _)) => {
                    self.fails = false;
                    // Where that fails, messages are late at worst.
                    let _ = stream.set_nodelay(true);
                    return Some(stream);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.accept_at = None,
                // This client disconnected while it waited.
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
                Err(error) => {
                    self.accept_at = Some(now + PAUSE);
                    if !std::mem::replace(&mut self.fails, true) {
                        eprintln!("mio: can't accept a connection: {error}");
                    }
                }
            }
        }
        None
    }
}

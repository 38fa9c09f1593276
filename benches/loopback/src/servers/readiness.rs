//! A loop over mio in its least form: who has something to read has a turn.

use std::io;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// The `turn` must read until the socket has nothing more, which a read that doesn't fill its buffer says as well.
pub(super) fn serve<T>(
    open: impl Fn(TcpStream) -> T,
    mut turn: impl FnMut(&mut T) -> io::Result<()>,
) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut peers = Vec::new();
    for stream in super::open()? {
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(peers.len()), Interest::READABLE)?;
        peers.push(open(stream));
    }
    let mut events = Events::with_capacity(1024);
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            turn(&mut peers[event.token().0])?;
        }
    }
}

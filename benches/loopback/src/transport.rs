//! TCP and Unix sockets, which are the same to everybody here: a `TcpStream` has the descriptor of either.
//!
//! Reading, writing and shutting down are the same system calls for both, so each server is the same code for both.

use std::fmt;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::process;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Unix,
}

pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Transport {
    pub(crate) const ALL: [Self; 2] = [Self::Tcp, Self::Unix];

    /// Listens; the address is the one that [`connect`](Self::connect) takes.
    pub(crate) fn listen(self) -> io::Result<(Listener, String)> {
        match self {
            Self::Tcp => {
                let listener = TcpListener::bind("127.0.0.1:0")?;
                let address = listener.local_addr()?.to_string();
                Ok((Listener::Tcp(listener), address))
            }
            Self::Unix => {
                let name = format!("websocket-proto-loopback-{}", process::id());
                Ok((Listener::Unix(UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?), name))
            }
        }
    }

    pub(crate) fn connect(self, address: &str) -> io::Result<TcpStream> {
        match self {
            Self::Tcp => without_delay(TcpStream::connect(address)?),
            Self::Unix => Ok(same(UnixStream::connect_addr(&SocketAddr::from_abstract_name(address)?)?)),
        }
    }
}

impl Listener {
    pub(crate) fn accept(&self) -> io::Result<TcpStream> {
        match self {
            Self::Tcp(listener) => without_delay(listener.accept()?.0),
            Self::Unix(listener) => Ok(same(listener.accept()?.0)),
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Unix => "unix",
        })
    }
}

fn without_delay(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn same(stream: UnixStream) -> TcpStream {
    TcpStream::from(OwnedFd::from(stream))
}

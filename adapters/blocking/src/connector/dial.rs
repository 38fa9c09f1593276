//! From a URI to a stream that leads to its host: resolve, TCP, TLS.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use websocket_proto::client::Uri;

use super::deadline::Deadline;
use super::{ClientStream, ConnectError, ConnectStage, tls};

/// Connects to the host of a URI.
pub(super) fn dial(uri: &Uri, tls: &tls::Settings, deadline: Deadline) -> Result<ClientStream, ConnectError> {
    let tcp = connect_tcp(uri.host(), uri.port(), deadline)?;
    if !uri.is_secure() {
        return Ok(ClientStream::tcp(tcp));
    }
    tls::connect(tls, uri.host(), tcp, deadline).map_err(|error| match deadline.left(ConnectStage::Tls) {
        Err(timed_out) => timed_out,
        Ok(_) => ConnectError::Tls { host: uri.host().to_owned(), error },
    })
}

/// Opens a TCP connection to a host: tries its addresses in turn, each for its share of the time that is left.
fn connect_tcp(host: &str, port: u16, deadline: Deadline) -> Result<TcpStream, ConnectError> {
    let resolve_error = |error| ConnectError::Resolve { host: host.to_owned(), error };
    let addresses = resolve(host, port, deadline)?.map_err(resolve_error)?;
    let mut failures = Vec::new();
    for (tried, &address) in addresses.iter().enumerate() {
        let untried = (addresses.len() - tried) as u32;
        let connected = match deadline.left(ConnectStage::Tcp)? {
            Some(left) => TcpStream::connect_timeout(&address, (left / untried).max(MIN_SHARE)),
            None => TcpStream::connect(address),
        };
        // Messages are small and complete: they shouldn't wait for more.
        match connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
            Ok(stream) => return Ok(stream),
            Err(error) => failures.push((address, error)),
        }
    }
    deadline.left(ConnectStage::Tcp)?;
    let mut failures = failures.into_iter();
    match failures.next() {
        Some((address, error)) => Err(ConnectError::Tcp { address, error, others: failures.collect() }),
        None => Err(resolve_error(io::Error::new(ErrorKind::NotFound, "the host has no address"))),
    }
}

/// The operating system accepts no timeout of zero.
const MIN_SHARE: Duration = Duration::from_millis(1);

/// Resolves a host. The resolver of the operating system takes no timeout, so that it has a thread of its own, which is left
/// behind at the deadline.
fn resolve(host: &str, port: u16, deadline: Deadline) -> Result<io::Result<Vec<SocketAddr>>, ConnectError> {
    let Some(left) = deadline.left(ConnectStage::Resolve)? else {
        return Ok((host, port).to_socket_addrs().map(Iterator::collect));
    };
    let (sender, receiver) = channel();
    let host = host.to_owned();
    let resolver = thread::Builder::new().spawn(move || {
        // Nobody waits for it after the deadline.
        let _ = sender.send((host, port).to_socket_addrs().map(Iterator::collect));
    });
    if let Err(error) = resolver {
        return Ok(Err(error));
    }
    match receiver.recv_timeout(left) {
        Ok(addresses) => Ok(addresses),
        Err(RecvTimeoutError::Timeout) => Err(ConnectError::Timeout(ConnectStage::Resolve)),
        Err(RecvTimeoutError::Disconnected) => Ok(Err(io::Error::other("the resolver has panicked"))),
    }
}

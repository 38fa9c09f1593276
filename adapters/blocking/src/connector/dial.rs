//! Opening a stream to the host of a URI: name resolution, TCP, TLS.

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

/// Opens a TCP connection to a host. Tries its addresses in turn, each for its share of the remaining time.
fn connect_tcp(host: &str, port: u16, deadline: Deadline) -> Result<TcpStream, ConnectError> {
    let resolve_error = |error| ConnectError::Resolve { host: host.to_owned(), error };
    let addresses = resolve(host, port, deadline)?.map_err(resolve_error)?;
    match connect_any(&addresses, deadline)? {
        Ok(stream) => Ok(stream),
        Err(failures) => {
            let mut failures = failures.into_iter();
            let Some((address, error)) = failures.next() else {
                return Err(resolve_error(io::Error::new(ErrorKind::NotFound, "the host has no address")));
            };
            Err(ConnectError::Tcp { address, error, others: failures.collect() })
        }
    }
}

type Failures = Vec<(SocketAddr, io::Error)>;

/// Opens a TCP connection to the first address that accepts one.
fn connect_any(addresses: &[SocketAddr], deadline: Deadline) -> Result<Result<TcpStream, Failures>, ConnectError> {
    let mut failures = Vec::new();
    for (tried, &address) in addresses.iter().enumerate() {
        let untried = (addresses.len() - tried) as u32;
        let connected = match deadline.left(ConnectStage::Tcp)? {
            Some(left) => TcpStream::connect_timeout(&address, (left / untried).max(MIN_SHARE)),
            None => TcpStream::connect(address),
        };
        // Messages are small and complete, so they should not wait for more data.
        match connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
            Ok(stream) => return Ok(Ok(stream)),
            Err(error) => failures.push((address, error)),
        }
    }
    deadline.left(ConnectStage::Tcp)?;
    Ok(Err(failures))
}

/// The operating system accepts no timeout of zero.
const MIN_SHARE: Duration = Duration::from_millis(1);

/// Resolves a host. The resolver of the operating system has no timeout, so it runs in its own thread, which is
/// abandoned at the deadline.
fn resolve(host: &str, port: u16, deadline: Deadline) -> Result<io::Result<Vec<SocketAddr>>, ConnectError> {
    let Some(left) = deadline.left(ConnectStage::Resolve)? else {
        return Ok((host, port).to_socket_addrs().map(Iterator::collect));
    };
    let (sender, receiver) = channel();
    let host = host.to_owned();
    let resolver = thread::Builder::new().spawn(move || {
        // After the deadline nobody receives the result.
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn after(milliseconds: u64) -> Deadline {
        Deadline::after(Some(Duration::from_millis(milliseconds)))
    }

    fn listen() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    /// An address that refuses connections.
    fn refusing() -> SocketAddr {
        listen().1
    }

    /// An address that answers nothing: the listener's backlog is full.
    #[cfg(target_os = "linux")]
    fn silent() -> (Vec<TcpStream>, TcpListener, SocketAddr) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let _guard = runtime.enter();
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(1).unwrap().into_std().unwrap();
        let address = listener.local_addr().unwrap();
        let patience = Duration::from_millis(100);
        let waiting = std::iter::from_fn(|| TcpStream::connect_timeout(&address, patience).ok()).collect();
        (waiting, listener, address)
    }

    #[test]
    fn an_address_that_refuses_is_followed_by_the_next() {
        let (_listener, address) = listen();
        for deadline in [after(10_000), Deadline::after(None)] {
            let stream = connect_any(&[refusing(), refusing(), address], deadline).unwrap().unwrap();
            assert_eq!(stream.peer_addr().unwrap(), address);
            assert!(stream.nodelay().unwrap());
        }
    }

    #[test]
    fn where_all_refuse_each_failure_is_kept() {
        let addresses = [refusing(), refusing()];
        let failures = connect_any(&addresses, after(10_000)).unwrap().unwrap_err();
        assert_eq!(failures.iter().map(|(address, _)| *address).collect::<Vec<_>>(), addresses);
        assert!(failures.iter().all(|(_, error)| error.kind() == ErrorKind::ConnectionRefused), "{failures:?}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_address_that_is_silent_has_its_share_of_the_time() {
        let (_waiting, _full, silent) = silent();
        let (_listener, address) = listen();
        let stream = connect_any(&[silent, address], after(2_000)).unwrap().unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_deadline_covers_tcp() {
        let (_waiting, _full, silent) = silent();
        let connector = crate::Connector::new().timeout(Duration::from_millis(300));
        let error = connector.connect(format!("ws://{silent}/")).unwrap_err();
        assert!(matches!(error, ConnectError::Timeout(ConnectStage::Tcp)), "{error:?}");
    }
}

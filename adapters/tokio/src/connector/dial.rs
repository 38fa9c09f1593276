//! Opening a stream to the host of a URI: proxy, name resolution, TCP, TLS.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use tokio::net::{TcpStream, lookup_host};
use websocket_proto::client::Uri;

use super::deadline::Deadline;
use super::happy_eyeballs::{self, interleave};
use super::{ClientStream, ConnectError, ConnectStage, proxy, tls};

/// Connects to the host of a URI.
pub(super) async fn dial(
    uri: &Uri,
    tls: &tls::Settings,
    proxy: &proxy::Settings,
    deadline: Deadline,
) -> Result<ClientStream, ConnectError> {
    let tunnel = proxy::connect(proxy, tls, uri, deadline).await?;
    if !uri.is_secure() {
        return Ok(ClientStream::plain(tunnel));
    }
    let connected = deadline.within(ConnectStage::Tls, tls::connect(tls, uri.host(), tunnel)).await?;
    connected.map_err(|error| ConnectError::Tls { host: uri.host().to_owned(), error })
}

/// Opens a TCP connection to the address of a host that answers first.
pub(super) async fn connect_tcp(host: &str, port: u16, deadline: Deadline) -> Result<TcpStream, ConnectError> {
    let resolve_error = |error| ConnectError::Resolve { host: host.to_owned(), error };
    let resolved = deadline.within(ConnectStage::Resolve, lookup_host((host, port))).await?;
    let addresses = interleave(resolved.map_err(resolve_error)?);
    match deadline.within(ConnectStage::Tcp, happy_eyeballs::connect(addresses, open_tcp)).await? {
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

async fn open_tcp(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // Messages are small and complete, so they should not wait for more data.
    stream.set_nodelay(true)?;
    Ok(stream)
}

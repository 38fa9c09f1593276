//! From a URI to a stream that leads to its host: resolve, TCP, TLS.

use std::io::{self, ErrorKind};

use tokio::net::{TcpStream, lookup_host};
use websocket_proto::client::Uri;

use super::happy_eyeballs::{self, interleave};
use super::{ClientStream, ConnectError, ConnectStage, tls};

/// Connects to the host of a URI. `stage` is where it is at the moment, for the error if the time passes.
pub(super) async fn dial(
    uri: &Uri,
    tls: &tls::Settings,
    stage: &mut ConnectStage,
) -> Result<ClientStream, ConnectError> {
    let tcp = connect_tcp(uri.host(), uri.port(), stage).await?;
    if !uri.is_secure() {
        return Ok(ClientStream::tcp(tcp));
    }
    *stage = ConnectStage::Tls;
    let connected = tls::connect(tls, uri.host(), tcp).await;
    connected.map_err(|error| ConnectError::Tls { host: uri.host().to_owned(), error })
}

/// Opens a TCP connection to a host, whichever of its addresses answers first.
pub(super) async fn connect_tcp(host: &str, port: u16, stage: &mut ConnectStage) -> Result<TcpStream, ConnectError> {
    let resolve_error = |error| ConnectError::Resolve { host: host.to_owned(), error };
    *stage = ConnectStage::Resolve;
    let addresses = interleave(lookup_host((host, port)).await.map_err(resolve_error)?);
    *stage = ConnectStage::Tcp;
    match happy_eyeballs::connect(addresses, open_tcp).await {
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

async fn open_tcp(address: std::net::SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // Messages are small and complete: they shouldn't wait for more.
    stream.set_nodelay(true)?;
    Ok(stream)
}

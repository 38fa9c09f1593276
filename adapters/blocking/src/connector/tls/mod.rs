//! TLS by rustls.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::ClientStream;
use super::deadline::Deadline;

/// The ALPN protocol (RFC 7301) of the opening handshake.
const HTTP_1_1: &[u8] = b"http/1.1";

/// The caller's TLS configuration, or the default.
#[derive(Clone, Debug)]
pub(super) struct Settings(Option<Arc<ClientConfig>>);

impl Settings {
    pub(super) fn new_default() -> Self {
        Self(None)
    }

    pub(super) fn new(mut config: Arc<ClientConfig>) -> Self {
        if config.alpn_protocols.is_empty() {
            Arc::make_mut(&mut config).alpn_protocols = vec![HTTP_1_1.to_vec()];
        }
        Self(Some(config))
    }
}

/// Establishes TLS with a host. Its name is sent (SNI), unless it is an address, and its certificate must be for that name
/// (RFC 6455 section 4.1).
pub(super) fn connect(settings: &Settings, host: &str, tcp: TcpStream, deadline: Deadline) -> io::Result<ClientStream> {
    let config = match &settings.0 {
        Some(config) => Arc::clone(config),
        None => default_config()?,
    };
    let name = ServerName::try_from(host.to_owned()).map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;
    let mut connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
    let mut stream = Bounded { tcp: &tcp, deadline };
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    match connection.alpn_protocol() {
        None | Some(HTTP_1_1) => Ok(ClientStream::tls(StreamOwned::new(connection, tcp))),
        Some(other) => {
            let other = String::from_utf8_lossy(other);
            Err(io::Error::other(format!("the server selected {other:?} by ALPN, instead of http/1.1")))
        }
    }
}

/// The configuration that all connectors without one of their own share, so that sessions are resumed. Its cryptography is
/// that of the process-wide default provider of rustls, or *ring*.
fn default_config() -> io::Result<Arc<ClientConfig>> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let provider = CryptoProvider::get_default().map_or_else(|| Arc::new(ring::default_provider()), Arc::clone);
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    Ok(Arc::clone(CONFIG.get_or_init(|| Arc::new(config))))
}

/// A TCP stream whose reads and writes fail at the deadline, however many there are.
struct Bounded<'a> {
    tcp: &'a TcpStream,
    deadline: Deadline,
}

impl Bounded<'_> {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.0.map(|at| at.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(self.left()?)?;
        self.tcp.read(buffer)
    }
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(self.left()?)?;
        self.tcp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

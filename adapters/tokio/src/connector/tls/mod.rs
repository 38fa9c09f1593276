//! TLS by rustls.

mod roots;

use std::io::{self, ErrorKind};
use std::sync::{Arc, OnceLock};

use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(feature = "proxy")]
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{AlertDescription, ClientConfig, ConfigBuilder, Error, WantsVerifier, WantsVersions};

use super::ClientStream;
use super::tunnel::Tunnel;

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

/// Establishes TLS with the server.
pub(super) async fn connect(settings: &Settings, host: &str, tunnel: Tunnel) -> io::Result<ClientStream> {
    establish(settings, host, tunnel).await.map(ClientStream::tls)
}

/// Establishes TLS with a proxy.
#[cfg(feature = "proxy")]
pub(super) async fn connect_proxy(settings: &Settings, host: &str, tcp: TcpStream) -> io::Result<Tunnel> {
    establish(settings, host, tcp).await.map(|stream| Tunnel::Tls(Box::new(stream)))
}

/// Establishes TLS with a host. Its name is sent (SNI), unless it is an address, and its certificate must be for that name
/// (RFC 6455 section 4.1).
async fn establish<S>(settings: &Settings, host: &str, stream: S) -> io::Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = match &settings.0 {
        Some(config) => Arc::clone(config),
        None => default_config()?,
    };
    let name = ServerName::try_from(host.to_owned()).map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;
    let stream = TlsConnector::from(config).connect(name, stream).await?;
    match stream.get_ref().1.alpn_protocol() {
        None | Some(HTTP_1_1) => Ok(stream),
        Some(other) => {
            let other = String::from_utf8_lossy(other);
            Err(io::Error::other(format!("the server selected {other:?} by ALPN, instead of http/1.1")))
        }
    }
}

/// Returns whether another attempt fails in the same way. Only the stream may fail in another.
pub(super) fn is_permanent(error: &io::Error) -> bool {
    match error.get_ref().and_then(|error| error.downcast_ref()) {
        Some(Error::AlertReceived(AlertDescription::InternalError | AlertDescription::UserCanceled)) => false,
        Some(_) => true,
        None => matches!(
            error.kind(),
            ErrorKind::InvalidInput | ErrorKind::NotFound | ErrorKind::Other | ErrorKind::Unsupported
        ),
    }
}

/// The configuration that all connectors without one of their own share: reading the certificates of the operating system
/// takes some time, and sessions are resumed.
fn default_config() -> io::Result<Arc<ClientConfig>> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let mut config = builder()?.with_root_certificates(roots::load()?).with_no_client_auth();
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    Ok(Arc::clone(CONFIG.get_or_init(|| Arc::new(config))))
}

/// A builder with the cryptography that the process has chosen, or else that of the features.
fn builder() -> io::Result<ConfigBuilder<ClientConfig, WantsVerifier>> {
    let provider = match CryptoProvider::get_default() {
        Some(provider) => Arc::clone(provider),
        None => provider_of_features()?,
    };
    let builder: ConfigBuilder<ClientConfig, WantsVersions> = ClientConfig::builder_with_provider(provider);
    builder.with_safe_default_protocol_versions().map_err(io::Error::other)
}

#[cfg(feature = "rustls-ring")]
#[allow(clippy::unnecessary_wraps, reason = "without the feature it fails")]
fn provider_of_features() -> io::Result<Arc<CryptoProvider>> {
    Ok(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()))
}

#[cfg(all(feature = "rustls-aws-lc-rs", not(feature = "rustls-ring")))]
#[allow(clippy::unnecessary_wraps, reason = "without the feature it fails")]
fn provider_of_features() -> io::Result<Arc<CryptoProvider>> {
    Ok(Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider()))
}

#[cfg(not(any(feature = "rustls-ring", feature = "rustls-aws-lc-rs")))]
fn provider_of_features() -> io::Result<Arc<CryptoProvider>> {
    Err(io::Error::new(
        ErrorKind::Unsupported,
        "no cryptography: install a default CryptoProvider, or enable the feature rustls-ring or rustls-aws-lc-rs",
    ))
}

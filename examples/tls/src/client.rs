//! The client's side: which certificates to trust, and how to connect.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use websocket_proto_tokio::client::Uri;

use crate::HANDSHAKE;

/// The certificates that a client trusts.
pub struct Trust(RootCertStore);

impl Trust {
    /// The authorities that Mozilla's browsers trust.
    pub fn the_web() -> Self {
        Self(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() })
    }

    /// The certificates in a PEM file, and no others.
    pub fn only(file: &Path) -> io::Result<Self> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(file).map_err(io::Error::other)? {
            store.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        Ok(Self(store))
    }
}

impl From<Trust> for ClientConfig {
    fn from(trust: Trust) -> Self {
        Self::builder().with_root_certificates(trust.0).with_no_client_auth()
    }
}

/// Connects to the host of a `wss` address, and checks its certificate. `protocols` are the ALPN names to offer.
pub async fn connect(uri: &Uri, trust: Trust, protocols: &[&str]) -> io::Result<TlsStream<TcpStream>> {
    let mut config = ClientConfig::from(trust);
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    // This name is sent (SNI), unless it is an address, and the certificate must be for it (RFC 6455 section 4.1, item
    // 5).
    let name = ServerName::try_from(uri.host().to_owned()).map_err(io::Error::other)?;

    let connecting = async {
        let stream = TcpStream::connect((uri.host_with_zone(), uri.port())).await?;
        // A WebSocket's messages are small and should be sent without delay.
        stream.set_nodelay(true)?;
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    };
    timeout(HANDSHAKE, connecting).await?
}

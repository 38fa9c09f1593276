//! The server's side: a certificate to show, and the protocols that are spoken under it.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{Error, ServerConfig};

use crate::SelfSigned;

/// Accepts clients of TLS 1.2 and 1.3. `protocols` are the names of ALPN in order of preference: a client that offers others
/// only is refused, one that offers none is taken.
pub fn acceptor(certificate: SelfSigned, protocols: &[&str]) -> Result<TlsAcceptor, Error> {
    let (certificate, key) = certificate.into_parts();
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

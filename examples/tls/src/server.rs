//! The server's side: its certificate, and the protocols to offer over TLS.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{Error, ServerConfig};

use crate::SelfSigned;

/// Accepts clients of TLS 1.2 and 1.3. `protocols` are the ALPN names in order of preference. A client that offers only
/// other names is rejected; one that offers none is accepted.
pub fn acceptor(certificate: SelfSigned, protocols: &[&str]) -> Result<TlsAcceptor, Error> {
    let (certificate, key) = certificate.into_parts();
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

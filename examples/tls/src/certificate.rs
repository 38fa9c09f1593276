//! A self-signed certificate for this machine, made when a server starts. It is for trying things out without a
//! certificate authority.

use std::path::Path;

use rcgen::{CertificateParams, CertifiedKey, DnType, KeyPair};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A self-signed certificate: clients have to be given it before they trust it.
pub struct SelfSigned(CertifiedKey<KeyPair>);

impl SelfSigned {
    /// Creates one for the local names of this machine.
    pub fn for_loopback() -> Result<Self, rcgen::Error> {
        let names = ["localhost", "127.0.0.1", "::1"];
        let mut params = CertificateParams::new(names.map(String::from))?;
        params.distinguished_name.push(DnType::CommonName, "a WebSocket example");
        let signing_key = KeyPair::generate()?;
        let cert = params.self_signed(&signing_key)?;
        Ok(Self(CertifiedKey { cert, signing_key }))
    }

    /// Writes the certificate, which is public, for clients to trust; the key is never written to a file.
    pub fn write(&self, file: &Path) -> std::io::Result<()> {
        std::fs::write(file, self.0.cert.pem())
    }

    /// The server's certificate, and the private key that belongs to it.
    pub(crate) fn into_parts(self) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        (self.0.cert.into(), PrivatePkcs8KeyDer::from(self.0.signing_key.serialize_der()).into())
    }
}

//! A certificate for this machine, made when a server starts: for trying things out, where no authority needs to vouch.

use std::path::Path;

use rcgen::{CertificateParams, CertifiedKey, DnType, KeyPair};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate that vouches for itself: whoever is to trust it must be given it.
pub struct SelfSigned(CertifiedKey<KeyPair>);

impl SelfSigned {
    /// One for the names under which this machine reaches itself.
    pub fn for_loopback() -> Result<Self, rcgen::Error> {
        let names = ["localhost", "127.0.0.1", "::1"];
        let mut params = CertificateParams::new(names.map(String::from))?;
        params.distinguished_name.push(DnType::CommonName, "a WebSocket example");
        let signing_key = KeyPair::generate()?;
        let cert = params.self_signed(&signing_key)?;
        Ok(Self(CertifiedKey { cert, signing_key }))
    }

    /// Writes the certificate, which is public, for clients to trust; the key is never written anywhere.
    pub fn write(&self, file: &Path) -> std::io::Result<()> {
        std::fs::write(file, self.0.cert.pem())
    }

    /// What the server shows: the certificate, and the key that proves that it is its own.
    pub(crate) fn into_parts(self) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        (self.0.cert.into(), PrivatePkcs8KeyDer::from(self.0.signing_key.serialize_der()).into())
    }
}

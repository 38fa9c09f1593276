//! The certificate authorities that clients trust by default.

use std::io::{self, ErrorKind};

use tokio_rustls::rustls::RootCertStore;

/// Returns the authorities of all features that are enabled.
pub(super) fn load() -> io::Result<RootCertStore> {
    #[allow(unused_mut, reason = "there may be no feature that adds any")]
    let mut roots = RootCertStore::empty();
    #[cfg(feature = "rustls-webpki-roots")]
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    #[cfg(feature = "rustls-native-certs")]
    {
        // Stores contain certificates that can't be used, such as expired ones. One that is needed will be missed.
        let native = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(native.certs);
        if let (true, Some(error)) = (roots.is_empty(), native.errors.into_iter().next()) {
            return Err(io::Error::other(error));
        }
    }
    if roots.is_empty() {
        return Err(io::Error::new(
            ErrorKind::NotFound,
            "no certificate authorities: enable the feature rustls-webpki-roots or rustls-native-certs, or use Connector::tls",
        ));
    }
    Ok(roots)
}

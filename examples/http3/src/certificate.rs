//! A self-signed certificate for this machine, made when a server starts: for trying things out, without an authority.

use std::path::Path;

use boring::asn1::Asn1Time;
use boring::bn::{BigNum, MsbOption};
use boring::ec::{EcGroup, EcKey};
use boring::error::ErrorStack;
use boring::hash::MessageDigest;
use boring::nid::Nid;
use boring::pkey::{PKey, Private};
use boring::x509::extension::SubjectAlternativeName;
use boring::x509::{X509, X509NameBuilder};

/// How long the certificate is valid.
const VALID_DAYS: u32 = 30;

/// The version of a certificate with extensions: X.509 version 3 is encoded as 2.
const X509_VERSION_3: i32 = 2;

/// A self-signed certificate: clients have to be given it before they trust it.
#[derive(Clone)]
pub struct SelfSigned {
    pub(crate) certificate: X509,
    pub(crate) key: PKey<Private>,
}

impl SelfSigned {
    /// Creates one for the local names of this machine.
    ///
    /// # Errors
    ///
    /// Fails if BoringSSL does.
    pub fn for_loopback() -> Result<Self, ErrorStack> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
        let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
        let mut name = X509NameBuilder::new()?;
        name.append_entry_by_nid(Nid::COMMONNAME, "a WebSocket example")?;
        let name = name.build();
        let mut serial = BigNum::new()?;
        serial.rand(127, MsbOption::MAYBE_ZERO, false)?;

        let mut builder = X509::builder()?;
        builder.set_version(X509_VERSION_3)?;
        let serial = serial.to_asn1_integer()?;
        builder.set_serial_number(&serial)?;
        builder.set_subject_name(&name)?;
        builder.set_issuer_name(&name)?;
        builder.set_pubkey(&key)?;
        let (from, until) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(VALID_DAYS)?);
        builder.set_not_before(&from)?;
        builder.set_not_after(&until)?;
        let names = SubjectAlternativeName::new()
            .dns("localhost")
            .ip("127.0.0.1")
            .ip("::1")
            .build(&builder.x509v3_context(None, None))?;
        builder.append_extension(&names)?;
        builder.sign(&key, MessageDigest::sha256())?;
        Ok(Self { certificate: builder.build(), key })
    }

    /// Writes the certificate, which is public, for clients to trust; the key is never written to a file.
    ///
    /// # Errors
    ///
    /// Fails if the file can't be written.
    pub fn write(&self, file: &Path) -> std::io::Result<()> {
        std::fs::write(file, self.certificate.to_pem().map_err(std::io::Error::other)?)
    }
}

//! Prints a certificate for this machine that vouches for itself, and its key: for a server, and for clients to trust.

use rcgen::{CertifiedKey, generate_simple_self_signed};

fn main() -> Result<(), rcgen::Error> {
    let names = ["localhost", "127.0.0.1"].map(String::from);
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names)?;
    print!("{}{}", cert.pem(), signing_key.serialize_pem());
    Ok(())
}

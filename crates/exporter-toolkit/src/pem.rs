//! Certificates in PEM, for whoever reads a file of them.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// What is said of a text that is not PEM. What the parser says may quote the text, and that may be
/// a key; so it is not passed on.
pub const BROKEN: &str = "is not PEM: a section is cut off or not base64";

/// The certificates of `text`, at least one; other sections are skipped.
pub fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(|_| BROKEN)?;
    if chain.is_empty() {
        Err("has no certificate (-----BEGIN CERTIFICATE-----)")
    } else {
        Ok(chain)
    }
}

//! Certificates in PEM.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// The message for a text that is not PEM. The parser's own message may quote the text, and with it
/// a private key.
pub const MALFORMED: &str = "is not PEM: a section is cut off or not base64";

/// Returns the certificates of `text`, at least one; other sections are skipped.
pub fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(|_| MALFORMED)?;
    if chain.is_empty() {
        Err("has no certificate (-----BEGIN CERTIFICATE-----)")
    } else {
        Ok(chain)
    }
}

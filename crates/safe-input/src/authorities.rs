//! The authorities that TLS connections trust.

use std::path::Path;

use rustls::RootCertStore;

use crate::file;

/// The system's CA store or, if there is none (as in scratch images), Mozilla's.
pub fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // The library reads the file that the variable names to its end, which a pipe may not have.
    let file = std::env::var_os("SSL_CERT_FILE");
    match file.map(|path| file::refuse(Path::new(&path), file::MAX_SMALL)) {
        Some(Err(error)) => {
            tracing::warn!(%error, "SSL_CERT_FILE is not read; Mozilla's authorities are used");
        }
        Some(Ok(())) | None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

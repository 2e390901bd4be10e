//! The names that Go's crypto/tls gives to cipher suites, curves and versions, and what rustls has
//! of them.

use rustls::SupportedCipherSuite;
use rustls::crypto::SupportedKxGroup;
use rustls::crypto::aws_lc_rs::{cipher_suite as suite, kx_group as group};

/// The meaning of a name in Go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known<T> {
    /// rustls has it.
    Here(T),
    /// Go has or had it, rustls does not.
    Elsewhere,
}

/// The suites of Go's `tls.CipherSuites()`, and the four that were among them before Go 1.22.
pub(crate) fn cipher_suite(name: &str) -> Option<Known<SupportedCipherSuite>> {
    let here = match name {
        "TLS_AES_128_GCM_SHA256" => suite::TLS13_AES_128_GCM_SHA256,
        "TLS_AES_256_GCM_SHA384" => suite::TLS13_AES_256_GCM_SHA384,
        "TLS_CHACHA20_POLY1305_SHA256" => suite::TLS13_CHACHA20_POLY1305_SHA256,
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" => suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" => suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" => {
            suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        }
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" => suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" => suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" => {
            suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        }
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
        | "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"
        | "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
        | "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"
        | "TLS_RSA_WITH_AES_128_CBC_SHA"
        | "TLS_RSA_WITH_AES_256_CBC_SHA"
        | "TLS_RSA_WITH_AES_128_GCM_SHA256"
        | "TLS_RSA_WITH_AES_256_GCM_SHA384" => return Some(Known::Elsewhere),
        _ => return None,
    };
    Some(Known::Here(here))
}

/// The four curves of the exporter-toolkit.
pub(crate) fn curve(name: &str) -> Option<Known<&'static dyn SupportedKxGroup>> {
    match name {
        "X25519" => Some(Known::Here(group::X25519)),
        "CurveP256" => Some(Known::Here(group::SECP256R1)),
        "CurveP384" => Some(Known::Here(group::SECP384R1)),
        "CurveP521" => Some(Known::Elsewhere),
        _ => None,
    }
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

/// The four versions of the exporter-toolkit.
pub(crate) fn version(name: &str) -> Option<Version> {
    match name {
        "TLS10" => Some(Version::Tls10),
        "TLS11" => Some(Version::Tls11),
        "TLS12" => Some(Version::Tls12),
        "TLS13" => Some(Version::Tls13),
        _ => None,
    }
}

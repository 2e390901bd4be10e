//! ACS3-HMAC-SHA256: signature V3, the default of Alibaba Cloud's current SDKs.
//!
//! Source: Alibaba Cloud's page "V3 request structure and signature", and the signers of its SDKs.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::encode::{canonical_query, hex};
use crate::secret::Secret;

/// The name of the scheme, in the string to sign and in `Authorization`.
pub const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// SHA-256 of an empty body.
pub const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The parts of a request that the scheme signs.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a, V> {
    /// The method in upper case.
    pub method: &'a str,
    /// The path as sent, each segment encoded once.
    pub path: &'a str,
    /// The query, not encoded.
    pub query: &'a [(&'a str, V)],
    /// The signed headers, lower-case and sorted by name.
    pub headers: &'a [(&'a str, &'a str)],
    /// Lower-case hex SHA-256 of the body.
    pub content_sha256: &'a str,
}

/// Returns true if the scheme signs the header `name`, in lower case, when it is sent.
pub fn is_signed(name: &str) -> bool {
    name == "host" || name == "content-type" || name.starts_with("x-acs-")
}

/// The value of `x-acs-date`: whole seconds in UTC, such as `2026-11-23T10:00:00Z`.
pub fn date(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second())
        .unwrap_or(time)
        .to_string()
}

/// The value of `x-acs-content-sha256` for `body`.
pub fn content_sha256(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}

/// The canonical request.
pub fn canonical_request<V: AsRef<str>>(input: &Input<'_, V>) -> String {
    let mut out = String::with_capacity(640);
    out.push_str(input.method);
    out.push('\n');
    out.push_str(if input.path.is_empty() {
        "/"
    } else {
        input.path
    });
    out.push('\n');
    out.push_str(&canonical_query(input.query));
    out.push('\n');
    for (name, value) in input.headers {
        out.push_str(name);
        out.push(':');
        out.push_str(value.trim());
        out.push('\n');
    }
    out.push('\n');
    push_names(&mut out, input.headers);
    out.push('\n');
    out.push_str(input.content_sha256);
    out
}

/// The string to sign.
pub fn string_to_sign(canonical_request: &str) -> String {
    format!("{ALGORITHM}\n{}", hex(&Sha256::digest(canonical_request)))
}

/// The signature in lower-case hex.
pub fn signature(secret: &Secret, string_to_sign: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(string_to_sign.as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// The value of `Authorization`.
pub fn authorization(access_key_id: &str, headers: &[(&str, &str)], signature: &str) -> String {
    let mut out = format!("{ALGORITHM} Credential={access_key_id},SignedHeaders=");
    push_names(&mut out, headers);
    out.push_str(",Signature=");
    out.push_str(signature);
    out
}

fn push_names(out: &mut String, headers: &[(&str, &str)]) {
    for (index, (name, _)) in headers.iter().enumerate() {
        if index > 0 {
            out.push(';');
        }
        out.push_str(name);
    }
}

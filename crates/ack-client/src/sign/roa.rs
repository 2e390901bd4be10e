//! ROA with HMAC-SHA1: signature version 1.0 in its header, "V2" in Alibaba Cloud's documents, for
//! gateways that do not support V3.
//!
//! Source: Alibaba Cloud's page "ROA mechanism", and the signers of its SDKs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha1::Sha1;

use crate::secret::Secret;

/// The parts of a request that the scheme signs.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a, V> {
    /// The method in upper case.
    pub method: &'a str,
    /// The path as sent.
    pub path: &'a str,
    /// The query, not encoded. No value may be empty: the SDKs do not agree on how to sign one.
    pub query: &'a [(&'a str, V)],
    /// The signed headers, lower-case and sorted by name.
    pub headers: &'a [(&'a str, &'a str)],
}

/// Headers whose values are signed in a fixed place, even if absent.
const STANDARD_HEADERS: [&str; 4] = ["accept", "content-md5", "content-type", "date"];

/// Returns true if the scheme signs the header `name`, in lower case, when it is sent.
pub fn is_signed(name: &str) -> bool {
    STANDARD_HEADERS.contains(&name) || name.starts_with("x-acs-")
}

/// The value of `Date`, such as `Mon, 23 Nov 2026 10:00:00 GMT`.
pub fn date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The string to sign.
pub fn string_to_sign<V: AsRef<str>>(input: &Input<'_, V>) -> String {
    let mut out = String::with_capacity(512);
    out.push_str(input.method);
    out.push('\n');
    for name in STANDARD_HEADERS {
        if let Some((_, value)) = input.headers.iter().find(|(header, _)| *header == name) {
            out.push_str(value);
        }
        out.push('\n');
    }
    for (name, value) in input
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("x-acs-"))
    {
        out.push_str(name);
        out.push(':');
        out.push_str(value);
        out.push('\n');
    }
    out.push_str(input.path);
    let mut sorted: Vec<_> = input
        .query
        .iter()
        .map(|(key, value)| (*key, value.as_ref()))
        .collect();
    sorted.sort_unstable();
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        out.push(if index == 0 { '?' } else { '&' });
        out.push_str(key);
        out.push('=');
        out.push_str(value);
    }
    out
}

/// The signature in base64.
pub fn signature(secret: &Secret, string_to_sign: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(string_to_sign.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The value of `Authorization`.
pub fn authorization(access_key_id: &str, signature: &str) -> String {
    format!("acs {access_key_id}:{signature}")
}

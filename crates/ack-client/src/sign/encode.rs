//! The percent-encoding of both signature schemes.

use std::fmt::Write as _;

/// Appends `text` with everything but `A-Z a-z 0-9 - _ . ~` percent-encoded in upper-case hex.
pub fn percent_encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a String takes every write");
        }
    }
}

/// Encodes keys and values, sorts them by key and joins them with `&`. This query is sent, and ACS3
/// signs it.
pub fn canonical_query<V: AsRef<str>>(query: &[(&str, V)]) -> String {
    let mut sorted: Vec<_> = query
        .iter()
        .map(|(key, value)| (*key, value.as_ref()))
        .collect();
    sorted.sort_unstable();
    let mut out = String::new();
    for (key, value) in sorted {
        if !out.is_empty() {
            out.push('&');
        }
        percent_encode(&mut out, key);
        out.push('=');
        percent_encode(&mut out, value);
    }
    out
}

/// Encodes `bytes` in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
    out
}

//! JSON as the API and its gateways write it.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

/// The levels that JSON may nest, as in `serde_json`.
const MAX_DEPTH: usize = 128;

/// Parses `text`. The error gives the place of a mistake and never the text there.
pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    // serde_json limits the levels of what it reads, but not of what it ignores.
    if depth(text.as_bytes()) > MAX_DEPTH {
        return Err(format!("JSON that nests more than {MAX_DEPTH} deep"));
    }
    serde_json::from_slice(&without_lone_surrogates(text.as_bytes())).map_err(|error| {
        let problem = match error.classify() {
            serde_json::error::Category::Eof => "JSON that ends early",
            serde_json::error::Category::Data => "JSON of another shape",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "broken JSON",
        };
        format!(
            "{problem}, at line {} column {}",
            error.line(),
            error.column()
        )
    })
}

/// Replaces escapes of lone surrogates in `json`. JavaScript and Python write them, and no text in
/// Rust can contain them.
fn without_lone_surrogates(json: &[u8]) -> Cow<'_, [u8]> {
    let mut json = Cow::Borrowed(json);
    let mut at = 0;
    while let Some(found) = json[at..].iter().position(|byte| *byte == b'\\') {
        at += found;
        match (
            surrogate(&json[at..]),
            surrogate(&json[(at + 6).min(json.len())..]),
        ) {
            (None, _) => at += 2,
            (Some(Surrogate::High), Some(Surrogate::Low)) => at += 12,
            (Some(_), _) => {
                json.to_mut()[at + 2..at + 6].copy_from_slice(b"fffd");
                at += 6;
            }
        }
        at = at.min(json.len());
    }
    json
}

enum Surrogate {
    High,
    Low,
}

/// The surrogate that `json` begins with, if it is one.
fn surrogate(json: &[u8]) -> Option<Surrogate> {
    let [b'\\', b'u', b'd' | b'D', second, third, fourth, ..] = json else {
        return None;
    };
    if !third.is_ascii_hexdigit() || !fourth.is_ascii_hexdigit() {
        return None;
    }
    match second.to_ascii_lowercase() {
        b'8'..=b'9' | b'a'..=b'b' => Some(Surrogate::High),
        b'c'..=b'f' => Some(Surrogate::Low),
        _ => None,
    }
}

/// The number of levels that `json` nests. For text that is not JSON, the number has no meaning.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            // Skips a string to its end.
            b'"' => {
                while bytes
                    .next()
                    .is_some_and(|byte| *byte != b'"' && (*byte != b'\\' || bytes.next().is_some()))
                {
                }
            }
            _ => {}
        }
    }
    deepest
}

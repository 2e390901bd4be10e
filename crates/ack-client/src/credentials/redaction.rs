//! Removal of secrets from texts of servers, which may repeat a request in several encodings.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::secret::Secret;
use crate::sign::encode::percent_encode;

const MASK: &str = "<secret>";

/// The shortest secret that is removed, in bytes. A shorter one may be a part of other words: the
/// secret `sk` would spoil `tasks`. Real keys have 30 characters, and real tokens hundreds.
const MIN_LENGTH: usize = 8;

/// The part of a secret that is searched for its core, in bytes. Tokens may be a thousand
/// characters long, and every response is searched for the core.
const PREFIX_LENGTH: usize = 64;

/// Replaces each of `secrets` in `text`: plain, percent-encoded, escaped as in JSON, or in base64.
/// For other encodings, the longest run of letters and digits near the start of each is replaced
/// too.
pub(crate) fn redact<'t>(secrets: &[&Secret], text: &'t str) -> Cow<'t, str> {
    let mut text = Cow::Borrowed(text);
    for secret in secrets {
        let secret = secret.expose();
        if secret.len() >= MIN_LENGTH {
            redact_one(secret, &mut text);
            redact_base64(secret, &mut text);
        }
    }
    text
}

fn redact_one(secret: &str, text: &mut Cow<'_, str>) {
    let core = core(secret);
    // Letters and digits are the same in every encoding, so that nearly every text is searched
    // only once.
    if !text.contains(core) {
        return;
    }
    for encoding in encodings(secret) {
        *text = text.replace(&encoding, MASK).into();
    }
    if core.len() >= MIN_LENGTH {
        *text = text.replace(core, MASK).into();
    }
}

/// Replaces the runs of base64 that contain `secret`, alone or inside a longer text.
fn redact_base64(secret: &str, text: &mut Cow<'_, str>) {
    let start = &secret.as_bytes()[..secret.len().min(PREFIX_LENGTH)];
    for bytes_before in 0..3 {
        let mut bytes = vec![0; bytes_before];
        bytes.extend_from_slice(start);
        let encoded = STANDARD_NO_PAD.encode(bytes);
        // The first and the last digit depend on the bytes around the secret.
        let own = &encoded[(8 * bytes_before).div_ceil(6)..encoded.len() - 1];
        // Letters and digits are the same in the alphabet for URLs.
        let core = core(own);
        while core.len() >= MIN_LENGTH
            && let Some(found) = text.find(core)
        {
            let is_other = |c: char| !(c.is_ascii_alphanumeric() || "+/-_=\\%".contains(c));
            let begin = text[..found].rfind(is_other);
            let begin = begin.map_or(0, |at| {
                at + text[at..].chars().next().map_or(0, char::len_utf8)
            });
            let end = text[found..]
                .find(is_other)
                .map_or(text.len(), |at| found + at);
            text.to_mut().replace_range(begin..end, MASK);
        }
    }
}

/// The longest run of letters and digits at the start of `secret`.
fn core(secret: &str) -> &str {
    let prefix = secret.get(..PREFIX_LENGTH).unwrap_or(secret);
    prefix
        .split(|c: char| !c.is_ascii_alphanumeric())
        .max_by_key(|run| run.len())
        .unwrap_or_default()
}

/// The encodings of a secret that servers use. Some JSON writers escape more than they must.
fn encodings(secret: &str) -> [String; 5] {
    let mut percent = String::new();
    percent_encode(&mut percent, secret);
    let escape_slashes = |text: &str| text.replace('/', "\\/");
    let escaped_signs = secret.replace('=', "\\u003d").replace('+', "\\u002b");
    [
        secret.to_owned(),
        percent,
        escape_slashes(secret),
        escape_slashes(&escaped_signs),
        escaped_signs,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_encoding() {
        let secrets = [&Secret::new("CAIS+8QF1q6Ft5/B2yfSjI=="), &Secret::new("")];
        for encoding in [
            "CAIS+8QF1q6Ft5/B2yfSjI==",
            "CAIS%2B8QF1q6Ft5%2FB2yfSjI%3D%3D",
            "CAIS+8QF1q6Ft5\\/B2yfSjI==",
            "CAIS\\u002b8QF1q6Ft5/B2yfSjI\\u003d\\u003d",
            "CAIS\\u002b8QF1q6Ft5\\/B2yfSjI\\u003d\\u003d",
        ] {
            assert_eq!(
                redact(&secrets, &format!("a {encoding}, {encoding}")),
                "a <secret>, <secret>"
            );
        }
        let cut = redact(&secrets, "token: CAIS&#43;8QF1q6Ft5&#47;B2yf");
        assert!(!cut.contains("8QF1q6Ft5"), "{cut}");
    }

    #[test]
    fn a_secret_is_found_in_base64_wherever_it_begins() {
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

        let token = "CAIS+8QF1q6Ft5/B2yfSjI".repeat(20);
        for token in [token.as_str(), "8QF1q6Ft5/B2"] {
            let secrets = [&Secret::new(token)];
            for before in ["", "a", "ab", "{\"token\":\""] {
                let whole = format!("{before}{token}\"}}");
                for encoded in [STANDARD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)] {
                    let text = format!("你好 {encoded}, {encoded}.");
                    assert_eq!(
                        redact(&secrets, &text),
                        "你好 <secret>, <secret>.",
                        "{whole}"
                    );
                }
            }
        }
    }

    #[test]
    fn other_text_is_left_as_it_is() {
        let secrets =
            ["a/b", "/+/", "long0enough/x", "sk", "t", "secret", "Token"].map(Secret::new);
        let text = "a banana is long enough, and InvalidSecurityToken.Expired no secret of a task";
        assert_eq!(redact(&secrets.each_ref(), text), text);
    }
}

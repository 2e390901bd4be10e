//! Secrets taken out of what a server says: it may repeat what it was sent, in one spelling or
//! another.

use std::borrow::Cow;

use crate::secret::Secret;
use crate::sign::encode::percent_encode;

const MASK: &str = "<secret>";

/// Shorter pieces may well be part of something else. Real keys have 30 characters, real tokens
/// hundreds; to look for an `sk` that somebody tries things out with would make another reply of
/// `tasks`.
const TELLING: usize = 8;

/// `text` without those of `secrets` that are long enough to be told from other words, be they
/// plain, percent-encoded, or with the escapes of JSON. What spelling there may be besides, the
/// longest run of letters and digits at the beginning of each goes too.
pub(super) fn hide<'t>(secrets: &[&Secret], text: &'t str) -> Cow<'t, str> {
    let mut text = Cow::Borrowed(text);
    for secret in secrets
        .iter()
        .map(|secret| secret.expose())
        .filter(|secret| secret.len() >= TELLING)
    {
        let core = core(secret);
        // Letters and digits are the same in every spelling, so that nearly every text is searched
        // once and left alone.
        if !text.contains(core) {
            continue;
        }
        for spelling in spellings(secret) {
            text = text.replace(&spelling, MASK).into();
        }
        if core.len() >= TELLING {
            text = text.replace(core, MASK).into();
        }
    }
    text
}

/// Tokens may be a thousand characters long, and every reply is searched for the core of one.
const BEGINNING: usize = 64;

/// The longest run of letters and digits in the beginning of `secret`.
fn core(secret: &str) -> &str {
    let beginning = secret.get(..BEGINNING).unwrap_or(secret);
    beginning
        .split(|c: char| !c.is_ascii_alphanumeric())
        .max_by_key(|run| run.len())
        .unwrap_or_default()
}

/// The secret as servers write it; some writers of JSON escape what need not be.
fn spellings(secret: &str) -> [String; 5] {
    let mut percent = String::new();
    percent_encode(&mut percent, secret);
    let (slashes, signs) = (
        |text: &str| text.replace('/', "\\/"),
        |text: &str| text.replace('=', "\\u003d").replace('+', "\\u002b"),
    );
    [
        secret.to_owned(),
        percent,
        slashes(secret),
        signs(secret),
        slashes(&signs(secret)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let secrets = [&Secret::new("CAIS+8QF1q6Ft5/B2yfSjI=="), &Secret::new("")];
        for spelling in [
            "CAIS+8QF1q6Ft5/B2yfSjI==",
            "CAIS%2B8QF1q6Ft5%2FB2yfSjI%3D%3D",
            "CAIS+8QF1q6Ft5\\/B2yfSjI==",
            "CAIS\\u002b8QF1q6Ft5/B2yfSjI\\u003d\\u003d",
            "CAIS\\u002b8QF1q6Ft5\\/B2yfSjI\\u003d\\u003d",
        ] {
            assert_eq!(
                hide(&secrets, &format!("a {spelling}, {spelling}")),
                "a <secret>, <secret>"
            );
        }
        let cut = hide(&secrets, "token: CAIS&#43;8QF1q6Ft5&#47;B2yf");
        assert!(!cut.contains("8QF1q6Ft5"), "{cut}");
    }

    #[test]
    fn other_text_is_left_as_it_is() {
        let secrets =
            ["a/b", "/+/", "long0enough/x", "sk", "t", "secret", "Token"].map(Secret::new);
        let text = "a banana is long enough, and InvalidSecurityToken.Expired no secret of a task";
        assert_eq!(hide(&secrets.each_ref(), text), text);
    }
}

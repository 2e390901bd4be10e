//! Text from the API, made safe for logs and metrics.

use safe_input::text::is_invisible;

/// The length of a cleaned text, in characters.
pub const MAX_MESSAGE: usize = 256;

/// Cleans a text from the API as [`clean`] does, and cuts it to [`MAX_MESSAGE`] characters.
pub fn clean_message(text: &str) -> String {
    clean(text, MAX_MESSAGE)
}

/// Cleans a text from the API: line breaks and tabs become one space, other invisible characters
/// are removed, and the text is cut to `limit` characters, the last of which is then an ellipsis.
///
/// Joiners (ZWNJ, ZWJ) and variation selectors are removed too, though some scripts spell words
/// with them. The API writes Chinese and English, and a cluster's name has letters, digits and
/// hyphens, so that they spell nothing there.
pub fn clean(text: &str, limit: usize) -> String {
    let mut clean = String::with_capacity(text.len().min(limit.saturating_mul(4)));
    let mut length = 0;
    for c in text.trim_matches(is_blank).chars() {
        let c = match c {
            c if is_break(c) && clean.ends_with(' ') => continue,
            c if is_break(c) => ' ',
            c if is_invisible(c) => continue,
            c => c,
        };
        if length == limit {
            clean.pop();
            clean.push('…');
            break;
        }
        clean.push(c);
        length += 1;
    }
    clean
}

/// Returns true for a character that leaves no trace at the ends of a text.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}

/// Returns true for a tab and for the ends of lines and paragraphs.
fn is_break(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_is_cleaned_and_cut_by_characters() {
        assert_eq!(clean_message("  a\r\n\tb\u{7f}\u{1b}c  d "), "a bc  d");
        let cut = clean_message(&"升".repeat(300));
        assert_eq!(
            (cut.chars().count(), cut.chars().last()),
            (MAX_MESSAGE, Some('…'))
        );
        let whole = "升".repeat(MAX_MESSAGE);
        assert_eq!(
            clean_message(&format!("{whole}\u{1b} \n")),
            whole,
            "nothing is left out that could be seen"
        );
        assert_eq!(clean_message("\n"), "");
    }

    #[test]
    fn bidirectional_and_zero_width_characters_are_removed() {
        assert_eq!(
            clean_message("\u{feff}up\u{200b}grade \u{202e}deliaf\u{202c}\u{2066}x\u{2069}"),
            "upgrade deliafx"
        );
        assert_eq!(clean_message("one\u{2028}two\u{85}three"), "one two three");
        assert_eq!(
            clean_message("a\u{200c}b\u{200d}c\u{ad}d\u{e0041}e"),
            "abcde"
        );
        assert_eq!(clean_message("\u{200b} \u{200b}a\u{200b} "), "a");
        assert_eq!(clean_message("升级 é e\u{301} 🙂"), "升级 é e\u{301} 🙂");
    }

    proptest! {
        #[test]
        fn no_message_has_an_invisible_character_or_is_too_long(text in any::<String>()) {
            let clean = clean_message(&text);
            prop_assert!(!clean.chars().any(is_invisible));
            prop_assert!(clean.chars().count() <= MAX_MESSAGE);
        }
    }
}

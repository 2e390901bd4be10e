//! Characters that cannot be seen. Some change how the text around them is shown: a terminal obeys
//! an escape character, U+202E turns the text that follows it round, and U+200B makes two names
//! look the same that are not.

use std::borrow::Cow;
use std::ops::RangeInclusive;

/// The invisible characters beside control characters (`Cc`): line and paragraph separators,
/// interlinear annotations, and all code points with Unicode's property
/// `Default_Ignorable_Code_Point`, to which the zero-width and the bidirectional ones belong.
/// Source: <https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt>.
const INVISIBLE: [RangeInclusive<char>; 17] = [
    '\u{ad}'..='\u{ad}',       // soft hyphen
    '\u{34f}'..='\u{34f}',     // combining grapheme joiner
    '\u{61c}'..='\u{61c}',     // Arabic letter mark
    '\u{115f}'..='\u{1160}',   // Hangul fillers
    '\u{17b4}'..='\u{17b5}',   // Khmer inherent vowels
    '\u{180b}'..='\u{180f}',   // Mongolian variation selectors and vowel separator
    '\u{200b}'..='\u{200f}',   // zero-width space, ZWNJ, ZWJ, marks of direction
    '\u{2028}'..='\u{202e}',   // separators of lines and paragraphs, embeddings and overrides
    '\u{2060}'..='\u{206f}',   // word joiner, invisible operators, isolates
    '\u{3164}'..='\u{3164}',   // Hangul filler
    '\u{fe00}'..='\u{fe0f}',   // variation selectors
    '\u{feff}'..='\u{feff}',   // byte order mark
    '\u{ffa0}'..='\u{ffa0}',   // halfwidth Hangul filler
    '\u{fff0}'..='\u{fffb}',   // reserved, interlinear annotations
    '\u{1bca0}'..='\u{1bca3}', // shorthand format controls
    '\u{1d173}'..='\u{1d17a}', // musical format controls
    '\u{e0000}'..='\u{e0fff}', // tags, variation selectors
];

/// Returns true for a character that cannot be seen. A space is seen by the distance that it makes;
/// a tab and a line feed are control characters.
pub fn is_invisible(c: char) -> bool {
    c.is_control() || (c > '~' && INVISIBLE.iter().any(|range| range.contains(&c)))
}

/// Returns true for an invisible character that no script needs in the text of an operator.
pub fn is_misleading(c: char) -> bool {
    is_invisible(c) && !is_spelling(c)
}

/// Returns true for the joiners ZWNJ and ZWJ, which spell words in Persian and in the scripts of
/// India, and for variation selectors, which choose a form of the character before them. Both make
/// up emoji.
fn is_spelling(c: char) -> bool {
    matches!(
        c,
        '\u{200c}' | '\u{200d}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

/// Replaces each invisible character by its number, as in `\u{202e}`.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_where(text, is_invisible)
}

/// Replaces invisible characters like [`escape`], but keeps line feeds and tabs.
pub fn escape_lines(text: &str) -> Cow<'_, str> {
    escape_where(text, |c| is_invisible(c) && !matches!(c, '\n' | '\t'))
}

fn escape_where(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_is_sorted_and_its_ranges_do_not_meet() {
        for (one, next) in INVISIBLE.iter().zip(INVISIBLE.iter().skip(1)) {
            assert!(
                one.start() <= one.end() && one.end() < next.start(),
                "{one:?}"
            );
        }
    }

    #[test]
    fn bidirectional_and_zero_width_characters_are_invisible_and_text_is_not() {
        // Bidi_Control of https://www.unicode.org/Public/UCD/latest/ucd/PropList.txt
        let bidirectional = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\
             \u{2066}\u{2067}\u{2068}\u{2069}";
        let others = "\0\n\t\u{1b}\u{7f}\u{9b}\u{ad}\u{200b}\u{200c}\u{200d}\u{2028}\u{2029}\u{2060}\
             \u{180e}\u{fe0f}\u{feff}\u{fff9}\u{e0001}\u{e0100}";
        for c in bidirectional.chars().chain(others.chars()) {
            assert!(is_invisible(c), "{:x}", u32::from(c));
        }
        for c in " ~aé升级е\u{301}म\u{94d}…“”\u{a0}\u{2009}\u{3000}🙂\u{fffd}".chars()
        {
            assert!(!is_invisible(c), "{c}");
        }
    }

    #[test]
    fn characters_that_spell_words_and_emoji_are_invisible_but_do_not_mislead() {
        for c in "\u{200c}\u{200d}\u{180b}\u{fe0f}\u{e0100}".chars() {
            assert!(is_invisible(c) && !is_misleading(c), "{:x}", u32::from(c));
        }
        for c in "\u{1b}\n\u{200b}\u{200e}\u{202e}\u{2066}\u{feff}\u{e0041}".chars() {
            assert!(is_misleading(c), "{:x}", u32::from(c));
        }
    }

    #[test]
    fn an_escaped_text_shows_what_was_hidden() {
        assert_eq!(
            escape("a\u{1b}[31m\u{202e}b\n"),
            "a\\u{1b}[31m\\u{202e}b\\n"
        );
        assert_eq!(escape_lines("a\n\tb\r\u{202e}"), "a\n\tb\\r\\u{202e}");
        assert!(matches!(escape("plain 升级"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn no_escaped_text_has_an_invisible_character(text in any::<String>()) {
            prop_assert!(!escape(&text).chars().any(is_invisible));
        }
    }
}

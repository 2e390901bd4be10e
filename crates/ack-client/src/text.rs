//! Text from the API, made safe for logs and metrics.

/// The length of a cleaned text, in characters.
pub const MAX_MESSAGE: usize = 256;

/// Cleans a text from the API: line breaks and tabs become one space, other control characters are
/// removed, and the text is cut to [`MAX_MESSAGE`] characters, the last of which is then an
/// ellipsis.
pub fn clean_message(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(4 * MAX_MESSAGE));
    let mut length = 0;
    for c in text.trim().chars() {
        let c = match c {
            '\r' | '\n' | '\t' if clean.ends_with(' ') => continue,
            '\r' | '\n' | '\t' => ' ',
            c if c.is_control() => continue,
            c => c,
        };
        if length == MAX_MESSAGE {
            clean.pop();
            clean.push('…');
            break;
        }
        clean.push(c);
        length += 1;
    }
    clean
}

#[cfg(test)]
mod tests {
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
}

//! The escaping of every value in a template; askama.toml names it for HTML.

use std::fmt::{self, Write};

use askama::filters::Escaper;
use safe_input::text::is_misleading;

/// Escapes for text and quoted attributes, and replaces invisible characters, which askama's own
/// escaper lets through. Those that spell words stay, since an operator's own text may need them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HtmlEscaper;

impl Escaper for HtmlEscaper {
    fn write_escaped_str<W: Write>(&self, mut destination: W, text: &str) -> fmt::Result {
        let mut written = 0;
        for (at, character) in text.char_indices() {
            if let Some(replacement) = replacement(character) {
                destination.write_str(&text[written..at])?;
                destination.write_str(replacement)?;
                written = at + character.len_utf8();
            }
        }
        destination.write_str(&text[written..])
    }
}

fn replacement(character: char) -> Option<&'static str> {
    match character {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        hidden if is_misleading(hidden) => Some("\u{fffd}"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use askama::Template;

    #[derive(Template)]
    #[template(source = "<b title=\"{{ text }}\">{{ text }}</b>", ext = "html")]
    struct Bold<'a> {
        text: &'a str,
    }

    fn bold(text: &str) -> String {
        Bold { text }.render().unwrap()
    }

    #[test]
    fn values_are_escaped_and_templates_are_not() {
        let escaped = "&quot;&#39;&gt;&lt;b&gt;&amp;lt;";
        assert_eq!(
            bold("\"'><b>&lt;"),
            format!("<b title=\"{escaped}\">{escaped}</b>")
        );
    }

    #[test]
    fn invisible_characters_are_replaced() {
        let escaped = "a\u{fffd}b\u{fffd}c\u{fffd}升\u{fffd}\u{fffd}م\u{200c}ن";
        assert_eq!(
            bold("a\u{0}b\u{202e}c\u{9f}升\n\u{200b}م\u{200c}ن"),
            format!("<b title=\"{escaped}\">{escaped}</b>")
        );
    }
}

//! Markup that nothing breaks out of: templates are literals, and whatever goes into one is
//! escaped.

use std::fmt::{self, Write};

/// A piece of a page, written with [`markup!`].
#[derive(Debug)]
pub(super) struct Html(String);

/// Appends a template to an [`Html`], with every value in it escaped. Attributes are to be in
/// double quotes.
///
/// A format string that comes out of a macro can't capture variables, so `{name}` in a template
/// does not compile: there is no way around the escaping.
macro_rules! markup {
    ($html:expr, $template:literal $(, $value:expr)* $(,)?) => {
        $html.write(format_args!(concat!($template) $(, $crate::web::status_page::html::Escaped(&$value))*))
    };
}
pub(super) use markup;

/// A value as it may stand between tags and in quoted attributes.
#[derive(Debug)]
pub(super) struct Escaped<'a, T: ?Sized>(pub(super) &'a T);

impl Html {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self(String::with_capacity(capacity))
    }

    /// For [`markup!`], which sees to the escaping.
    pub(super) fn write(&mut self, markup: fmt::Arguments<'_>) {
        self.0
            .write_fmt(markup)
            .expect("a String takes every write");
    }

    /// Appends one of the page's own files as it is.
    pub(super) fn file(&mut self, content: &'static str) {
        self.0.push_str(content);
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

impl<T: fmt::Display + ?Sized> fmt::Display for Escaped<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escape(f), "{}", self.0)
    }
}

/// Escapes what passes through.
struct Escape<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escape<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, c, replacement)) = rest
            .char_indices()
            .find_map(|(at, c)| Some((at, c, replacement(c)?)))
        {
            self.0.write_str(&rest[..at])?;
            self.0.write_str(replacement)?;
            rest = &rest[at + c.len_utf8()..];
        }
        self.0.write_str(rest)
    }
}

/// What stands for a character that is not shown as it is.
fn replacement(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        // Not allowed in HTML, or made to turn around the text that follows.
        c if c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}') =>
        {
            Some("\u{fffd}")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_templates_are_not() {
        let mut html = Html::with_capacity(64);
        markup!(html, "<b title=\"{}\">{}</b>", "\"'><script>", 1 < 2);
        assert_eq!(
            html.finish(),
            "<b title=\"&quot;&#39;&gt;&lt;script&gt;\">true</b>"
        );
    }

    #[test]
    fn control_and_direction_characters_show_as_replaced() {
        assert_eq!(
            Escaped("a\u{0}b\u{202e}c\u{9f}升\n").to_string(),
            "a\u{fffd}b\u{fffd}c\u{fffd}升\u{fffd}"
        );
    }
}

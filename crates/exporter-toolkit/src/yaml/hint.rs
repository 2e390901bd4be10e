//! Hints for texts that are not YAML: the parser's own messages do not name the usual mistakes.

/// The hint for an `error` of the parser at a line of `text`, counted from 1; empty if there is
/// none.
pub(super) fn of(error: &str, text: &str, line: usize) -> &'static str {
    let mut lines: Vec<_> = text.lines().take(line).collect();
    let here = lines.pop().unwrap_or_default();
    let before = lines.pop().unwrap_or_default();
    if indentation(here).contains('\t') {
        "; indent with spaces, not with tabs"
    } else if has_wide_colon(before) || has_wide_colon(here) {
        "; write : in place of \u{ff1a}"
    } else if error.contains("parsing a block") {
        "; check the indentation"
    } else {
        ""
    }
}

/// True if the colon of Chinese texts is the only one.
fn has_wide_colon(line: &str) -> bool {
    line.contains('\u{ff1a}') && !line.contains(':')
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_usual_mistakes_have_a_hint() {
        for (text, line, error, expected) in [
            ("a:\n\tb: 1", 2, "", "; indent with spaces, not with tabs"),
            ("a\u{ff1a}\n  b: 1", 2, "", "; write : in place of \u{ff1a}"),
            (
                "a: 1\n b: 2",
                2,
                "while parsing a block mapping",
                "; check the indentation",
            ),
            ("a: [1", 1, "while parsing a flow sequence", ""),
            ("", 0, "", ""),
        ] {
            assert_eq!(of(error, text, line), expected, "{text}");
        }
    }
}

//! The words of the API, whose letter case and separators differ between its versions.

/// The characters of `text` in lower case, without separators.
pub(super) fn normalized(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .map(|c| c.to_ascii_lowercase())
}

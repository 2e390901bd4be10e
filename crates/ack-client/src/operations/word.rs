//! The words of the API, whose letter case and separators differ between its versions.

/// The characters of `text` in lower case, without separators.
pub(super) fn normalized(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .map(|c| c.to_ascii_lowercase())
}

/// Returns the value of `values` whose text by `text` is `word`, in any spelling.
pub(super) fn find<T: Copy>(
    values: &[T],
    text: impl Fn(T) -> &'static str,
    word: &str,
) -> Option<T> {
    let is_meant = |value: &T| normalized(text(*value)).eq(normalized(word));
    values.iter().copied().find(is_meant)
}

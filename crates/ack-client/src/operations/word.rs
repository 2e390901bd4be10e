//! The words of the API, whose letter case and separators differ between its versions.

use crate::state_set::StateSet;

/// The characters of `text` in lower case, without separators.
pub(super) fn normalized(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .map(|c| c.to_ascii_lowercase())
}

/// Returns true if `one` and `other` are the same word in any spelling.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    normalized(one).eq(normalized(other))
}

/// The value of `T` that `word` names, in any spelling.
pub(super) fn find<T: StateSet>(word: &str) -> Option<T> {
    let is_meant = |value: &T| is_same(value.as_str(), word);
    T::ALL.iter().copied().find(is_meant)
}

//! Complaints about keys and values, and what they have in common.

/// The complaint about a key that is not among the `known` ones.
pub fn unknown_key(key: &str, known: &[&str]) -> String {
    match (nearest(key, known.iter().copied()), known) {
        (Some(known), _) => format!("unknown key, did you mean {known}?"),
        (None, []) => "unknown key".to_owned(),
        (None, _) => format!("unknown key; here it may be {}", one_of(known)),
    }
}

/// The one of `known` that differs from `word` by a typing error or two, if there is one.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A longer word is no typing error, and comparing it takes long.
    if word.len() > 64 {
        return None;
    }
    let length = word.chars().count();
    let allowed = |known: &str| (known.len() / 4).max(1);
    known
        // Each missing character is an error, and counting is quicker than comparing.
        .filter(|known| length.abs_diff(known.chars().count()) <= allowed(known))
        .map(|known| (strsim::osa_distance(word, known), known))
        .filter(|(errors, known)| *errors <= allowed(known))
        .min_by_key(|(errors, _)| *errors)
        .map(|(_, known)| known)
}

/// `a, b or c`.
pub fn one_of(words: &[&str]) -> String {
    match words.split_last() {
        None => String::new(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

/// The complaint about a value that should be a whole number.
pub const WHOLE_NUMBER: &str = "must be a whole number from 1 to 4294967295";

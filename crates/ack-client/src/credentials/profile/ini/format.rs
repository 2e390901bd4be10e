//! The INI format, as the credentials SDKs read it.

use std::collections::BTreeMap;

/// Reads the keys of the section `name`, if `text` has it. The error is the number of the line with
/// a mistake.
pub(super) fn section<'a>(
    text: &'a str,
    name: &str,
) -> Result<Option<BTreeMap<&'a str, &'a str>>, usize> {
    let mut found: Option<BTreeMap<_, _>> = None;
    let mut is_inside = false;
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            is_inside = header.split_once(']').ok_or(index + 1)?.0.trim() == name;
            if is_inside {
                found.get_or_insert_default();
            }
            continue;
        }
        let (key, value) = line.split_once(['=', ':']).ok_or(index + 1)?;
        if let Some(keys) = found.as_mut().filter(|_| is_inside) {
            keys.insert(key.trim(), unquote(value));
        }
    }
    Ok(found)
}

/// Removes the quotes of a value or, if it has none, the comment after it.
fn unquote(value: &str) -> &str {
    let value = value.trim();
    for quote in ['"', '\'', '`'] {
        if let Some(inner) = value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inner;
        }
    }
    let comment = [" #", " ;", "\t#", "\t;"]
        .iter()
        .filter_map(|start| value.find(start))
        .min();
    value[..comment.unwrap_or(value.len())].trim_end()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::section;

    proptest! {
        #[test]
        fn no_file_is_too_odd_to_be_read_or_refused(text in r#"([\[\]=:#;"'` \n\ta-z\u{feff}é]|\[default\]\n){0,60}"#) {
            if let Ok(Some(keys)) = section(&text, "default") {
                prop_assert!(keys.iter().all(|(key, value)| text.contains(key) && text.contains(value)));
            }
        }
    }
}

//! Spellings that the API's reference, samples and tools use beside the usual ones.
//!
//! One object in sixteen has one of them, always the same one. Each can be read without a loss.

use serde_json::Value;

/// The keys of words that clients compare without regard to case.
const WORDS: [&str; 4] = ["state", "status", "type", "level"];

/// Writes an object as some other source does, if the seed selects it. `optional` are the fields
/// that it can lack.
pub(super) fn vary(value: &mut Value, seed: u64, optional: &[&str]) {
    match seed % 48 {
        0 => for_each_field(value, &write_in_capitals),
        1 => for_each_field(value, &write_as_text),
        2 => for_each_field(value, &|key, field| {
            if optional.contains(&key) {
                *field = Value::Null;
            }
        }),
        _ => {}
    }
}

fn write_in_capitals(key: &str, field: &mut Value) {
    if let Value::String(word) = field
        && WORDS.contains(&key)
    {
        *word = word.to_uppercase();
    }
}

fn write_as_text(_: &str, field: &mut Value) {
    if field.is_number() {
        *field = Value::String(field.to_string());
    }
}

/// Changes every field of an object and of the objects in it, but not those in its lists.
fn for_each_field(value: &mut Value, change: &impl Fn(&str, &mut Value)) {
    let Value::Object(fields) = value else { return };
    for (key, field) in fields {
        change(key, field);
        for_each_field(field, change);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_spelling_changes_its_own_fields_only() {
        let original = json!({"name": "a", "status": {"state": "active", "total_nodes": 3}});
        let varied = |seed| {
            let mut value = original.clone();
            vary(&mut value, seed, &["name"]);
            value
        };
        assert_eq!(
            varied(48),
            json!({"name": "a", "status": {"state": "ACTIVE", "total_nodes": 3}})
        );
        assert_eq!(
            varied(49),
            json!({"name": "a", "status": {"state": "active", "total_nodes": "3"}})
        );
        assert_eq!(
            varied(50),
            json!({"name": null, "status": {"state": "active", "total_nodes": 3}})
        );
        assert_eq!(varied(51), original);
    }
}

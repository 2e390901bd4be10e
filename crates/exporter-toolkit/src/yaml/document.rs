//! YAML text → a typed value, with every mistake on the way collected by its path.

use std::cell::RefCell;
use std::fmt;

use safe_input::text::is_misleading;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value};

use super::hint;
use super::lines::Lines;
use super::path::Path;
use super::problem::Problems;
use super::strict;

/// A text that has it makes the parser panic, in tests.
#[cfg(feature = "panic")]
pub const PANIC: &str = "# panic";

/// Reads `text` as a `T`. Mistakes are added to `problems`, and the values that have them are left
/// out of the result, so that the rest can still be checked. A required key or an item of a list
/// that was refused reads as a stand-in: text is `missing`, and an optional value is absent.
pub fn read<T: DeserializeOwned + Default>(text: &str, problems: &mut Problems) -> T {
    #[cfg(feature = "panic")]
    assert!(
        !text.contains(PANIC),
        "so that it is seen what a panic does"
    );
    let found = RefCell::new(Vec::new());
    let tree = Tree {
        path: Path::root(),
        findings: &found,
    };
    // Some editors begin every file with it; the parser takes it for a document of its own.
    let text = text.trim_start_matches('\u{feff}');
    let value = tree.deserialize(yaml_serde::Deserializer::from_str(text));
    let findings = found.into_inner();
    let lines = if findings.is_empty() {
        Lines::default()
    } else {
        Lines::of(text)
    };
    note_repetitions(&findings, &lines, problems);
    match value {
        Ok(Value::Null) => T::default(),
        Ok(value) => {
            let read = strict::read(&value, problems).unwrap_or_default();
            note_invisible(findings, &lines, problems);
            read
        }
        Err(error) => {
            let line = error.location().map(|place| place.line());
            let error = error.to_string();
            let hint = hint::of(&error, text, line.unwrap_or_default());
            problems.note_at(line, Path::root(), format!("not YAML: {error}{hint}"));
            T::default()
        }
    }
}

/// A mistake that the typed value would not show, and its place.
struct Finding {
    path: Path,
    kind: FindingKind,
}

enum FindingKind {
    /// A key that was there before in the same mapping.
    Repetition,
    /// A value that contains this character, which cannot be seen.
    Invisible(char),
}

/// Notes the repetitions, before the values are read: only the first of them is.
fn note_repetitions(findings: &[Finding], lines: &Lines, problems: &mut Problems) {
    for Finding { path, kind } in findings {
        if matches!(kind, FindingKind::Repetition) && !problems.has(path) {
            problems.note_at(lines.last(path), path.clone(), "this key is there twice");
        }
    }
}

/// Notes the characters that cannot be seen, in place of what else is wrong with such a value.
fn note_invisible(findings: Vec<Finding>, lines: &Lines, problems: &mut Problems) {
    for Finding { path, kind } in findings {
        if let FindingKind::Invisible(c) = kind {
            let message = format!(
                "has U+{:04X}, a character that cannot be seen",
                u32::from(c)
            );
            problems.forget(&path);
            problems.note_at(lines.nearest(&path), path, message);
        }
    }
}

/// Builds a [`Value`] and remembers what it finds. A typed map would silently drop the keys that
/// are there twice.
struct Tree<'a> {
    path: Path,
    findings: &'a RefCell<Vec<Finding>>,
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping, a list or a scalar")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(value.to_string().into())
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(value.to_string().into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        // JSON knows no infinity; as text it is refused where a number belongs.
        Ok(serde_json::Number::from_f64(value)
            .map_or_else(|| value.to_string().into(), Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        // A policy or a certificate has several lines.
        let is_odd = |c: char| is_misleading(c) && !matches!(c, '\n' | '\r' | '\t');
        if let Some(odd) = value.chars().find(|c| is_odd(*c)) {
            self.findings.borrow_mut().push(Finding {
                path: self.path,
                kind: FindingKind::Invisible(odd),
            });
        }
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Tree {
            path: self.path.index(list.len()),
            findings: self.findings,
        })? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<Value>()? {
            let key = match key {
                Value::String(key) => key,
                Value::Number(_) | Value::Bool(_) => key.to_string(),
                _ => {
                    return Err(A::Error::custom(format!(
                        "a key in {} is neither a word nor a number",
                        self.path
                    )));
                }
            };
            let path = self.path.key(&key);
            let value = entries.next_value_seed(Tree {
                path: path.clone(),
                findings: self.findings,
            })?;
            if map.contains_key(&key) {
                self.findings.borrow_mut().push(Finding {
                    path,
                    kind: FindingKind::Repetition,
                });
            } else {
                map.insert(key, value);
            }
        }
        Ok(Value::Object(map))
    }
}

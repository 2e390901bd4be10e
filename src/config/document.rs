//! YAML text → a value of the raw types, with every mistake on the way collected by its path.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use super::problem::{Path, Problems};
use super::strict::Strict;

/// A text that has it makes the parser panic, in tests.
#[cfg(test)]
pub(crate) const PANIC: &str = "# panic";

/// Reads `text` as a `T`. What is wrong is noted in `problems` and left out of the result, so that the rest can still
/// be checked; a list's place that was refused is `null`.
pub(crate) fn read<T: DeserializeOwned + Default>(text: &str, problems: &mut Problems) -> T {
    #[cfg(test)]
    assert!(!text.contains(PANIC), "so that it is seen what a panic does");
    let found = RefCell::new(Vec::new());
    let tree = Tree { path: Path::root(), duplicates: &found };
    // Some editors begin every file with it; the parser takes it for a document of its own.
    let text = text.trim_start_matches('\u{feff}');
    let value = tree.deserialize(yaml_serde::Deserializer::from_str(text));
    for path in found.into_inner() {
        problems.note(path, "this key is there twice");
    }
    match value {
        Ok(Value::Null) => T::default(),
        Ok(value) => accept(value, &Path::root(), problems),
        Err(error) => {
            problems.note(Path::root(), format!("not YAML: {error}"));
            T::default()
        }
    }
}

/// Reads the `value` at `place` as a `T`. serde stops at the first mistake: note it, take it out of the tree, try again.
pub(super) fn accept<T: DeserializeOwned + Default>(mut value: Value, place: &Path, problems: &mut Problems) -> T {
    loop {
        let error = match serde_path_to_error::deserialize::<_, T>(Strict(&value)) {
            Ok(accepted) => return accepted,
            Err(error) => error,
        };
        let path = place.below(error.path());
        let removed = remove(&mut value, error.path().iter());
        problems.note(path, describe(&error.inner().to_string()));
        if !removed {
            return T::default();
        }
    }
}

/// serde's words without the value they quote: the path names the place, and the value may be a secret.
fn describe(message: &str) -> String {
    match message.split_once(", expected ") {
        Some((unknown, known)) if unknown.starts_with("unknown field") => {
            format!("unknown key; here it may be {}", known.trim_start_matches("one of "))
        }
        Some((_, expected)) => format!("expected {expected}"),
        None if message.starts_with("unknown field") => "unknown key".to_owned(),
        None => message.to_owned(),
    }
}

fn remove<'a>(value: &mut Value, segments: impl Iterator<Item = &'a Segment>) -> bool {
    let segments: Vec<_> = segments.collect();
    let Some((last, parents)) = segments.split_last() else { return false };
    let mut place = value;
    for segment in parents {
        let next = match segment {
            Segment::Map { key } => place.get_mut(key.as_str()),
            Segment::Seq { index } => place.get_mut(*index),
            _ => None,
        };
        match next {
            Some(next) => place = next,
            None => return false,
        }
    }
    match (last, place) {
        (Segment::Map { key }, Value::Object(map)) => map.remove(key).is_some(),
        // `null`, so that the places behind it keep their numbers.
        (Segment::Seq { index }, Value::Array(items)) => items.get_mut(*index).is_some_and(|item| !std::mem::take(item).is_null()),
        _ => false,
    }
}

/// Builds a [`Value`] and remembers the keys that were there twice, which a typed map would silently drop.
struct Tree<'a> {
    path: Path,
    duplicates: &'a RefCell<Vec<Path>>,
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
        Ok(serde_json::Number::from_f64(value).map_or_else(|| value.to_string().into(), Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Tree { path: self.path.index(list.len()), duplicates: self.duplicates })? {
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
                _ => return Err(A::Error::custom(format!("a key in {} is neither a word nor a number", self.path))),
            };
            let path = self.path.key(&key);
            let value = entries.next_value_seed(Tree { path: path.clone(), duplicates: self.duplicates })?;
            if map.contains_key(&key) {
                self.duplicates.borrow_mut().push(path);
            } else {
                map.insert(key, value);
            }
        }
        Ok(Value::Object(map))
    }
}

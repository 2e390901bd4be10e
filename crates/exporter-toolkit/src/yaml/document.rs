//! YAML text → a value of the raw types, with every mistake on the way collected by its path.

use std::cell::RefCell;
use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use super::lines::Lines;
use super::problem::{Path, Problems};
use super::strict::Strict;

/// A text that has it makes the parser panic, in tests.
#[cfg(feature = "panic")]
pub const PANIC: &str = "# panic";

/// Reads `text` as a `T`. What is wrong is noted in `problems` and left out of the result, so that
/// the rest can still be checked; a list's place that was refused is `null`.
pub fn read<T: DeserializeOwned + Default>(text: &str, problems: &mut Problems) -> T {
    #[cfg(feature = "panic")]
    assert!(
        !text.contains(PANIC),
        "so that it is seen what a panic does"
    );
    let found = RefCell::new(Vec::new());
    let tree = Tree {
        path: Path::root(),
        duplicates: &found,
    };
    // Some editors begin every file with it; the parser takes it for a document of its own.
    let text = text.trim_start_matches('\u{feff}');
    let value = tree.deserialize(yaml_serde::Deserializer::from_str(text));
    let twice = found.into_inner();
    let lines = if twice.is_empty() {
        Lines::default()
    } else {
        Lines::of(text)
    };
    for path in twice {
        if !problems.has(&path) {
            problems.note_at(lines.last(&path), path, "this key is there twice");
        }
    }
    match value {
        Ok(Value::Null) => T::default(),
        Ok(value) => accept(value, &Path::root(), problems),
        Err(error) => {
            problems.note_at(
                error.location().map(|place| place.line()),
                Path::root(),
                format!("not YAML: {error}"),
            );
            T::default()
        }
    }
}

/// Reads the `value` at `place` as a `T`. serde stops at the first mistake: note it, take it out of
/// the tree, try again.
pub fn accept<T: DeserializeOwned + Default>(
    mut value: Value,
    place: &Path,
    problems: &mut Problems,
) -> T {
    loop {
        let error = match serde_path_to_error::deserialize::<_, T>(Strict(&value)) {
            Ok(accepted) => return accepted,
            Err(error) => error,
        };
        let message = error.inner().to_string();
        let segments: Vec<_> = error.path().iter().collect();
        let is_alone = match (known_keys(&message), segments.split_last()) {
            (Some(known), Some((_, parents))) => {
                !remove_unknown(&mut value, parents, &known, place, problems)
            }
            _ => true,
        };
        if is_alone {
            let removed = remove(&mut value, &segments);
            problems.note(place.below(segments), describe(&message));
            if !removed {
                return T::default();
            }
        }
    }
}

/// The keys that may stand where one is unknown, if that is what serde says.
fn known_keys(message: &str) -> Option<Vec<&str>> {
    message.starts_with("unknown field").then(|| names(message))
}

/// The names in backquotes behind the last `expected`.
fn names(message: &str) -> Vec<&str> {
    let list = message
        .rsplit_once(", expected ")
        .map_or("", |(_, list)| list);
    list.split('`').skip(1).step_by(2).collect()
}

/// Takes every key that is not among the `known` ones out of the mapping at `parents`, and notes
/// each: many at once, so that a long list of them does not cost a reading each. Returns whether
/// there was one.
fn remove_unknown(
    value: &mut Value,
    parents: &[&Segment],
    known: &[&str],
    place: &Path,
    problems: &mut Problems,
) -> bool {
    let Some(Value::Object(map)) = find(value, parents) else {
        return false;
    };
    let place = place.below(parents.iter().copied());
    let before = map.len();
    map.retain(|key, _| {
        let is_known = known.contains(&key.as_str());
        if !is_known {
            problems.note(place.key(key), unknown_key(key, known));
        }
        is_known
    });
    map.len() < before
}

/// What is said of a key that is not among the `known` ones.
pub fn unknown_key(key: &str, known: &[&str]) -> String {
    match (nearest(key, known.iter().copied()), known) {
        (Some(known), _) => format!("unknown key, did you mean {known}?"),
        (None, []) => "unknown key".to_owned(),
        (None, _) => format!("unknown key; here it may be {}", one_of(known)),
    }
}

/// The one of `known` that differs from `word` by a slip or two, if there is one.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // What is longer is no slip, and comparing it takes long.
    if word.len() > 64 {
        return None;
    }
    let slips = known.map(|known| (strsim::osa_distance(word, known), known));
    slips
        .filter(|(slips, known)| *slips <= (known.len() / 4).max(1))
        .min_by_key(|(slips, _)| *slips)
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

/// serde's words for people, without the value that they quote: the path names the place, and the
/// value may be a secret.
fn describe(message: &str) -> String {
    match message.rsplit_once(", expected ") {
        Some((unknown, _)) if unknown.starts_with("unknown variant") => {
            format!("must be {}", one_of(&names(message)))
        }
        Some((_, "u32")) => WHOLE_NUMBER.to_owned(),
        Some((_, "f64")) => "must be a number above 0".to_owned(),
        Some((_, "a string")) => "must be text; put it in quotes".to_owned(),
        Some((_, "a boolean")) => "must be true or false".to_owned(),
        Some((_, expected)) => format!("must be {expected}"),
        None => message.to_owned(),
    }
}

/// What is said of what should be one.
pub const WHOLE_NUMBER: &str = "must be a whole number from 1 to 4294967295";

/// The value at `segments`.
fn find<'v>(value: &'v mut Value, segments: &[&Segment]) -> Option<&'v mut Value> {
    segments
        .iter()
        .try_fold(value, |place, segment| match segment {
            Segment::Map { key } => place.get_mut(key.as_str()),
            Segment::Seq { index } => place.get_mut(*index),
            _ => None,
        })
}

fn remove(value: &mut Value, segments: &[&Segment]) -> bool {
    let Some((last, parents)) = segments.split_last() else {
        return false;
    };
    match (last, find(value, parents)) {
        (Segment::Map { key }, Some(Value::Object(map))) => map.shift_remove(key).is_some(),
        // `null`, so that the places behind it keep their numbers.
        (Segment::Seq { index }, Some(Value::Array(items))) => items
            .get_mut(*index)
            .is_some_and(|item| !std::mem::take(item).is_null()),
        _ => false,
    }
}

/// Builds a [`Value`] and remembers the keys that were there twice, which a typed map would
/// silently drop.
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
        Ok(serde_json::Number::from_f64(value)
            .map_or_else(|| value.to_string().into(), Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Tree {
            path: self.path.index(list.len()),
            duplicates: self.duplicates,
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
                duplicates: self.duplicates,
            })?;
            if map.contains_key(&key) {
                self.duplicates.borrow_mut().push(path);
            } else {
                map.insert(key, value);
            }
        }
        Ok(Value::Object(map))
    }
}

//! Reads a tree into types with serde, and goes on after a mistake.
//!
//! serde stops at the first error. Here every value that is refused is noted with its path and left
//! out, and the mapping around it is read again without it, so that one reading finds every
//! mistake.
//!
//! A value that cannot be left out, such as a required key or an item of a list, reads as a
//! stand-in, so that the values beside it can still be checked. A result that contains a stand-in
//! always comes with a problem, so that it is never used.

mod access;
mod mistake;

use std::cell::RefCell;
use std::collections::HashSet;

use serde::de::value::StrDeserializer;
use serde::de::{Deserialize, Deserializer, IntoDeserializer as _, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use self::access::{Entries, Items};
use self::mistake::Mistake;
use super::complaint::{one_of, unknown_key};
use super::path::Path;
use super::problem::Problems;

/// The text of a stand-in. Names of every kind may be written like this.
const STAND_IN: &str = "missing";

/// Reads `value` as a `T`. The mistakes in it are added to `problems`; without a result, the value
/// as a whole is one.
pub(super) fn read<'de, T: Deserialize<'de>>(
    value: &'de Value,
    problems: &mut Problems,
) -> Option<T> {
    let reading = Reading {
        problems: RefCell::new(std::mem::take(problems)),
        refused: RefCell::default(),
    };
    let node = Node {
        value: Some(value),
        place: &Place::Root,
        reading: &reading,
        supplied: &[],
    };
    let result = node.read();
    *problems = reading.problems.into_inner();
    result
}

/// The state of a reading.
struct Reading {
    problems: RefCell<Problems>,
    /// The values that were refused, by their addresses: the tree does not move.
    refused: RefCell<HashSet<*const Value>>,
}

/// The way to a value.
enum Place<'a> {
    Root,
    Key(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn path(&self) -> Path {
        match self {
            Self::Root => Path::root(),
            Self::Key(parent, key) => parent.path().key(key),
            Self::Item(parent, index) => parent.path().index(*index),
        }
    }
}

/// A value of the tree, or a stand-in for one.
#[derive(Clone, Copy)]
struct Node<'a, 'de> {
    /// None is a stand-in.
    value: Option<&'de Value>,
    place: &'a Place<'a>,
    reading: &'a Reading,
    /// The keys of this mapping that are missing and read as stand-ins.
    supplied: &'a [&'static str],
}

impl<'de> Node<'_, 'de> {
    /// Reads the value as a `T`, as often as it takes to find every mistake inside.
    fn read<T: Deserialize<'de>>(self) -> Option<T> {
        let mut supplied = Vec::new();
        loop {
            let node = Node {
                supplied: &supplied,
                ..self
            };
            match T::deserialize(node) {
                Ok(value) => return Some(value),
                Err(Mistake::Inside) => {}
                Err(Mistake::Missing(key)) if !supplied.contains(&key) => {
                    self.note_missing(key);
                    supplied.push(key);
                }
                Err(Mistake::Missing(_) | Mistake::Unusable) => {
                    self.refuse();
                    return None;
                }
                Err(Mistake::Here(message)) => {
                    self.note(message);
                    self.refuse();
                    return None;
                }
            }
        }
    }

    fn note(self, message: String) {
        let message = match self.value {
            None => return,
            Some(Value::Null) => "is empty".to_owned(),
            Some(_) => message,
        };
        let mut problems = self.reading.problems.borrow_mut();
        problems.note(self.place.path(), message);
    }

    fn note_missing(self, key: &str) {
        let path = self.place.path().key(key);
        let mut problems = self.reading.problems.borrow_mut();
        // One that was refused is not there either.
        if self.value.is_some() && !problems.has(&path) {
            problems.note(path, "is missing");
        }
    }

    fn refuse(self) {
        if let Some(value) = self.value {
            self.reading.refused.borrow_mut().insert(value);
        }
    }

    fn is_refused(&self, value: &Value) -> bool {
        let refused = self.reading.refused.borrow();
        !refused.is_empty() && refused.contains(&std::ptr::from_ref(value))
    }

    /// Notes each key that is not among `fields`.
    fn note_unknown(self, map: &'de Map<String, Value>, fields: &[&str]) {
        for (key, value) in map {
            if !fields.contains(&key.as_str()) && !self.is_refused(value) {
                let node = Node {
                    value: Some(value),
                    place: &Place::Key(self.place, key),
                    ..self
                };
                let mut problems = self.reading.problems.borrow_mut();
                problems.note(node.place.path(), unknown_key(key, fields));
                node.refuse();
            }
        }
    }

    fn mapping(self) -> Result<Option<&'de Map<String, Value>>, Mistake> {
        match self.value {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(_) => Err(Mistake::Here(
                "must be a mapping, such as {key: value}".to_owned(),
            )),
        }
    }
}

/// Declares the methods that read a number. Its stand-in is 1, since some types refuse 0.
macro_rules! stand_in_of_numbers {
    ($($method:ident)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            match self.value {
                None => visitor.visit_u8(1),
                Some(_) => self.deserialize_any(visitor),
            }
        }
    )+};
}

// serde's own reader of a tree would take a list for a struct, key by key in the order of its
// fields: `scrape: [10s]` would set `timeout`.
impl<'de> Deserializer<'de> for Node<'_, 'de> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.value {
            None => visitor.visit_str(STAND_IN),
            Some(Value::Null) => visitor.visit_unit(),
            Some(Value::Bool(value)) => visitor.visit_bool(*value),
            Some(Value::Number(number)) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or_default()),
            },
            Some(Value::String(text)) => visitor.visit_borrowed_str(text),
            Some(Value::Array(_)) => self.deserialize_seq(visitor),
            Some(Value::Object(_)) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        if self.value.is_none_or(Value::is_null) {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let map = self.mapping()?;
        if let Some(map) = map {
            self.note_unknown(map, fields);
        }
        visitor.visit_map(Entries::of_struct(self, map))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.value {
            None => visitor.visit_seq(Items::new(self, &[])),
            Some(Value::Array(list)) => visitor.visit_seq(Items::new(self, list)),
            Some(_) => Err(Mistake::Here("must be a list, such as [a, b]".to_owned())),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_map(Entries::of_map(self, self.mapping()?))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let name = match self.value {
            None => variants.first().copied(),
            Some(value) => value.as_str(),
        };
        let name: StrDeserializer<'_, Mistake> = name
            .ok_or_else(|| Mistake::Here(format!("must be {}", one_of(variants))))?
            .into_deserializer();
        visitor.visit_enum(name)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.value {
            None => visitor.visit_bool(false),
            Some(_) => self.deserialize_any(visitor),
        }
    }

    stand_in_of_numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct identifier
        ignored_any
    }
}

#[cfg(test)]
mod tests;

//! An object of a response, decoded in one pass with the error fields that may stand beside it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{KnownKeys, ResponseObject};
use crate::decode::{ErrorFields, FieldRead, LenientObject as _, ObjectKey};

/// The length of a list of keys in a message, in bytes.
const MAX_KEYS: usize = 120;

/// A decoded object.
pub(super) struct DecodedObject<T> {
    pub(super) object: T,
    pub(super) known_keys: KnownKeys,
    /// The fields of an error.
    pub(super) error_fields: ErrorFields,
    /// The first keys, which tell an operator which system has responded.
    pub(super) keys: String,
}

impl<T: Default> Default for DecodedObject<T> {
    fn default() -> Self {
        Self {
            object: T::default(),
            known_keys: KnownKeys::Empty,
            error_fields: ErrorFields::default(),
            keys: String::new(),
        }
    }
}

impl<'de, T: ResponseObject> Deserialize<'de> for DecodedObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DecodedObjectVisitor(PhantomData))
    }
}

/// An object in XML, which cannot be asked what it holds before it is read.
pub(super) struct XmlObject<T>(pub(super) DecodedObject<T>);

impl<'de, T: ResponseObject> Deserialize<'de> for XmlObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_map(DecodedObjectVisitor(PhantomData))
            .map(Self)
    }
}

struct DecodedObjectVisitor<T>(PhantomData<T>);

impl<'de, T: ResponseObject> Visitor<'de> for DecodedObjectVisitor<T> {
    type Value = DecodedObject<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DecodedObject<T>, A::Error> {
        let mut decoded: DecodedObject<T> = DecodedObject::default();
        while let Some(ObjectKey(key)) = map.next_key()? {
            append_key(&mut decoded.keys, &key);
            let read = decoded.object.read(&key, &mut map)?;
            if read == FieldRead::Unclaimed
                && decoded.error_fields.read(&key, &mut map)? == FieldRead::Unclaimed
            {
                map.next_value::<IgnoredAny>()?;
            }
            if read == FieldRead::Usable {
                decoded.known_keys = KnownKeys::SomeUsable;
            } else if decoded.known_keys == KnownKeys::Empty {
                decoded.known_keys = KnownKeys::NoneUsable;
            }
        }
        Ok(decoded)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<DecodedObject<T>, A::Error> {
        let mut decoded: DecodedObject<T> = DecodedObject::default();
        decoded.known_keys = match decoded.object.read_list(list)? {
            FieldRead::Usable => KnownKeys::SomeUsable,
            FieldRead::Unusable | FieldRead::Unclaimed => KnownKeys::NoneUsable,
        };
        Ok(decoded)
    }
}

/// Appends `key` to `keys`, or an ellipsis once if the list is full.
fn append_key(keys: &mut String, key: &str) {
    if keys.ends_with('…') {
        return;
    }
    if !keys.is_empty() {
        keys.push_str(", ");
    }
    keys.push_str(if keys.len() + key.len() > MAX_KEYS {
        "…"
    } else {
        key
    });
}

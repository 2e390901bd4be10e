//! The entries of a mapping and the items of a list. Each value is read by itself, so that a
//! mistake in one costs neither the others nor a second reading of them.

use serde::de::value::StrDeserializer;
use serde::de::{Deserialize, DeserializeSeed, MapAccess, SeqAccess};
use serde_json::{Map, Value};

use super::{Mistake, Node, Place};

/// The entries of a mapping that are still to be read.
pub(super) struct Entries<'a, 'de> {
    node: Node<'a, 'de>,
    remaining: std::vec::IntoIter<(&'de str, Option<&'de Value>)>,
    /// The entry whose key has been read.
    current: Option<(&'de str, Option<&'de Value>)>,
}

impl<'a, 'de> Entries<'a, 'de> {
    /// The entries of a struct: `null` is as good as nothing.
    pub(super) fn of_struct(node: Node<'a, 'de>, map: Option<&'de Map<String, Value>>) -> Self {
        Self::new(node, map, |value| !value.is_null())
    }

    /// The entries of a mapping with any keys.
    pub(super) fn of_map(node: Node<'a, 'de>, map: Option<&'de Map<String, Value>>) -> Self {
        Self::new(node, map, |_| true)
    }

    fn new(
        node: Node<'a, 'de>,
        map: Option<&'de Map<String, Value>>,
        counts: impl Fn(&Value) -> bool,
    ) -> Self {
        let written = map
            .into_iter()
            .flatten()
            .filter(|(_, value)| counts(value) && !node.is_refused(value))
            .map(|(key, value)| (key.as_str(), Some(value)));
        let supplied = node.supplied.iter().map(|key| (*key, None));
        let entries: Vec<_> = written.chain(supplied).collect();
        Self {
            node,
            remaining: entries.into_iter(),
            current: None,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mistake> {
        self.current = self.remaining.next();
        self.current
            .map(|(key, _)| seed.deserialize(StrDeserializer::new(key)))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let (key, value) = self.current.take().unwrap_or_default();
        seed.deserialize(Node {
            value,
            place: &Place::Key(self.node.place, key),
            supplied: &[],
            ..self.node
        })
    }

    fn next_value<V: Deserialize<'de>>(&mut self) -> Result<V, Mistake> {
        let (key, value) = self.current.take().unwrap_or_default();
        let node = Node {
            value,
            place: &Place::Key(self.node.place, key),
            ..self.node
        };
        node.read().ok_or(match value {
            Some(_) => Mistake::Inside,
            None => Mistake::Unusable,
        })
    }

    fn next_entry<K: Deserialize<'de>, V: Deserialize<'de>>(
        &mut self,
    ) -> Result<Option<(K, V)>, Mistake> {
        while let Some(key) = self.next_key()? {
            // An entry that was refused is left out.
            if let Ok(value) = self.next_value() {
                return Ok(Some((key, value)));
            }
        }
        Ok(None)
    }
}

/// The items of a list that are still to be read.
pub(super) struct Items<'a, 'de> {
    node: Node<'a, 'de>,
    items: std::iter::Enumerate<std::slice::Iter<'de, Value>>,
}

impl<'a, 'de> Items<'a, 'de> {
    pub(super) fn new(node: Node<'a, 'de>, list: &'de [Value]) -> Self {
        Self {
            node,
            items: list.iter().enumerate(),
        }
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mistake> {
        let Some((index, item)) = self.items.next() else {
            return Ok(None);
        };
        let node = Node {
            value: Some(item),
            place: &Place::Item(self.node.place, index),
            ..self.node
        };
        seed.deserialize(node).map(Some)
    }

    fn next_element<T: Deserialize<'de>>(&mut self) -> Result<Option<T>, Mistake> {
        let Some((index, item)) = self.items.next() else {
            return Ok(None);
        };
        let node = Node {
            value: (!self.node.is_refused(item)).then_some(item),
            place: &Place::Item(self.node.place, index),
            ..self.node
        };
        // A stand-in, so that the items behind it keep their numbers.
        let stand_in = Node {
            value: None,
            ..node
        };
        node.read()
            .or_else(|| stand_in.read())
            .map(Some)
            .ok_or(Mistake::Unusable)
    }
}

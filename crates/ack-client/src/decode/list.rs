//! Lists, of which only the usable items are kept.

use std::borrow::Cow;
use std::mem;

use serde::de::{MapAccess, SeqAccess};

use super::{Field, FieldRead, LenientObject, LenientValue, Report};

/// The items of a list that are kept: more than a response has room for, unless they are tiny.
pub(super) const MAX_ITEMS: usize = 10_000;

/// The usable items of a list.
#[derive(Debug)]
pub(crate) struct List<T> {
    /// The usable items.
    pub(crate) items: Vec<T>,
    /// The number of items in the response, usable or not.
    pub(crate) length: usize,
    /// A description of the first unusable item.
    unexpected: Option<Cow<'static, str>>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            length: 0,
            unexpected: None,
        }
    }
}

impl<T: LenientObject> List<T> {
    fn push(&mut self, item: Field<T>) {
        self.length += 1;
        let unexpected = match item {
            Field::Value(_) if self.items.len() == MAX_ITEMS => "too many items".into(),
            Field::Value(item) if item.is_usable() => return self.items.push(item),
            Field::Value(_) => "an item without an ID".into(),
            Field::Absent => "an item that is empty".into(),
            Field::Unexpected(description) => description,
        };
        self.unexpected.get_or_insert(unexpected);
    }
}

impl<T> Field<List<T>> {
    /// The usable items of the list, if there is one.
    pub(crate) fn into_items(self) -> Vec<T> {
        self.into_value().unwrap_or_default().items
    }
}

impl<T: LenientObject> LenientValue for List<T> {
    fn from_text(_: &str) -> Option<Self> {
        None
    }

    // In XML each item is an element of its own.
    fn from_object<'de, A: MapAccess<'de>>(
        key: &str,
        map: A,
    ) -> Result<Option<(Self, FieldRead)>, A::Error> {
        let item = T::from_object(key, map)?;
        let mut list = Self::default();
        list.push(item.map_or(Field::Absent, |(item, _)| Field::Value(item)));
        Ok(Some((list, FieldRead::Usable)))
    }

    fn from_list<'de, A: SeqAccess<'de>>(mut items: A) -> Result<Option<Self>, A::Error> {
        let mut list = Self::default();
        let mut item = Field::Absent;
        while items.next_element_seed(&mut item)?.is_some() {
            list.push(mem::take(&mut item));
        }
        Ok(Some(list))
    }

    fn add(&mut self, later: Self) {
        self.items.extend(later.items);
        self.length += later.length;
        self.unexpected = self.unexpected.take().or(later.unexpected);
    }

    // The caller reports the fields of each item that it uses.
    fn report_unexpected(&self, name: &'static str, report: &mut Report<'_>) {
        if let Some(unexpected) = &self.unexpected {
            report(name, unexpected);
        }
    }

    fn add_inner_names(names: &mut Vec<&'static str>) {
        T::add_field_names(names);
    }
}

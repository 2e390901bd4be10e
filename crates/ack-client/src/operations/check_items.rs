//! The items of a check, of which the worst level alone is kept.

use serde::de::{IgnoredAny, MapAccess};

use crate::decode::{
    Field, FieldRead, LenientObject, LenientValue, List, ObjectKey, Report, lenient_object,
};

/// The name of the field in reports.
const LEVEL: &str = "check.check_items.Level";

/// The level of an item, the worst last. The reference prints `normal` alone; `warning` and `error`
/// are inferred. An unlisted level may be an error, so it is worse than a warning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Normal,
    Warning,
    Unlisted(String),
    Error,
}

impl Level {
    fn of(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "normal" => Self::Normal,
            "warning" => Self::Warning,
            "error" => Self::Error,
            _ => Self::Unlisted(Self::describe_text(word).into_owned()),
        }
    }
}

impl LenientValue for Level {
    fn from_text(text: &str) -> Option<Self> {
        Some(Self::of(text))
    }

    // In one model, messages and targets stand under the level.
    fn from_object<'de, A: MapAccess<'de>>(
        key: &str,
        mut map: A,
    ) -> Result<Option<(Self, FieldRead)>, A::Error> {
        let mut worst = Self::of(key);
        map.next_value::<IgnoredAny>()?;
        while let Some(ObjectKey(key)) = map.next_key()? {
            map.next_value::<IgnoredAny>()?;
            worst = worst.max(Self::of(&key));
        }
        Ok(Some((worst, FieldRead::Usable)))
    }
}

lenient_object! {
    pub(super) struct ItemFields at "check.check_items." {
        level: Level = "Level" | "level",
    }
}

/// The levels of all items: an object that has a list of items for each group, such as
/// `ClusterResource`. Messages and targets are skipped.
#[derive(Debug, Default)]
pub(super) struct CheckItems {
    worst: Option<Level>,
    /// The first level that the reference does not list, or a description of one that is missing.
    unlisted: Option<String>,
}

impl CheckItems {
    /// The worst level; none without items.
    pub(super) fn worst(&self) -> Option<&Level> {
        self.worst.as_ref()
    }

    fn add(&mut self, level: Level) {
        if let Level::Unlisted(word) = &level {
            self.unlisted.get_or_insert_with(|| word.clone());
        }
        if self.worst.as_ref().is_none_or(|worst| *worst < level) {
            self.worst = Some(level);
        }
    }

    /// Adds the level of an item that cannot be read, and may be any.
    fn add_unreadable(&mut self, description: &str) {
        self.add(Level::Unlisted(description.to_owned()));
    }

    fn add_group(&mut self, group: List<ItemFields>) {
        if group.items.len() < group.length {
            self.add_unreadable("an item that is not an object");
        }
        for item in group.items {
            match item.level {
                Field::Value(level) => self.add(level),
                Field::Absent => self.add_unreadable("an item without a level"),
                Field::Unexpected(description) => self.add_unreadable(&description),
            }
        }
    }
}

impl LenientObject for CheckItems {
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        _group: &str,
        map: &mut A,
    ) -> Result<FieldRead, A::Error> {
        let mut group = Field::<List<ItemFields>>::Absent;
        let read = map.next_value_seed(&mut group)?;
        match group {
            Field::Value(group) => self.add_group(group),
            Field::Unexpected(_) => self.add_unreadable("a group that is not a list"),
            Field::Absent => {}
        }
        Ok(read)
    }

    fn report_unexpected_fields(&self, report: &mut Report<'_>) {
        if let Some(unlisted) = &self.unlisted {
            report(LEVEL, unlisted);
        }
    }

    fn add_field_names(names: &mut Vec<&'static str>) {
        ItemFields::add_field_names(names);
    }
}

//! The parameters and outputs of a task, of which a few texts are kept.

use serde::de::MapAccess;

use super::word::normalized;
use crate::decode::{Field, FieldRead, LenientObject};
use crate::text::clean_message;

/// The keys of the target version, the most reliable first. `version` is missing here: in the
/// API's own requests it is the version before the upgrade.
pub(super) const VERSION_KEYS: [&str; 4] = [
    "nextversion",
    "targetversion",
    "kubernetesversion",
    "k8sversion",
];

/// The keys of the precheck's report, the most reliable first.
pub(super) const REPORT_KEYS: [&str; 3] = ["precheckreportid", "reportid", "checkid"];

/// The key of a node pool's ID. Its upgrade names it in the path alone; a task may name it here.
pub(super) const POOL_KEYS: [&str; 1] = ["nodepoolid"];

/// The cleaned text of the first of `keys` that is in `places`; empty if there is none.
pub(super) fn first_text(places: &[Option<&SelectedParameters>], keys: &[&str]) -> String {
    for key in keys {
        for parameters in places.iter().flatten() {
            if let Some(text) = parameters.find(key) {
                return clean_message(text);
            }
        }
    }
    String::new()
}

/// The parameters or outputs of a task with one of the keys above, on the top level or one level
/// below. All others are dropped while they are read.
#[derive(Debug, Default)]
pub(super) struct SelectedParameters {
    top: SelectedTexts,
    nested: SelectedTexts,
}

impl SelectedParameters {
    fn find(&self, key: &str) -> Option<&str> {
        self.top.find(key).or_else(|| self.nested.find(key))
    }
}

impl LenientObject for SelectedParameters {
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<FieldRead, A::Error> {
        if self.top.read(key, map)? == FieldRead::Unclaimed {
            let mut nested = Field::<SelectedTexts>::Absent;
            map.next_value_seed(&mut nested)?;
            for (key, text) in nested.into_value().unwrap_or_default().0 {
                self.nested.add(key, text);
            }
        }
        Ok(FieldRead::Usable)
    }
}

/// The texts of one object with one of the keys above.
#[derive(Debug, Default)]
struct SelectedTexts(Vec<(&'static str, String)>);

impl SelectedTexts {
    fn find(&self, wanted: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| *key == wanted)
            .map(|(_, text)| text.as_str())
    }

    /// Adds `text`, unless there is one for `key`.
    fn add(&mut self, key: &'static str, text: String) {
        if self.find(key).is_none() {
            self.0.push((key, text));
        }
    }
}

impl LenientObject for SelectedTexts {
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<FieldRead, A::Error> {
        let selected = VERSION_KEYS
            .iter()
            .chain(&REPORT_KEYS)
            .chain(&POOL_KEYS)
            .find(|selected| normalized(key).eq(selected.chars()));
        let Some(selected) = selected else {
            return Ok(FieldRead::Unclaimed);
        };
        let mut text = Field::<String>::Absent;
        let read = map.next_value_seed(&mut text)?;
        if let Some(text) = text.into_value() {
            self.add(selected, text);
        }
        Ok(read)
    }
}

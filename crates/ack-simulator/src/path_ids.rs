//! The IDs in the path of a request.

use crate::request::percent_decode;

/// The IDs in a path, each with the name of its placeholder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PathIds(Vec<(&'static str, String)>);

impl PathIds {
    /// The IDs in `path` if it has the form of `pattern`, such as `/clusters/{cluster}/tasks`.
    pub(crate) fn of(pattern: &'static str, path: &str) -> Option<Self> {
        if pattern.split('/').count() != path.split('/').count() {
            return None;
        }
        let mut ids = Vec::new();
        for (expected, segment) in pattern.split('/').zip(path.split('/')) {
            let placeholder = expected
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'));
            match placeholder {
                Some(name) => ids.push((name, percent_decode(segment))),
                None if expected == segment => {}
                None => return None,
            }
        }
        Some(Self(ids))
    }

    /// The ID at a placeholder; empty if the path has no such placeholder.
    pub(crate) fn at(&self, placeholder: &str) -> &str {
        self.0
            .iter()
            .find(|(name, _)| *name == placeholder)
            .map_or("", |(_, id)| id)
    }

    /// The first ID in the path; empty if there is none.
    pub(crate) fn first(&self) -> &str {
        self.0.first().map_or("", |(_, id)| id)
    }
}

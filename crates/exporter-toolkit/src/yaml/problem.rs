//! Mistakes in the configuration, each with its place.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path as FilePath, PathBuf};

use safe_input::text::escape;

use super::lines::Lines;
use super::path::Path;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The place of the mistake.
    pub path: Path,
    /// The line of the file, counted from 1, where it is known.
    pub line: Option<usize>,
    /// The mistake and, where it helps, the correction.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A key may have any character.
        let text = format!("{}: {}", self.path, self.message);
        f.write_str(&escape(&text))
    }
}

/// Every mistake found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    /// By place, and at one place in the order of finding: the mistakes inside of a place are next
    /// to each other, so that none has to be searched for among all.
    list: BTreeMap<(Path, usize), Problem>,
    /// The number of the next mistake.
    next: usize,
    file: Option<PathBuf>,
}

/// The number of mistakes that are shown. Nobody reads more of them at once, and the log queue has
/// room for a few thousand lines.
const MAX_SHOWN: usize = 100;

impl Problems {
    /// Notes a mistake.
    pub fn note(&mut self, path: Path, message: impl Into<String>) {
        self.note_at(None, path, message);
    }

    pub(super) fn note_at(&mut self, line: Option<usize>, path: Path, message: impl Into<String>) {
        let problem = Problem {
            path: path.clone(),
            line,
            message: message.into(),
        };
        self.list.insert((path, self.next), problem);
        self.next += 1;
    }

    /// Keeps the value, or notes why there is none.
    pub fn keep<T, E: fmt::Display>(&mut self, path: &Path, result: Result<T, E>) -> Option<T> {
        result
            .map_err(|error| self.note(path.clone(), error.to_string()))
            .ok()
    }

    /// Returns whether a mistake was noted at `path` itself.
    pub fn has(&self, path: &Path) -> bool {
        self.inside(path)
            .next()
            .is_some_and(|problem| problem.path == *path)
    }

    /// The keys of the mapping at `path` at which mistakes were noted.
    pub fn keys_in(&self, path: &Path) -> impl Iterator<Item = &str> {
        self.inside(path)
            .filter_map(|problem| problem.path.key_in(path))
    }

    /// Replaces the mistakes at `path` and inside of it with a single one.
    pub fn replace(&mut self, path: Path, message: impl Into<String>) {
        self.forget(&path);
        self.note(path, message);
    }

    /// Removes the mistakes at `path` and inside of it.
    pub fn forget(&mut self, path: &Path) {
        let places = self.list.range((path.clone(), 0)..).map(|(place, _)| place);
        let inside: Vec<_> = places
            .take_while(|(place, _)| place.is_in(path))
            .cloned()
            .collect();
        for place in inside {
            self.list.remove(&place);
        }
    }

    /// The mistakes at `path` and inside of it. A place comes directly before those inside of it.
    fn inside(&self, path: &Path) -> impl Iterator<Item = &Problem> {
        self.list
            .range((path.clone(), 0)..)
            .map(|(_, problem)| problem)
            .take_while(|problem| problem.path.is_in(path))
    }

    /// Finds the line of each mistake in the `text` that has them, and sorts them by it.
    pub fn locate(&mut self, text: &str) {
        if self.list.values().all(|problem| problem.line.is_some()) {
            return;
        }
        let lines = Lines::of(text);
        for problem in self
            .list
            .values_mut()
            .filter(|problem| problem.line.is_none())
        {
            problem.line = lines.nearest(&problem.path);
        }
    }

    /// The same, shown with the name of the `file` that has them.
    #[must_use]
    pub fn in_file(self, file: &FilePath) -> Self {
        Self {
            file: Some(file.to_owned()),
            ..self
        }
    }

    /// Returns whether there are no mistakes.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The mistakes one by one, those with a known line first, in its order.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        let mut list: Vec<_> = self.list.iter().collect();
        list.sort_by_key(|((_, number), problem)| (problem.line.unwrap_or(usize::MAX), *number));
        list.into_iter().map(|(_, problem)| problem)
    }

    /// The mistakes that are shown, at most a hundred, in the order of [`Problems::iter`].
    pub fn shown(&self) -> impl Iterator<Item = &Problem> {
        self.iter().take(MAX_SHOWN)
    }

    /// The number of mistakes that are not shown.
    pub fn hidden(&self) -> usize {
        self.list.len().saturating_sub(MAX_SHOWN)
    }

    /// Writes one mistake with the name of the file.
    fn write(&self, f: &mut fmt::Formatter<'_>, problem: &Problem) -> fmt::Result {
        let Some(file) = &self.file else {
            return write!(f, "{problem}");
        };
        write!(f, "{}:", escape(&file.display().to_string()))?;
        if let Some(line) = problem.line {
            write!(f, "{line}:")?;
        }
        if problem.path == Path::root() {
            write!(f, " {}", escape(&problem.message))
        } else {
            write!(f, " {problem}")
        }
    }
}

/// A line for each, up to `MAX_SHOWN`: `exporter.yaml:12: accounts[0].name: is missing`.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.shown().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            self.write(f, problem)?;
        }
        match self.hidden() {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for Problems {}

/// The message of a system error without its number.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

//! Mistakes in the configuration, each with its place.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::path::{Path as FilePath, PathBuf};

use super::lines::Lines;

/// A place in the file, such as `accounts[0].clusters[2].id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Step {
    Key(String),
    Index(usize),
}

impl Path {
    /// The whole file.
    pub fn root() -> Self {
        Self(Vec::new())
    }

    /// The value of `key` in the mapping at this place.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.step(Step::Key(key.to_owned()))
    }

    /// The item at `index` of the list at this place, counted from 0.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    fn step(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }

    /// The mapping or list that this place is in; none for the whole file.
    pub fn parent(&self) -> Option<Self> {
        self.0
            .split_last()
            .map(|(_, parents)| Self(parents.to_vec()))
    }

    fn is_in(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The key that this place has in the mapping at `parent`.
    fn key_in(&self, parent: &Self) -> Option<&str> {
        match self.0.split_last() {
            Some((Step::Key(key), parents)) if *parents == parent.0 => Some(key),
            _ => None,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the file");
        }
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if position == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

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
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// Every mistake found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
    places: HashSet<Path>,
    file: Option<PathBuf>,
}

impl Problems {
    /// Notes a mistake.
    pub fn note(&mut self, path: Path, message: impl Into<String>) {
        self.note_at(None, path, message);
    }

    pub(super) fn note_at(&mut self, line: Option<usize>, path: Path, message: impl Into<String>) {
        self.places.insert(path.clone());
        self.list.push(Problem {
            path,
            line,
            message: message.into(),
        });
    }

    /// Keeps the value, or notes why there is none.
    pub fn keep<T, E: fmt::Display>(&mut self, path: &Path, result: Result<T, E>) -> Option<T> {
        result
            .map_err(|error| self.note(path.clone(), error.to_string()))
            .ok()
    }

    /// Returns whether a mistake was noted at `path` itself.
    pub fn has(&self, path: &Path) -> bool {
        self.places.contains(path)
    }

    /// The keys of the mapping at `path` at which mistakes were noted.
    pub fn keys_in(&self, path: &Path) -> impl Iterator<Item = &str> {
        self.list
            .iter()
            .filter_map(|problem| problem.path.key_in(path))
    }

    /// Replaces the mistakes at `path` and inside of it with a single one.
    pub fn replace(&mut self, path: Path, message: impl Into<String>) {
        self.forget(&path);
        self.note(path, message);
    }

    /// Removes the mistakes at `path` and inside of it.
    pub fn forget(&mut self, path: &Path) {
        self.list.retain(|problem| !problem.path.is_in(path));
        self.places.retain(|place| !place.is_in(path));
    }

    /// Finds the line of each mistake in the `text` that has them, and sorts them by it.
    pub fn locate(&mut self, text: &str) {
        if self.list.iter().all(|problem| problem.line.is_some()) {
            return;
        }
        let lines = Lines::of(text);
        for problem in self
            .list
            .iter_mut()
            .filter(|problem| problem.line.is_none())
        {
            problem.line = lines.nearest(&problem.path);
        }
        self.list
            .sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
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

    /// The mistakes one by one.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }
}

/// A line for each: `exporter.yaml:12: accounts[0].name: is missing`.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            let Some(file) = &self.file else {
                write!(f, "{problem}")?;
                continue;
            };
            write!(f, "{}:", file.display())?;
            if let Some(line) = problem.line {
                write!(f, "{line}:")?;
            }
            if problem.path == Path::root() {
                write!(f, " {}", problem.message)?;
            } else {
                write!(f, " {problem}")?;
            }
        }
        Ok(())
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

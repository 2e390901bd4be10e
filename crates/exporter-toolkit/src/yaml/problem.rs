//! Mistakes in the configuration, each with its place.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::path::{Path as FilePath, PathBuf};

use serde_path_to_error::Segment;

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
    pub(super) fn parent(&self) -> Option<Self> {
        self.0
            .split_last()
            .map(|(_, parents)| Self(parents.to_vec()))
    }

    /// The place that serde found from here.
    pub(super) fn below<'s>(&self, segments: impl IntoIterator<Item = &'s Segment>) -> Self {
        segments
            .into_iter()
            .fold(self.clone(), |path, segment| match segment {
                Segment::Seq { index } => path.index(*index),
                Segment::Map { key } => path.key(key),
                Segment::Enum { .. } | Segment::Unknown => path,
            })
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
    /// Where.
    pub path: Path,
    /// The line of the file, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong and, where it helps, what would be right.
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

    /// Whether a mistake was noted at `path` itself.
    pub fn has(&self, path: &Path) -> bool {
        self.places.contains(path)
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

    /// Whether nothing was found.
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

/// What the system says of a file, without the number of its error.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

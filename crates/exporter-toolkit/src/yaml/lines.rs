//! The lines on which the keys and items of a YAML text stand.
//!
//! `yaml_serde` tells a place only with an error of its own, so that a parser which gives every
//! event its place reads the text a second time once there are mistakes to show.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser};

use super::path::Path;

/// The first and the last line of each place; a key that is there twice has two.
#[derive(Debug, Default)]
pub(super) struct Lines(HashMap<Path, (usize, usize)>);

/// A list or mapping that the parser is inside of.
enum Inside {
    List {
        path: Path,
        next: usize,
    },
    /// With the place of the value that comes next, if its key has been read.
    Mapping {
        path: Path,
        value: Option<Path>,
    },
}

/// The depth of nesting up to which `yaml_serde` reads; it refuses a deeper text as a whole.
const MAX_DEPTH: usize = 128;

impl Lines {
    /// Reads `text`, as far as it can be read.
    pub(super) fn of(text: &str) -> Self {
        let mut lines = Self::default();
        let mut inside: Vec<Inside> = Vec::new();
        for (event, span) in
            Parser::new_from_str(text.trim_start_matches('\u{feff}')).map_while(Result::ok)
        {
            let key = match &event {
                Event::SequenceEnd | Event::MappingEnd => {
                    inside.pop();
                    continue;
                }
                Event::DocumentEnd => break,
                Event::Scalar(text, ..) => Some(text.as_ref()),
                Event::Alias(_) | Event::SequenceStart(..) | Event::MappingStart(..) => None,
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_) => continue,
            };
            let line = span.start.line();
            let path = match inside.last_mut() {
                None => Path::root(),
                Some(Inside::List { path, next }) => {
                    let item = path.index(*next);
                    *next += 1;
                    lines.note(&item, line);
                    item
                }
                Some(Inside::Mapping { path, value }) => match (value.take(), key) {
                    (Some(path), _) => path,
                    (None, Some(key)) => {
                        let path = path.key(key);
                        lines.note(&path, line);
                        *value = Some(path);
                        continue;
                    }
                    // A key that is neither a word nor a number is refused as a whole.
                    (None, None) => break,
                },
            };
            match event {
                _ if inside.len() > MAX_DEPTH => break,
                Event::SequenceStart(..) => inside.push(Inside::List { path, next: 0 }),
                Event::MappingStart(..) => inside.push(Inside::Mapping { path, value: None }),
                _ => {}
            }
        }
        lines
    }

    fn note(&mut self, path: &Path, line: usize) {
        self.0.entry(path.clone()).or_insert((line, line)).1 = line;
    }

    /// The line of `path`, or of the nearest that it is in: what is missing, or comes with an
    /// alias, has none of its own.
    pub(super) fn nearest(&self, path: &Path) -> Option<usize> {
        let mut path = path.clone();
        loop {
            if let Some((first, _)) = self.0.get(&path) {
                return Some(*first);
            }
            path = path.parent()?;
        }
    }

    /// The last line on which the key of `path` stands.
    pub(super) fn last(&self, path: &Path) -> Option<usize> {
        self.0.get(path).map(|(_, last)| *last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The path that `text` names with `a.b[0]`.
    fn path(text: &str) -> Path {
        text.split('.').fold(Path::root(), |path, part| {
            let mut pieces = part.split('[');
            let path = pieces
                .next()
                .filter(|key| !key.is_empty())
                .map_or(path.clone(), |key| path.key(key));
            pieces.fold(path, |path, index| {
                path.index(index.trim_end_matches(']').parse().expect("an index"))
            })
        })
    }

    #[test]
    fn every_place_has_its_line_in_every_style() {
        let text = "\u{feff}# first\n---\nscrape: {timeout: 1s,\n  max_age: 2s}\naccounts:\n  \
                    - name: |\n      two\n      lines: 1\n    discovery: &d\n      \
                    regions:\n      - a\n\n      - [b,\n         c]\n  - name: \"x\n      \
                    y: 2\"\n    discovery: *d\n  -\n    name: z\n...\nother: 1\n";
        let lines = Lines::of(text);
        for (place, line) in [
            ("scrape", Some(3)),
            ("scrape.timeout", Some(3)),
            ("scrape.max_age", Some(4)),
            ("accounts", Some(5)),
            ("accounts[0]", Some(6)),
            ("accounts[0].name", Some(6)),
            ("accounts[0].lines", Some(6)),
            ("accounts[0].discovery", Some(9)),
            ("accounts[0].discovery.regions", Some(10)),
            ("accounts[0].discovery.regions[0]", Some(11)),
            ("accounts[0].discovery.regions[1][0]", Some(13)),
            ("accounts[0].discovery.regions[1][1]", Some(14)),
            ("accounts[1].name", Some(15)),
            // Where the alias is, and not where its anchor is.
            ("accounts[1].discovery.regions", Some(17)),
            ("accounts[2].name", Some(19)),
            ("accounts[2].clusters[0].id", Some(19)),
            ("other", None),
        ] {
            assert_eq!(lines.nearest(&path(place)), line, "{place}");
        }
    }

    #[test]
    fn a_key_that_is_there_twice_has_two_lines() {
        let lines = Lines::of("a:\n  b: 1\nc: 2\na:\n  b: 3\n");
        assert_eq!(
            (lines.nearest(&path("a")), lines.last(&path("a"))),
            (Some(1), Some(4))
        );
    }

    #[test]
    fn what_cannot_be_read_has_no_lines() {
        let deep = "[".repeat(100_000);
        for text in ["", "a: [", "? [a]\n: b", "\t", "- - - -\n -", &deep] {
            assert_eq!(Lines::of(text).nearest(&path("b.c")), None, "{text:.20}");
        }
    }
}

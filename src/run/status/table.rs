//! The table of the clusters.

mod layout;
mod row;

use std::fmt::Write as _;

use anstyle::Style;
use jiff::Timestamp;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use self::layout::{Key, Widths};
use self::row::row;
pub(super) use self::row::{age, version_text};
use crate::snapshot::ClusterReading;

/// The number of columns.
const COLUMNS: usize = 8;

/// Space between two columns.
const GAP: &str = "  ";

/// The form of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format {
    /// The width of the terminal, in cells; None for no limit.
    pub(super) width: Option<usize>,
    pub(super) color: Color,
    pub(super) header: Header,
}

/// The use of colours in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Color {
    On,
    Off,
}

/// The line with the names of the columns, at the top of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    Shown,
    Hidden,
}

/// A text in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    fn plain(text: impl Into<String>) -> Self {
        Self::new(text, Style::new())
    }

    fn new(text: impl Into<String>, style: Style) -> Self {
        Self {
            text: text.into(),
            style,
        }
    }
}

/// A table of clusters, in which the columns of all lines have the same widths.
#[derive(Debug)]
pub(super) struct Table {
    widths: Widths,
    format: Format,
    now: Timestamp,
}

impl Table {
    /// A table with room for `readings` at `now`.
    pub(super) fn new(readings: &[ClusterReading], now: Timestamp, format: Format) -> Self {
        let mut natural = header().map(|cell| cell.text.width());
        let mut key = Key::Name;
        for reading in readings {
            if reading.cluster.name.is_empty() {
                key = Key::Id;
            }
            for (width, cell) in natural.iter_mut().zip(&row(reading, now)) {
                *width = cell.text.width().max(*width);
            }
        }
        Self {
            widths: Widths::fit(natural, key, format.width),
            format,
            now,
        }
    }

    /// The lines of the whole table; none without clusters.
    pub(super) fn lines(&self, readings: &[ClusterReading]) -> Vec<String> {
        if readings.is_empty() {
            return Vec::new();
        }
        let rows = readings.iter().map(|reading| self.row(reading));
        self.header().into_iter().chain(rows).collect()
    }

    /// The names of the columns, unless they are to be left out.
    pub(super) fn header(&self) -> Option<String> {
        (self.format.header == Header::Shown).then(|| self.line(&header()))
    }

    /// The line of a cluster.
    pub(super) fn row(&self, reading: &ClusterReading) -> String {
        self.line(&row(reading, self.now))
    }

    fn line(&self, cells: &[Cell; COLUMNS]) -> String {
        let mut line = String::new();
        // Spaces are written when something follows them.
        let mut spaces = 0;
        let mut gap = "";
        for (cell, width) in cells.iter().zip(self.widths.each()) {
            let Some(width) = width else {
                continue;
            };
            line.push_str(&" ".repeat(spaces));
            let text = cut(&cell.text, width);
            spaces = width - text.width();
            line.push_str(gap);
            gap = GAP;
            if text.is_empty() || self.format.color == Color::Off {
                line.push_str(&text);
            } else {
                write!(line, "{0}{text}{0:#}", cell.style).expect("a String takes every write");
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

fn header() -> [Cell; COLUMNS] {
    let bold = Style::new().bold();
    [
        "CLUSTER", "NAME", "STATUS", "PROGRESS", "STEP", "SINCE", "VERSION", "MESSAGE",
    ]
    .map(|name| Cell::new(name, bold))
}

/// The beginning of `text` that is at most `width` cells wide. A text that is cut ends in an
/// ellipsis.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut end = 0;
    for (at, letter) in text.char_indices() {
        let cells = letter.width().unwrap_or(0);
        if cells > left {
            break;
        }
        left -= cells;
        end = at + letter.len_utf8();
    }
    format!("{}…", text[..end].trim_end())
}

#[cfg(test)]
mod tests;

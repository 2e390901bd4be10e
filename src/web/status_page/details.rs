//! Facts about a cluster that only its details show.

use jiff::Timestamp;

use super::format::{self, Age};
use super::messages::Messages;

/// Facts, each with its name.
pub(super) struct Details {
    pub(super) facts: Vec<(String, String)>,
    now: Timestamp,
    t: &'static Messages,
}

impl Details {
    pub(super) fn new(now: Timestamp, t: &'static Messages) -> Self {
        let facts = Vec::new();
        Self { facts, now, t }
    }

    /// Adds a text, unless it is empty.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        let value = format::message(value, self.t);
        if !value.is_empty() {
            self.facts.push((format::message(name, self.t), value));
        }
    }

    /// Adds the parts that are not empty.
    pub(super) fn parts(&mut self, name: &str, parts: &[&str]) {
        let known: Vec<_> = parts
            .iter()
            .copied()
            .filter(|part| !part.is_empty())
            .collect();
        self.text(name, &known.join(" · "));
    }

    pub(super) fn time(&mut self, name: &str, at: Option<Timestamp>) {
        let text = self.time_text(at);
        self.text(name, &text);
    }

    pub(super) fn number<T: ToString>(&mut self, name: &str, number: Option<T>) {
        let text = number.map_or_else(String::new, |number| number.to_string());
        self.text(name, &text);
    }

    /// A time, and how far off it is. Empty if it is not known.
    pub(super) fn time_text(&self, at: Option<Timestamp>) -> String {
        let (now, t) = (self.now, self.t);
        let age = at.map(|at| Age { at, now, t });
        age.map_or_else(String::new, |age| {
            format!("{} ({})", age.absolute(), age.relative())
        })
    }
}

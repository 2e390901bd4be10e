//! The output of `--wait`: on a terminal a line for each cluster that is waited for, elsewhere a
//! line for each change, and a summary at the end.

use std::collections::HashMap;

use ack_client::names::ClusterId;
use exporter_toolkit::log;
use jiff::Timestamp;

use super::live::{LiveLines, Update};
use super::table::{Format, Table, age, cut};
use super::terminal::Size;
use super::{change, order, summary};
use crate::snapshot::ClusterReading;
use crate::wait::Progress;

/// The end of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Ended(Progress),
    TimedOut,
}

/// The form of the output.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// A table whose lines are replaced. It has the width that the terminal then has.
    Terminal(Format),
    /// Lines with times.
    Lines,
    /// The summary alone, on standard error: standard output is for a program.
    SummaryOnly,
}

/// The output of one wait.
#[derive(Debug)]
pub(super) struct Follower {
    form: Form,
    started: Timestamp,
    /// The clusters of the last poll, in the order of the table.
    clusters: Vec<ClusterReading>,
    progress: HashMap<ClusterId, Progress>,
    /// The state that was shown last, by cluster.
    shown: HashMap<ClusterId, String>,
    live: LiveLines,
}

impl Follower {
    pub(super) fn new(form: Form, started: Timestamp) -> Self {
        Self {
            form,
            started,
            clusters: Vec::new(),
            progress: HashMap::new(),
            shown: HashMap::new(),
            live: LiveLines::default(),
        }
    }

    /// Shows the clusters of a poll at `now`; `progress` is that of each.
    pub(super) fn follow(
        &mut self,
        clusters: Vec<ClusterReading>,
        progress: HashMap<ClusterId, Progress>,
        now: Timestamp,
    ) {
        let update = self.update(
            clusters,
            progress,
            now,
            Size::of_stdout().unwrap_or_default(),
        );
        self.show(&update);
    }

    /// The output for the clusters of a poll at `now`, for a terminal of this size.
    fn update(
        &mut self,
        mut clusters: Vec<ClusterReading>,
        progress: HashMap<ClusterId, Progress>,
        now: Timestamp,
        size: Size,
    ) -> Update {
        order::sort(&mut clusters);
        let is_first = self.clusters.is_empty();
        let earlier = std::mem::replace(&mut self.progress, progress);
        self.clusters = clusters;
        match self.form {
            Form::Terminal(format) => {
                // The others stay live, and are in the last table.
                let is_news = |id: &ClusterId| {
                    earlier.get(id) == Some(&Progress::Pending) && !self.is_open(id)
                };
                let table = self.table(format, now, size);
                let lasting = self.rows(&table, is_news);
                let mut live: Vec<_> = table.header().into_iter().collect();
                live.extend(self.rows(&table, |id| self.is_open(id)));
                let live = self.limit(live, now, size);
                Update { lasting, live }
            }
            Form::Lines => {
                let counts = is_first.then(|| summary::counts(&self.clusters));
                let lines = counts.into_iter().chain(self.changes(is_first));
                Update::lasting(lines.map(|line| format!("{now:.0} {line}")).collect())
            }
            Form::SummaryOnly => Update::default(),
        }
    }

    /// Shows what was waited for to the end, and a summary.
    pub(super) fn finish(&mut self, verdict: Verdict, now: Timestamp) {
        let ending = self.ending(verdict, now, Size::of_stdout().unwrap_or_default());
        self.show(&Update::lasting(ending));
    }

    fn ending(&self, verdict: Verdict, now: Timestamp, size: Size) -> Vec<String> {
        let summary = format!(
            "{} after {}; {}",
            self.sentence(verdict),
            age(self.started, now),
            summary::counts(&self.clusters)
        );
        match self.form {
            Form::Terminal(format) => {
                let table = self.table(format, now, size);
                let mut lines = self.rows(&table, |id| self.is_open(id));
                if !lines.is_empty() {
                    lines.splice(0..0, table.header());
                }
                lines.push(summary);
                lines
            }
            Form::Lines => vec![format!("{now:.0} {summary}")],
            Form::SummaryOnly => vec![summary],
        }
    }

    /// Makes room for lines of others.
    pub(super) fn clear(&mut self) {
        self.show(&Update::default());
    }

    fn sentence(&self, verdict: Verdict) -> String {
        let names = |progress: Progress| {
            let clusters = self.clusters.iter().map(|reading| &*reading.cluster);
            summary::names(clusters.filter(|info| self.progress.get(&info.id) == Some(&progress)))
        };
        match verdict {
            Verdict::Ended(Progress::Failed) => {
                format!("failed or canceled: {}", names(Progress::Failed))
            }
            Verdict::Ended(Progress::Unknown) => match names(Progress::Unknown) {
                names if names.is_empty() => "not all clusters could be read".to_owned(),
                names => format!("could not be read: {names}"),
            },
            Verdict::Ended(Progress::Done | Progress::Pending) => {
                "all upgrades have ended well".to_owned()
            }
            Verdict::TimedOut => {
                format!(
                    "--timeout is over before the end of: {}",
                    names(Progress::Pending)
                )
            }
        }
    }

    fn is_open(&self, id: &ClusterId) -> bool {
        self.progress.get(id) != Some(&Progress::Done)
    }

    fn table(&self, format: Format, now: Timestamp, size: Size) -> Table {
        let width = Some(size.columns);
        Table::new(&self.clusters, now, Format { width, ..format })
    }

    fn rows(&self, table: &Table, is_wanted: impl Fn(&ClusterId) -> bool) -> Vec<String> {
        let clusters = self.clusters.iter();
        clusters
            .filter(|reading| is_wanted(&reading.cluster.id))
            .map(|reading| table.row(reading))
            .collect()
    }

    /// The changes since the last poll. In the first poll, only of clusters that are not done.
    fn changes(&mut self, is_first: bool) -> Vec<String> {
        let mut lines = Vec::new();
        for reading in &self.clusters {
            let id = &reading.cluster.id;
            let Some(key) = change::key(reading) else {
                continue;
            };
            let is_done = self.progress.get(id) == Some(&Progress::Done);
            let earlier = self.shown.insert(id.clone(), key);
            let is_news = earlier.as_ref() != self.shown.get(id);
            if is_news && !(is_first && is_done) {
                lines.push(change::text(reading));
            }
        }
        lines
    }

    /// The lines that fit the terminal, and one about the wait itself.
    fn limit(&self, mut live: Vec<String>, now: Timestamp, size: Size) -> Vec<String> {
        let each = self.progress.values();
        let pending = each.filter(|each| **each == Progress::Pending).count();
        if pending == 0 {
            return Vec::new();
        }
        live.truncate(size.lines.saturating_sub(3).max(1));
        let text = format!(
            "waiting for {pending} of {} clusters since {}",
            self.clusters.len(),
            age(self.started, now)
        );
        live.push(cut(&text, size.columns));
        live
    }

    fn show(&mut self, update: &Update) {
        match self.form {
            Form::Terminal(_) | Form::Lines => self.live.replace(update),
            Form::SummaryOnly => update.lasting.iter().for_each(|line| log::write_line(line)),
        }
    }
}

#[cfg(test)]
mod tests;

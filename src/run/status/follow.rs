//! The output of `--wait`: on a terminal a line for each cluster that is waited for, elsewhere a line
//! for each change, and a summary at the end.

use std::collections::HashMap;
use std::io::{self, Write as _};

use ack_client::names::ClusterId;
use exporter_toolkit::log;
use jiff::Timestamp;

use super::table::{Format, Table, age, cut};
use super::terminal::Size;
use super::{change, order, summary};
use crate::run::print;
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
    /// A table whose lines are replaced.
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
    /// The number of lines that the next poll replaces.
    live_lines: usize,
}

impl Follower {
    pub(super) fn new(form: Form, started: Timestamp) -> Self {
        Self {
            form,
            started,
            clusters: Vec::new(),
            progress: HashMap::new(),
            shown: HashMap::new(),
            live_lines: 0,
        }
    }

    /// Shows the clusters of a poll at `now`; `progress` is that of each.
    pub(super) fn follow(
        &mut self,
        mut clusters: Vec<ClusterReading>,
        progress: HashMap<ClusterId, Progress>,
        now: Timestamp,
    ) {
        order::sort(&mut clusters);
        let is_first = self.clusters.is_empty();
        let earlier = std::mem::replace(&mut self.progress, progress);
        self.clusters = clusters;
        match self.form {
            Form::Terminal(format) => {
                let has_ended = |id: &ClusterId| {
                    earlier.get(id) == Some(&Progress::Pending)
                        && self.progress.get(id) != Some(&Progress::Pending)
                };
                let table = self.table(format, now);
                let ended = self.rows(&table, has_ended);
                let mut live: Vec<_> = table.header().into_iter().collect();
                live.extend(self.rows(&table, |id| self.is_pending(id)));
                self.replace(&ended, &self.limit(live, now));
            }
            Form::Lines => {
                if is_first {
                    print(&format!("{now:.0} {}", summary::counts(&self.clusters)));
                }
                for line in self.changes(is_first) {
                    print(&format!("{now:.0} {line}"));
                }
            }
            Form::SummaryOnly => {}
        }
    }

    /// Shows what was waited for to the end, and a summary.
    pub(super) fn finish(&mut self, verdict: Verdict, now: Timestamp) {
        let summary = format!(
            "{} after {}; {}",
            self.sentence(verdict),
            age(self.started, now),
            summary::counts(&self.clusters)
        );
        match self.form {
            Form::Terminal(format) => {
                let table = self.table(format, now);
                let is_open = |id: &ClusterId| self.progress.get(id) != Some(&Progress::Done);
                let mut lines = self.rows(&table, is_open);
                if !lines.is_empty() {
                    lines.splice(0..0, table.header());
                }
                lines.push(summary);
                self.replace(&lines, &[]);
            }
            Form::Lines => {
                print(&format!("{now:.0} {summary}"));
            }
            Form::SummaryOnly => log::write_line(&summary),
        }
    }

    /// Makes room for lines of others.
    pub(super) fn clear(&mut self) {
        self.replace(&[], &[]);
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

    fn is_pending(&self, id: &ClusterId) -> bool {
        self.progress.get(id) == Some(&Progress::Pending)
    }

    fn table(&self, format: Format, now: Timestamp) -> Table {
        Table::new(&self.clusters, now, format)
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
    fn limit(&self, mut live: Vec<String>, now: Timestamp) -> Vec<String> {
        let pending = self
            .clusters
            .iter()
            .filter(|reading| self.is_pending(&reading.cluster.id));
        let pending = pending.count();
        if pending == 0 {
            return Vec::new();
        }
        let size = Size::of_stdout();
        let (lines, columns) = size.map_or((24, 80), |size| (size.lines, size.columns));
        live.truncate(lines.saturating_sub(3).max(1));
        let text = format!(
            "waiting for {pending} of {} clusters since {}",
            self.clusters.len(),
            age(self.started, now)
        );
        live.push(cut(&text, columns));
        live
    }

    /// Prints `lines` for good, and `live` until the next call.
    fn replace(&mut self, lines: &[String], live: &[String]) {
        let mut text = String::new();
        if self.live_lines > 0 {
            text = format!("\x1b[{}A\r\x1b[J", self.live_lines);
        }
        for line in lines.iter().chain(live) {
            text.push_str(line);
            text.push('\n');
        }
        self.live_lines = live.len();
        log::flush();
        let mut stdout = io::stdout().lock();
        // A wait goes on without a reader, for its exit code.
        drop(
            stdout
                .write_all(text.as_bytes())
                .and_then(|()| stdout.flush()),
        );
    }
}

//! One look at the clusters that the command line selects.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::progress_line::ProgressLine;
use crate::cli::{Output, StatusArgs};
use crate::collect::{Collector, Extent};
use crate::run::RunError;
use crate::run::missing::missing_cluster;
use crate::snapshot::Snapshot;
use crate::wait::Coverage;

/// The polls of one command.
#[derive(Debug)]
pub(super) struct Poller<'a> {
    args: &'a StatusArgs,
    pub(super) collector: &'a Arc<Collector>,
    /// The time without a response after which a poll ends.
    pub(super) patience: Duration,
    /// The targets that were there in a poll. One that goes later is no mistake on the command
    /// line.
    found: HashSet<&'a str>,
    is_first: bool,
}

/// The result of a poll.
#[derive(Debug)]
pub(super) struct Poll {
    /// The clusters that the command line names.
    pub(super) snapshot: Snapshot,
    pub(super) coverage: Coverage,
}

impl<'a> Poller<'a> {
    pub(super) fn new(
        args: &'a StatusArgs,
        collector: &'a Arc<Collector>,
        patience: Duration,
    ) -> Self {
        Self {
            args,
            collector,
            patience,
            found: HashSet::new(),
            is_first: true,
        }
    }

    /// Queries the clusters, all of them however many there are.
    pub(super) async fn poll(&mut self) -> Result<Poll, RunError> {
        let extent = match self.args.output.format {
            Output::Json => Extent::Watched,
            Output::Table => Extent::Upgrades,
        };
        // Later ones have results of their own on the terminal.
        let mut line = self.is_first.then(ProgressLine::new);
        self.is_first = false;
        let report = |progress| {
            if let Some(line) = &mut line {
                line.report(progress);
            }
        };
        let collected = self
            .collector
            .collect_to_the_end(extent, self.patience, report)
            .await;
        drop(line);
        let snapshot = self.args.select(&collected);
        let coverage = self.coverage(&snapshot)?;
        Ok(Poll { snapshot, coverage })
    }

    /// The names of all clusters.
    fn names(&self) -> Vec<String> {
        let clusters = self.collector.clusters().unwrap_or_default();
        clusters
            .iter()
            .map(|cluster| cluster.name.clone())
            .collect()
    }

    /// Compares the clusters of `snapshot` with those that the command line names.
    fn coverage(&mut self, snapshot: &Snapshot) -> Result<Coverage, RunError> {
        let targets = self.args.targets.iter().map(String::as_str);
        let is_there = |target: &&str| {
            let mut clusters = snapshot.clusters.iter();
            clusters.any(|reading| reading.cluster.is_meant(target))
        };
        let (there, missing): (Vec<_>, Vec<_>) = targets.partition(is_there);
        self.found.extend(there);
        let are_lists_known = self.collector.clusters().is_some();
        let never_found: Vec<_> = missing
            .iter()
            .filter(|target| !self.found.contains(*target))
            .map(|target| missing_cluster(target, &self.names()))
            .collect();
        if are_lists_known && !never_found.is_empty() {
            return Err(RunError::Usage(never_found.join("\n")));
        }
        let has_all = missing.is_empty() && !snapshot.clusters.is_empty();
        let is_full = has_all && (are_lists_known || !self.args.targets.is_empty());
        Ok(if is_full {
            Coverage::Full
        } else {
            Coverage::Partial
        })
    }
}

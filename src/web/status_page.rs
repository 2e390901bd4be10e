//! The page at `/`: the fleet as the last scrape saw it, for people.
//!
//! A pure function of a snapshot and of the query string. It calls no API, loads nothing from
//! elsewhere, and works without scripts: filter and order are links and a form.

mod display_status;
mod escape;
mod format;
mod policy;
mod query;
mod row;
mod selection;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;

use self::display_status::DisplayStatus;
use self::format::Age;
use self::policy::STYLE;
use self::query::Column;
use self::row::NextVersion;
use self::selection::Selection;
use super::paths::Paths;
use crate::snapshot::Snapshot;

pub use policy::headers;
pub use query::PageQuery;

/// The statuses that have a tile of their own, also when no cluster is in them.
const TILES: [DisplayStatus; 4] = [
    DisplayStatus::Running,
    DisplayStatus::Paused,
    DisplayStatus::Failed,
    DisplayStatus::NotAnswering,
];
/// The age from which on a snapshot is called old, in seconds. Few Prometheus servers scrape less
/// often.
const OLD: u64 = 300;
/// Failed cluster lists that are named.
const NAMED_LISTS: usize = 5;

/// Renders the last snapshot, if there is one, as `query` asks for it. To be sent with
/// [`headers`].
pub fn page(
    snapshot: Option<&Snapshot>,
    now: Timestamp,
    query: &PageQuery,
    paths: &Paths,
) -> askama::Result<String> {
    match snapshot {
        Some(snapshot) => Fleet::new(snapshot, now, query, paths).render(),
        None => BeforeFirstScrape { query, paths }.render(),
    }
}

#[derive(Template)]
#[template(path = "before_first_scrape.html")]
struct BeforeFirstScrape<'a> {
    query: &'a PageQuery,
    paths: &'a Paths,
}

#[derive(Template)]
#[template(path = "fleet.html")]
struct Fleet<'a> {
    snapshot: &'a Snapshot,
    age: Age,
    counts: BTreeMap<DisplayStatus, usize>,
    selection: Selection<'a>,
    query: &'a PageQuery,
    paths: &'a Paths,
}

impl<'a> Fleet<'a> {
    fn new(snapshot: &'a Snapshot, now: Timestamp, query: &'a PageQuery, paths: &'a Paths) -> Self {
        let at = snapshot.at;
        let statuses = snapshot.clusters.iter().map(DisplayStatus::of);
        Self {
            snapshot,
            age: Age { at, now },
            counts: selection::count(statuses),
            selection: Selection::new(&snapshot.clusters, query, now),
            query,
            paths,
        }
    }

    fn count(&self, status: DisplayStatus) -> usize {
        self.counts.get(&status).copied().unwrap_or(0)
    }

    /// The window's title, by which the page is found among tabs.
    fn title(&self) -> String {
        let mut parts = Vec::new();
        for status in TILES {
            let count = self.count(status);
            if count > 0 {
                let label = status.label().to_lowercase();
                parts.push(format!("{} {label}", format::grouped(count)));
            }
        }
        if parts.is_empty() {
            return "No upgrade under way".to_owned();
        }
        parts.join(", ")
    }

    /// The statuses without a tile that some cluster is in.
    fn rest(&self) -> Vec<DisplayStatus> {
        let mut rest = DisplayStatus::ALL.to_vec();
        rest.retain(|status| !TILES.contains(status) && self.count(*status) > 0);
        rest
    }

    /// The account and region of each cluster list that could not be read.
    fn failed_lists(&self) -> Vec<(&str, &str)> {
        let mut failed = Vec::new();
        for account in &self.snapshot.accounts {
            for discovery in account
                .discoveries
                .iter()
                .filter(|list| !list.has_succeeded())
            {
                failed.push((account.account.as_str(), discovery.region.as_str()));
            }
        }
        failed
    }
}

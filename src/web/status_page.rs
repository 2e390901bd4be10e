//! The page at `/`: the fleet as the last scrape saw it, for people.
//!
//! A pure function of a snapshot and of the query string. It calls no API, loads nothing from
//! elsewhere, and works without scripts: filters are links and a form. Its words are in
//! `messages.rs`.

mod accounts;
mod details;
mod display_status;
mod escape;
mod format;
mod messages;
mod policy;
mod query;
mod row;
mod selection;
#[cfg(test)]
mod tests;
mod watched;
mod word_set;

use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;

use self::accounts::{Place, places};
use self::display_status::DisplayStatus;
use self::format::Age;
use self::messages::{Language, Messages};
use self::policy::STYLE;
use self::query::Sort;
use self::row::{NextVersion, Row};
use self::selection::Selection;
use self::watched::{Mark, Marked};
use super::paths::Paths;
use crate::snapshot::Snapshot;

pub use policy::headers;
pub use query::PageQuery;

/// The statuses that have a tile of their own, also when no cluster is in them.
const TILES: [DisplayStatus; 5] = [
    DisplayStatus::Failed,
    DisplayStatus::PausedOnError,
    DisplayStatus::NotAnswering,
    DisplayStatus::Paused,
    DisplayStatus::Running,
];
/// The age from which on a snapshot is called old, in seconds. Few Prometheus servers scrape less
/// often.
const OLD: u64 = 300;
/// Clusters that a banner names.
const NAMED: usize = 5;
/// Regions up to which they are shown without being asked for.
const FEW_PLACES: usize = 8;

/// Renders the last snapshot, if there is one, as `query` asks for it. To be sent with
/// [`headers`].
pub fn page(
    snapshot: Option<&Snapshot>,
    now: Timestamp,
    query: &PageQuery,
    paths: &Paths,
) -> askama::Result<String> {
    let t = query.messages();
    match snapshot {
        Some(snapshot) => Fleet::new(snapshot, now, query, paths).render(),
        None => BeforeFirstScrape { query, paths, t }.render(),
    }
}

#[derive(Template)]
#[template(path = "before_first_scrape.html")]
struct BeforeFirstScrape<'a> {
    query: &'a PageQuery,
    paths: &'a Paths,
    t: &'static Messages,
}

#[derive(Template)]
#[template(path = "fleet.html")]
struct Fleet<'a> {
    snapshot: &'a Snapshot,
    now: Timestamp,
    counts: BTreeMap<DisplayStatus, usize>,
    /// The clusters that have a mark, the earliest time first.
    marked: BTreeMap<Mark, Vec<(Marked<'a>, Row<'a>)>>,
    places: Vec<Place<'a>>,
    selection: Selection<'a>,
    query: &'a PageQuery,
    paths: &'a Paths,
    t: &'static Messages,
}

impl<'a> Fleet<'a> {
    fn new(snapshot: &'a Snapshot, now: Timestamp, query: &'a PageQuery, paths: &'a Paths) -> Self {
        let statuses = snapshot.clusters.iter().map(DisplayStatus::of);
        Self {
            snapshot,
            now,
            counts: selection::count(statuses),
            marked: marked(snapshot, now, query.messages()),
            places: places(snapshot),
            selection: Selection::new(&snapshot.clusters, query, now),
            query,
            paths,
            t: query.messages(),
        }
    }

    fn age(&self, at: Timestamp) -> Age {
        let (now, t) = (self.now, self.t);
        Age { at, now, t }
    }

    fn count(&self, status: DisplayStatus) -> usize {
        self.counts.get(&status).copied().unwrap_or(0)
    }

    /// The window's title, by which the page is found among tabs.
    fn title(&self) -> String {
        let unread = self.unread_lists().len();
        let mut counts = vec![(self.t.lists, unread)];
        for status in TILES {
            counts.push((status.label(self.t), self.count(status)));
        }
        counts.retain(|(_, count)| *count > 0);
        if counts.is_empty() {
            return self.t.calm.to_owned();
        }
        let texts = counts.iter();
        let texts: Vec<_> = texts
            .map(|(label, count)| format!("{label}: {}", format::grouped(*count)))
            .collect();
        texts.join(" · ")
    }

    /// The statuses without a tile that some cluster is in.
    fn rest(&self) -> Vec<DisplayStatus> {
        let mut rest = DisplayStatus::ALL.to_vec();
        rest.retain(|status| !TILES.contains(status) && self.count(*status) > 0);
        rest
    }

    /// The places whose cluster list could not be read.
    fn unread_lists(&self) -> Vec<&Place<'a>> {
        let places = self.places.iter();
        places
            .filter(|place| place.list_failure().is_some())
            .collect()
    }

    /// The number of queries beside the upgrades that fail.
    fn failed_queries(&self) -> usize {
        let places = self.places.iter();
        places.map(|place| place.failed_queries.len()).sum()
    }
}

/// The clusters that have a mark, the earliest time first.
fn marked<'a>(
    snapshot: &'a Snapshot,
    now: Timestamp,
    t: &'static Messages,
) -> BTreeMap<Mark, Vec<(Marked<'a>, Row<'a>)>> {
    let mut marked: BTreeMap<_, Vec<(Marked<'a>, Row<'a>)>> = BTreeMap::new();
    for reading in &snapshot.clusters {
        let row = Row::new(reading, now, t);
        for mark in row.marks() {
            marked.entry(mark.mark).or_default().push((mark, row));
        }
    }
    for clusters in marked.values_mut() {
        clusters.sort_by_key(|(mark, _)| mark.at);
        clusters.dedup_by_key(|(_, row)| row.cluster().id.clone());
    }
    marked
}

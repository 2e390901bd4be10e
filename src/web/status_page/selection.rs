//! Which clusters a query shows, and in which order.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::display_status::DisplayStatus;
use super::query::{Column, Direction, PageQuery};
use crate::snapshot::{ClusterInfo, ClusterReading, Failure, Outcome};
use crate::upgrade::UpgradeState;

/// Clusters on one page, so that a browser takes a fleet of any size.
pub(super) const PAGE_SIZE: usize = 500;

/// One cluster of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) reading: &'a ClusterReading,
    pub(super) status: DisplayStatus,
}

/// The clusters that a query shows.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    /// Those of this page.
    pub(super) rows: Vec<Row<'a>>,
    /// How many match on all pages, by status.
    pub(super) matching: BTreeMap<DisplayStatus, usize>,
    /// Pages before this one.
    pub(super) skipped_pages: usize,
    /// How many pages there are, at least one.
    pub(super) pages: usize,
}

impl<'a> Row<'a> {
    pub(super) fn new(reading: &'a ClusterReading) -> Self {
        Self {
            reading,
            status: DisplayStatus::of(reading),
        }
    }

    pub(super) fn cluster(&self) -> &'a ClusterInfo {
        &self.reading.cluster
    }

    pub(super) fn state(&self) -> Option<&'a UpgradeState> {
        match &self.reading.outcome {
            Outcome::Up(state) => Some(state),
            Outcome::Down(_) | Outcome::NotAsked => None,
        }
    }

    pub(super) fn failure(&self) -> Option<&'a Failure> {
        match &self.reading.outcome {
            Outcome::Down(failure) => Some(failure),
            Outcome::Up(_) | Outcome::NotAsked => None,
        }
    }

    pub(super) fn region(&self) -> &'a str {
        self.cluster()
            .region
            .as_ref()
            .map_or("", |region| region.as_str())
    }

    /// When what the row says began: the present state, or the silence of a cluster that does not
    /// answer.
    fn since(&self) -> Option<Timestamp> {
        match self.reading.outcome {
            Outcome::Up(_) => self.reading.since,
            Outcome::Down(_) | Outcome::NotAsked => self.reading.last_success,
        }
    }
}

impl<'a> Selection<'a> {
    pub(super) fn new(clusters: &'a [ClusterReading], query: &PageQuery) -> Self {
        let words: Vec<String> = query
            .text
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        let mut rows: Vec<Row<'a>> = clusters
            .iter()
            .map(Row::new)
            .filter(|row| query.status.is_none_or(|status| row.status == status))
            .filter(|row| words.is_empty() || contains_all(&searched_text(row), &words))
            .collect();
        rows.sort_by(|one, other| compare(query, one, other));
        let pages = rows.len().div_ceil(PAGE_SIZE).max(1);
        let skipped_pages = query.skipped_pages.min(pages - 1);
        let matching = count(rows.iter().map(|row| row.status));
        let rows = rows
            .into_iter()
            .skip(skipped_pages * PAGE_SIZE)
            .take(PAGE_SIZE)
            .collect();
        Self {
            rows,
            matching,
            skipped_pages,
            pages,
        }
    }

    /// How many clusters match on all pages.
    pub(super) fn total(&self) -> usize {
        self.matching.values().sum()
    }
}

/// How many clusters are in each status.
pub(super) fn count(
    statuses: impl Iterator<Item = DisplayStatus>,
) -> BTreeMap<DisplayStatus, usize> {
    let mut counts = BTreeMap::new();
    for status in statuses {
        *counts.entry(status).or_default() += 1;
    }
    counts
}

fn contains_all(text: &str, words: &[String]) -> bool {
    words.iter().all(|word| text.contains(word.as_str()))
}

/// All that somebody might look for, in lower case, one piece a line.
fn searched_text(row: &Row<'_>) -> String {
    let cluster = row.cluster();
    let mut text = String::with_capacity(256);
    let mut add = |piece: &str| {
        text.push_str(piece);
        text.push('\n');
    };
    for piece in [
        cluster.id.as_str(),
        &cluster.name,
        cluster.account.as_str(),
        row.region(),
    ] {
        add(piece);
    }
    for piece in [
        &cluster.version,
        &cluster.next_version,
        &cluster.cluster_type,
        &cluster.spec,
    ] {
        add(piece);
    }
    for (name, value) in &cluster.labels {
        add(&format!("{name}={value}"));
    }
    if let Some(state) = row.state() {
        add(state.error_message.as_deref().unwrap_or_default());
        add(&state.target_version);
        add(&state.task_id);
    }
    if let Some(failure) = row.failure() {
        add(failure.reason.as_str());
        add(&failure.message);
    }
    text.to_lowercase()
}

fn compare(query: &PageQuery, one: &Row<'_>, other: &Row<'_>) -> Ordering {
    let direction = query.sort.direction;
    let by_column = match query.sort.column {
        Column::Status => {
            return directed(direction, one.status.cmp(&other.status))
                .then_with(|| longest_first(one, other))
                .then_with(|| by_name(one, other));
        }
        Column::Name => directed(direction, by_name(one, other)),
        Column::Since => known_first(direction, one.since(), other.since()),
        Column::Version => known_first(direction, version(one), version(other)),
        Column::Account => directed(
            direction,
            (&one.cluster().account, one.region()).cmp(&(&other.cluster().account, other.region())),
        ),
        Column::Reading => known_first(
            direction,
            one.reading.last_success,
            other.reading.last_success,
        ),
    };
    by_column.then_with(|| by_name(one, other))
}

/// Among those that need somebody, whoever has waited longest; it is the likeliest to be stuck.
fn longest_first(one: &Row<'_>, other: &Row<'_>) -> Ordering {
    if one.status.needs_attention() {
        known_first(Direction::Ascending, one.since(), other.since())
    } else {
        Ordering::Equal
    }
}

fn by_name(one: &Row<'_>, other: &Row<'_>) -> Ordering {
    (&one.cluster().name, &one.cluster().id).cmp(&(&other.cluster().name, &other.cluster().id))
}

fn directed(direction: Direction, ordering: Ordering) -> Ordering {
    match direction {
        Direction::Ascending => ordering,
        Direction::Descending => ordering.reverse(),
    }
}

/// What is not known comes last, whichever way the rest goes.
fn known_first<T: Ord>(direction: Direction, one: Option<T>, other: Option<T>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => directed(direction, one.cmp(&other)),
        (one, other) => other.is_some().cmp(&one.is_some()),
    }
}

/// The numbers of the version in their order, so that 1.9 comes before 1.30.
fn version(row: &Row<'_>) -> Option<Vec<u64>> {
    let text = &row.cluster().version;
    let numbers = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty());
    Some(
        numbers
            .map(|digits| digits.parse().unwrap_or(u64::MAX))
            .collect(),
    )
    .filter(|_| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use ack_client::Reason;
    use ack_client::{Status, Step};

    use super::*;
    use crate::web::fixture::{ago, altered, cluster, down, up};

    fn shown(clusters: &[ClusterReading], query: &str) -> Vec<String> {
        let selection = Selection::new(clusters, &PageQuery::parse(Some(query)));
        selection
            .rows
            .iter()
            .map(|row| row.cluster().id.to_string())
            .collect()
    }

    fn since(mut reading: ClusterReading, seconds: i64) -> ClusterReading {
        reading.since = Some(ago(seconds));
        reading
    }

    #[test]
    fn what_runs_comes_first_and_the_longest_of_it_before_all() {
        let clusters = [
            cluster("idle", up(Status::None, Step::NotStart)),
            cluster("good", up(Status::Success, Step::Success)),
            cluster("silent", down(Reason::Timeout, "")),
            cluster("bad", up(Status::Fail, Step::Upgrading)),
            since(cluster("young", up(Status::Running, Step::Upgrading)), 60),
            since(cluster("old", up(Status::Running, Step::Prechecking)), 6000),
            cluster("paused", up(Status::Pause, Step::Pause)),
        ];
        assert_eq!(
            shown(&clusters, ""),
            ["old", "young", "paused", "bad", "silent", "good", "idle"]
        );
        assert_eq!(
            shown(&clusters, "sort=-status"),
            ["idle", "good", "silent", "bad", "paused", "old", "young"]
        );
        assert_eq!(shown(&clusters, "status=not_answering"), ["silent"]);
    }

    #[test]
    fn every_word_must_be_somewhere_in_the_cluster() {
        let failed = altered(
            cluster("c2", down(Reason::Forbidden, "needs cs:GetUpgradeStatus")),
            |info| info.labels.clear(),
        );
        let clusters = [cluster("c1", up(Status::None, Step::NotStart)), failed];
        assert_eq!(shown(&clusters, "q=SHOP+prod"), ["c2", "c1"]);
        assert_eq!(shown(&clusters, "q=team%3Dpayments"), ["c1"]);
        assert_eq!(shown(&clusters, "q=getupgradestatus+hangzhou"), ["c2"]);
        assert_eq!(shown(&clusters, "q=shop+nowhere"), [""; 0]);
    }

    #[test]
    fn versions_are_ordered_by_their_numbers_and_unknown_ones_come_last() {
        let versions = [
            ("c1", "1.30.1"),
            ("c2", ""),
            ("c3", "1.9.10"),
            ("c4", "99999999999999999999.1"),
        ];
        let clusters = versions.map(|(id, version)| {
            altered(cluster(id, up(Status::None, Step::NotStart)), |info| {
                version.clone_into(&mut info.version);
            })
        });
        assert_eq!(shown(&clusters, "sort=version"), ["c3", "c1", "c4", "c2"]);
        assert_eq!(shown(&clusters, "sort=-version"), ["c4", "c1", "c3", "c2"]);
    }

    #[test]
    fn a_page_past_the_end_is_the_last_one() {
        let clusters: Vec<_> = (0..PAGE_SIZE + 7)
            .map(|at| cluster(&format!("c{at:04}"), up(Status::None, Step::NotStart)))
            .collect();
        let last = Selection::new(
            &clusters,
            &PageQuery::parse(Some("page=18446744073709551615")),
        );
        assert_eq!(
            (
                last.rows.len(),
                last.skipped_pages,
                last.pages,
                last.total()
            ),
            (7, 1, 2, PAGE_SIZE + 7)
        );
        let none = Selection::new(&[], &PageQuery::default());
        assert_eq!((none.rows.len(), none.pages), (0, 1));
    }
}

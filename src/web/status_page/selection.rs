//! The clusters that a query shows, in its order.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Timestamp;

use super::display_status::DisplayStatus;
use super::query::{Column, Direction, PageQuery, Sort};
use super::row::Row;
use crate::snapshot::{ClusterReading, Outcome};

/// Clusters on one page, so that a browser takes a fleet of any size.
pub(super) const PAGE_SIZE: usize = 500;
/// Rows from which on the quiet ones get a single line.
const DENSE: usize = 100;
/// Pages that are linked beside the present one, on either side.
const NEAR_PAGES: usize = 2;

/// The clusters that a query shows.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    sort: Sort,
    /// The clusters of this page.
    pub(super) rows: Vec<Row<'a>>,
    /// The number of matching clusters on all pages, by status.
    matching: BTreeMap<DisplayStatus, usize>,
    /// The number of this page, counted from 0.
    pub(super) page: usize,
    /// The number of pages, at least one.
    pub(super) pages: usize,
}

/// Rows that stand together in the table.
pub(super) struct Group<'a> {
    /// The status that the rows have in common, if they are sorted by it.
    pub(super) status: Option<DisplayStatus>,
    /// The number of clusters of the group on all pages.
    pub(super) size: usize,
    pub(super) rows: &'a [Row<'a>],
}

impl<'a> Selection<'a> {
    pub(super) fn new(clusters: &'a [ClusterReading], query: &PageQuery, now: Timestamp) -> Self {
        let text = query.text.to_lowercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut rows = Vec::new();
        for reading in clusters {
            let row = Row::new(reading, now);
            if query.status.is_none_or(|status| row.status == status)
                && (words.is_empty() || contains_all(&searched_text(&row), &words))
            {
                rows.push(row);
            }
        }
        rows.sort_by(|one, other| compare(query.sort, one, other));
        let matching = count(rows.iter().map(|row| row.status));
        let pages = rows.len().div_ceil(PAGE_SIZE).max(1);
        let page = query.page.min(pages - 1);
        rows.drain(..page * PAGE_SIZE);
        rows.truncate(PAGE_SIZE);
        Self {
            sort: query.sort,
            rows,
            matching,
            page,
            pages,
        }
    }

    /// The number of matching clusters on all pages.
    pub(super) fn total(&self) -> usize {
        self.matching.values().sum()
    }

    pub(super) fn first_row(&self) -> usize {
        self.page * PAGE_SIZE
    }

    /// The pages that are linked by their number, counted from 0.
    pub(super) fn near_pages(&self) -> Range<usize> {
        let end = (self.page + NEAR_PAGES + 1).min(self.pages);
        self.page.saturating_sub(NEAR_PAGES)..end
    }

    /// The rows of this page: by status if they are sorted by it, otherwise all together.
    pub(super) fn groups(&self) -> Vec<Group<'_>> {
        if self.sort.column != Column::Status {
            return vec![Group {
                status: None,
                size: self.total(),
                rows: &self.rows,
            }];
        }
        let mut groups = Vec::new();
        for rows in self.rows.chunk_by(|one, other| one.status == other.status) {
            let status = rows[0].status;
            groups.push(Group {
                status: Some(status),
                size: self.matching[&status],
                rows,
            });
        }
        groups
    }

    pub(super) fn is_dense(&self) -> bool {
        self.rows.len() > DENSE
    }
}

/// Counts the clusters in each status.
pub(super) fn count(
    statuses: impl Iterator<Item = DisplayStatus>,
) -> BTreeMap<DisplayStatus, usize> {
    let mut counts = BTreeMap::new();
    for status in statuses {
        *counts.entry(status).or_default() += 1;
    }
    counts
}

fn contains_all(text: &str, words: &[&str]) -> bool {
    words.iter().all(|word| text.contains(word))
}

/// Everything that somebody might look for, in lower case, one piece a line.
fn searched_text(row: &Row<'_>) -> String {
    let cluster = row.cluster();
    let mut pieces = vec![
        cluster.id.as_str(),
        &cluster.name,
        cluster.account.as_str(),
        row.region(),
        &cluster.version,
        &cluster.next_version,
        &cluster.cluster_type,
        &cluster.spec,
    ];
    match &row.reading.outcome {
        Outcome::Up(state) => {
            pieces.extend(state.error_message.as_deref());
            pieces.extend([&*state.target_version, &*state.task_id]);
        }
        Outcome::Down(failure) => pieces.extend([failure.reason.as_str(), &failure.message]),
        Outcome::NotAsked => {}
    }
    let mut text = pieces.join("\n");
    for (name, value) in &cluster.labels {
        for piece in ["\n", name, "=", value] {
            text.push_str(piece);
        }
    }
    text.to_lowercase()
}

fn compare(sort: Sort, one: &Row<'_>, other: &Row<'_>) -> Ordering {
    let direction = sort.direction;
    let by_column = match sort.column {
        Column::Status => directed(direction, one.status.cmp(&other.status))
            .then_with(|| longest_first(one, other)),
        Column::Name => directed(direction, by_name(one, other)),
        Column::Since => known_first(direction, since(one), since(other)),
        Column::Version => known_first(direction, version(one), version(other)),
        Column::Account => directed(direction, by_account(one, other)),
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
        known_first(Direction::Ascending, since(one), since(other))
    } else {
        Ordering::Equal
    }
}

fn by_name(one: &Row<'_>, other: &Row<'_>) -> Ordering {
    let (one, other) = (one.cluster(), other.cluster());
    (&one.name, &one.id).cmp(&(&other.name, &other.id))
}

fn by_account(one: &Row<'_>, other: &Row<'_>) -> Ordering {
    let accounts = one.cluster().account.cmp(&other.cluster().account);
    accounts.then_with(|| one.region().cmp(other.region()))
}

fn directed(direction: Direction, ordering: Ordering) -> Ordering {
    match direction {
        Direction::Ascending => ordering,
        Direction::Descending => ordering.reverse(),
    }
}

/// Compares so that the unknown comes last in both directions.
fn known_first<T: Ord>(direction: Direction, one: Option<T>, other: Option<T>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => directed(direction, one.cmp(&other)),
        (one, other) => other.is_some().cmp(&one.is_some()),
    }
}

/// The beginning of the present state, or of the silence of a cluster that does not answer.
fn since(row: &Row<'_>) -> Option<Timestamp> {
    match row.reading.outcome {
        Outcome::Up(_) => row.reading.since,
        Outcome::Down(_) | Outcome::NotAsked => row.reading.last_success,
    }
}

/// The numbers of the version in their order, so that 1.9 comes before 1.30.
fn version(row: &Row<'_>) -> Option<Vec<u64>> {
    let text = &row.cluster().version;
    let numbers = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.parse().unwrap_or(u64::MAX));
    (!text.is_empty()).then(|| numbers.collect())
}

#[cfg(test)]
mod tests {
    use ack_client::Reason;
    use ack_client::{Status, Step};

    use super::*;
    use crate::web::fixture::{NOW, ago, altered, cluster, down, up};

    fn shown(clusters: &[ClusterReading], query: &str) -> Vec<String> {
        let selection = Selection::new(clusters, &PageQuery::parse(Some(query)), NOW);
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
            NOW,
        );
        assert_eq!(
            (last.rows.len(), last.page, last.pages, last.total()),
            (7, 1, 2, PAGE_SIZE + 7)
        );
        let none = Selection::new(&[], &PageQuery::default(), NOW);
        assert_eq!((none.rows.len(), none.pages), (0, 1));
    }
}

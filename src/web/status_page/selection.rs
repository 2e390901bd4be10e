//! The clusters that a query shows, in its order.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::display_status::DisplayStatus;
use super::query::{PageQuery, Sort};
use super::row::Row;
use super::watched::Mark;
use crate::snapshot::{ClusterReading, Outcome};

/// Clusters on one page, so that a browser takes a fleet of any size.
pub(super) const PAGE_SIZE: usize = 500;
/// The number of clusters above which the rows are compact.
const ROOMY: usize = 30;

/// The clusters that a query shows.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    sort: Sort,
    is_filtered: bool,
    /// The clusters of this page.
    pub(super) rows: Vec<Row<'a>>,
    /// The number of matching clusters on all pages, by status.
    matching: BTreeMap<DisplayStatus, usize>,
    /// The number of this page, counted from 1.
    pub(super) page: usize,
    /// The number of pages, at least one.
    pub(super) pages: usize,
}

/// Rows that stand together in one table.
pub(super) struct Group<'a> {
    /// The status that the rows have in common, if they are in the order of their urgency.
    pub(super) status: Option<DisplayStatus>,
    /// The number of clusters of the group on all pages.
    pub(super) size: usize,
    pub(super) rows: &'a [Row<'a>],
    /// True if the group is shown on demand only.
    pub(super) is_folded: bool,
}

impl<'a> Selection<'a> {
    pub(super) fn new(clusters: &'a [ClusterReading], query: &PageQuery, now: Timestamp) -> Self {
        let text = query.value("q").to_lowercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut rows = Vec::new();
        for reading in clusters {
            let row = Row::new(reading, now, query.messages());
            if is_wanted(&row, query)
                && (words.is_empty() || contains_all(&searched_text(&row), &words))
            {
                rows.push(row);
            }
        }
        rows.sort_by(|one, other| compare(query.sort(), one, other));
        let matching = count(rows.iter().map(|row| row.status));
        let pages = rows.len().div_ceil(PAGE_SIZE).max(1);
        let page = query.page().min(pages);
        rows.drain(..(page - 1) * PAGE_SIZE);
        rows.truncate(PAGE_SIZE);
        Self {
            sort: query.sort(),
            is_filtered: query.is_filtered(),
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
        (self.page - 1) * PAGE_SIZE
    }

    /// Returns true if a row gets little room.
    pub(super) fn is_compact(&self) -> bool {
        self.total() > ROOMY
    }

    /// Returns true if the folded groups are opened: there is nothing else to see.
    pub(super) fn is_open(&self) -> bool {
        let needs_attention = self.matching.keys().any(|status| status.needs_attention());
        !needs_attention && !self.is_compact()
    }

    /// The rows of this page: by status if they are in that order, otherwise all together.
    pub(super) fn groups(&self) -> Vec<Group<'_>> {
        if self.sort != Sort::Urgency {
            return vec![Group {
                status: None,
                size: self.total(),
                rows: &self.rows,
                is_folded: false,
            }];
        }
        let mut groups = Vec::new();
        for rows in self.rows.chunk_by(|one, other| one.status == other.status) {
            let status = rows[0].status;
            groups.push(Group {
                status: Some(status),
                size: self.matching[&status],
                rows,
                is_folded: !status.needs_attention() && !self.is_filtered,
            });
        }
        groups
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

/// Returns true if the cluster is among those that the query asks for apart from its words.
fn is_wanted(row: &Row<'_>, query: &PageQuery) -> bool {
    let (account, region) = (query.value("account"), query.value("region"));
    query.status().is_none_or(|status| row.status == status)
        && query.mark().is_none_or(|mark| has(row, mark))
        && (account.is_empty() || row.cluster().account.as_str() == account)
        && (region.is_empty() || row.region() == region)
}

fn has(row: &Row<'_>, mark: Mark) -> bool {
    row.marks().iter().any(|marked| marked.mark == mark)
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
    let by_sort = match sort {
        Sort::Urgency => one
            .status
            .cmp(&other.status)
            .then_with(|| longest_first(one, other)),
        Sort::Name => Ordering::Equal,
        Sort::Since => known_first(one.since(), other.since()),
        Sort::Version => known_first(version(one), version(other)),
        Sort::Reading => known_first(one.reading.last_success, other.reading.last_success),
    };
    by_sort.then_with(|| by_name(one, other))
}

/// Among those that need somebody, whoever has waited longest; it is the likeliest to be stuck.
fn longest_first(one: &Row<'_>, other: &Row<'_>) -> Ordering {
    // The exporter knows the present state only since its own start.
    let waits_since = |row: &Row<'_>| row.task_started().or(row.since());
    if one.status.needs_attention() {
        known_first(waits_since(one), waits_since(other))
    } else {
        Ordering::Equal
    }
}

fn by_name(one: &Row<'_>, other: &Row<'_>) -> Ordering {
    let (one, other) = (one.cluster(), other.cluster());
    (&one.name, &one.id).cmp(&(&other.name, &other.id))
}

/// Compares so that the unknown comes last.
fn known_first<T: Ord>(one: Option<T>, other: Option<T>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => one.cmp(&other),
        (one, other) => other.is_some().cmp(&one.is_some()),
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
    use std::sync::Arc;

    use ack_client::{Reason, Status, Step};

    use super::*;
    use crate::upgrade::UpgradeState;
    use crate::web::fixture::{NOW, ago, altered, cluster, down, state, up};

    fn shown(clusters: &[ClusterReading], query: &str) -> Vec<String> {
        let selection = Selection::new(clusters, &PageQuery::parse(Some(query), "en"), NOW);
        selection
            .rows
            .iter()
            .map(|row| row.cluster().id.to_string())
            .collect()
    }

    fn running(id: &str, seconds: i64) -> ClusterReading {
        let state = UpgradeState {
            started: Some(ago(seconds)),
            ..state(Status::Running, Step::Upgrading)
        };
        cluster(id, Outcome::Up(Arc::new(state)))
    }

    fn broken(id: &str, status: Status) -> ClusterReading {
        let state = UpgradeState {
            error_message: Some("drain".to_owned()),
            ..state(status, Step::Upgrading)
        };
        cluster(id, Outcome::Up(Arc::new(state)))
    }

    #[test]
    fn what_needs_somebody_comes_first_and_the_longest_of_it_before_the_rest() {
        let clusters = [
            cluster("idle", up(Status::None, Step::NotStart)),
            cluster("good", up(Status::Success, Step::Success)),
            cluster("canceled", up(Status::Canceled, Step::Upgrading)),
            running("young", 60),
            running("old", 6000),
            cluster("paused", up(Status::Pause, Step::Pause)),
            cluster("silent", down(Reason::Timeout, "")),
            broken("broken", Status::Pause),
            broken("bad", Status::Fail),
            cluster("unasked", Outcome::NotAsked),
        ];
        assert_eq!(
            shown(&clusters, ""),
            [
                "bad", "broken", "silent", "paused", "old", "young", "canceled", "unasked", "good",
                "idle"
            ]
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
    }

    #[test]
    fn a_page_past_the_end_is_the_last_one() {
        let clusters: Vec<_> = (0..PAGE_SIZE + 7)
            .map(|at| cluster(&format!("c{at:04}"), up(Status::None, Step::NotStart)))
            .collect();
        let last = Selection::new(
            &clusters,
            &PageQuery::parse(Some("page=18446744073709551615"), "en"),
            NOW,
        );
        assert_eq!(
            (last.rows.len(), last.page, last.pages, last.total()),
            (7, 2, 2, PAGE_SIZE + 7)
        );
        let none = Selection::new(&[], &PageQuery::default(), NOW);
        assert_eq!((none.rows.len(), none.pages), (0, 1));
    }
}

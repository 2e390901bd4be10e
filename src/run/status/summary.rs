//! Counts and names of the clusters, in a sentence.

use ack_client::Status;
use ack_client::text::clean_message;

use crate::cli::UNANSWERED;
use crate::cluster::ClusterInfo;
use crate::snapshot::{ClusterReading, Outcome};

/// The number of clusters that are named.
const NAMED: usize = 5;

/// The number of clusters in each status, such as `3 clusters: 1 fail, 2 none`.
pub(super) fn counts(readings: &[ClusterReading]) -> String {
    let number = |is_counted: &dyn Fn(&Outcome) -> bool| {
        let outcomes = readings.iter().map(|reading| &reading.outcome);
        outcomes.filter(|outcome| is_counted(outcome)).count()
    };
    let unanswered = number(&|outcome| !matches!(outcome, Outcome::Up(_)));
    let of_status = |status: Status| {
        let has = move |one: &Outcome| matches!(one, Outcome::Up(state) if state.status == status);
        (number(&has), status.as_str())
    };
    let order = [
        Status::Fail,
        Status::Canceled,
        Status::Pause,
        Status::Running,
        Status::Unknown,
        Status::Success,
        Status::None,
    ];
    let each: Vec<_> = order
        .map(of_status)
        .into_iter()
        .chain([(unanswered, UNANSWERED)])
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let clusters = match readings.len() {
        1 => "1 cluster".to_owned(),
        number => format!("{number} clusters"),
    };
    if each.is_empty() {
        clusters
    } else {
        format!("{clusters}: {}", each.join(", "))
    }
}

/// The names of the first of `clusters`, and the number of the others.
pub(super) fn names<'a>(clusters: impl Iterator<Item = &'a ClusterInfo>) -> String {
    let mut names: Vec<_> = clusters.map(label).collect();
    let others = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let names = names.join(", ");
    if others == 0 {
        names
    } else {
        format!("{names} and {others} more")
    }
}

/// The name of a cluster, or its ID if it has none.
pub(super) fn label(cluster: &ClusterInfo) -> String {
    let name = clean_message(&cluster.name);
    if name.is_empty() {
        cluster.id.to_string()
    } else {
        name
    }
}

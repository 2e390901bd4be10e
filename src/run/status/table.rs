//! The table of the clusters.

use ack_client::text::clean_message;
use ack_client::{Status, Step};
use jiff::Timestamp;
use unicode_width::UnicodeWidthStr as _;

use crate::snapshot::{ClusterReading, Outcome};
use crate::upgrade::UpgradeState;

/// Formats one line per cluster, with columns of equal width on the terminal, where a Chinese
/// character takes two cells.
// All text from the API is cleaned, since a terminal executes control characters.
pub(super) fn table(readings: &[ClusterReading], now: Timestamp) -> String {
    let mut rows = vec![
        [
            "CLUSTER", "NAME", "STATUS", "PROGRESS", "STEP", "SINCE", "VERSION", "MESSAGE",
        ]
        .map(str::to_owned),
    ];
    rows.extend(readings.iter().map(|reading| row(reading, now)));
    let widths: Vec<_> = (0..rows[0].len())
        .map(|column| {
            rows.iter()
                .map(|row| row[column].width())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let lines = rows.iter().map(|row| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{:1$}", "", width - cell.width()));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn row(reading: &ClusterReading, now: Timestamp) -> [String; 8] {
    let info = &reading.cluster;
    // `reading.since` is when this process started to poll, so the times of the task are shown.
    let since = match &reading.outcome {
        Outcome::Up(state) if state.status.is_idle() => state.updated,
        Outcome::Up(state) => state.started,
        Outcome::Down(_) | Outcome::NotAsked => None,
    };
    let since = since.map_or_else(String::new, |since| age(since, now));
    let current = clean_message(&info.version);
    let (status, progress, step, version, message) = match &reading.outcome {
        Outcome::Up(state) => (
            state.status.as_str().to_owned(),
            progress_bar(state),
            state.step.as_str().to_owned(),
            version_text(&current, &clean_message(&state.target_version)),
            state
                .error_message
                .as_deref()
                .map(clean_message)
                .unwrap_or_default(),
        ),
        Outcome::Down(failure) => (
            "?".to_owned(),
            String::new(),
            String::new(),
            current,
            format!(
                "{}: {}",
                failure.reason.as_str(),
                clean_message(&failure.message)
            ),
        ),
        Outcome::NotAsked => (
            "?".to_owned(),
            String::new(),
            String::new(),
            current,
            "not asked: beyond the rate limit".to_owned(),
        ),
    };
    [
        info.id.to_string(),
        clean_message(&info.name),
        status,
        progress,
        step,
        since,
        version,
        message,
    ]
}

/// The steps of an upgrade as a bar: done, current, to come.
fn progress_bar(state: &UpgradeState) -> String {
    let current = match state.step {
        Step::NotStart | Step::Unknown => 0,
        Step::Prechecking => 1,
        Step::Pause | Step::Upgrading => 2,
        Step::Success => 3,
    };
    let marker = match state.status {
        Status::Fail | Status::Canceled => 'x',
        Status::Pause => '=',
        _ if current == 3 => '#',
        _ => '>',
    };
    let cell = |place: usize| match place {
        place if place < current => '#',
        place if place == current && current > 0 => marker,
        _ => '.',
    };
    if current == 0 && state.status == Status::None {
        String::new()
    } else {
        format!("[{}]", (1..=3).map(cell).collect::<String>())
    }
}

fn version_text(current: &str, target: &str) -> String {
    if target.is_empty() || target == current {
        current.to_owned()
    } else {
        format!("{current} -> {target}")
    }
}

fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h{}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use ack_client::Reason;
    use ack_client::names::{AccountName, ClusterId};

    use super::*;
    use crate::cluster::ClusterInfo;
    use crate::queries::Watched;
    use crate::snapshot;
    use crate::upgrade::SourceName;

    fn reading(outcome: Outcome) -> ClusterReading {
        let cluster = ClusterInfo {
            id: ClusterId::parse("c1").expect("an ID"),
            name: "shop\u{1b}[2J\r\n\u{9b}31m".to_owned(),
            account: AccountName::parse("a").expect("a name"),
            region: None,
            cluster_type: String::new(),
            spec: String::new(),
            profile: String::new(),
            version: "1.31\u{1b}]0;owned\u{7}".to_owned(),
            next_version: String::new(),
            state: None,
            labels: BTreeMap::new(),
        };
        ClusterReading {
            cluster: Arc::new(cluster),
            outcome,
            duration: None,
            last_success: None,
            since: None,
            watched: Watched::default(),
            queries: Vec::new(),
        }
    }

    #[test]
    fn columns_are_aligned_below_wide_characters() {
        let named = |name: &str| {
            let mut reading = reading(Outcome::NotAsked);
            Arc::make_mut(&mut reading.cluster).name = name.to_owned();
            reading
        };
        let table = table(&["生产集群", "shop", ""].map(named), Timestamp::UNIX_EPOCH);
        let place = |line: &str, word: &str| line[..line.find(word).expect("it is there")].width();
        let header = table.lines().next().map(|line| place(line, "STATUS"));
        assert!(
            table
                .lines()
                .skip(1)
                .all(|line| Some(place(line, "?")) == header),
            "{table}"
        );
    }

    #[test]
    fn text_of_the_api_is_cleaned_for_the_terminal() {
        let state = UpgradeState {
            target_version: "1.32\u{1b}c".to_owned(),
            error_message: Some("node\u{1b}[31m".to_owned()),
            ..UpgradeState::never(SourceName::Tasks)
        };
        let failure = snapshot::Failure {
            reason: Reason::Other,
            message: "proxy\n\u{1b}[A".to_owned(),
            lasting: false,
        };
        let readings = [
            Outcome::Up(Arc::new(state)),
            Outcome::Down(failure),
            Outcome::NotAsked,
        ]
        .map(reading);
        let table = table(&readings, Timestamp::UNIX_EPOCH);
        assert_eq!(table.lines().count(), 1 + readings.len(), "{table:?}");
        assert!(
            !table.chars().any(|c| c.is_control() && c != '\n'),
            "{table:?}"
        );
        assert!(
            table.contains("shop[2J 31m") && table.contains("1.31]0;owned -> 1.32c"),
            "{table:?}"
        );
    }
}

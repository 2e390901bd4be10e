//! The cells of one cluster.

use ack_client::text::clean_message;
use ack_client::{Status, Step};
use anstyle::{AnsiColor, Style};
use jiff::{SignedDuration, Timestamp};

use super::{COLUMNS, Cell};
use crate::cli::UNANSWERED;
use crate::snapshot::{ClusterReading, Outcome};
use crate::upgrade::UpgradeState;

/// The text of what is not known.
const UNKNOWN: &str = "-";

/// The least time since a first look that says something.
const LEAST: SignedDuration = SignedDuration::from_mins(1);

/// The cells of `reading`.
// All text from the API is cleaned, since a terminal executes control characters.
pub(super) fn row(reading: &ClusterReading, now: Timestamp) -> [Cell; COLUMNS] {
    let info = &reading.cluster;
    let current = clean_message(&info.version);
    let [status, progress, step, version, message] = match &reading.outcome {
        Outcome::Up(state) => upgrade(state, &current),
        Outcome::Down(failure) => {
            let (reason, message) = (failure.reason.as_str(), clean_message(&failure.message));
            not_read(UNANSWERED, current, format!("{reason}: {message}"))
        }
        Outcome::NotAsked => {
            let message = "the rate limit did not allow a query".to_owned();
            not_read("not asked", current, message)
        }
    };
    let name = clean_message(&info.name);
    [
        Cell::plain(info.id.as_str()),
        Cell::plain(name),
        status,
        progress,
        step,
        Cell::plain(since(reading, now)),
        version,
        message,
    ]
}

/// The cells of a cluster that was read: status, progress, step, version and message.
fn upgrade(state: &UpgradeState, current: &str) -> [Cell; 5] {
    let style = style(state.status);
    let version = version_text(current, &state.target_version);
    let message = state.error_message.as_deref().map(clean_message);
    [
        Cell::new(state.status.as_str(), style),
        Cell::new(progress_bar(state), style),
        Cell::plain(state.step.as_str()),
        Cell::plain(version),
        Cell::plain(message.unwrap_or_default()),
    ]
}

/// The cells of a cluster that was not read.
fn not_read(status: &str, version: String, message: String) -> [Cell; 5] {
    [
        Cell::new(status, AnsiColor::Magenta.on_default()),
        Cell::plain(""),
        Cell::plain(""),
        Cell::plain(version),
        Cell::plain(message),
    ]
}

fn style(status: Status) -> Style {
    match status {
        Status::Fail | Status::Canceled => AnsiColor::Red.on_default().bold(),
        Status::Pause => AnsiColor::Yellow.on_default(),
        Status::Running => AnsiColor::Cyan.on_default(),
        Status::Success => AnsiColor::Green.on_default(),
        Status::Unknown => AnsiColor::Magenta.on_default(),
        Status::None => Style::new(),
    }
}

/// The version of a cluster, and the one that it is upgraded to. A suffix that both have is there
/// once: `1.31.1 -> 1.32.1-aliyun.1`.
pub(in crate::run::status) fn version_text(current: &str, target: &str) -> String {
    let [current, target] = [current, target].map(clean_message);
    if target.is_empty() || target == current {
        return current;
    }
    let suffix = target.find('-').map_or("", |at| &target[at..]);
    let short = current.strip_suffix(suffix).unwrap_or(&current);
    format!("{short} -> {target}")
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

/// The time for which the cluster has been in its status: by the task or, as a lower bound, since
/// this process has seen it.
fn since(reading: &ClusterReading, now: Timestamp) -> String {
    let Outcome::Up(state) = &reading.outcome else {
        return UNKNOWN.to_owned();
    };
    let of_task = match state.status {
        Status::None => return UNKNOWN.to_owned(),
        Status::Running | Status::Unknown => state.started.or(state.updated),
        // A task that is paused or has ended does not change any more.
        Status::Pause | Status::Success | Status::Fail | Status::Canceled => {
            state.updated.or(state.started)
        }
    };
    match (of_task, reading.since) {
        (Some(since), _) => age(since, now),
        (None, Some(seen)) if now.duration_since(seen) >= LEAST => format!(">{}", age(seen, now)),
        (None, _) => UNKNOWN.to_owned(),
    }
}

/// The time from `since` to `now` in its two greatest units.
pub(in crate::run::status) fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h{}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

//! The order of the clusters in the table: those that need somebody come first.

use ack_client::Status;
use jiff::Timestamp;

use crate::snapshot::{ClusterReading, Outcome};

/// Sorts `readings`: failed, paused with an error, not read, paused, running (the longest first),
/// and the others; among equals by name.
pub(super) fn sort(readings: &mut [ClusterReading]) {
    readings.sort_by(|one, other| key(one).cmp(&key(other)));
}

/// The urgency, the start of an upgrade that is running, the name and the ID.
fn key(reading: &ClusterReading) -> (u8, Timestamp, &str, &str) {
    let info = &reading.cluster;
    let started = match &reading.outcome {
        Outcome::Up(state) if state.status == Status::Running => state.started,
        _ => None,
    };
    (
        urgency(&reading.outcome),
        started.unwrap_or(Timestamp::MAX),
        &info.name,
        info.id.as_str(),
    )
}

fn urgency(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Up(state) => match state.status {
            Status::Fail => 0,
            Status::Canceled => 1,
            Status::Pause if state.error_message.is_some() => 2,
            Status::Pause => 4,
            Status::Running => 5,
            Status::Unknown => 6,
            Status::Success => 8,
            Status::None => 9,
        },
        Outcome::Down(_) => 3,
        Outcome::NotAsked => 7,
    }
}

//! The form of answers in `/api/v1/clusters`.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serializer;

use crate::upgrade::StateSet;

/// Writes a time as RFC 3339 to whole seconds, which every tool that reads RFC 3339 takes.
#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
pub(super) fn time<S: Serializer>(
    time: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(&format_args!("{time:.0}")),
        None => serializer.serialize_none(),
    }
}

/// Writes a duration in seconds.
#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
pub(super) fn seconds<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => serializer.serialize_f64(duration.as_secs_f64()),
        None => serializer.serialize_none(),
    }
}

/// Writes a state as in the label of its metric.
pub(super) fn state<S: Serializer, T: StateSet>(
    state: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(state.as_str())
}

/// Writes a text that the API did not send as null.
pub(super) fn text<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if text.is_empty() {
        serializer.serialize_none()
    } else {
        serializer.serialize_str(text)
    }
}

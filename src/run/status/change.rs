//! The state of one cluster in a line, for those who follow the changes.

use ack_client::text::clean_message;

use super::summary::label;
use super::table::version_text;
use crate::cli::UNANSWERED;
use crate::snapshot::{ClusterReading, Outcome};

/// The part of a state whose change is worth a line; None if the cluster was not queried.
pub(super) fn key(reading: &ClusterReading) -> Option<String> {
    match &reading.outcome {
        Outcome::Up(state) => Some(format!(
            "{} {} {}",
            state.status.as_str(),
            state.step.as_str(),
            state.task_id
        )),
        Outcome::Down(failure) => Some(failure.reason.as_str().to_owned()),
        Outcome::NotAsked => None,
    }
}

/// The state as a sentence, such as `shop: running, upgrading, 1.31.1 -> 1.32.1`.
pub(super) fn text(reading: &ClusterReading) -> String {
    let info = &reading.cluster;
    let mut parts = Vec::new();
    let message = match &reading.outcome {
        Outcome::Up(state) => {
            let (status, step) = (state.status.as_str(), state.step.as_str());
            parts.push(status.to_owned());
            if !state.status.is_idle() && step != status {
                parts.push(step.to_owned());
            }
            parts.push(version_text(&info.version, &state.target_version));
            state.error_message.clone()
        }
        Outcome::Down(failure) => {
            parts.push(UNANSWERED.to_owned());
            parts.push(failure.reason.as_str().to_owned());
            Some(failure.message.clone())
        }
        Outcome::NotAsked => None,
    };
    parts.retain(|part| !part.is_empty());
    let mut text = format!("{}: {}", label(info), parts.join(", "));
    if let Some(message) = message {
        text.push_str(": ");
        text.push_str(&clean_message(&message));
    }
    text
}

//! `GetUpgradeStatus`: `GET /api/v2/clusters/{ClusterId}/upgrade/status`.
//!
//! Source: the operation's reference of CS 2015-12-15. Every field is optional in the vendor's
//! SDKs.

use super::budget::Budget;
use super::client::{Call, Client, Explained};
use super::error::ApiError;
use super::operation::Operation;
use super::reply::Answer;
use crate::Endpoint;
use crate::names::ClusterId;
use crate::outgoing::{Field, Object as _, Word, object};
use crate::text::clean_message;
use crate::{Status, Step, TaskStatus};

object! {
    struct Wire at "" {
        status: Word = "status",
        upgrade_step: Word = "upgrade_step",
        error_message: String = "error_message",
        precheck_report_id: String = "precheck_report_id",
        upgrade_task: WireTask = "upgrade_task",
    }
}

object! {
    struct WireTask at "upgrade_task." {
        status: Word = "status",
        message: String = "message",
    }
}

/// The names of all fields.
pub(super) const FIELDS: &[&[&str]] = &[Wire::FIELDS, WireTask::FIELDS];

impl Answer for Wire {}

/// The state of one cluster's upgrade. Text that the API did not give is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpgradeStatusResponse {
    /// The whole upgrade.
    pub status: Status,
    /// The step reached.
    pub step: Step,
    /// The task behind it.
    pub task_status: TaskStatus,
    /// The API's message, if there is one.
    pub error_message: Option<String>,
    /// ID of the precheck's report.
    pub precheck_report_id: String,
}

/// Asks for the state of `cluster`'s upgrade.
pub async fn get_upgrade_status(
    client: &Client,
    endpoint: &Endpoint,
    cluster: &ClusterId,
    budget: &Budget,
) -> Result<UpgradeStatusResponse, ApiError> {
    let path = path(cluster);
    let wire: Wire = client.call(&call(endpoint, &path), budget).await?;
    Ok(state(wire, &mut |field, value| {
        client.metrics().unknown_value(field, value);
    }))
}

/// What asking for the state of `cluster`'s upgrade would send.
pub async fn explain_upgrade_status(
    client: &Client,
    endpoint: &Endpoint,
    cluster: &ClusterId,
) -> Result<Explained, ApiError> {
    client.explain(&call(endpoint, &path(cluster))).await
}

fn path(cluster: &ClusterId) -> String {
    format!("/api/v2/clusters/{cluster}/upgrade/status")
}

fn call<'a>(endpoint: &'a Endpoint, path: &'a str) -> Call<'a> {
    Call {
        operation: Operation::GetUpgradeStatus,
        endpoint,
        path,
        query: &[],
    }
}

/// The vendor's words in ours. A value that its reference does not list is told to `unknown`, with
/// its field.
fn state(wire: Wire, unknown: &mut dyn FnMut(&'static str, &str)) -> UpgradeStatusResponse {
    wire.tell_odd_fields(unknown);
    let task = wire.upgrade_task.known().unwrap_or_default();
    let status = word(
        wire.status,
        Status::None,
        Status::Unknown,
        "status",
        unknown,
        |word| match word {
            "none" => Some(Status::None),
            word => Status::from_word(word),
        },
    );
    let step = word(
        wire.upgrade_step,
        Step::NotStart,
        Step::Unknown,
        "upgrade_step",
        unknown,
        |word| match word {
            "not_start" => Some(Step::NotStart),
            "prechecking" => Some(Step::Prechecking),
            "upgrading" => Some(Step::Upgrading),
            "pause" | "paused" => Some(Step::Pause),
            "success" => Some(Step::Success),
            _ => None,
        },
    );
    let task_status = word(
        task.status,
        TaskStatus::None,
        TaskStatus::Unknown,
        "upgrade_task.status",
        unknown,
        |word| match word {
            "none" => Some(TaskStatus::None),
            word => Status::from_word(word)
                .map(Status::of_task)
                .filter(|status| *status != TaskStatus::Unknown),
        },
    );
    // A failed task says why in its own message where the upgrade as a whole does not.
    let task_message = task
        .message
        .known()
        .filter(|_| task_status == TaskStatus::Failed);
    let said = |message: Option<String>| {
        message
            .map(|message| clean_message(&message))
            .filter(|message| !message.is_empty())
    };
    UpgradeStatusResponse {
        status,
        step,
        task_status,
        error_message: said(wire.error_message.known()).or_else(|| said(task_message)),
        precheck_report_id: wire
            .precheck_report_id
            .known()
            .map(|id| clean_message(&id))
            .unwrap_or_default(),
    }
}

/// The value that a field stands for. What is odd about its type has been told before.
fn word<T>(
    field: Field<Word>,
    absent: T,
    unlisted: T,
    name: &'static str,
    unknown: &mut dyn FnMut(&'static str, &str),
    known: fn(&str) -> Option<T>,
) -> T {
    match field {
        Field::Absent => absent,
        Field::Odd(_) => unlisted,
        Field::Known(Word(word)) => known(&word.trim().to_ascii_lowercase()).unwrap_or_else(|| {
            unknown(name, word.trim());
            unlisted
        }),
    }
}

#[cfg(test)]
mod tests;

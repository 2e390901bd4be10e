//! `GetUpgradeStatus`: `GET /api/v2/clusters/{ClusterId}/upgrade/status`.

use crate::budget::Budget;
use crate::client::{Call, Client, ExplainedRequest};
use crate::decode::{Field, Keyword, Report, lenient_object};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::names::ClusterId;
use crate::operation::Operation;
use crate::response::ResponseObject;
use crate::status::{Status, Step, TaskStatus};

lenient_object! {
    pub(super) struct UpgradeStatusFields at "" {
        status: Keyword = "status",
        upgrade_step: Keyword = "upgrade_step",
        error_message: String = "error_message",
        precheck_report_id: String = "precheck_report_id",
        upgrade_task: UpgradeTaskFields = "upgrade_task",
    }
}

lenient_object! {
    pub(super) struct UpgradeTaskFields at "upgrade_task." {
        status: Keyword = "status",
        message: String = "message",
    }
}

impl ResponseObject for UpgradeStatusFields {}

/// The upgrade of one cluster. Texts are cleaned and at most 256 characters long; a text that the
/// API did not send is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpgradeStatusResponse {
    /// The status of the whole upgrade.
    pub status: Status,
    /// The present step.
    pub step: Step,
    /// The status of the task behind the upgrade.
    pub task_status: TaskStatus,
    /// The error message of the upgrade or, if there is none, of its failed task.
    pub error_message: Option<String>,
    /// The ID of the precheck's report.
    pub precheck_report_id: String,
}

/// Reads the upgrade status of `cluster`. Dropping the future cancels the call.
pub async fn get_upgrade_status(
    client: &Client,
    endpoint: &Endpoint,
    cluster: &ClusterId,
    budget: &Budget,
) -> Result<UpgradeStatusResponse, ApiError> {
    let path = path(cluster);
    let fields: UpgradeStatusFields = client.call(&call(endpoint, &path), budget).await?;
    Ok(fields.into_response(&mut client.unknown_values()))
}

/// Returns the request for the upgrade status of `cluster`, without sending it.
pub async fn explain_upgrade_status(
    client: &Client,
    endpoint: &Endpoint,
    cluster: &ClusterId,
) -> Result<ExplainedRequest, ApiError> {
    client.explain(&call(endpoint, &path(cluster))).await
}

fn path(cluster: &ClusterId) -> String {
    format!("/api/v2/clusters/{cluster}/upgrade/status")
}

fn call<'a>(endpoint: &'a Endpoint, path: &'a str) -> Call<'a> {
    Call::new(Operation::GetUpgradeStatus, endpoint, path)
}

impl UpgradeStatusFields {
    /// Converts the fields. Reports the values that the reference does not list.
    fn into_response(self, report: &mut Report<'_>) -> UpgradeStatusResponse {
        let task = self.upgrade_task.into_value().unwrap_or_default();
        let status =
            self.status
                .into_listed("status", [Status::None, Status::Unknown], status, report);
        let step = self.upgrade_step.into_listed(
            "upgrade_step",
            [Step::NotStart, Step::Unknown],
            step,
            report,
        );
        let task_status = task.status.into_listed(
            "upgrade_task.status",
            [TaskStatus::None, TaskStatus::Unknown],
            task_status,
            report,
        );
        let task_message = match task_status {
            TaskStatus::Failed => task.message,
            _ => Field::Absent,
        };
        UpgradeStatusResponse {
            status,
            step,
            task_status,
            error_message: self
                .error_message
                .into_nonempty_text()
                .or_else(|| task_message.into_nonempty_text()),
            precheck_report_id: self.precheck_report_id.into_text(),
        }
    }
}

fn status(word: &str) -> Option<Status> {
    match word {
        "none" => Some(Status::None),
        word => Status::from_word(word),
    }
}

fn step(word: &str) -> Option<Step> {
    match word {
        "not_start" => Some(Step::NotStart),
        "prechecking" => Some(Step::Prechecking),
        "upgrading" => Some(Step::Upgrading),
        "pause" | "paused" => Some(Step::Pause),
        "success" => Some(Step::Success),
        _ => None,
    }
}

fn task_status(word: &str) -> Option<TaskStatus> {
    match word {
        "none" => Some(TaskStatus::None),
        word => Status::from_word(word)
            .map(Status::of_task)
            .filter(|status| *status != TaskStatus::Unknown),
    }
}

#[cfg(test)]
mod tests;

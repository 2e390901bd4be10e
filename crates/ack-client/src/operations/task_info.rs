//! `DescribeTaskInfo`: `GET /tasks/{TaskId}`.

use jiff::Timestamp;

use super::task::{Target, TaskFields, message, target};
use super::task_parameters::{POOL_KEYS, REPORT_KEYS, VERSION_KEYS, first_text};
use crate::budget::Budget;
use crate::client::{Call, Client};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::operation::Operation;
use crate::sign::encode::percent_encode;

/// The details of a task. Texts are cleaned and at most 256 characters long; a text that the API
/// did not send is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskInfo {
    /// The state in lower case, as the API names it.
    pub state: String,
    /// The present stage.
    pub stage: String,
    /// The time of creation.
    pub created: Option<Timestamp>,
    /// The time of the last change.
    pub updated: Option<Timestamp>,
    /// The error message.
    pub error: Option<String>,
    /// The resource that the task changes.
    pub target: Target,
    /// The Kubernetes version after the upgrade.
    pub target_version: String,
    /// The ID of the precheck's report.
    pub precheck_report_id: String,
    /// The ID of the node pool that the parameters name.
    pub node_pool: String,
}

/// Reads the task with the ID `task`. Dropping the future cancels the call.
pub async fn describe_task(
    client: &Client,
    endpoint: &Endpoint,
    task: &str,
    budget: &Budget,
) -> Result<TaskInfo, ApiError> {
    let mut path = "/tasks/".to_owned();
    percent_encode(&mut path, task);
    let call = Call::new(Operation::DescribeTaskInfo, endpoint, &path);
    let fields: TaskFields = client.call(&call, budget).await?;
    Ok(fields.into_info())
}

impl TaskFields {
    fn into_info(self) -> TaskInfo {
        let places = [self.parameters.value(), self.outputs.value()];
        TaskInfo {
            node_pool: first_text(&places, &POOL_KEYS),
            target_version: first_text(&places, &VERSION_KEYS),
            precheck_report_id: first_text(&places, &REPORT_KEYS),
            state: self.state.into_lower_case(),
            stage: self.current_stage.into_text(),
            created: self.created.into_value(),
            updated: self.updated.into_value(),
            error: message(self.error),
            target: target(self.target, self.details),
        }
    }
}

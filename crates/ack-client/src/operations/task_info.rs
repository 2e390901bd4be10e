//! `DescribeTaskInfo`: `GET /tasks/{TaskId}`.

use jiff::Timestamp;
use serde::de::MapAccess;

use super::task::{Target, TaskFields, message, target};
use super::word::{self, normalized};
use crate::budget::Budget;
use crate::client::{Call, Client};
use crate::decode::{Field, FieldRead, LenientObject, Report};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::operation::Operation;
use crate::sign::encode::percent_encode;
use crate::state_set::state_set;
use crate::text::clean_message;

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
    /// The planned pauses.
    pub pause_policy: PausePolicy,
}

state_set! {
    /// The pauses that were planned when a task was started.
    #[derive(Default)]
    PausePolicy {
        /// None.
        NotPause = "not_pause",
        /// A pause after the first batch of nodes.
        FirstBatch = "first_batch",
        /// A pause after each batch of nodes.
        EveryBatch = "every_batch",
        /// A value that the API's reference does not list, or a task that does not name any.
        #[default]
        Unknown = "unknown",
    }
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
    let call = Call {
        operation: Operation::DescribeTaskInfo,
        endpoint,
        path: &path,
        query: &[],
    };
    let fields: TaskFields = client.call(&call, budget).await?;
    let mut report = |field, value: &str| client.metrics().unknown_value(field, value);
    fields.report_unexpected_fields(&mut report);
    Ok(fields.into_info(&mut report))
}

impl TaskFields {
    /// Converts the fields, of which the caller has reported the unexpected ones.
    fn into_info(self, report: &mut Report<'_>) -> TaskInfo {
        let places = [self.parameters.value(), self.outputs.value()];
        TaskInfo {
            pause_policy: pause_policy(&first_text(&places, &PAUSE_KEYS), report),
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

/// The keys of the target version, the most reliable first. `version` is missing here: in the
/// API's own requests it is the version before the upgrade.
const VERSION_KEYS: [&str; 4] = [
    "nextversion",
    "targetversion",
    "kubernetesversion",
    "k8sversion",
];

/// The keys of the precheck's report, the most reliable first.
const REPORT_KEYS: [&str; 3] = ["precheckreportid", "reportid", "checkid"];

/// The key of a node pool's ID. Its upgrade names it in the path alone; a task may name it here.
const POOL_KEYS: [&str; 1] = ["nodepoolid"];

/// The key of the planned pauses, in `rolling_policy` of the request that started the task.
const PAUSE_KEYS: [&str; 1] = ["pausepolicy"];

fn pause_policy(word: &str, report: &mut Report<'_>) -> PausePolicy {
    let policy = word::find(word);
    policy.unwrap_or_else(|| {
        if !word.is_empty() {
            report("task.parameters", word);
        }
        PausePolicy::Unknown
    })
}

/// The cleaned text of the first of `keys` that is in `places`; empty if there is none.
fn first_text(places: &[Option<&SelectedParameters>], keys: &[&str]) -> String {
    for key in keys {
        for parameters in places.iter().flatten() {
            if let Some(text) = parameters.find(key) {
                return clean_message(text);
            }
        }
    }
    String::new()
}

/// The parameters or outputs of a task with one of the keys above, on the top level or one level
/// below. All others are dropped while they are read.
#[derive(Debug, Default)]
pub(super) struct SelectedParameters {
    top: SelectedTexts,
    nested: SelectedTexts,
}

impl SelectedParameters {
    fn find(&self, key: &str) -> Option<&str> {
        self.top.find(key).or_else(|| self.nested.find(key))
    }
}

impl LenientObject for SelectedParameters {
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<FieldRead, A::Error> {
        if self.top.read(key, map)? == FieldRead::Unclaimed {
            let mut nested = Field::<SelectedTexts>::Absent;
            map.next_value_seed(&mut nested)?;
            for (key, text) in nested.into_value().unwrap_or_default().0 {
                self.nested.add(key, text);
            }
        }
        Ok(FieldRead::Usable)
    }
}

/// The texts of one object with one of the keys above.
#[derive(Debug, Default)]
struct SelectedTexts(Vec<(&'static str, String)>);

impl SelectedTexts {
    fn find(&self, wanted: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| *key == wanted)
            .map(|(_, text)| text.as_str())
    }

    /// Adds `text`, unless there is one for `key`.
    fn add(&mut self, key: &'static str, text: String) {
        if self.find(key).is_none() {
            self.0.push((key, text));
        }
    }
}

impl LenientObject for SelectedTexts {
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<FieldRead, A::Error> {
        let selected = VERSION_KEYS
            .iter()
            .chain(&REPORT_KEYS)
            .chain(&POOL_KEYS)
            .chain(&PAUSE_KEYS)
            .find(|selected| normalized(key).eq(selected.chars()));
        let Some(selected) = selected else {
            return Ok(FieldRead::Unclaimed);
        };
        let mut text = Field::<String>::Absent;
        let read = map.next_value_seed(&mut text)?;
        if let Some(text) = text.into_value() {
            self.add(selected, text);
        }
        Ok(read)
    }
}

//! A task as lists and details describe it.

use jiff::Timestamp;

use super::task_parameters::SelectedParameters;
use crate::decode::{Field, Keyword, lenient_object};
use crate::names::ClusterId;
use crate::response::{KnownKeys, ResponseObject};

/// The longest ID of a task that is used, in bytes. Real ones have 26.
const MAX_ID: usize = 256;

/// A task of a list. Texts are cleaned and at most 256 characters long.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Task {
    /// The ID, such as `T-5fd211e924e1d00787000293`.
    pub id: String,
    /// The state in lower case, as the API names it; empty if there is none.
    pub state: String,
    /// The time of creation.
    pub created: Option<Timestamp>,
    /// The time of the last change.
    pub updated: Option<Timestamp>,
    /// The error message.
    pub error: Option<String>,
    /// The resource that the task changes.
    pub target: Target,
}

/// The resource that a task changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// The ID; empty if the task gives none.
    pub id: String,
    /// The type, such as `cluster` or `nodepool`; empty if the task gives none.
    pub kind: String,
}

impl Target {
    /// Returns true if the target may be `cluster` itself: it is neither a part of the cluster nor
    /// another cluster.
    pub fn may_be(&self, cluster: &ClusterId) -> bool {
        let is_cluster = self.kind.is_empty() || self.kind.eq_ignore_ascii_case("cluster");
        is_cluster && (self.id.is_empty() || self.id == cluster.as_str())
    }
}

lenient_object! {
    /// The fields in lists and details. Lists leave out the last ones.
    pub(super) struct TaskFields at "task." {
        task_id: String = "task_id",
        task_type: String = "task_type",
        state: Keyword = "state",
        created: Timestamp = "created",
        updated: Timestamp = "updated",
        error: TaskErrorFields = "error",
        target: TaskTargetFields = "target",
        // Lists with details have the target in here.
        details: TaskDetailFields = "task",
        current_stage: String = "current_stage",
        parameters: SelectedParameters = "parameters",
        outputs: SelectedParameters = "outputs",
    }

    fn is_usable(&self) -> bool {
        self.task_id.value().is_some_and(|id| id.len() <= MAX_ID)
    }
}

lenient_object! {
    pub(super) struct TaskErrorFields at "task.error." {
        code: String = "code",
        message: String = "message",
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self { message: Field::Value(text.to_owned()), ..Self::default() })
    }
}

lenient_object! {
    pub(super) struct TaskTargetFields at "task.target." {
        id: String = "id",
        kind: String = "type",
    }
}

lenient_object! {
    pub(super) struct TaskDetailFields at "task.task." {
        target: TaskTargetFields = "target",
    }
}

impl ResponseObject for TaskFields {
    fn is_recognized(&self, keys: KnownKeys) -> bool {
        // An error and a time may be those of any system.
        let texts = [&self.task_id, &self.task_type, &self.current_stage];
        keys == KnownKeys::Empty
            || self.state.value().is_some()
            || texts.iter().any(|text| text.value().is_some())
    }
}

impl TaskFields {
    /// Converts the fields. Returns `None` without an ID.
    pub(super) fn into_task(self) -> Option<Task> {
        Some(Task {
            id: self.task_id.into_value()?,
            state: self.state.into_lower_case(),
            created: self.created.into_value(),
            updated: self.updated.into_value(),
            error: message(self.error),
            target: target(self.target, self.details),
        })
    }
}

/// The message of an error, or else its code.
pub(super) fn message(error: Field<TaskErrorFields>) -> Option<String> {
    let error = error.into_value()?;
    match error.message {
        Field::Value(_) => error.message,
        Field::Absent | Field::Unexpected(_) => error.code,
    }
    .into_nonempty_text()
}

/// The target of a task, wherever the task gives it.
pub(super) fn target(target: Field<TaskTargetFields>, details: Field<TaskDetailFields>) -> Target {
    let in_details = || details.into_value()?.target.into_value();
    let target = target.into_value().or_else(in_details).unwrap_or_default();
    Target {
        id: target.id.into_text(),
        kind: target.kind.into_text(),
    }
}

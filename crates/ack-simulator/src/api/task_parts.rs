//! The parts of a task in the body of a response.

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct TaskError {
    pub(super) code: &'static str,
    pub(super) message: String,
}

#[derive(Serialize)]
pub(super) struct EmptyObject {}

#[derive(Serialize)]
pub(super) struct TaskStage {
    pub(super) state: &'static str,
    /// Without a zone, as in the sample of the API reference.
    pub(super) start_time: String,
    pub(super) end_time: String,
    pub(super) message: String,
    pub(super) outputs: EmptyObject,
}

#[derive(Serialize)]
pub(super) struct TaskEvent {
    pub(super) action: &'static str,
    pub(super) level: &'static str,
    pub(super) message: String,
    pub(super) reason: &'static str,
    pub(super) source: &'static str,
    pub(super) timestamp: String,
}

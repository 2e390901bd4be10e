//! One task in the body of a response.

use serde::Serialize;

use crate::api::tasks::ClusterTask;
use crate::random::mix;
use crate::world::World;
use crate::world::background_tasks::{BackgroundTask, TaskOutcome};
use crate::world::clock::{beijing, beijing_without_zone};
use crate::world::cluster::{Cluster, Upgrade};
use crate::world::phase::{Phase, UpgradeStage};

/// A task as lists show it.
#[derive(Serialize)]
pub(crate) struct TaskEntry {
    task_id: String,
    task_type: &'static str,
    state: &'static str,
    created: String,
    updated: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<TaskError>,
}

/// A task with everything that `DescribeTaskInfo` adds.
#[derive(Serialize)]
pub(crate) struct TaskDetails<'a> {
    cluster_id: &'a str,
    #[serde(flatten)]
    entry: TaskEntry,
    #[serde(skip_serializing_if = "str::is_empty")]
    current_stage: &'static str,
    target: TaskTarget,
    parameters: TaskParameters<'a>,
    outputs: EmptyObject,
    stages: Vec<TaskStage>,
    events: Vec<TaskEvent>,
    task_result: Vec<TaskResult<'a>>,
}

#[derive(Serialize)]
struct TaskError {
    code: &'static str,
    message: String,
}

#[derive(Serialize)]
struct TaskTarget {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Default, Serialize)]
struct TaskParameters<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    cluster_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    next_version: &'a str,
}

#[derive(Serialize)]
struct EmptyObject {}

#[derive(Serialize)]
struct TaskStage {
    state: &'static str,
    /// Without a zone, as in the sample of the API reference.
    start_time: String,
    end_time: String,
    message: String,
    outputs: EmptyObject,
}

#[derive(Serialize)]
struct TaskEvent {
    action: &'static str,
    level: &'static str,
    message: String,
    reason: &'static str,
    source: &'static str,
    timestamp: String,
}

#[derive(Serialize)]
struct TaskResult<'a> {
    data: &'a str,
    status: &'static str,
}

impl TaskEntry {
    pub(crate) fn new(task: &ClusterTask, world: &World, cluster: &Cluster, millis: i64) -> Self {
        let (task_type, state, updated, error) = match task {
            ClusterTask::Upgrade(upgrade) => (
                "cluster_upgrade",
                state(upgrade.state.phase, upgrade.sequence),
                upgrade.state.since,
                upgrade_error(upgrade),
            ),
            ClusterTask::Background(task) => {
                let (state, updated, error) = background_state(task, millis);
                (task.kind, state, updated, error)
            }
        };
        Self {
            task_id: task.id(cluster),
            task_type,
            state,
            created: beijing(world.clock.at(task.created())),
            updated: beijing(world.clock.at(updated)),
            error,
        }
    }
}

impl<'a> TaskDetails<'a> {
    pub(crate) fn new(
        task: &'a ClusterTask,
        world: &World,
        cluster: &'a Cluster,
        millis: i64,
    ) -> Self {
        let entry = TaskEntry::new(task, world, cluster, millis);
        let result = match entry.state {
            "success" => "success",
            "fail" | "failed" => "failed",
            _ => "initial",
        };
        let cluster_id = cluster.id.as_str();
        let mut details = Self {
            cluster_id,
            entry,
            current_stage: "",
            target: target(task, cluster),
            parameters: TaskParameters::default(),
            outputs: EmptyObject {},
            stages: Vec::new(),
            events: Vec::new(),
            task_result: vec![TaskResult {
                data: cluster_id,
                status: result,
            }],
        };
        if let ClusterTask::Upgrade(upgrade) = task {
            details.current_stage = stage_name(upgrade.state.phase);
            details.parameters = TaskParameters {
                cluster_version: &upgrade.from,
                next_version: &upgrade.target,
            };
            details.stages = stages(upgrade, world);
            details.events = events(upgrade, world);
        }
        details
    }
}

/// State, time of the last change, and error of a background task.
fn background_state(task: &BackgroundTask, millis: i64) -> (&'static str, i64, Option<TaskError>) {
    if millis < task.ended {
        return ("running", task.created, None);
    }
    match task.outcome {
        TaskOutcome::Success => ("success", task.ended, None),
        TaskOutcome::Failure => {
            let error = TaskError {
                code: "TaskFailed",
                message: "node cn-hangzhou.10.0.3.17 did not join in time".to_owned(),
            };
            ("fail", task.ended, Some(error))
        }
    }
}

/// The cluster, or one of its node pools.
fn target(task: &ClusterTask, cluster: &Cluster) -> TaskTarget {
    match task {
        ClusterTask::Background(task) if task.kind.starts_with("nodepool") => TaskTarget {
            id: format!("np{:032x}", mix(&[cluster.tag, 12])),
            kind: "nodepool",
        },
        // The sample of the API reference has a line break after the ID.
        _ => TaskTarget {
            id: format!("{}\n", cluster.id),
            kind: "cluster",
        },
    }
}

fn upgrade_error(upgrade: &Upgrade) -> Option<TaskError> {
    let Phase::Failed(stage) = upgrade.state.phase else {
        return None;
    };
    let code = match stage {
        UpgradeStage::Precheck => "PrecheckFailed",
        UpgradeStage::Upgrade => "ClusterUpgradeFailed",
    };
    Some(TaskError {
        code,
        message: upgrade.message.clone(),
    })
}

/// One stage, or two after the precheck. Stages have no name in the API; only their order counts.
fn stages(upgrade: &Upgrade, world: &World) -> Vec<TaskStage> {
    let time = |millis| beijing_without_zone(world.clock.at(millis));
    let (started, since) = (upgrade.state.started, upgrade.state.since);
    let phase = upgrade.state.phase;
    let end_time = if phase.is_in_progress() {
        String::new()
    } else {
        time(since)
    };
    let last_stage = |start_time| TaskStage {
        state: state(phase, upgrade.sequence),
        start_time,
        end_time,
        message: upgrade.message.clone(),
        outputs: EmptyObject {},
    };
    match phase.stage() {
        UpgradeStage::Precheck => vec![last_stage(time(started))],
        UpgradeStage::Upgrade => {
            // The state holds no end of the precheck; no client depends on it.
            let checked = time(started.midpoint(since));
            let precheck = TaskStage {
                state: "success",
                start_time: time(started),
                end_time: checked.clone(),
                message: String::new(),
                outputs: EmptyObject {},
            };
            vec![precheck, last_stage(checked)]
        }
    }
}

fn events(upgrade: &Upgrade, world: &World) -> Vec<TaskEvent> {
    let event = |millis, level, reason, message: &str| TaskEvent {
        action: "upgrade",
        level,
        message: message.to_owned(),
        reason,
        source: "cluster-upgrade",
        timestamp: beijing(world.clock.at(millis)),
    };
    let (started, since) = (upgrade.state.started, upgrade.state.since);
    let start = "upgrade of the control plane started";
    let success = "upgrade of the control plane succeeded";
    let mut events = vec![event(started, "Normal", "UpgradeStarted", start)];
    match upgrade.state.phase {
        Phase::Failed(_) => {
            events.push(event(since, "error", "UpgradeFailed", &upgrade.message));
        }
        Phase::Succeeded => events.push(event(since, "Normal", "UpgradeSucceeded", success)),
        _ => {}
    }
    events
}

/// The `state` of an upgrade's task. The API reference spells two states in two ways; clients must
/// read both.
fn state(phase: Phase, sequence: u64) -> &'static str {
    match phase {
        Phase::NotStarted | Phase::Prechecking | Phase::Upgrading => "running",
        Phase::Paused => "paused",
        Phase::Succeeded => "success",
        Phase::Failed(_) if sequence.is_multiple_of(2) => "fail",
        Phase::Failed(_) => "failed",
        Phase::Canceled(_) if sequence.is_multiple_of(2) => "canceled",
        Phase::Canceled(_) => "cancelled",
    }
}

/// The `current_stage` of an upgrade's task; empty after success.
fn stage_name(phase: Phase) -> &'static str {
    match phase.stage() {
        _ if phase == Phase::Succeeded => "",
        // No reference names the stages of a cluster upgrade: this name is made up, and `DrainNodes`
        // is the one in the sample of the API reference.
        UpgradeStage::Precheck => "cluster_upgrade_precheck",
        UpgradeStage::Upgrade => "DrainNodes",
    }
}

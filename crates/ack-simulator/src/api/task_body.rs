//! One task in the body of a response.

use serde::Serialize;
use serde_json::{Value, json};

use crate::api::cluster_task::ClusterTask;
use crate::api::task_parts::{EmptyObject, TaskError, TaskEvent, TaskStage};
use crate::api::{node_pool_task, upgrade_task};
use crate::world::World;
use crate::world::background_tasks::{BackgroundTask, TaskOutcome};
use crate::world::clock::beijing;
use crate::world::cluster::Cluster;

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
    parameters: Value,
    outputs: EmptyObject,
    stages: Vec<TaskStage>,
    events: Vec<TaskEvent>,
    task_result: Vec<TaskResult<'a>>,
}

#[derive(Serialize)]
struct TaskTarget {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
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
                upgrade_task::state(upgrade.state.phase, upgrade.sequence),
                upgrade.state.since,
                upgrade_task::error(upgrade),
            ),
            ClusterTask::NodePool(upgrade) => (
                node_pool_task::task_type(upgrade),
                node_pool_task::state(upgrade),
                upgrade.since,
                node_pool_task::error(upgrade),
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
            parameters: json!({}),
            outputs: EmptyObject {},
            stages: Vec::new(),
            events: Vec::new(),
            task_result: vec![TaskResult {
                data: cluster_id,
                status: result,
            }],
        };
        match task {
            ClusterTask::Upgrade(upgrade) => {
                details.current_stage = upgrade_task::stage_name(upgrade.state.phase);
                details.parameters = upgrade_task::parameters(upgrade);
                details.stages = upgrade_task::stages(upgrade, world);
                details.events = upgrade_task::events(upgrade, world);
            }
            ClusterTask::NodePool(upgrade) => {
                details.current_stage = node_pool_task::stage_name(upgrade);
                details.parameters = node_pool_task::parameters(upgrade);
                details.stages = node_pool_task::stages(upgrade, world);
            }
            ClusterTask::Background(_) => {}
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
    let node_pool = |id| TaskTarget {
        id,
        kind: "nodepool",
    };
    match task {
        ClusterTask::NodePool(upgrade) => node_pool(upgrade.pool.id.clone()),
        ClusterTask::Background(task) if task.kind.starts_with("nodepool") => {
            let pools = cluster.node_pools();
            node_pool(
                pools
                    .into_iter()
                    .map(|pool| pool.id)
                    .next()
                    .unwrap_or_default(),
            )
        }
        // The sample of the API reference has a line break after the ID.
        _ => TaskTarget {
            id: format!("{}\n", cluster.id),
            kind: "cluster",
        },
    }
}

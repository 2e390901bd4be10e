//! `DescribeClusterTasks` and `DescribeTaskInfo`: upgrades as tasks, among background tasks.

use serde::Serialize;

use crate::api::OperationCall;
use crate::api::pages::{PageInfo, RequestedPage};
use crate::api::task_body::{TaskDetails, TaskEntry};
use crate::error_response::{ErrorResponse, json};
use crate::random::mix;
use crate::world::background_tasks::BackgroundTask;
use crate::world::cluster::{Cluster, Upgrade};
use crate::world::node_pools::NodePoolUpgrade;

/// A task of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClusterTask {
    Upgrade(Upgrade),
    NodePool(NodePoolUpgrade),
    Background(BackgroundTask),
}

#[derive(Serialize)]
struct TaskList<'a> {
    tasks: Vec<TaskEntry>,
    page_info: PageInfo,
    next_token: &'static str,
    #[serde(rename = "requestId")]
    request_id: &'a str,
}

/// Added to the slots of background tasks, half of which are negative.
const SLOT_OFFSET: i64 = 1 << 31;

/// Keeps the numbers of background tasks apart from those of upgrades.
const BACKGROUND_BIT: u64 = 1 << 40;

/// Added to the number of a cluster's upgrade for each of the node pools that follow it.
const NODE_POOL_STEP: u64 = 1 << 34;

/// The body of `DescribeClusterTasks`.
pub(super) fn list(call: &OperationCall<'_>) -> Result<String, ErrorResponse> {
    let cluster = call.cluster()?;
    let requested = RequestedPage::of(call.request)?;
    let page = requested.page();
    let tasks = tasks(cluster, call.millis);
    let entries = tasks
        .iter()
        .skip(page.skip)
        .take(page.size)
        .map(|task| TaskEntry::new(task, call.world(), cluster, call.millis))
        .collect();
    Ok(json(&TaskList {
        tasks: entries,
        page_info: requested.info(tasks.len()),
        next_token: "",
        request_id: call.request_id,
    }))
}

/// The body of `DescribeTaskInfo`.
pub(super) fn info(call: &OperationCall<'_>) -> Result<String, ErrorResponse> {
    let id = call.route.id("task");
    let not_found = || ErrorResponse::task_not_found(id);
    let cluster = call.cluster.ok_or_else(not_found)?;
    let task = tasks(cluster, call.millis)
        .into_iter()
        .find(|task| task.id(cluster) == id)
        .ok_or_else(not_found)?;
    let details = TaskDetails::new(&task, call.world(), cluster, call.millis);
    Ok(json(&details))
}

/// The tag of the cluster in a task's ID.
pub(crate) fn cluster_tag(task_id: &str) -> Option<u64> {
    u64::from_str_radix(task_id.strip_prefix("T-")?.get(..12)?, 16).ok()
}

/// All listed tasks, newest first.
fn tasks(cluster: &Cluster, millis: i64) -> Vec<ClusterTask> {
    let upgrades = cluster.upgrades(millis);
    let node_pools = cluster.node_pool_upgrades(millis);
    let background = cluster.background_tasks.at(cluster.schedule.seed(), millis);
    let mut tasks: Vec<_> = upgrades
        .into_iter()
        .map(ClusterTask::Upgrade)
        .chain(node_pools.into_iter().map(ClusterTask::NodePool))
        .chain(background.map(ClusterTask::Background))
        .collect();
    tasks.sort_by_key(|task| std::cmp::Reverse(task.created()));
    tasks
}

impl ClusterTask {
    /// Milliseconds since the start of the world.
    pub(crate) fn created(&self) -> i64 {
        match self {
            Self::Upgrade(upgrade) => upgrade.state.started,
            Self::NodePool(upgrade) => upgrade.started,
            Self::Background(task) => task.created,
        }
    }

    /// `T-` and 24 hex digits.
    pub(crate) fn id(&self, cluster: &Cluster) -> String {
        let number = match self {
            Self::Upgrade(upgrade) => upgrade.sequence,
            Self::NodePool(upgrade) => {
                upgrade.sequence + NODE_POOL_STEP * (1 + upgrade.pool.position as u64)
            }
            Self::Background(task) => (task.slot + SLOT_OFFSET).unsigned_abs() | BACKGROUND_BIT,
        };
        format!("T-{}", scrambled_id(cluster, number))
    }
}

/// 24 hex digits: the cluster's tag, and the scrambled number of an object of the cluster.
pub(super) fn scrambled_id(cluster: &Cluster, number: u64) -> String {
    let scrambled = (number ^ mix(&[cluster.tag])) & 0xffff_ffff_ffff;
    format!("{:012x}{scrambled:012x}", cluster.tag)
}

//! `DescribeClusterTasks` and `DescribeTaskInfo`: upgrades as tasks, among background tasks.

use serde::Serialize;

use crate::api::pages::{PageInfo, RequestedPage};
use crate::api::task_body::{TaskDetails, TaskEntry};
use crate::error_response::{ErrorResponse, json};
use crate::random::mix;
use crate::request::ReceivedRequest;
use crate::world::World;
use crate::world::background_tasks::BackgroundTask;
use crate::world::cluster::{Cluster, Upgrade};

/// A task of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClusterTask {
    Upgrade(Upgrade),
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

/// The body of `DescribeClusterTasks`.
pub(crate) fn list(
    world: &World,
    cluster: &Cluster,
    request: &ReceivedRequest,
    request_id: &str,
    millis: i64,
) -> Result<String, ErrorResponse> {
    let requested = RequestedPage::of(request)?;
    let page = requested.page();
    let tasks = tasks(cluster, millis);
    let entries = tasks
        .iter()
        .skip(page.skip)
        .take(page.size)
        .map(|task| TaskEntry::new(task, world, cluster, millis))
        .collect();
    Ok(json(&TaskList {
        tasks: entries,
        page_info: requested.info(tasks.len()),
        next_token: "",
        request_id,
    }))
}

/// The body of `DescribeTaskInfo`, if the cluster has such a task.
pub(crate) fn info(world: &World, cluster: &Cluster, task_id: &str, millis: i64) -> Option<String> {
    let task = tasks(cluster, millis)
        .into_iter()
        .find(|task| task.id(cluster) == task_id)?;
    Some(json(&TaskDetails::new(&task, world, cluster, millis)))
}

/// The tag of the cluster in a task's ID.
pub(crate) fn cluster_tag(task_id: &str) -> Option<u64> {
    u64::from_str_radix(task_id.strip_prefix("T-")?.get(..12)?, 16).ok()
}

/// All listed tasks, newest first.
fn tasks(cluster: &Cluster, millis: i64) -> Vec<ClusterTask> {
    let upgrades = cluster.upgrades(millis);
    let background = cluster.background_tasks.at(cluster.schedule.seed(), millis);
    let mut tasks: Vec<_> = upgrades
        .into_iter()
        .map(ClusterTask::Upgrade)
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
            Self::Background(task) => task.created,
        }
    }

    /// `T-` and 24 hex digits: the cluster's tag, and the scrambled number of the task.
    pub(crate) fn id(&self, cluster: &Cluster) -> String {
        let number = match self {
            Self::Upgrade(upgrade) => upgrade.sequence,
            Self::Background(task) => (task.slot + SLOT_OFFSET).unsigned_abs() | BACKGROUND_BIT,
        };
        let scrambled = (number ^ mix(&[cluster.tag])) & 0xffff_ffff_ffff;
        format!("T-{:012x}{scrambled:012x}", cluster.tag)
    }
}

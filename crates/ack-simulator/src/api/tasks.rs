//! `DescribeClusterTasks` and `DescribeTaskInfo`: upgrades as tasks, among background tasks.

use serde::Serialize;

use crate::api::OperationCall;
use crate::api::cluster_task::ClusterTask;
use crate::api::pages::{PageInfo, RequestedPage};
use crate::api::task_body::{TaskDetails, TaskEntry};
use crate::error_response::{ErrorResponse, json};
use crate::world::cluster::Cluster;

#[derive(Serialize)]
struct TaskList<'a> {
    tasks: Vec<TaskEntry>,
    page_info: PageInfo,
    next_token: &'static str,
    #[serde(rename = "requestId")]
    request_id: &'a str,
}

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
    let id = call.ids.at("task");
    let not_found = || ErrorResponse::task_not_found(id);
    let cluster = call.cluster.ok_or_else(not_found)?;
    let task = tasks(cluster, call.millis)
        .into_iter()
        .find(|task| task.id(cluster) == id)
        .ok_or_else(not_found)?;
    let details = TaskDetails::new(&task, call.world(), cluster, call.millis);
    Ok(json(&details))
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

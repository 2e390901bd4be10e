//! `DescribeClusterTasks` and `DescribeTaskInfo`: the same upgrades as tasks, among other tasks.

use serde::Serialize;

use crate::api::clusters::{PageInfo, requested_page};
use crate::error_response::{Refusal, json};
use crate::random::mix;
use crate::request::Received;
use crate::world::World;
use crate::world::background_tasks::{Chore, End};
use crate::world::clock::{beijing, beijing_without_zone};
use crate::world::cluster::{Cluster, Upgrade};
use crate::world::schedule::{Phase, Stage};

/// A task of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Task {
    Upgrade(Upgrade),
    Chore(Chore),
}

#[derive(Serialize)]
struct List {
    tasks: Vec<Entry>,
    page_info: PageInfo,
    next_token: &'static str,
    #[serde(rename = "requestId")]
    request_id: String,
}

#[derive(Serialize)]
struct Entry {
    task_id: String,
    task_type: &'static str,
    state: &'static str,
    created: String,
    updated: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
}

#[derive(Serialize)]
struct Info<'a> {
    cluster_id: &'a str,
    #[serde(flatten)]
    entry: Entry,
    #[serde(skip_serializing_if = "str::is_empty")]
    current_stage: &'static str,
    target: Target,
    parameters: Parameters<'a>,
    outputs: Nothing,
    stages: Vec<StageInfo>,
    events: Vec<Event>,
    task_result: Vec<TaskResult<'a>>,
}

#[derive(Serialize)]
struct Failure {
    code: &'static str,
    message: String,
}

#[derive(Serialize)]
struct Target {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Parameters<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    cluster_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    next_version: &'a str,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct StageInfo {
    state: &'static str,
    /// Without a zone, as in the vendor's sample.
    start_time: String,
    end_time: String,
    message: String,
    outputs: Nothing,
}

#[derive(Serialize)]
struct Event {
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

/// The largest number of a chore's slot or of an upgrade that fits into an ID, plus one.
const NUMBERS: i64 = 1 << 32;

/// The body of `DescribeClusterTasks`.
pub(crate) fn list(
    world: &World,
    cluster: &Cluster,
    received: &Received,
    request_id: &str,
    millis: i64,
) -> Result<String, Refusal> {
    let (number, page) = requested_page(received, 10)?;
    let tasks = tasks(cluster, millis);
    let shown = tasks
        .iter()
        .skip(page.skip)
        .take(page.size)
        .map(|task| task.entry(world, cluster, millis))
        .collect();
    let page_info = PageInfo::new(number, page, tasks.len());
    Ok(json(&List {
        tasks: shown,
        page_info,
        next_token: "",
        request_id: request_id.to_owned(),
    }))
}

/// The body of `DescribeTaskInfo`, if the cluster has such a task.
pub(crate) fn info(world: &World, cluster: &Cluster, task_id: &str, millis: i64) -> Option<String> {
    let task = tasks(cluster, millis)
        .into_iter()
        .find(|task| task.id(cluster) == task_id)?;
    Some(json(&task.info(world, cluster, millis)))
}

/// The 48 bits in a task's ID that stand for its cluster.
pub(crate) fn cluster_tag(task_id: &str) -> Option<u64> {
    u64::from_str_radix(task_id.strip_prefix("T-")?.get(..12)?, 16).ok()
}

/// All listed tasks, newest first.
fn tasks(cluster: &Cluster, millis: i64) -> Vec<Task> {
    let upgrades = cluster.upgrades(millis).into_iter().map(Task::Upgrade);
    let mut tasks: Vec<_> = upgrades
        .chain(
            cluster
                .chores
                .at(cluster.script.seed(), millis)
                .map(Task::Chore),
        )
        .collect();
    tasks.sort_by_key(|task| std::cmp::Reverse(task.created()));
    tasks
}

impl Task {
    fn created(&self) -> i64 {
        match self {
            Self::Upgrade(upgrade) => upgrade.moment.started,
            Self::Chore(chore) => chore.created,
        }
    }

    /// `T-` and 24 hex digits: the cluster's tag, and the task's number scrambled.
    fn id(&self, cluster: &Cluster) -> String {
        let number = match self {
            Self::Upgrade(upgrade) => upgrade.episode,
            Self::Chore(chore) => (chore.slot + NUMBERS / 2).unsigned_abs() | 1 << 40,
        };
        format!(
            "T-{:012x}{:012x}",
            cluster.tag,
            (number ^ mix(&[cluster.tag])) & 0xffff_ffff_ffff
        )
    }

    fn entry(&self, world: &World, cluster: &Cluster, millis: i64) -> Entry {
        let (task_type, state, updated, error) = match self {
            Self::Upgrade(upgrade) => (
                "cluster_upgrade",
                state(upgrade.moment.phase, upgrade.episode),
                upgrade.moment.since,
                upgrade.failure(),
            ),
            Self::Chore(chore) if millis < chore.ends => {
                (chore.kind, "running", chore.created, None)
            }
            Self::Chore(chore) => match chore.end {
                End::Success => (chore.kind, "success", chore.ends, None),
                End::Failure => {
                    let error = Failure {
                        code: "TaskFailed",
                        message: "node cn-hangzhou.10.0.3.17 did not join in time".to_owned(),
                    };
                    (chore.kind, "fail", chore.ends, Some(error))
                }
            },
        };
        Entry {
            task_id: self.id(cluster),
            task_type,
            state,
            created: beijing(world.clock.at(self.created())),
            updated: beijing(world.clock.at(updated)),
            error,
        }
    }

    fn info<'a>(&'a self, world: &World, cluster: &'a Cluster, millis: i64) -> Info<'a> {
        let entry = self.entry(world, cluster, millis);
        let result = match entry.state {
            "success" => "success",
            "fail" | "failed" => "failed",
            _ => "initial",
        };
        let (current_stage, from, next, stages, events) = match self {
            Self::Upgrade(upgrade) => (
                stage_name(upgrade.moment.phase),
                upgrade.from.as_str(),
                upgrade.target.as_str(),
                upgrade.stages(world),
                upgrade.events(world),
            ),
            Self::Chore(_) => ("", "", "", Vec::new(), Vec::new()),
        };
        Info {
            cluster_id: cluster.id.as_str(),
            entry,
            current_stage,
            target: self.target(cluster),
            parameters: Parameters {
                cluster_version: from,
                next_version: next,
            },
            outputs: Nothing {},
            stages,
            events,
            task_result: vec![TaskResult {
                data: cluster.id.as_str(),
                status: result,
            }],
        }
    }

    /// The cluster, with a line break at the end of its ID as in the vendor's sample, or one of its
    /// node pools.
    fn target(&self, cluster: &Cluster) -> Target {
        match self {
            Self::Chore(chore) if chore.kind.starts_with("nodepool") => Target {
                id: format!("np{:032x}", mix(&[cluster.tag, 12])),
                kind: "nodepool",
            },
            _ => Target {
                id: format!("{}\n", cluster.id),
                kind: "cluster",
            },
        }
    }
}

impl Upgrade {
    fn failure(&self) -> Option<Failure> {
        let Phase::Failed(stage) = self.moment.phase else {
            return None;
        };
        let code = match stage {
            Stage::Precheck => "PrecheckFailed",
            Stage::Upgrade => "ClusterUpgradeFailed",
        };
        Some(Failure {
            code,
            message: self.message.clone(),
        })
    }

    /// One stage, or two once the precheck is over. They have no names of their own; the order
    /// tells.
    fn stages(&self, world: &World) -> Vec<StageInfo> {
        let (started, since) = (self.moment.started, self.moment.since);
        let time = |millis| beijing_without_zone(world.clock.at(millis));
        let over = if self.moment.phase.is_in_progress() {
            String::new()
        } else {
            time(since)
        };
        let last = |start_time| StageInfo {
            state: state(self.moment.phase, self.episode),
            start_time,
            end_time: over.clone(),
            message: self.message.clone(),
            outputs: Nothing {},
        };
        match self.moment.phase.stage() {
            Stage::Precheck => vec![last(time(started))],
            Stage::Upgrade => {
                // Where the precheck ended is not remembered once the upgrade has ended; no client
                // depends on it.
                let checked = time(started.midpoint(since));
                let precheck = StageInfo {
                    state: "success",
                    start_time: time(started),
                    end_time: checked.clone(),
                    message: String::new(),
                    outputs: Nothing {},
                };
                vec![precheck, last(checked)]
            }
        }
    }

    fn events(&self, world: &World) -> Vec<Event> {
        let event = |millis, level, reason, message: &str| Event {
            action: "upgrade",
            level,
            message: message.to_owned(),
            reason,
            source: "cluster-upgrade",
            timestamp: beijing(world.clock.at(millis)),
        };
        let mut events = vec![event(
            self.moment.started,
            "Normal",
            "UpgradeStarted",
            "upgrade of the control plane started",
        )];
        match self.moment.phase {
            Phase::Failed(_) => events.push(event(
                self.moment.since,
                "error",
                "UpgradeFailed",
                &self.message,
            )),
            Phase::Succeeded => {
                events.push(event(
                    self.moment.since,
                    "Normal",
                    "UpgradeSucceeded",
                    "upgrade of the control plane succeeded",
                ));
            }
            _ => {}
        }
        events
    }
}

/// The vendor's pages spell a failure in two ways, and so do we.
fn state(phase: Phase, episode: u64) -> &'static str {
    match phase {
        Phase::NotStarted | Phase::Prechecking | Phase::Upgrading => "running",
        Phase::Paused => "paused",
        Phase::Succeeded => "success",
        Phase::Failed(_) if episode.is_multiple_of(2) => "fail",
        Phase::Failed(_) => "failed",
        Phase::Canceled(_) if episode.is_multiple_of(2) => "canceled",
        Phase::Canceled(_) => "cancelled",
    }
}

/// None once all went well, as many clients expect. The name of the precheck is made up: no stage
/// of a cluster's upgrade is published, and `DrainNodes` is the one of the vendor's sample.
fn stage_name(phase: Phase) -> &'static str {
    match phase.stage() {
        _ if phase == Phase::Succeeded => "",
        Stage::Precheck => "cluster_upgrade_precheck",
        Stage::Upgrade => "DrainNodes",
    }
}

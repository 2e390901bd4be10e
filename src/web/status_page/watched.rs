//! Everything that an account watches beside upgrades: marks on a cluster, and lines of its
//! details.
//!
//! A new answer is shown by a few lines in [`describe`]; no template changes.

use ack_client::{PlanState, Status};
use jiff::{SignedDuration, Timestamp};

use super::details::Details;
use super::messages::Messages;
use super::word_set::word_set;
use crate::queries::Watched;
use crate::queries::node_pools::{NodePool, NodePoolUpgrade};
use crate::queries::plans::Plan;

/// Planned operations are announced this long before they start.
const SOON: SignedDuration = SignedDuration::from_hours(24);
/// Planned operations without an end are due this long after their start.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// Planned operations that failed are announced this long.
const RECENT: SignedDuration = SignedDuration::from_hours(3 * 24);
/// The end of support is announced this long before it comes.
const ENDING: SignedDuration = SignedDuration::from_hours(90 * 24);

word_set! {
    /// Something about a cluster that people should know in time.
    Mark {
        /// The upgrade of a node pool failed, or is paused with an error.
        PoolFailed = "pool_failed", pool_failed;
        /// A planned operation failed lately, or the check before it.
        PlanFailed = "plan_failed", plan_failed;
        /// The window of a planned operation has begun and is not over, or the operation runs.
        UnderWay = "under_way", under_way;
        /// An operation starts within a day.
        Planned = "planned", planned;
        /// Its version is out of support.
        Unsupported = "unsupported", unsupported;
        /// The support of its version ends soon.
        Ending = "ending", ending;
    }
}

/// A mark that a cluster has.
#[derive(Debug, Clone)]
pub(super) struct Marked<'a> {
    pub(super) mark: Mark,
    /// The time that it is about.
    pub(super) at: Option<Timestamp>,
    /// The name of the operation or the node pool.
    pub(super) subject: &'a str,
}

impl Mark {
    pub(super) fn is_failure(self) -> bool {
        self <= Self::PlanFailed
    }

    /// Returns true if it is worth a name in the banner. A version ages slowly.
    pub(super) fn is_event(self) -> bool {
        self <= Self::Planned
    }
}

/// The marks of a cluster.
pub(super) fn marks(watched: &Watched, now: Timestamp) -> Vec<Marked<'_>> {
    let mut marks = Vec::new();
    for pool in watched.node_pools.iter().flatten() {
        if let Some(upgrade) = pool.upgrade.as_ref().filter(|upgrade| is_broken(upgrade)) {
            let at = upgrade.updated.or(upgrade.started);
            marks.push((Mark::PoolFailed, at, pool_name(pool)));
        }
    }
    for plan in watched.plans.iter().flat_map(|plans| plans.iter()) {
        if let Some(mark) = mark_of(plan, now) {
            marks.push((mark, plan.start, plan.kind.as_str()));
        }
    }
    let support = watched.version_support.as_ref();
    if let Some(end) = support.and_then(|support| support.end_of_support) {
        if end <= now {
            marks.push((Mark::Unsupported, Some(end), ""));
        } else if end.duration_since(now) <= ENDING {
            marks.push((Mark::Ending, Some(end), ""));
        }
    }
    let marks = marks.into_iter();
    marks
        .map(|(mark, at, subject)| Marked { mark, at, subject })
        .collect()
}

fn is_broken(upgrade: &NodePoolUpgrade) -> bool {
    match upgrade.status {
        Status::Fail => true,
        Status::Pause => upgrade.error_message.is_some(),
        _ => false,
    }
}

fn mark_of(plan: &Plan, now: Timestamp) -> Option<Mark> {
    match plan.state {
        PlanState::Executing => Some(Mark::UnderWay),
        PlanState::Scheduled | PlanState::Unknown => {
            let start = plan.start?;
            if start > now {
                return (start.duration_since(now) <= SOON).then_some(Mark::Planned);
            }
            // Until the plans are read again, one that has begun is still scheduled. One in a state
            // that is not known may have ended.
            let is_over = match plan.end {
                Some(end) => end <= now,
                None => now.duration_since(start) >= WINDOW,
            };
            (plan.state == PlanState::Scheduled && !is_over).then_some(Mark::UnderWay)
        }
        PlanState::Failed | PlanState::ValidatingFailed => {
            (now.duration_since(plan.start?) <= RECENT).then_some(Mark::PlanFailed)
        }
        PlanState::Executed | PlanState::Canceled => None,
    }
}

fn pool_name(pool: &NodePool) -> &str {
    if pool.name.is_empty() {
        &pool.id
    } else {
        &pool.name
    }
}

/// Adds everything that is known to the details of the cluster.
pub(super) fn describe(watched: &Watched, t: &Messages, details: &mut Details) {
    for plan in watched.plans.iter().flat_map(|plans| plans.iter()) {
        let (start, end) = (details.time_text(plan.start), details.time_text(plan.end));
        let state = plan.state.as_str();
        let name = format!("{} {}", t.plan, plan.kind);
        details.parts(&name, &[&plan.target, state, &start, &end, &plan.reason]);
    }
    if let Some(support) = &watched.version_support {
        details.time(t.end_of_support, support.end_of_support);
        details.number(t.versions_behind, support.versions_behind);
    }
    for pool in watched.node_pools.iter().flatten() {
        describe_pool(pool, t, details);
    }
    let addons = watched.addons.iter().map(|addon| {
        let to = if addon.available_version.is_empty() {
            ""
        } else {
            " → "
        };
        let state = addon.state.as_str();
        let (name, version, available) = (addon.name, addon.version, addon.available_version);
        format!("{name} {version}{to}{available} {state}")
    });
    details.text(t.addons, &addons.collect::<Vec<_>>().join(" · "));
    for check in watched.prechecks.iter().flat_map(|checks| checks.iter()) {
        let finished = details.time_text(check.finished);
        let name = format!("{} {}", t.precheck, check.kind);
        details.parts(&name, &[check.result.as_str(), &finished]);
    }
}

fn describe_pool(pool: &NodePool, t: &Messages, details: &mut Details) {
    let count = |count: Option<u64>| count.map_or("?".to_owned(), |count| count.to_string());
    let (healthy, total) = (count(pool.nodes.healthy), count(pool.nodes.total));
    let nodes = format!("{healthy}/{total} {}", t.nodes_healthy);
    let behind = pool.versions_behind.filter(|behind| *behind > 0);
    let behind = behind.map_or_else(String::new, |behind| {
        format!("{}{}{behind}", t.versions_behind, t.colon)
    });
    let (mut upgrade, mut message) = (String::new(), "");
    if let Some(newest) = &pool.upgrade {
        upgrade = format!(
            "{}: {} {}",
            t.column_upgrade,
            newest.status.as_str(),
            newest.target_version
        );
        message = newest.error_message.as_deref().unwrap_or_default();
    }
    let name = format!("{} {}", t.node_pool, pool_name(pool));
    let (state, kubelet) = (pool.state.as_str(), &pool.kubelet_version);
    details.parts(
        &name,
        &[state, &nodes, kubelet, &behind, upgrade.trim(), message],
    );
}

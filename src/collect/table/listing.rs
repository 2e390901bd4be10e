//! The part of the cluster lists in the table: clusters come and go, and idle ones need no query.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::{ClusterId, Region};
use ack_client::{ClusterState, ListedCluster};
use tokio::time::Instant;

use super::ClusterTable;
use crate::cluster::ClusterInfo;
use crate::collect::entry::{ClusterEntry, Now, Origin, Target};

/// The rules by which a demand skips clusters in which no upgrade is running.
#[derive(Debug, Clone, Copy)]
pub(in crate::collect) struct IdlePolicy {
    /// The time for which a response counts while the list shows no change.
    pub(in crate::collect) interval: Duration,
}

/// For each demand, one in this many idle clusters may be queried again because its interval is
/// over, and at least one. Clusters that were first queried together so drift apart.
const IDLE_CLUSTERS_PER_RECHECK: usize = 100;

impl ClusterTable {
    /// Applies the list of `region`: adds `new_targets`, removes discovered clusters that are not
    /// among them, and updates the others. With `skip_for`, the demand of that time skips the
    /// clusters in which no upgrade is running.
    pub(in crate::collect) fn apply_list(
        &mut self,
        region: &Region,
        list: &[ListedCluster],
        new_targets: Vec<Target>,
        skip_for: Option<(Instant, IdlePolicy)>,
        now: Now,
    ) {
        self.remove_unlisted(region, &new_targets);
        for target in new_targets {
            let id = target.info.id.clone();
            let cached = self.inherited.remove(&id);
            self.entries
                .entry(id)
                .or_insert_with(|| ClusterEntry::new(target, cached.unwrap_or_default()));
        }
        let listed: HashMap<_, _> = list.iter().map(|cluster| (&cluster.id, cluster)).collect();
        for (id, entry) in &mut self.entries {
            if let Some(cluster) = listed.get(id) {
                merge_listing(&mut entry.target.info, cluster);
                entry.changed = cluster.updated;
            }
        }
        if let Some((since, policy)) = skip_for {
            self.skip_idle(&listed, since, policy, now);
        }
    }

    fn remove_unlisted(&mut self, region: &Region, new_targets: &[Target]) {
        let listed: HashSet<_> = new_targets.iter().map(|target| &target.info.id).collect();
        self.entries.retain(|id, entry| {
            let is_of_list = entry.target.origin == Origin::Discovered
                && entry.target.info.region.as_ref() == Some(region);
            !is_of_list || listed.contains(id)
        });
    }

    /// Lets idle clusters serve the demand of `since`, but for those that have changed and a few
    /// whose interval is over.
    fn skip_idle(
        &mut self,
        listed: &HashMap<&ClusterId, &ListedCluster>,
        since: Instant,
        policy: IdlePolicy,
        now: Now,
    ) {
        let mut idle: Vec<(Instant, &mut ClusterEntry)> = Vec::new();
        for (id, entry) in &mut self.entries {
            let is_idle_in_list = listed
                .get(id)
                .is_some_and(|cluster| is_not_upgrading(cluster.state));
            if entry.has_served(since) || !is_idle_in_list {
                continue;
            }
            match entry.idle_since() {
                Some(_) if entry.has_changed() => entry.keep_servable(now.instant),
                Some(read) => idle.push((read, entry)),
                None => {}
            }
        }
        idle.sort_by_key(|(read, _)| *read);
        let mut rechecks_left = (idle.len() / IDLE_CLUSTERS_PER_RECHECK).max(1);
        for (read, entry) in idle {
            let is_over = now.instant.saturating_duration_since(read) >= policy.interval;
            if is_over && rechecks_left > 0 {
                rechecks_left -= 1;
            } else {
                entry.mark_idle_confirmed(since, now);
            }
        }
    }
}

/// True if no upgrade is running in a cluster in `state`.
fn is_not_upgrading(state: Option<ClusterState>) -> bool {
    // A state that is missing or not in Alibaba Cloud's reference proves nothing.
    !matches!(
        state,
        None | Some(ClusterState::Updating | ClusterState::Upgrading | ClusterState::Unknown)
    )
}

/// Updates `info` from the list. The name and the labels of the configuration stay.
pub(in crate::collect) fn merge_listing(info: &mut Arc<ClusterInfo>, cluster: &ListedCluster) {
    let mut updated = ClusterInfo::clone(info);
    updated.update(cluster);
    // Snapshots share the allocation, so an equal one is kept.
    if updated != **info {
        *info = Arc::new(updated);
    }
}

#[cfg(test)]
mod tests;

//! All clusters of a lane, and which of them are next.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::{ClusterId, Region};
use ack_client::{ApiError, ErrorKind, ListedCluster};
use jiff::Timestamp;
use tokio::time::Instant;

use super::entry::{BlockedBy, CachedResults, ClusterEntry, InFlight, Origin, StateChange, Target};
use super::fair_share::FairShare;
use crate::snapshot::{ClusterInfo, Failure};
use crate::upgrade::UpgradeState;

/// The clusters of a lane and how its collection stands.
#[derive(Debug)]
pub(super) struct ClusterTable {
    pub(super) entries: BTreeMap<ClusterId, ClusterEntry>,
    /// What an earlier configuration knew, until the lists have shown which clusters there still
    /// are.
    inherited: HashMap<ClusterId, CachedResults>,
    pub(super) blocked_by: BlockedBy,
    pub(super) fair_share: FairShare,
    /// The number of the query that takes off next.
    last_query_number: u64,
}

/// How clusters are left out of a collection while nothing is going on in them.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdlePolicy {
    /// How long an answer is good while the list shows nothing new.
    pub(super) interval: Duration,
}

/// Of the clusters whose time is over, so many in a hundred are asked again in one collection, so that
/// those that were first asked together do not stay together.
const IDLE_RECHECK_PERCENT: usize = 1;

impl ClusterTable {
    pub(super) fn new(targets: Vec<Target>) -> Self {
        let entries = targets
            .into_iter()
            .map(|target| {
                (
                    target.info.id.clone(),
                    ClusterEntry::new(target, CachedResults::default()),
                )
            })
            .collect();
        Self {
            entries,
            inherited: HashMap::new(),
            blocked_by: BlockedBy::RateLimit,
            fair_share: FairShare::default(),
            last_query_number: 0,
        }
    }

    /// The queries that started before `now` and have by then been silent for longer than their
    /// share of a collection of `length`.
    pub(super) fn overdue(
        &self,
        now: Instant,
        length: Duration,
    ) -> impl Iterator<Item = &InFlight> {
        let flights = self
            .entries
            .values()
            .filter_map(|entry| entry.in_flight.as_ref())
            .filter(move |in_flight| in_flight.started < now);
        flights.filter(move |in_flight| {
            now - in_flight.started > self.fair_share.share(in_flight.started, length)
        })
    }

    /// True if the query of `id` that took off as `in_flight` has not ended.
    pub(super) fn is_in_flight(&self, id: &ClusterId, in_flight: &InFlight) -> bool {
        self.entries
            .get(id)
            .is_some_and(|entry| entry.has_in_flight(in_flight.number))
    }

    /// A number for the query that takes off.
    pub(super) fn next_query_number(&mut self) -> u64 {
        self.last_query_number += 1;
        self.last_query_number
    }

    /// Takes the result of the query of `id` that took off as `in_flight` and ended at `now`, after
    /// `duration`. None if nothing is remembered of it: the cluster is gone from the list, or gone
    /// and back; the query ended because all queries did, which `is_stopping` tells; or it was
    /// never more than a wait for the account's own rate limit.
    pub(super) fn record_result(
        &mut self,
        id: &ClusterId,
        in_flight: &InFlight,
        result: Result<UpgradeState, ApiError>,
        duration: Duration,
        now: Timestamp,
        is_stopping: bool,
    ) -> Option<StateChange> {
        let entry = self
            .entries
            .get_mut(id)
            .filter(|entry| entry.has_in_flight(in_flight.number))?;
        entry.in_flight = None;
        match &result {
            Ok(_) if !in_flight.budget.was_held_up() => self.fair_share.record_response(duration),
            Ok(_) => self.fair_share.record_contact(),
            Err(error) if error.status.is_some() => self.fair_share.record_contact(),
            Err(_) => {}
        }
        match &result {
            Err(_) if is_stopping => None,
            Err(error) if error.kind == ErrorKind::RateLimited => {
                // First in turn again.
                entry.asked = in_flight.previously_asked;
                None
            }
            Ok(_) | Err(_) => Some(entry.finish(
                result.map_err(|error| Failure::of(&error)),
                in_flight,
                duration,
                now,
            )),
        }
    }

    /// The clusters that have not been asked in `collection`. Those that were left out of the last collection
    /// come first, and among those of one collection the ones that answered: a cluster that is silent
    /// must not cost the others their place.
    pub(super) fn due(
        &self,
        collection: u64,
        wanted: impl Fn(&ClusterEntry) -> bool,
    ) -> Vec<ClusterId> {
        let mut due: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.asked < collection && wanted(entry))
            .collect();
        due.sort_by_key(|(_, entry)| (entry.asked, entry.is_failing()));
        due.into_iter().map(|(id, _)| id.clone()).collect()
    }

    /// Takes the list of `region` for `collection`: clusters that are new come in, those that are gone
    /// go, the others learn what it says of them. With `idle_policy`, clusters in which nothing is going
    /// on are left out of the collection.
    pub(super) fn apply_list(
        &mut self,
        region: &Region,
        list: &[ListedCluster],
        new_targets: Vec<Target>,
        collection: Option<(u64, IdlePolicy)>,
        now: Timestamp,
    ) {
        let listed: HashMap<_, _> = list.iter().map(|cluster| (&cluster.id, cluster)).collect();
        let wanted: HashSet<_> = new_targets
            .iter()
            .map(|target| target.info.id.clone())
            .collect();
        self.entries.retain(|id, entry| {
            let is_of_list = entry.target.origin == Origin::Discovered
                && entry.target.info.region.as_ref() == Some(region);
            !is_of_list || wanted.contains(id)
        });
        for target in new_targets {
            let id = target.info.id.clone();
            let cached = self.inherited.remove(&id);
            self.entries
                .entry(id)
                .or_insert_with(|| ClusterEntry::new(target, cached.unwrap_or_default()));
        }
        for (id, entry) in &mut self.entries {
            if let Some(cluster) = listed.get(id) {
                merge_listing(&mut entry.target.info, cluster);
                entry.changed = cluster.updated;
            }
        }
        if let Some((collection, idle_policy)) = collection {
            self.skip_idle(&listed, collection, idle_policy, now);
        }
    }

    fn skip_idle(
        &mut self,
        listed: &HashMap<&ClusterId, &ListedCluster>,
        collection: u64,
        idle_policy: IdlePolicy,
        now: Timestamp,
    ) {
        let quiet = self
            .entries
            .iter_mut()
            .filter(|(id, entry)| {
                entry.asked < collection
                    && listed
                        .get(id)
                        .is_some_and(|cluster| is_not_upgrading(&cluster.state))
            })
            .filter_map(|(_, entry)| Some((entry.idle_since_reading()?, entry)));
        let (changed, mut idle): (Vec<_>, Vec<_>) =
            quiet.partition(|(_, entry)| entry.has_changed());
        for (_, entry) in changed {
            entry.keep_servable();
        }
        idle.sort_by_key(|(read, _)| *read);
        let mut rechecks_left = (idle.len() * IDLE_RECHECK_PERCENT / 100).max(1);
        for (read, entry) in idle {
            if read.elapsed() >= idle_policy.interval && rechecks_left > 0 {
                rechecks_left -= 1;
            } else {
                entry.mark_idle_confirmed(collection, now);
            }
        }
    }

    /// All that is remembered, by cluster.
    pub(super) fn cached_results(&self) -> HashMap<ClusterId, CachedResults> {
        let known = self
            .entries
            .iter()
            .map(|(id, entry)| (id.clone(), entry.cached().clone()));
        self.inherited.clone().into_iter().chain(known).collect()
    }

    /// Takes over what an earlier table remembers.
    pub(super) fn inherit(&mut self, mut cached_results: HashMap<ClusterId, CachedResults>) {
        for (id, entry) in &mut self.entries {
            if let Some(cached) = cached_results.remove(id) {
                *entry = ClusterEntry::new(entry.target.clone(), cached);
            }
        }
        self.inherited = cached_results;
    }

    /// Forgets the clusters that an earlier table remembers and nobody has named: the lists have
    /// been read by now.
    pub(super) fn drop_inherited(&mut self) {
        self.inherited = HashMap::new();
    }
}

/// Whether a cluster in `state` is not being upgraded: in any state of the vendor's reference but
/// `upgrading` and `updating`. One that is missing or not in the reference says nothing.
fn is_not_upgrading(state: &str) -> bool {
    matches!(
        state,
        "initial"
            | "failed"
            | "running"
            | "removing"
            | "draining"
            | "scaling"
            | "inactive"
            | "unavailable"
            | "deleting"
            | "deleted"
            | "delete_failed"
            | "blocked_by"
            | "disconnected"
    )
}

/// Puts what the list says into `info`; the operator's own name and labels stand.
pub(super) fn merge_listing(info: &mut Arc<ClusterInfo>, cluster: &ListedCluster) {
    let name = if info.name.is_empty() {
        &cluster.name
    } else {
        &info.name
    };
    let state = Some(cluster.state.as_str()).filter(|state| !state.is_empty());
    let is_known = info.name == *name
        && info.cluster_type == cluster.cluster_type
        && info.spec == cluster.spec
        && info.version == cluster.version
        && info.next_version == cluster.next_version
        && info.state.as_deref() == state;
    if !is_known {
        *info = Arc::new(ClusterInfo {
            id: info.id.clone(),
            name: name.clone(),
            account: info.account.clone(),
            region: info.region.clone(),
            cluster_type: cluster.cluster_type.clone(),
            spec: cluster.spec.clone(),
            version: cluster.version.clone(),
            next_version: cluster.next_version.clone(),
            state: state.map(str::to_owned),
            labels: info.labels.clone(),
        });
    }
}

//! The queries that an account asks beside the upgrades: one slot for each subject.

mod job;
#[cfg(test)]
mod properties;
mod state;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{Client, Endpoint};
use jiff::Timestamp;
use tokio::time::Instant;

pub(super) use job::{Job, QueryClass};

use self::state::{Entry, State};
use super::entry::{Now, Target};
use super::progress::CollectionProgress;
use super::slot::Slot;
use crate::cluster::ClusterInfo;
use crate::config::Watch;
use crate::queries::addons::{AddonOffers, InstalledAddons};
use crate::queries::maintenance::Maintenance;
use crate::queries::node_pools::NodePools;
use crate::queries::plans::Plans;
use crate::queries::prechecks::Prechecks;
use crate::queries::versions::Versions;
use crate::queries::{Scope, Subject as _, Watched, WatchedQuery};
use crate::snapshot::{Failure, QueryReading};

/// The queries that `settings` name.
pub(super) fn watches(account: &AccountName, settings: &Watch) -> Vec<Arc<dyn AnyWatch>> {
    let Watch {
        plans,
        versions,
        node_pools,
        addons,
        prechecks,
        maintenance,
    } = settings;
    let mut watches: Vec<Arc<dyn AnyWatch>> = Vec::new();
    if let Some(every) = plans {
        watches.push(Slots::new(account, Plans::new(every.interval)));
    }
    if let Some(every) = versions {
        watches.push(Slots::new(account, Versions::new(every.interval)));
    }
    if let Some(every) = node_pools {
        watches.push(Slots::new(account, NodePools::new(every.interval)));
    }
    if let Some(every) = addons {
        watches.push(Slots::new(account, InstalledAddons::new(every.interval)));
        watches.push(Slots::new(account, AddonOffers::new(every.interval)));
    }
    if let Some(every) = prechecks {
        watches.push(Slots::new(account, Prechecks::new(every.interval)));
    }
    if let Some(every) = maintenance {
        watches.push(Slots::new(account, Maintenance::new(every.interval)));
    }
    watches
}

/// One query and what is known by it, whatever the types of its subjects and answers.
pub(super) trait AnyWatch: Any + Debug + Send + Sync {
    /// Brings the subjects in line with the clusters and with what happens to them. With
    /// `AllKnown`, subjects without a cluster go.
    fn update_subjects(&self, clusters: &[KnownCluster], knowledge: Knowledge, now: Instant);

    /// The clusters that are being upgraded at `now`, as far as the answers tell.
    fn upgrading(&self, now: Instant) -> Vec<ClusterId>;

    /// The queries that are due at `now`, at most `limit` of each class, those that are overdue
    /// longest first. None of them is in flight.
    fn due<'a>(&'a self, client: &'a Client, now: Instant, limit: usize) -> Vec<Job<'a>>;

    /// The number of subjects, and of those whose query has succeeded or failed.
    fn progress(&self) -> CollectionProgress;

    /// Adds what is known of `cluster` at `now`.
    fn add(&self, cluster: &ClusterInfo, now: Now, watched: &mut Watched);

    /// The outcome of the last query of each region; empty for a query about single clusters.
    fn region_readings(&self) -> Vec<(Region, QueryReading)>;

    /// The outcome of the last query about `cluster`; None for a query about whole regions.
    fn cluster_reading(&self, cluster: &ClusterInfo) -> Option<QueryReading>;

    /// Takes over the slots of `earlier`, if it is the same query. Failures are left behind if the
    /// client is replaced.
    fn inherit(&self, earlier: &dyn AnyWatch, client: ReloadedClient);
}

/// A cluster, and what is known of it without the queries.
#[derive(Debug)]
pub(super) struct KnownCluster {
    pub(super) target: Target,
    pub(super) is_upgrading: bool,
    /// The time of its last change, from the list.
    pub(super) changed: Option<Timestamp>,
}

/// The client of an account after a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReloadedClient {
    Kept,
    /// The access settings have changed.
    Replaced,
}

/// The state of the lists that find clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Knowledge {
    /// A list has not been read yet.
    Partial,
    /// Every list has been read.
    AllKnown,
}

/// The slots of one query.
#[derive(Debug)]
pub(super) struct Slots<Q: WatchedQuery> {
    account: AccountName,
    query: Q,
    state: Mutex<State<Q>>,
}

/// The clusters of one subject.
#[derive(Debug)]
struct Members<'a> {
    endpoint: &'a Endpoint,
    clusters: Vec<Arc<ClusterInfo>>,
    is_upgrading: bool,
    changed: Option<Timestamp>,
}

impl<Q: WatchedQuery> Slots<Q> {
    pub(super) fn new(account: &AccountName, query: Q) -> Arc<Self> {
        Arc::new(Self {
            account: account.clone(),
            query,
            state: Mutex::new(State {
                entries: BTreeMap::new(),
                failing: HashSet::new(),
                quiet_until: None,
                logged: None,
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<Q>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Q: WatchedQuery> AnyWatch for Slots<Q> {
    fn update_subjects(&self, clusters: &[KnownCluster], knowledge: Knowledge, now: Instant) {
        let mut subjects: BTreeMap<Q::Subject, Members<'_>> = BTreeMap::new();
        for known in clusters {
            let info = &known.target.info;
            if let Some(subject) = self.query.subject(info) {
                let members = subjects.entry(subject).or_insert_with(|| Members {
                    endpoint: &known.target.endpoint,
                    clusters: Vec::new(),
                    is_upgrading: false,
                    changed: None,
                });
                members.clusters.push(Arc::clone(info));
                members.is_upgrading |= known.is_upgrading;
                members.changed = members.changed.max(known.changed);
            }
        }
        let mut state = self.lock();
        state.quiet_until = None;
        let entries = &mut state.entries;
        if knowledge == Knowledge::AllKnown {
            // A cluster that comes back must not be asked about twice at the same time.
            entries.retain(|subject, entry| {
                let is_known = subjects.contains_key(subject);
                if !is_known {
                    entry.endpoint = None;
                }
                is_known || entry.slot.in_flight().is_some()
            });
        }
        for (subject, members) in subjects {
            let entry = entries
                .entry(subject)
                .or_insert_with(|| Entry::new(Slot::new(now)));
            entry.endpoint = Some(members.endpoint.clone());
            entry.clusters = members.clusters.into();
            entry.is_upgrading = members.is_upgrading;
            entry.changed = members.changed;
            // The first answer came before the first list.
            if entry.slot.answer().is_some() && entry.changed_before_answer.is_none() {
                entry.changed_before_answer = members.changed;
            }
        }
    }

    fn upgrading(&self, now: Instant) -> Vec<ClusterId> {
        let state = self.lock();
        let max_age = self.query.max_age();
        let entries = state.entries.values();
        entries
            .filter_map(|entry| entry.slot.answer_within(max_age, now))
            .flat_map(|answer| self.query.upgrading(answer))
            .cloned()
            .collect()
    }

    fn due<'a>(&'a self, client: &'a Client, now: Instant, limit: usize) -> Vec<Job<'a>> {
        let due = self.lock().due(&self.query, now, limit);
        due.into_iter().map(|due| self.job(due, client)).collect()
    }

    fn progress(&self) -> CollectionProgress {
        let state = self.lock();
        let entries = state.entries.values();
        CollectionProgress::of(entries.map(|entry| entry.slot.outcome().is_some()))
    }

    fn add(&self, cluster: &ClusterInfo, now: Now, watched: &mut Watched) {
        let Some(subject) = self.query.subject(cluster) else {
            return;
        };
        let state = self.lock();
        let max_age = self.query.max_age();
        let answer = state
            .entries
            .get(&subject)
            .and_then(|entry| entry.slot.answer_within(max_age, now.instant));
        if let Some(answer) = answer {
            self.query.add(answer, cluster, now.timestamp, watched);
        }
    }

    fn region_readings(&self) -> Vec<(Region, QueryReading)> {
        let state = self.lock();
        // Several subjects may be of one region; it is read if all of them are.
        let mut regions: BTreeMap<&Region, Option<&Failure>> = BTreeMap::new();
        for (subject, entry) in &state.entries {
            let Scope::Region(region) = subject.scope() else {
                continue;
            };
            match entry.slot.outcome() {
                Some(Ok(())) => drop(regions.entry(region).or_default()),
                Some(Err(failure)) => drop(regions.insert(region, Some(failure))),
                None => {}
            }
        }
        regions
            .into_iter()
            .map(|(region, failure)| (region.clone(), QueryReading::new(Q::NAME, failure)))
            .collect()
    }

    fn cluster_reading(&self, cluster: &ClusterInfo) -> Option<QueryReading> {
        let subject = self.query.subject(cluster)?;
        let Scope::Cluster(_) = subject.scope() else {
            return None;
        };
        let state = self.lock();
        let outcome = state.entries.get(&subject)?.slot.outcome()?;
        Some(QueryReading::new(Q::NAME, outcome.err()))
    }

    fn inherit(&self, earlier: &dyn AnyWatch, client: ReloadedClient) {
        let earlier: &dyn Any = earlier;
        let Some(earlier) = earlier.downcast_ref::<Self>() else {
            return;
        };
        let mut state = self.lock();
        for (subject, entry) in &earlier.lock().entries {
            let slot = match client {
                ReloadedClient::Kept => entry.slot.inherited(),
                ReloadedClient::Replaced => entry.slot.inherited().without_failure(),
            };
            let mut later = Entry::new(slot);
            later.changed_before_answer = entry.changed_before_answer;
            state.entries.insert(subject.clone(), later);
        }
    }
}

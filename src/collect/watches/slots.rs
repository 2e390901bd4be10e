//! The slots of one query, one for each subject.

mod job;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ack_client::names::{AccountName, Region};
use ack_client::{Client, Endpoint, Reason};
use tokio::time::Instant;

pub(in crate::collect) use job::Job;

use super::{Knowledge, Watch};
use crate::cluster::ClusterInfo;
use crate::collect::entry::{Now, Target};
use crate::collect::progress::CollectionProgress;
use crate::collect::slot::Slot;
use crate::queries::{Activity, Query, Scope, Subject as _, Watched};
use crate::snapshot::{Failure, QueryReading};

/// The slots of one query.
#[derive(Debug)]
pub(in crate::collect) struct Slots<Q: Query> {
    account: AccountName,
    query: Q,
    state: Mutex<State<Q>>,
}

#[derive(Debug)]
struct State<Q: Query> {
    entries: BTreeMap<Q::Subject, Entry<Q::Answer>>,
    /// The reason of the failure that was logged last, until every subject is answered again.
    logged: Option<Reason>,
}

/// One subject.
#[derive(Debug, Clone)]
struct Entry<A> {
    /// The server that knows the clusters; None while there are none.
    endpoint: Option<Endpoint>,
    clusters: Arc<[Arc<ClusterInfo>]>,
    activity: Activity,
    slot: Slot<A>,
}

/// The clusters of one subject.
#[derive(Debug)]
struct Members<'a> {
    endpoint: &'a Endpoint,
    clusters: Vec<Arc<ClusterInfo>>,
    activity: Activity,
}

impl<A> Entry<A> {
    /// A subject without clusters.
    fn new(slot: Slot<A>) -> Self {
        Self {
            endpoint: None,
            clusters: Arc::default(),
            activity: Activity::Quiet,
            slot,
        }
    }
}

impl<Q: Query> Slots<Q> {
    pub(super) fn new(account: &AccountName, query: Q) -> Arc<Self> {
        Arc::new(Self {
            account: account.clone(),
            query,
            state: Mutex::new(State {
                entries: BTreeMap::new(),
                logged: None,
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<Q>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Q: Query> State<Q> {
    /// True if the last query of a subject failed.
    fn is_failing(&self) -> bool {
        let mut entries = self.entries.values();
        entries.any(|entry| matches!(entry.slot.outcome(), Some(Err(_))))
    }
}

impl<Q: Query> Watch for Slots<Q> {
    fn update_subjects(&self, targets: &[(Target, Activity)], knowledge: Knowledge) {
        let mut subjects: BTreeMap<Q::Subject, Members<'_>> = BTreeMap::new();
        for (target, activity) in targets {
            if let Some(subject) = self.query.subject(&target.info) {
                let members = subjects.entry(subject).or_insert_with(|| Members {
                    endpoint: &target.endpoint,
                    clusters: Vec::new(),
                    activity: Activity::Quiet,
                });
                members.clusters.push(Arc::clone(&target.info));
                members.activity = members.activity.max(*activity);
            }
        }
        let entries = &mut self.lock().entries;
        if knowledge == Knowledge::AllKnown {
            entries.retain(|subject, _| subjects.contains_key(subject));
        }
        for (subject, members) in subjects {
            let entry = entries
                .entry(subject)
                .or_insert_with(|| Entry::new(Slot::new()));
            entry.endpoint = Some(members.endpoint.clone());
            entry.clusters = members.clusters.into();
            entry.activity = members.activity;
        }
    }

    fn due<'a>(&'a self, client: &'a Client, now: Instant, limit: usize) -> Vec<Job<'a>> {
        let mut due = Vec::new();
        let state = self.lock();
        for (subject, entry) in &state.entries {
            if entry.endpoint.is_none() {
                continue;
            }
            let last = entry.slot.answer().map(|answer| &**answer);
            let interval = self.query.interval(last, entry.activity);
            let due_at = entry.slot.due_at(interval, now);
            if due_at <= now {
                due.push((due_at, subject));
            }
        }
        due.sort();
        due.truncate(limit);
        due.into_iter()
            .map(|(due_at, subject)| Job::new(due_at, self, subject.clone(), client))
            .collect()
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

    fn inherit(&self, earlier: &dyn Watch) {
        let earlier: &dyn Any = earlier;
        let Some(earlier) = earlier.downcast_ref::<Self>() else {
            return;
        };
        let mut state = self.lock();
        for (subject, entry) in &earlier.lock().entries {
            let entry = Entry::new(entry.slot.clone());
            state.entries.insert(subject.clone(), entry);
        }
    }
}

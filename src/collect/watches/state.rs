//! The subjects of one query, and which of them are due. Nothing here awaits or locks.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::Region;
use ack_client::{Endpoint, Reason};
use jiff::Timestamp;
use tokio::time::Instant;

use super::QueryClass;
use crate::cluster::ClusterInfo;
use crate::collect::slot::Slot;
use crate::queries::{Activity, WatchedQuery};

/// The least part of the interval from the first answer to the second.
const LEAST_FIRST_SHARE: f64 = 0.1;

#[derive(Debug)]
pub(super) struct State<Q: WatchedQuery> {
    pub(super) entries: BTreeMap<Q::Subject, Entry<Arc<Q::Answer>>>,
    /// The regions whose last query failed, and may succeed when it is repeated.
    pub(super) failing: HashSet<Option<Region>>,
    /// A time before which nothing is due, if one is known.
    pub(super) quiet_until: Option<Instant>,
    /// The reason of the failure that was logged last, until every subject is answered again.
    pub(super) logged: Option<Reason>,
}

/// A subject that is due.
#[derive(Debug, Clone)]
pub(super) struct Due<S> {
    /// The time since which it is due.
    pub(super) at: Instant,
    pub(super) subject: S,
    pub(super) class: QueryClass,
}

/// One subject.
#[derive(Debug, Clone)]
pub(super) struct Entry<A> {
    /// The server that knows the clusters; None while there are none.
    pub(super) endpoint: Option<Endpoint>,
    pub(super) clusters: Arc<[Arc<ClusterInfo>]>,
    pub(super) is_upgrading: bool,
    /// The time of the clusters' last change.
    pub(super) changed: Option<Timestamp>,
    /// The same, when the last answer was asked for.
    pub(super) changed_before_answer: Option<Timestamp>,
    pub(super) slot: Slot<A>,
}

impl<Q: WatchedQuery> State<Q> {
    /// True if the last query of a subject failed.
    pub(super) fn is_failing(&self) -> bool {
        let mut entries = self.entries.values();
        entries.any(|entry| matches!(entry.slot.outcome(), Some(Err(_))))
    }

    /// Removes a subject whose clusters went while it was queried.
    pub(super) fn remove_if_gone(&mut self, subject: &Q::Subject) {
        let entry = self.entries.get(subject);
        if entry.is_some_and(|entry| entry.endpoint.is_none()) {
            self.entries.remove(subject);
        }
    }

    /// The subjects that are due at `now`, at most `limit` of each class, those that are overdue
    /// longest first.
    pub(super) fn due(&mut self, query: &Q, now: Instant, limit: usize) -> Vec<Due<Q::Subject>> {
        // Most looks find nothing, and an account may have ten thousand clusters.
        if self.quiet_until.is_some_and(|until| now < until) {
            return Vec::new();
        }
        let mut due = Vec::new();
        let mut next: Option<Instant> = None;
        for (subject, entry) in &self.entries {
            if entry.endpoint.is_none() {
                continue;
            }
            match entry.slot.due_at(entry.interval(query, subject)) {
                Some(at) if at <= now => due.push((at, subject, self.class(entry))),
                Some(at) => next = Some(next.map_or(at, |next| next.min(at))),
                None => {}
            }
        }
        self.quiet_until = next.filter(|_| due.is_empty());
        due.sort();
        let mut left = [limit; 2];
        due.into_iter()
            .filter(|(.., class)| {
                let left = &mut left[*class as usize];
                let is_within = *left > 0;
                *left = left.saturating_sub(1);
                is_within
            })
            .map(|(at, subject, class)| Due {
                at,
                subject: subject.clone(),
                class,
            })
            .collect()
    }

    /// The prospects of the next query of `entry`.
    fn class(&self, entry: &Entry<Arc<Q::Answer>>) -> QueryClass {
        let is_failing = match entry.slot.outcome() {
            Some(Ok(())) => false,
            Some(Err(failure)) => !failure.lasting,
            // It will most likely fare as the others there do.
            None => self.failing.contains(&entry.region()),
        };
        if is_failing {
            QueryClass::Failing
        } else {
            QueryClass::Responding
        }
    }
}

impl<A> Entry<A> {
    /// A subject without clusters.
    pub(super) fn new(slot: Slot<A>) -> Self {
        Self {
            endpoint: None,
            clusters: Arc::default(),
            is_upgrading: false,
            changed: None,
            changed_before_answer: None,
            slot,
        }
    }

    pub(super) fn activity(&self) -> Activity {
        let before = self.changed_before_answer;
        if self.is_upgrading {
            Activity::Upgrading
        } else if before.is_some() && self.changed > before {
            Activity::Changed
        } else {
            Activity::Quiet
        }
    }

    /// The time from the last answer about `subject` to the next query.
    pub(super) fn interval<Q>(&self, query: &Q, subject: &Q::Subject) -> Duration
    where
        Q: WatchedQuery,
        A: Deref<Target = Q::Answer>,
    {
        let last = self.slot.answer().map(|answer| &**answer);
        let interval = query.interval(last, self.activity());
        if self.slot.has_just_begun() {
            interval.mul_f64(first_share(subject))
        } else {
            interval
        }
    }

    /// The region of its clusters.
    pub(super) fn region(&self) -> Option<Region> {
        self.clusters.first()?.region.clone()
    }
}

/// The part of the interval after which the first answer about `subject` is followed by the second:
/// subjects that were asked about together, after a start, so drift apart.
fn first_share(subject: &impl Hash) -> f64 {
    let mut hasher = DefaultHasher::new();
    subject.hash(&mut hasher);
    let share =
        f64::from(u32::try_from(hasher.finish() >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX);
    share.max(LEAST_FIRST_SHARE)
}

//! The results of one cluster's queries that are kept from scrape to scrape.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{InFlight, Now};
use crate::collect::slot::Slot;
use crate::snapshot::Failure;
use crate::upgrade::UpgradeState;

/// The results of a cluster, and its query in flight. The results outlive a reload.
#[derive(Debug)]
pub(in crate::collect) struct CachedResults {
    pub(super) slot: Slot<UpgradeState, Arc<InFlight>>,
    /// The duration of the last query, whether it succeeded or failed.
    pub(super) duration: Option<Duration>,
    pub(super) last_success: Option<LastSuccess>,
}

/// What is known of the last answer beside itself.
#[derive(Debug, Clone)]
pub(super) struct LastSuccess {
    /// The calls that the query took.
    calls: u32,
    /// The time of the response, or of a list that shows that no upgrade is running.
    pub(super) fresh: Instant,
    /// The time of the response, or of a list that confirms that nothing can have changed.
    pub(super) fresh_at: Timestamp,
    /// The time at which this status and step of this task were first seen.
    pub(super) since: Timestamp,
    /// The time of the cluster's last change when the query started, from the list.
    changed: Option<Timestamp>,
}

/// The change that a result brings to the state of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::collect) enum StateChange {
    /// The first state of the cluster.
    First,
    /// A state that differs from the last in status, step or task.
    Changed,
    /// No state, or none that is worth a line in the log.
    Unchanged,
}

impl Default for CachedResults {
    fn default() -> Self {
        Self {
            slot: Slot::new(Instant::now()),
            duration: None,
            last_success: None,
        }
    }
}

impl CachedResults {
    /// The results so far, for the same cluster after a reload.
    pub(in crate::collect) fn inherited(&self) -> Self {
        Self {
            slot: self.slot.inherited(),
            duration: self.duration,
            last_success: self.last_success.clone(),
        }
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        self.slot.outcome()?.err()
    }

    pub(super) fn calls(&self) -> Option<u32> {
        self.last_success.as_ref().map(|success| success.calls)
    }

    /// True if `changed` differs from the cluster's last change before the last success.
    pub(super) fn has_changed(&self, changed: Option<Timestamp>) -> bool {
        self.last_success
            .as_ref()
            .is_some_and(|success| success.changed != changed)
    }

    pub(super) fn keep_servable(&mut self, now: Instant) {
        if let Some(success) = &mut self.last_success {
            success.fresh = now;
        }
    }

    pub(super) fn confirm(&mut self, now: Now) {
        if let Some(success) = &mut self.last_success {
            success.fresh = now.instant;
            success.fresh_at = now.timestamp;
        }
    }

    pub(super) fn record_result(
        &mut self,
        result: Result<UpgradeState, Failure>,
        in_flight: &InFlight,
        duration: Duration,
        now: Now,
    ) -> StateChange {
        self.duration = Some(duration);
        match result {
            Ok(state) => self.record_success(state, in_flight, now),
            Err(failure) => {
                self.slot.record(Err(failure), now.instant);
                StateChange::Unchanged
            }
        }
    }

    fn record_success(
        &mut self,
        state: UpgradeState,
        in_flight: &InFlight,
        now: Now,
    ) -> StateChange {
        let last = self.slot.answer().zip(self.last_success.as_ref());
        let (change, since, state) = match last {
            None => (StateChange::First, now.timestamp, Arc::new(state)),
            // An equal state keeps its allocation, which snapshots share.
            Some((last, success)) if **last == state => {
                (StateChange::Unchanged, success.since, Arc::clone(last))
            }
            Some((last, success)) if last.is_same_state(&state) => {
                (StateChange::Unchanged, success.since, Arc::new(state))
            }
            Some(_) => (StateChange::Changed, now.timestamp, Arc::new(state)),
        };
        self.slot.record(Ok(state), now.instant);
        self.last_success = Some(LastSuccess {
            calls: in_flight.budget.calls().max(1),
            fresh: now.instant,
            fresh_at: now.timestamp,
            since,
            changed: in_flight.changed,
        });
        change
    }
}

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
    pub(super) slot: Slot<LastSuccess, Arc<InFlight>>,
    /// The duration of the last query, whether it succeeded or failed.
    pub(super) duration: Option<Duration>,
}

/// The state that was read last, and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct LastSuccess {
    pub(super) state: Arc<UpgradeState>,
    /// The calls that the query took.
    pub(super) calls: u32,
    /// The time of the response, or of a list that shows that no upgrade is running.
    pub(super) fresh: Instant,
    /// The time of the response, or of a list that confirms that nothing can have changed.
    pub(super) fresh_at: Timestamp,
    /// The time at which this status and step of this task were first seen.
    pub(super) since: Timestamp,
    /// The time of the cluster's last change when the query started, from the list.
    pub(super) changed: Option<Timestamp>,
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
        }
    }
}

impl CachedResults {
    /// The results so far, for the same cluster after a reload.
    pub(in crate::collect) fn inherited(&self) -> Self {
        Self {
            slot: self.slot.inherited(),
            duration: self.duration,
        }
    }

    pub(super) fn last_success(&self) -> Option<&LastSuccess> {
        self.slot.answer()
    }

    /// Records the result of the query `in_flight`, which took `duration` until `now`.
    pub(super) fn record_result(
        &mut self,
        result: Result<UpgradeState, Failure>,
        in_flight: &InFlight,
        duration: Duration,
        now: Now,
    ) -> StateChange {
        self.duration = Some(duration);
        let (result, change) = match result {
            Ok(state) => {
                let (success, change) = self.success(state, in_flight, now);
                (Ok(success), change)
            }
            Err(failure) => (Err(failure), StateChange::Unchanged),
        };
        self.slot.record(result, now.instant);
        change
    }

    fn success(
        &self,
        state: UpgradeState,
        in_flight: &InFlight,
        now: Now,
    ) -> (LastSuccess, StateChange) {
        let (change, since, state) = match self.last_success() {
            None => (StateChange::First, now.timestamp, Arc::new(state)),
            // An equal state keeps its allocation, which snapshots share.
            Some(last) if *last.state == state => {
                (StateChange::Unchanged, last.since, Arc::clone(&last.state))
            }
            Some(last) if last.state.is_same_state(&state) => {
                (StateChange::Unchanged, last.since, Arc::new(state))
            }
            Some(_) => (StateChange::Changed, now.timestamp, Arc::new(state)),
        };
        let success = LastSuccess {
            state,
            calls: in_flight.budget.calls().max(1),
            fresh: now.instant,
            fresh_at: now.timestamp,
            since,
            changed: in_flight.changed,
        };
        (success, change)
    }
}

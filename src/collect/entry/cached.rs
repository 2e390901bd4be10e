//! The results of one cluster's queries that are kept from scrape to scrape.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{InFlight, Now};
use crate::snapshot::Failure;
use crate::upgrade::UpgradeState;

/// The results that outlive a change of the configuration.
#[derive(Debug, Clone, Default)]
pub(in crate::collect) struct CachedResults {
    pub(super) last_query: Option<LastQuery>,
    pub(super) last_success: Option<LastSuccess>,
    /// The calls that the last successful query took.
    calls: Option<u32>,
}

/// The last query, whether it succeeded or failed.
#[derive(Debug, Clone)]
pub(super) struct LastQuery {
    pub(super) failure: Option<Failure>,
    pub(super) duration: Duration,
    ended: Instant,
}

/// The last successful query.
#[derive(Debug, Clone)]
pub(super) struct LastSuccess {
    pub(super) state: Arc<UpgradeState>,
    /// The time of the response.
    read: Instant,
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

impl CachedResults {
    pub(super) fn last_state(&self) -> Option<&Arc<UpgradeState>> {
        self.last_success.as_ref().map(|success| &success.state)
    }

    pub(super) fn last_read(&self) -> Option<Instant> {
        self.last_success.as_ref().map(|success| success.read)
    }

    pub(super) fn last_ended(&self) -> Option<Instant> {
        self.last_query.as_ref().map(|query| query.ended)
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        self.last_query.as_ref()?.failure.as_ref()
    }

    pub(super) fn calls(&self) -> Option<u32> {
        self.calls
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
        let (state, failure) = match result {
            Ok(state) => (Some(state), None),
            Err(failure) => (None, Some(failure)),
        };
        self.last_query = Some(LastQuery {
            failure,
            duration,
            ended: now.instant,
        });
        match state {
            Some(state) => self.record_success(state, in_flight, now),
            None => StateChange::Unchanged,
        }
    }

    fn record_success(
        &mut self,
        state: UpgradeState,
        in_flight: &InFlight,
        now: Now,
    ) -> StateChange {
        self.calls = Some(in_flight.budget.calls().max(1));
        let (change, since, state) = match &self.last_success {
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
        self.last_success = Some(LastSuccess {
            state,
            read: now.instant,
            fresh: now.instant,
            fresh_at: now.timestamp,
            since,
            changed: in_flight.changed,
        });
        change
    }
}

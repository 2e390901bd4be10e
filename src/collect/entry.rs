//! One cluster and what is known of it. Nothing here awaits or locks.

mod cached;
mod in_flight;
mod reading;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::{Budget, Endpoint, Reason};
use jiff::Timestamp;
use tokio::sync::SetOnce;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(super) use cached::{CachedResults, StateChange};
pub(super) use in_flight::{InFlight, Trigger};
pub(super) use reading::{BlockedBy, Viewpoint};

use super::demand::{Demand, MIN_QUERY_TIME};
use crate::cluster::ClusterInfo;
use crate::queries::Query as _;
use crate::queries::upgrade::UpgradeQuery;
use crate::snapshot::Failure;
use crate::upgrade::UpgradeState;

/// A cluster and the means to query it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// The cluster.
    pub(super) info: Arc<ClusterInfo>,
    /// The origin of the cluster.
    pub(super) origin: Origin,
    /// The server that knows it.
    pub(super) endpoint: Endpoint,
    /// The query of its state.
    pub(super) query: UpgradeQuery,
}

/// The origin of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The configuration: the cluster stays whatever the lists have.
    Configured,
    /// A list: the cluster goes when the list does not have it any more.
    Discovered,
}

/// The present on both clocks: for durations, and for people.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) instant: Instant,
    pub(super) timestamp: Timestamp,
}

impl Now {
    /// The present by `clock`.
    pub(super) fn of(clock: Clock) -> Self {
        Self {
            instant: Instant::now(),
            timestamp: clock.now(),
        }
    }
}

/// One cluster of an account.
#[derive(Debug)]
pub(super) struct ClusterEntry {
    pub(super) target: Target,
    /// The newest demand, by its start, that it was queried for or needed no query for.
    pub(super) served: Option<Instant>,
    /// The time of the cluster's last change, from the list.
    pub(super) changed: Option<Timestamp>,
    /// True while a planned operation is being executed in it.
    pub(super) is_upgraded_by_plan: bool,
    cached: CachedResults,
}

/// The effect of a result on an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recorded {
    /// The reason of the failure before it, if the query before it failed.
    pub(super) previous_failure: Option<Reason>,
    /// The change of the state.
    pub(super) change: StateChange,
}

impl ClusterEntry {
    pub(super) fn new(target: Target, cached: CachedResults) -> Self {
        Self {
            target,
            served: None,
            changed: None,
            is_upgraded_by_plan: false,
            cached,
        }
    }

    /// The results that outlive a change of the configuration.
    pub(super) fn cached(&self) -> &CachedResults {
        &self.cached
    }

    /// The state that was read last.
    pub(super) fn last_state(&self) -> Option<&Arc<UpgradeState>> {
        self.cached.last_success().map(|success| &success.state)
    }

    /// The failure of the last query, if it failed.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.cached.slot.outcome()?.err()
    }

    /// True if the last query failed.
    pub(super) fn is_failing(&self) -> bool {
        self.failure().is_some()
    }

    /// The query in flight.
    pub(super) fn in_flight(&self) -> Option<&Arc<InFlight>> {
        self.cached.slot.in_flight()
    }

    /// Notes that `query` is in flight.
    pub(super) fn start(&mut self, query: Arc<InFlight>) {
        self.cached.slot.start(query);
    }

    /// Notes that the query in flight has ended without a result.
    pub(super) fn put_back(&mut self) {
        self.cached.slot.put_back();
    }

    /// The query in flight that a demand waits for.
    pub(super) fn awaited(&self) -> Option<&Arc<InFlight>> {
        self.in_flight().filter(|in_flight| in_flight.is_awaited())
    }

    /// True if it has served the demand of `since`, and no demand waits for its query.
    pub(super) fn is_complete(&self, since: Instant) -> bool {
        self.has_served(since) && self.awaited().is_none()
    }

    /// True if the query in flight is the one of this number.
    pub(super) fn has_in_flight(&self, number: u64) -> bool {
        self.in_flight()
            .is_some_and(|in_flight| in_flight.number == number)
    }

    /// True if the last query succeeded after `instant`.
    pub(super) fn has_succeeded_since(&self, instant: Instant) -> bool {
        let answered = self.cached.slot.answered_at();
        !self.is_failing() && answered.is_some_and(|answered| answered > instant)
    }

    /// True if a query ended at `instant` or later that was more than a wait for the rate limit.
    pub(super) fn has_ended_since(&self, instant: Instant) -> bool {
        let ended = self.cached.slot.ended_at();
        ended.is_some_and(|ended| ended >= instant)
    }

    /// The number of calls that a query will most likely take.
    pub(super) fn expected_calls(&self) -> u32 {
        let last = self.cached.last_success();
        last.map_or_else(|| self.target.query.cost(None), |success| success.calls)
    }

    /// The time of the last response, if it shows an idle cluster and no query has failed since.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let is_idle = self.last_state()?.status.is_idle();
        self.cached
            .slot
            .answered_at()
            .filter(|_| is_idle && !self.is_failing())
    }

    /// True if the list shows a change since the last response, or a plan an upgrade: one may have
    /// begun, and even ended in between.
    pub(super) fn has_changed(&self) -> bool {
        let last = self.cached.last_success();
        self.is_upgraded_by_plan || last.is_some_and(|success| success.changed != self.changed)
    }

    /// Keeps the last response young enough to be served while the cluster waits for its query: a
    /// list shows that no upgrade is running, though the cluster has changed.
    pub(super) fn keep_servable(&mut self, now: Instant) {
        if let Some(success) = self.cached.slot.answer_mut() {
            success.fresh = now;
        }
    }

    /// True if it was queried for the demand of `since` or a newer one, or needed no query.
    pub(super) fn has_served(&self, since: Instant) -> bool {
        self.served.is_some_and(|served| served >= since)
    }

    /// Makes the last response count as a fresh one for the demand of `since`: a list shows that no
    /// upgrade is running.
    pub(super) fn mark_idle_confirmed(&mut self, since: Instant, now: Now) {
        self.served = Some(since);
        if let Some(success) = self.cached.slot.answer_mut() {
            success.fresh = now.instant;
            success.fresh_at = now.timestamp;
        }
    }

    /// Returns true if the cluster has to be queried for `demand`. Otherwise it serves the demand:
    /// it was queried since then, or the query in flight counts.
    pub(super) fn claim(&mut self, demand: &Demand) -> bool {
        if self.has_served(demand.since) {
            return false;
        }
        if let Some(in_flight) = self.in_flight() {
            in_flight.await_until(demand.deadline.instant());
        } else if !self.has_succeeded_since(demand.since) {
            return true;
        }
        self.served = Some(demand.since);
        false
    }

    /// Starts query `number` at `now`, with `share` of the demand's time, until `cancelled`. The
    /// entry has none in flight.
    pub(super) fn start_query(
        &mut self,
        number: u64,
        demand: &Demand,
        trigger: Trigger,
        share: Duration,
        now: Instant,
        cancelled: CancellationToken,
    ) -> Arc<InFlight> {
        let previously_served = self.served;
        if trigger == Trigger::Scrape {
            self.served = Some(demand.since);
        }
        let budget = Budget::new(demand.deadline_at(now), cancelled);
        let in_flight = Arc::new(InFlight {
            number,
            started: now,
            budget: budget.at_least(share.max(MIN_QUERY_TIME)),
            share,
            previously_served,
            is_awaited: AtomicBool::new(trigger == Trigger::Scrape),
            changed: self.changed,
            end: SetOnce::new(),
        });
        self.start(Arc::clone(&in_flight));
        in_flight
    }

    /// Records the result of the query `in_flight`, which took `duration` until `now`.
    pub(super) fn record_result(
        &mut self,
        result: Result<UpgradeState, Failure>,
        in_flight: &InFlight,
        duration: Duration,
        now: Now,
    ) -> Recorded {
        let previous_failure = self.failure().map(|failure| failure.reason);
        let change = self.cached.record_result(result, in_flight, duration, now);
        Recorded {
            previous_failure,
            change,
        }
    }
}

#[cfg(test)]
mod tests;

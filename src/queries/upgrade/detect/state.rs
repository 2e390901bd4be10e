//! The state of the detection in one account and region: a function of the events and their times.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ack_client::names::ClusterId;
use tokio::time::Instant;

use crate::upgrade::SourceName;

/// Interval of the probes of the operation where the tasks are read instead.
const PROBE_INTERVAL: Duration = Duration::from_secs(3600);

/// Probes in a row that have to succeed until an operation that was gone is used again.
const PROBES_TO_RETURN: u32 = 2;

/// Clusters whose refusals together retire the operation, if none got a response since.
const REFUSALS_TO_RETIRE: usize = 2;

/// The events so far.
#[derive(Debug, Default)]
pub(super) struct DetectionState {
    detection: Detection,
    /// Set while a first cluster is queried, for which the others wait.
    has_leader: bool,
    /// Clusters whose refusals count. A response for any cluster clears them.
    refusals: HashSet<ClusterId>,
    /// Clusters that the operation does not serve though it may serve others, and the time of each
    /// one's next probe.
    unserved: HashMap<ClusterId, Instant>,
}

/// The outcome for the region as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Detection {
    /// No cluster got a response, and nothing is proven.
    #[default]
    Undecided,
    /// Clusters got responses, the last one at this time.
    Served { last_response: Instant },
    /// Clusters were refused, and none got a response since.
    Refused { next_probe: Instant },
    /// The API has no such operation.
    Gone {
        next_probe: Instant,
        successful_probes: u32,
    },
}

/// A refusal that may mean that the operation does not exist.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    /// The cluster.
    pub(super) cluster: ClusterId,
    /// The time at which the query began.
    pub(super) asked: Instant,
    /// Set if the operation served this cluster the last time.
    pub(super) was_served: bool,
}

impl DetectionState {
    /// The source to read `cluster` from.
    pub(super) fn source(&self, cluster: &ClusterId) -> SourceName {
        if self.is_retired() || self.unserved.contains_key(cluster) {
            SourceName::Tasks
        } else {
            SourceName::UpgradeStatus
        }
    }

    /// The source of the region as a whole, once that is decided. Where no cluster got a response,
    /// it is the source of those refused.
    pub(super) fn in_use(&self) -> Option<SourceName> {
        match self.detection {
            Detection::Undecided => (!self.unserved.is_empty()).then_some(SourceName::Tasks),
            Detection::Served { .. } => Some(SourceName::UpgradeStatus),
            Detection::Refused { .. } | Detection::Gone { .. } => Some(SourceName::Tasks),
        }
    }

    /// True if the operation is used for probes only.
    pub(super) fn is_retired(&self) -> bool {
        matches!(
            self.detection,
            Detection::Refused { .. } | Detection::Gone { .. }
        )
    }

    /// True if the API has no such operation.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.detection, Detection::Gone { .. })
    }

    /// True if `cluster` waits for the response to the leader.
    pub(super) fn waits_for_leader(&self, cluster: &ClusterId) -> bool {
        self.has_leader && self.is_undecided_for(cluster)
    }

    /// Makes `cluster` the leader, which is queried first, if nothing is decided and there is none.
    /// Returns true if it is.
    pub(super) fn take_lead(&mut self, cluster: &ClusterId) -> bool {
        let takes = !self.has_leader && self.is_undecided_for(cluster);
        self.has_leader |= takes;
        takes
    }

    /// Ends the query of the leader.
    pub(super) fn end_lead(&mut self) {
        self.has_leader = false;
    }

    /// Records a response for `cluster` that was not a probe's.
    pub(super) fn record_response(&mut self, cluster: &ClusterId, now: Instant) {
        // The query may have begun before the operation was gone.
        if !self.is_gone() {
            self.record_served(cluster, now);
        }
    }

    /// Records that the API has no such operation.
    pub(super) fn record_gone(&mut self, now: Instant) {
        if !self.is_gone() {
            self.detection = Detection::Gone {
                next_probe: now + PROBE_INTERVAL,
                successful_probes: 0,
            };
            self.refusals.clear();
            self.unserved.clear();
        }
    }

    /// Records that `cluster` was refused and its tasks were read instead. Returns true if that is
    /// new.
    pub(super) fn record_unserved(&mut self, cluster: &ClusterId, now: Instant) -> bool {
        // Clusters that have not been queried for long are gone.
        self.unserved
            .retain(|_, next_probe| *next_probe + PROBE_INTERVAL > now);
        self.unserved
            .insert(cluster.clone(), now + PROBE_INTERVAL)
            .is_none()
    }

    /// True if `refusal` counts, provided that the API knows the cluster.
    pub(super) fn counts(&self, refusal: &Refusal) -> bool {
        match self.detection {
            Detection::Undecided => true,
            // Where others are served, a cluster that never was is refused for a reason of its own.
            Detection::Served { last_response } => {
                refusal.was_served && refusal.asked > last_response
            }
            Detection::Refused { .. } | Detection::Gone { .. } => false,
        }
    }

    /// Records a refusal of a cluster that the API knows.
    pub(super) fn record_refusal(&mut self, refusal: &Refusal, now: Instant) {
        if !self.counts(refusal) {
            return;
        }
        self.refusals.insert(refusal.cluster.clone());
        if self.refusals.len() >= REFUSALS_TO_RETIRE {
            self.detection = Detection::Refused {
                next_probe: now + PROBE_INTERVAL,
            };
        }
    }

    /// Returns true if it is time to probe the operation for `cluster`, whose tasks were read. The
    /// next probe is an interval later.
    pub(super) fn take_probe(&mut self, cluster: &ClusterId, now: Instant) -> bool {
        let next_probe = match &mut self.detection {
            Detection::Refused { next_probe } | Detection::Gone { next_probe, .. } => {
                Some(next_probe)
            }
            Detection::Undecided | Detection::Served { .. } => self.unserved.get_mut(cluster),
        };
        let Some(next_probe) = next_probe.filter(|next_probe| **next_probe <= now) else {
            return false;
        };
        *next_probe = now + PROBE_INTERVAL;
        true
    }

    /// Records that a probe got a response for `cluster`.
    pub(super) fn probe_succeeded(&mut self, cluster: &ClusterId, now: Instant) {
        if let Detection::Gone {
            successful_probes, ..
        } = &mut self.detection
        {
            *successful_probes += 1;
            if *successful_probes < PROBES_TO_RETURN {
                return;
            }
        }
        self.record_served(cluster, now);
    }

    /// Records that a probe failed.
    pub(super) fn probe_failed(&mut self) {
        if let Detection::Gone {
            successful_probes, ..
        } = &mut self.detection
        {
            *successful_probes = 0;
        }
    }

    fn record_served(&mut self, cluster: &ClusterId, now: Instant) {
        self.detection = Detection::Served { last_response: now };
        self.refusals.clear();
        self.unserved.remove(cluster);
    }

    fn is_undecided_for(&self, cluster: &ClusterId) -> bool {
        self.detection == Detection::Undecided && !self.unserved.contains_key(cluster)
    }
}

#[cfg(test)]
mod tests;

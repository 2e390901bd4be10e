//! What is known of `GetUpgradeStatus` in one account and region: a function of what happened, and
//! when.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ack_client::names::ClusterId;
use tokio::time::Instant;

use crate::upgrade::SourceName;

/// How often the operation is tried again where the tasks are read instead.
const PROBE_INTERVAL: Duration = Duration::from_secs(3600);

/// Probes in a row that have to succeed before an operation is trusted again that was said not to
/// exist.
const PROBES_TO_RETURN: u32 = 2;

/// Clusters whose refusals together retire the operation, if none has been answered since.
const REFUSALS_TO_RETIRE: usize = 2;

/// What happened so far.
#[derive(Debug, Default)]
pub(super) struct Detection {
    verdict: Verdict,
    /// Set while a first cluster is being asked, for which the others wait.
    is_asking: bool,
    /// Clusters whose refusals are evidence. An answer to any cluster clears them.
    refused: HashSet<ClusterId>,
    /// Clusters that the operation does not serve though it may serve others, and when each is
    /// tried again.
    unserved: HashMap<ClusterId, Instant>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Verdict {
    /// No cluster was answered, and nothing is proven.
    #[default]
    Open,
    /// A cluster was answered, the last one at this time.
    Served { answered: Instant },
    /// Clusters were refused, and none has been answered since.
    Refused { next_probe: Instant },
    /// The API said that there is no such operation.
    Gone {
        next_probe: Instant,
        good_probes: u32,
    },
}

/// A refusal that may mean that there is no such operation.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    /// The cluster.
    pub(super) cluster: ClusterId,
    /// When the API was asked.
    pub(super) asked: Instant,
    /// Set if the operation had answered for this cluster the last time.
    pub(super) was_served: bool,
}

impl Detection {
    /// The source to read `cluster` from.
    pub(super) fn source(&self, cluster: &ClusterId) -> SourceName {
        if self.is_retired() || self.unserved.contains_key(cluster) {
            SourceName::Tasks
        } else {
            SourceName::UpgradeStatus
        }
    }

    /// The source of the region as a whole, once that is decided. Where no cluster was answered, it
    /// is that of those refused.
    pub(super) fn in_use(&self) -> Option<SourceName> {
        match self.verdict {
            Verdict::Open => (!self.unserved.is_empty()).then_some(SourceName::Tasks),
            Verdict::Served { .. } => Some(SourceName::UpgradeStatus),
            Verdict::Refused { .. } | Verdict::Gone { .. } => Some(SourceName::Tasks),
        }
    }

    /// Returns whether the operation is not asked any more, but for probes.
    pub(super) fn is_retired(&self) -> bool {
        matches!(self.verdict, Verdict::Refused { .. } | Verdict::Gone { .. })
    }

    /// Returns whether the API said that there is no such operation.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.verdict, Verdict::Gone { .. })
    }

    /// Returns whether `cluster` waits for the one that is asked first.
    pub(super) fn waits(&self, cluster: &ClusterId) -> bool {
        self.is_asking && self.is_open_for(cluster)
    }

    /// Makes `cluster` the one that is asked first, if nothing is decided and no other is. Returns
    /// whether it is.
    pub(super) fn take_lead(&mut self, cluster: &ClusterId) -> bool {
        let takes = !self.is_asking && self.is_open_for(cluster);
        self.is_asking |= takes;
        takes
    }

    /// Notes that the one that was asked first is not being asked any more.
    pub(super) fn end_lead(&mut self) {
        self.is_asking = false;
    }

    /// Notes an answer for `cluster` that was not a probe's. It does not bring back an operation
    /// that the API said is gone: it may have been under way since before.
    pub(super) fn answered(&mut self, cluster: &ClusterId, now: Instant) {
        if !self.is_gone() {
            self.serve(cluster, now);
        }
    }

    /// Notes that the API said that there is no such operation.
    pub(super) fn gone(&mut self, now: Instant) {
        if !self.is_gone() {
            self.verdict = Verdict::Gone {
                next_probe: now + PROBE_INTERVAL,
                good_probes: 0,
            };
            self.refused.clear();
            self.unserved.clear();
        }
    }

    /// Notes that `cluster` was refused and its tasks were read instead. Returns whether that is
    /// new.
    pub(super) fn unserved(&mut self, cluster: &ClusterId, now: Instant) -> bool {
        // Those that nobody has asked for since long are no more.
        self.unserved
            .retain(|_, next_probe| *next_probe + PROBE_INTERVAL > now);
        self.unserved
            .insert(cluster.clone(), now + PROBE_INTERVAL)
            .is_none()
    }

    /// Returns whether `refusal` is evidence, provided that the API knows the cluster. Where others
    /// are answered, a cluster that never was is refused for a reason of its own.
    pub(super) fn is_evidence(&self, refusal: &Refusal) -> bool {
        match self.verdict {
            Verdict::Open => true,
            Verdict::Served { answered } => refusal.was_served && refusal.asked > answered,
            Verdict::Refused { .. } | Verdict::Gone { .. } => false,
        }
    }

    /// Notes a refusal of a cluster that the API knows.
    pub(super) fn refused(&mut self, refusal: &Refusal, now: Instant) {
        if !self.is_evidence(refusal) {
            return;
        }
        self.refused.insert(refusal.cluster.clone());
        if self.refused.len() >= REFUSALS_TO_RETIRE {
            self.verdict = Verdict::Refused {
                next_probe: now + PROBE_INTERVAL,
            };
        }
    }

    /// Returns whether it is time to try the operation again for `cluster`, whose tasks were read;
    /// not again for an interval.
    pub(super) fn take_probe(&mut self, cluster: &ClusterId, now: Instant) -> bool {
        let next_probe = match &mut self.verdict {
            Verdict::Refused { next_probe } | Verdict::Gone { next_probe, .. } => Some(next_probe),
            Verdict::Open | Verdict::Served { .. } => self.unserved.get_mut(cluster),
        };
        let Some(next_probe) = next_probe.filter(|next_probe| **next_probe <= now) else {
            return false;
        };
        *next_probe = now + PROBE_INTERVAL;
        true
    }

    /// Notes that a probe was answered for `cluster`.
    pub(super) fn probe_succeeded(&mut self, cluster: &ClusterId, now: Instant) {
        if let Verdict::Gone { good_probes, .. } = &mut self.verdict {
            *good_probes += 1;
            if *good_probes < PROBES_TO_RETURN {
                return;
            }
        }
        self.serve(cluster, now);
    }

    /// Notes that a probe was not answered.
    pub(super) fn probe_failed(&mut self) {
        if let Verdict::Gone { good_probes, .. } = &mut self.verdict {
            *good_probes = 0;
        }
    }

    fn serve(&mut self, cluster: &ClusterId, now: Instant) {
        self.verdict = Verdict::Served { answered: now };
        self.refused.clear();
        self.unserved.remove(cluster);
    }

    fn is_open_for(&self, cluster: &ClusterId) -> bool {
        self.verdict == Verdict::Open && !self.unserved.contains_key(cluster)
    }
}

#[cfg(test)]
mod tests;

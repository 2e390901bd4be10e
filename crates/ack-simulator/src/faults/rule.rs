//! The calls that a fault applies to.

use ack_client::names::{ClusterId, Region};

use crate::action::Action;
use crate::faults::{CallSubject, Fault};

/// A fault, and the conditions under which it applies; all of them must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The fault.
    pub fault: Fault,
    /// Only calls of this action.
    pub action: Option<Action>,
    /// Only calls about this cluster.
    pub cluster: Option<ClusterId>,
    /// Only calls about this region or a cluster in it.
    pub region: Option<Region>,
    /// Share of these calls, from 0 to 1.
    pub probability: f64,
    /// Largest number of calls.
    pub times: Option<u64>,
}

impl Rule {
    /// A rule that applies to every call.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            action: None,
            cluster: None,
            region: None,
            probability: 1.0,
            times: None,
        }
    }

    /// Restricts the rule to one action.
    #[must_use]
    pub fn on(self, action: Action) -> Self {
        Self {
            action: Some(action),
            ..self
        }
    }

    /// Restricts the rule to calls about one cluster.
    #[must_use]
    pub fn cluster(self, cluster: ClusterId) -> Self {
        Self {
            cluster: Some(cluster),
            ..self
        }
    }

    /// Restricts the rule to calls about one region.
    #[must_use]
    pub fn region(self, region: Region) -> Self {
        Self {
            region: Some(region),
            ..self
        }
    }

    /// Restricts the rule to a share of the calls.
    #[must_use]
    pub fn probability(self, probability: f64) -> Self {
        Self {
            probability,
            ..self
        }
    }

    /// Restricts the rule to the next calls.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }

    pub(crate) fn matches(&self, subject: CallSubject<'_>) -> bool {
        self.action.is_none_or(|action| action == subject.action)
            && (self.cluster.is_none() || self.cluster.as_ref() == subject.cluster)
            && (self.region.is_none() || self.region.as_ref() == subject.region)
    }
}

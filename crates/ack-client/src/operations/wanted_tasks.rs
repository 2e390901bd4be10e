//! The tasks of a list that are wanted, and the pages that are read for them.

use jiff::Timestamp;

use super::list_order::ListOrder;
use super::task::Task;
use super::word::normalized;
use crate::names::ClusterId;

/// The tasks of a cluster itself that are kept while pages are read.
const MAX_CANDIDATES: usize = 64;

/// The tasks of node pools that are kept while pages are read. A cluster may upgrade many at once.
const MAX_POOL_CANDIDATES: usize = 512;

/// The pages that are read for node pools: 1000 tasks.
const MAX_POOL_PAGES: u32 = 20;

/// The tasks of a list that are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum WantedTasks<'a> {
    /// Tasks of these types whose target may be the cluster itself.
    OfCluster(&'a [String]),
    /// Upgrades of node pools. Pages with tasks from before the time, if there is one, are not
    /// needed.
    OfNodePools(Option<Timestamp>),
}

impl WantedTasks<'_> {
    /// Returns true if tasks of the type `kind` are wanted.
    pub(super) fn has_type(self, kind: &str) -> bool {
        match self {
            Self::OfCluster(types) => {
                let is_node_pool = normalized(kind)
                    .take("nodepool".len())
                    .eq("nodepool".chars());
                !is_node_pool && types.iter().any(|wanted| wanted.eq_ignore_ascii_case(kind))
            }
            Self::OfNodePools(_) => normalized(kind).eq("nodepoolupgrade".chars()),
        }
    }

    /// Returns true if `task` may be wanted by its target.
    pub(super) fn has_target(self, task: &Task, cluster: &ClusterId) -> bool {
        match self {
            Self::OfCluster(_) => task.target.may_be(cluster),
            // Most lists have no target, and some name the cluster.
            Self::OfNodePools(_) => true,
        }
    }

    /// The tasks that are kept while pages are read.
    pub(super) fn max_candidates(self) -> usize {
        match self {
            Self::OfCluster(_) => MAX_CANDIDATES,
            Self::OfNodePools(_) => MAX_POOL_CANDIDATES,
        }
    }

    /// Returns true if no page after page `number` has wanted tasks, in a list of this `order`.
    pub(super) fn are_behind(self, order: &ListOrder, number: u32) -> bool {
        match self {
            Self::OfCluster(_) => false,
            Self::OfNodePools(since) => {
                number >= MAX_POOL_PAGES || since.is_some_and(|since| order.is_past(since))
            }
        }
    }
}

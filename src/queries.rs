//! Everything that is asked about clusters, one file each.
//!
//! Each implements [`Query`]. Scrapes ask for the state of upgrades ([`upgrade`]). Every other
//! query but the cluster lists ([`cluster_list`]) is a [`WatchedQuery`], and is asked at an
//! interval of its own, where the account's `watch` names it. A new one is a file here, a field of
//! [`Watched`] and a line of [`watches`](crate::collect).

pub mod addons;
pub mod cluster_list;
mod json;
pub mod maintenance;
pub mod node_pools;
pub mod plans;
pub mod prechecks;
pub mod upgrade;
pub mod versions;
mod watched;

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::{ClusterId, Region};
use ack_client::{ApiError, Budget, Client, Endpoint, Operation};
use jiff::Timestamp;

pub use watched::Watched;

use crate::cluster::ClusterInfo;

/// Something that is asked of the API about one subject.
pub trait Query: Debug + Send + Sync + 'static {
    /// The part of an account that one answer is about.
    type Subject: Subject;
    /// The answer.
    type Answer: Debug + Send + Sync + 'static;
    /// The operations that it calls. A RAM policy has to allow them.
    const OPERATIONS: &'static [Operation];

    /// The operation that it calls first.
    fn first_operation(&self) -> Operation {
        Self::OPERATIONS[0]
    }

    /// The number of calls that an answer will most likely take.
    fn cost(&self, _last: Option<&Self::Answer>) -> u32 {
        1
    }

    /// Asks within the budget of the context. Dropping the future abandons the query.
    fn fetch(
        &self,
        subject: &Self::Subject,
        context: FetchContext<'_>,
        last: Option<&Self::Answer>,
    ) -> impl Future<Output = Result<Self::Answer, ApiError>> + Send;
}

/// A query that is asked at an interval of its own, where the account's `watch` names it.
pub trait WatchedQuery: Query {
    /// The value of the label `query`.
    const NAME: &'static str;

    /// The subject that `cluster` belongs to; None if there is nothing to ask about it.
    fn subject(&self, cluster: &ClusterInfo) -> Option<Self::Subject>;

    /// The time from the `last` answer, or from a failure, to the next query.
    fn interval(&self, last: Option<&Self::Answer>, activity: Activity) -> Duration;

    /// The age up to which an answer is shown while the query fails.
    fn max_age(&self) -> Duration {
        self.interval(None, Activity::Quiet) * 3
    }

    /// The clusters that are being upgraded, as far as `answer` tells.
    fn upgrading<'a>(&self, _answer: &'a Self::Answer) -> Vec<&'a ClusterId> {
        Vec::new()
    }

    /// Adds the part of `answer` that is about `cluster`, which is of the answer's subject, as it
    /// is at `now`.
    fn add(
        &self,
        answer: &Arc<Self::Answer>,
        cluster: &ClusterInfo,
        now: Timestamp,
        watched: &mut Watched,
    );
}

/// The surroundings of one query.
#[derive(Debug, Clone, Copy)]
pub struct FetchContext<'a> {
    /// The client of the account. For a watched query it takes the calls that the rate limit can
    /// spare.
    pub client: &'a Client,
    /// The server that knows the subject.
    pub endpoint: &'a Endpoint,
    /// The time that the query may take.
    pub budget: &'a Budget,
    /// The clusters of the subject of a watched query.
    pub clusters: &'a [Arc<ClusterInfo>],
    /// The activity of the clusters.
    pub activity: Activity,
}

impl<'a> FetchContext<'a> {
    /// The surroundings of a query that needs to know no clusters.
    pub fn new(client: &'a Client, endpoint: &'a Endpoint, budget: &'a Budget) -> Self {
        Self {
            client,
            endpoint,
            budget,
            clusters: &[],
            activity: Activity::Quiet,
        }
    }
}

/// The activity of a cluster or, for a subject with several, the highest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activity {
    /// No upgrade is under way, as far as is known.
    Quiet,
    /// The same, but the cluster has changed since the last answer, by the cluster list.
    Changed,
    /// An upgrade is under way.
    Upgrading,
}

/// The part of an account that one answer is about.
pub trait Subject: Ord + Hash + Clone + Debug + Send + Sync + 'static {
    /// The labels that name it.
    fn scope(&self) -> Scope<'_>;
}

/// The name of a subject in metrics and in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    Cluster(&'a ClusterId),
    Region(&'a Region),
}

impl Subject for ClusterId {
    fn scope(&self) -> Scope<'_> {
        Scope::Cluster(self)
    }
}

impl Subject for Region {
    fn scope(&self) -> Scope<'_> {
        Scope::Region(self)
    }
}

//! Alibaba Cloud's container service (CS 2015-12-15) from Rust: sign, send, decode.
//!
//! [`Client`] is one account's client. It takes a token from the account's [`Limiter`], signs each
//! attempt anew, sends it through a [`Transport`], reads the response, and repeats what may succeed
//! within the query's [`Budget`].

pub mod clock;
pub mod credentials;
pub mod lookup;
pub mod names;
pub mod outgoing;
pub mod secret;
pub mod sign;
pub mod text;
pub mod trust;

mod budget;
mod call_metrics;
mod client;
mod clusters;
mod connector;
mod direct;
mod endpoint;
mod error;
mod idle;
mod interim;
mod limit;
mod operation;
mod pages;
mod reply;
mod retry;
mod status;
mod tasks;
mod trace;
mod transport;
mod transport_factory;
mod upgrade_status;

pub use budget::{Budget, Deadline, Stage};
pub use call_metrics::{CallMetrics, NoopMetrics};
pub use client::{Call, Client, Explained};
pub use clusters::{ClusterList, ListedCluster, describe_cluster, list_clusters};
pub use direct::Direct;
pub use endpoint::{Endpoint, EndpointTemplate};
pub use error::{ApiError, ErrorKind, Reason};
pub use limit::{Limiter, RateLimit, Tokens};
pub use operation::Operation;
pub use sign::Signature;
pub use status::{Status, Step, TaskStatus};
pub use tasks::{Target, Task, TaskInfo, UpgradeTasks, describe_task, explain_tasks};
pub use trace::Trace;
pub use transport::{Sending, Transport, TransportError};
pub use transport_factory::{ConnectionSettings, Network, TransportFactory};
pub use upgrade_status::{UpgradeStatusResponse, explain_upgrade_status, get_upgrade_status};

/// The names of all fields that are read of replies, as [`CallMetrics::unknown_value`] has them.
pub fn fields() -> impl Iterator<Item = &'static str> {
    [upgrade_status::FIELDS, tasks::FIELDS, clusters::FIELDS]
        .into_iter()
        .flatten()
        .copied()
        .flatten()
        .copied()
}

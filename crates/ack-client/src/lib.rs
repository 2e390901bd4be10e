//! Alibaba Cloud's container service (CS 2015-12-15) from Rust: sign, send, decode.
//!
//! [`Client`] is one account's client. It takes a token from the account's [`Limiter`], signs each
//! attempt anew, sends it through a [`Transport`], reads the response, and repeats what may succeed
//! within the query's [`Budget`].

pub mod clock;
pub mod credentials;
pub mod lookup;
pub mod names;
pub mod operations;
pub mod proxy;
pub mod secret;
pub mod sign;
pub mod text;
pub mod transport;
pub mod trust;

mod budget;
mod call_metrics;
mod client;
mod decode;
mod endpoint;
mod error;
mod limit;
mod operation;
mod response;
mod retry;
mod root_cause;
mod status;
mod trace;
mod uri;

pub use budget::{Budget, Deadline, Stage};
pub use call_metrics::{CallMetrics, NoopMetrics};
pub use client::{Call, Client, ExplainedRequest};
pub use endpoint::{Endpoint, EndpointTemplate};
pub use error::{ApiError, ErrorKind, Reason};
pub use limit::{Limiter, RateLimit, Tokens};
pub use operation::Operation;
pub use operations::{
    ClusterList, ListedCluster, Target, Task, TaskInfo, UpgradeStatusResponse, UpgradeTasks,
    describe_cluster, describe_task, explain_tasks, explain_upgrade_status, fields,
    get_upgrade_status, list_clusters,
};
pub use sign::Signature;
pub use status::{Status, Step, TaskStatus};
pub use trace::Trace;
pub use transport::{
    ConnectionSettings, HttpTransport, Network, ResponseFuture, Transport, TransportError,
    TransportFactory,
};

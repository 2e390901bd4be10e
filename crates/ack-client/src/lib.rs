//! A client of Alibaba Cloud's Container Service for Kubernetes (ACK), API version CS 2015-12-15.
//!
//! It covers the operations about clusters, their parts and their upgrades:
//!
//! | function | operation |
//! |---|---|
//! | [`get_upgrade_status`] | `GetUpgradeStatus` |
//! | [`UpgradeTasks`] | `DescribeClusterTasks` |
//! | [`describe_task`] | `DescribeTaskInfo` |
//! | [`describe_cluster`] | `DescribeClusterDetail` |
//! | [`list_clusters`] | `DescribeClustersForRegion`, `DescribeClustersV1` |
//! | [`list_operation_plans`] | `ListOperationPlansForRegion` |
//! | [`list_kubernetes_versions`] | `DescribeKubernetesVersionMetadata` |
//! | [`list_node_pools`] | `DescribeClusterNodePools` |
//! | [`read_node_pool_upgrades`] | `DescribeClusterTasks`, `DescribeTaskInfo` |
//! | [`list_addon_instances`] | `ListClusterAddonInstances` |
//! | [`list_addons`] | `ListAddons` |
//! | [`describe_cluster_settings`] | `DescribeClusterDetail` |
//! | [`list_cluster_checks`] | `ListClusterChecks` |
//! | [`get_cluster_check`] | `GetClusterCheck` |
//!
//! A [`Client`] serves one account. For each attempt at a call it takes a token of the account's
//! [`Limiter`], asks for the present [credentials], [signs](sign) the request, sends it through a
//! [`Transport`], and decodes the response. It repeats calls that may succeed, within the
//! [`Budget`] of the query. [`CallMetrics`] receives the duration and the result of each attempt,
//! and a [`Trace`] records requests and responses for people, without secrets.
//!
//! Decoding is lenient: a field with an unexpected value costs that field alone and is reported to
//! [`CallMetrics::unknown_value`]. An [`ApiError`] has a kind, which says whether a retry can help,
//! and a cleaned message.
//!
//! Settings are types of this crate, so that it needs no file format. The clock, the network, the
//! environment and the files are parameters, so that tests can replace them.
//!
//! # Example
//!
//! The transport of this example returns a fixed response. [`HttpTransport`] sends requests over
//! the network.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use ack_client::clock::Clock;
//! use ack_client::credentials::{CachedCredentials, Credential};
//! use ack_client::names::{AccountName, ClusterId};
//! use ack_client::secret::Secret;
//! use ack_client::{
//!     Budget, Client, Endpoint, Limiter, NoopMetrics, RateLimit, ResponseFuture, Signature,
//!     Status, Transport, get_upgrade_status,
//! };
//! use bytes::Bytes;
//! use http::{HeaderValue, Request, Response};
//!
//! #[derive(Debug)]
//! struct FixedResponse;
//!
//! impl Transport for FixedResponse {
//!     fn send(&self, request: Request<Bytes>) -> ResponseFuture<'_> {
//!         assert_eq!(request.headers()["x-acs-action"], "GetUpgradeStatus");
//!         let body = r#"{"status": "running", "upgrade_step": "upgrading"}"#;
//!         Box::pin(async move { Ok(Response::new(Bytes::from(body))) })
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let credentials = CachedCredentials::fixed(Credential {
//!     access_key_id: "LTAI5tExample".to_owned(),
//!     access_key_secret: Secret::new("not-a-real-secret"),
//!     security_token: None,
//!     expires_at: None,
//! });
//! let account = AccountName::parse("production")?;
//! let client = Client::new(
//!     Arc::new(FixedResponse),
//!     Arc::new(credentials),
//!     Signature::Acs3,
//!     Limiter::new(account, RateLimit::default(), 1, 16),
//!     Arc::new(NoopMetrics),
//!     Clock::System,
//!     HeaderValue::from_static("example/1.0"),
//! );
//!
//! let endpoint = Endpoint::parse("https://cs.cn-hangzhou.aliyuncs.com")?;
//! let cluster = ClusterId::parse("c82e6987e2961451182edacd74faf")?;
//! let budget = Budget::lasting(Duration::from_secs(10));
//! let response = get_upgrade_status(&client, &endpoint, &cluster, &budget).await?;
//! assert_eq!(response.status, Status::Running);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod clock;
pub mod credentials;
pub mod lookup;
pub mod names;
pub mod operations;
pub mod proxy;
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
mod state_set;
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
    AddonCombination, AddonInstance, AddonOffer, AddonState, AutoUpgrade, CheckResult,
    CheckVerdict, ClusterCheck, ClusterSettings, ClusterState, Exclusion, ExclusionScope,
    KubernetesVersion, ListOperation, ListedCluster, MaintenanceWindow, NodeCounts, NodePool,
    NodePoolState, NodePoolUpgrade, NodePoolUpgrades, OperationPlan, PlanState, Recurrence, Target,
    Task, TaskInfo, UpgradeChannel, UpgradeStatusResponse, UpgradeTasks, VersionFilter,
    WindowStart, describe_cluster, describe_cluster_settings, describe_task, explain_tasks,
    explain_upgrade_status, fields, get_cluster_check, get_upgrade_status, list_addon_instances,
    list_addons, list_cluster_checks, list_clusters, list_kubernetes_versions, list_node_pools,
    list_operation_plans, read_node_pool_upgrades,
};
pub use safe_input::secret;
pub use sign::Signature;
pub use state_set::StateSet;
pub use status::{Status, Step, TaskStatus};
pub use trace::Trace;
pub use transport::{
    ConnectionSettings, HttpTransport, Network, ResponseFuture, ResponseLimit, Transport,
    TransportError, TransportFactory,
};

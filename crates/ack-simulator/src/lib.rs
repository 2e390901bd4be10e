//! A simulator of Alibaba Cloud's container service (CS 2015-12-15), for demonstrations and tests.
//!
//! A [`Simulator`] is one account. It serves the API over HTTP/1.1 on a socket
//! ([`Simulator::serve`]) or in process ([`InProcess`], [`Simulator::handle`]), with the same
//! responses:
//!
//! * `GetUpgradeStatus`, `DescribeClustersV1`, `DescribeClustersForRegion`,
//!   `DescribeClusterDetail`, `DescribeClusterTasks`, `DescribeTaskInfo` and `DescribeRegions`, in
//!   JSON or XML, with errors in the formats of the gateway and of the service;
//! * in the same way, `ListOperationPlansForRegion`, `DescribeKubernetesVersionMetadata`,
//!   `DescribeClusterNodePools`, `ListClusterAddonInstances`, `ListAddons`, `ListClusterChecks` and
//!   `GetClusterCheck`;
//! * `AssumeRole` and `AssumeRoleWithOIDC` of STS, the metadata service of an ECS instance, and a
//!   credentials URI, which issue temporary keys.
//!
//! Signatures, dates, nonces and security tokens are verified: ACS3-HMAC-SHA256, ROA HMAC-SHA1, and
//! the RPC signature of `AssumeRole`. Any client of Alibaba Cloud works against the simulator with
//! the keys in [`Options::keys`].
//!
//! # Example
//!
//! A test sets the phase of a cluster and reads it with `ack-client`:
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use ack_client::clock::Clock;
//! use ack_client::credentials::{Credential, CachedCredentials};
//! use ack_client::names::AccountName;
//! use ack_client::{
//!     Budget, Client, Endpoint, Limiter, NoopMetrics, RateLimit, Signature, Status, Step,
//!     get_upgrade_status,
//! };
//! use ack_simulator::{InProcess, KeyPair, Options, Phase, Simulator};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let simulator = Arc::new(Simulator::new(Options::default()));
//! let cluster = simulator.world().clusters()[0].clone();
//! simulator.world().set_phase(&cluster, Phase::Paused, None);
//!
//! let key = KeyPair::demo();
//! let credentials = CachedCredentials::fixed(Credential {
//!     access_key_id: key.access_key_id,
//!     access_key_secret: key.access_key_secret,
//!     security_token: None,
//!     expires_at: None,
//! });
//! let client = Client::new(
//!     Arc::new(InProcess(Arc::clone(&simulator))),
//!     Arc::new(credentials),
//!     Signature::Acs3,
//!     Limiter::new(AccountName::parse("test")?, RateLimit::default(), 1, 10),
//!     Arc::new(NoopMetrics),
//!     Clock::System,
//!     http::HeaderValue::from_static("example"),
//! );
//! let endpoint = Endpoint::parse("http://simulator.example")?;
//! let budget = Budget::lasting(Duration::from_secs(10));
//! let response = get_upgrade_status(&client, &endpoint, &cluster, &budget).await?;
//!
//! assert_eq!(response.status, Status::Pause);
//! assert_eq!(response.step, Step::Pause);
//! # Ok(())
//! # }
//! ```
//!
//! # Clusters and time
//!
//! Everything that is generated is a pure function of [`Options::seed`] and the time since the
//! simulator was created. Clusters are upgraded again and again in minutes; the upgrades succeed,
//! pause and fail. [`World::transitions`] returns the schedule, [`World::set_phase`] and
//! [`World::set_body`] replace it. Time is tokio's: in a test with paused time, hours take no time.
//!
//! Node pools are upgraded after the control plane; plans precede some upgrades; checks accompany
//! them. All of it follows a phase that a test has set. In each dozen of clusters one runs a
//! version without support, one a version whose support ends soon, and so on: the table in the
//! README of the crate has them all.
//!
//! `GET /history` on the socket is a page of the simulator's own: the real history of each cluster,
//! to compare with the metrics of an exporter.
//!
//! # Faults
//!
//! A [`Rule`] injects a [`Fault`]: throttling, server errors, slow, truncated, oversized or
//! malformed responses, expired tokens, missing permissions, broken connections. It applies to all
//! calls or to those of one action, cluster or region, with a probability or a number of times.
//! [`parse_rules`] reads rules from text. [`Simulator::retire`] switches off the two operations
//! that Alibaba Cloud is going to retire.
//!
//! # Source
//!
//! `api` and `identity` hold the operations; the table in `api` has the path of each. `handler` is
//! the way of a request to its response, `world` holds the clusters, `auth` the signatures.

mod action;
mod api;
mod auth;
mod call_log;
mod error_response;
mod faults;
mod handler;
mod history;
mod identity;
mod in_process;
mod options;
mod path_ids;
mod random;
mod request;
mod response;
mod retirement;
mod routes;
mod server;
mod simulator;
mod world;
mod xml;

pub use self::action::Action;
pub use self::auth::keys::KeyPair;
pub use self::call_log::LoggedCall;
pub use self::faults::{ErrorBody, Fault, InvalidRule, RepeatIn, Rule, parse_rules};
pub use self::identity::{Identities, MetadataVersions};
pub use self::in_process::InProcess;
pub use self::options::{Options, TaskLists, UpgradingClusters};
pub use self::response::{Delivery, Framing, Response};
pub use self::retirement::RetiredResponse;
pub use self::simulator::Simulator;
pub use self::world::phase::{Phase, UpgradeStage};
pub use self::world::{Transition, World};

#[cfg(test)]
mod tests;

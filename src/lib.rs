//! A Prometheus exporter for the upgrade state of Kubernetes clusters on Alibaba Cloud ACK.
//!
//! ```text
//!  YAML ─► config ─► collect ─► snapshot ─► metrics, web ─► Prometheus, people
//!                      │  ▲
//!         UpgradeQuery │  │ UpgradeState or ApiError
//!                      ▼  │
//!                     queries ─► ack-client ─► Alibaba Cloud, or ack-simulator in its place
//! ```
//!
//! The crate `ack-client` is the way to the API: signatures, credentials, limits, operations;
//! `exporter-toolkit` is what every exporter has, such as the web server before the routes;
//! `ack-simulator` is the stand-in for the API that `demo` and the tests ask.
//!
//! One direction: a module uses only those that stand above it here.
//!
//! | | |
//! |---|---|
//! | [`log`], [`shard`] | small words that all others use |
//! | [`upgrade`] | the state of one cluster's upgrade, in the exporter's own words |
//! | [`config`] | YAML → [`Config`](config::Config), every mistake at once with its path |
//! | [`queries`] | the queries of the API: the state of an upgrade from either operation, and the detection of the one that is served |
//! | [`snapshot`] | what one scrape shows; immutable |
//! | [`collect`] | collections, one collector an account, one entry a cluster → [`Snapshot`](snapshot::Snapshot) |
//! | [`metrics`] | the catalogue of all metrics; snapshot → bytes |
//! | [`reload`] | which configuration runs, swapped as one |
//! | [`web`] | routes, and the page for people |
//! | [`wait`] | what a look at the fleet means to a pipeline that waits |
//! | [`cli`], [`run`] | the flags, and the jobs of the program |

pub mod cli;
pub mod collect;
pub mod config;
pub mod log;
pub mod metrics;
pub mod queries;
pub mod reload;
pub mod run;
pub mod shard;
pub mod snapshot;
pub mod upgrade;
pub mod wait;
pub mod web;

/// The value of `User-Agent` in requests.
pub const USER_AGENT: http::HeaderValue =
    http::HeaderValue::from_static(concat!("ack-upgrade-exporter/", env!("CARGO_PKG_VERSION")));

/// The session name of assumed RAM roles, unless the configuration gives another one.
pub const ROLE_SESSION_NAME: &str = "ack-upgrade-exporter";

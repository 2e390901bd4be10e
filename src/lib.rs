//! A Prometheus exporter for the upgrade state of Kubernetes clusters on Alibaba Cloud ACK.
//!
//! ```text
//!  YAML ─► config ─► collect ─► snapshot ─► metrics, web ─► Prometheus, people
//!                      │  ▲
//!     subject, context │  │ answer or ApiError
//!                      ▼  │
//!                     queries ─► ack-client ─► Alibaba Cloud, or ack-simulator in its place
//! ```
//!
//! The crate `ack-client` calls the API: signatures, credentials, limits, operations.
//! `exporter-toolkit` has the parts that every exporter needs, such as the web server.
//! `ack-simulator` is a stand-in for the API, for `demo` and the tests.
//!
//! A module uses only those above it in this table.
//!
//! | | |
//! |---|---|
//! | `log`, [`shard`] | the log and the shard, used by all others |
//! | [`cluster`] | a cluster as the configuration and the lists describe it |
//! | [`upgrade`] | the state of one cluster's upgrade, in the same form for every operation |
//! | [`config`] | YAML → [`Config`](config::Config), every mistake at once with its path |
//! | [`queries`] | everything that is asked, one file for each query |
//! | [`snapshot`] | the immutable result of one scrape |
//! | [`collect`] | demands of scrapes and queries that are due, one collector an account → [`Snapshot`](snapshot::Snapshot) |
//! | [`metrics`] | the catalogue of all metrics; snapshot → bytes |
//! | [`reload`] | the configuration in force, replaced as a whole |
//! | [`web`] | routes, and the status page |
//! | `wait` | the end of a pipeline's wait for upgrades |
//! | [`cli`], [`run`] | the flags, and the commands of the program |

#![expect(
    missing_docs,
    reason = "not a library for others: a doc comment that only repeats a name is left out"
)]

pub mod cli;
pub mod cluster;
pub mod collect;
pub mod config;
mod log;
pub mod metrics;
pub mod queries;
pub mod reload;
pub mod run;
pub mod shard;
pub mod snapshot;
pub mod upgrade;
mod wait;
pub mod web;

/// The value of `User-Agent` in requests.
pub const USER_AGENT: http::HeaderValue =
    http::HeaderValue::from_static(concat!("ack-upgrade-exporter/", env!("CARGO_PKG_VERSION")));

/// The session name of assumed RAM roles, unless the configuration gives another one.
pub const ROLE_SESSION_NAME: &str = "ack-upgrade-exporter";

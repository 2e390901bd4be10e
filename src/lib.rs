//! A Prometheus exporter for the upgrade state of Kubernetes clusters on Alibaba Cloud ACK.
//!
//! ```text
//!  YAML ─► config ─► collect ─► snapshot ─► metrics, web ─► Prometheus, people
//!                      │  ▲
//!             question │  │ answer: an UpgradeState, or an ApiError
//!                      ▼  │
//!                     source ─► api ─► credentials, sign ─► Alibaba Cloud, or sim in its place
//! ```
//!
//! One direction: a module uses only those that stand above it here.
//!
//! | | |
//! |---|---|
//! | [`apart`], [`names`], [`secret`], [`clock`], [`log`], [`lookup`], [`outgoing`], [`trust`], [`shard`] | small words that all others use |
//! | [`upgrade`] | the state of one cluster's upgrade, in the exporter's own words |
//! | [`config`] | YAML → [`Config`](config::Config), every mistake at once with its path |
//! | [`sign`] | both signature schemes, as pure functions |
//! | [`credentials`] | one file a provider, the vendor's default chain, and what keeps them fresh |
//! | [`api`] | one account's way out: limits, retries, transports, replies; one operation a file |
//! | [`source`] | the state of an upgrade from either operation, and the one that finds out which is served |
//! | [`snapshot`] | what one scrape shows; immutable |
//! | [`collect`] | rounds, one lane an account, one record a cluster → [`Snapshot`](snapshot::Snapshot) |
//! | [`metrics`] | the catalogue of all metrics; snapshot → bytes |
//! | [`service`] | which configuration runs, swapped as one |
//! | [`web`] | routes, the page for people, and the door before them: TLS, passwords, limits |
//! | [`wait`] | what a look at the fleet means to a pipeline that waits |
//! | [`sim`] | the stand-in for the vendor's API that `demo` and the tests ask |
//! | [`cli`], [`run`] | the flags, and the jobs of the program |

pub mod apart;
pub mod api;
pub mod cli;
pub mod clock;
pub mod collect;
pub mod config;
pub mod credentials;
pub mod log;
pub mod lookup;
pub mod metrics;
pub mod names;
pub mod outgoing;
pub mod run;
pub mod secret;
pub mod service;
pub mod shard;
pub mod sign;
pub mod sim;
pub mod snapshot;
pub mod source;
pub mod trust;
pub mod upgrade;
pub mod wait;
pub mod web;

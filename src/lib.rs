//! A Prometheus exporter for the upgrade state of Kubernetes clusters on Alibaba Cloud ACK.

pub mod api;
pub mod cli;
pub mod clock;
pub mod collect;
pub mod config;
pub mod credentials;
pub mod log;
pub mod metrics;
pub mod names;
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

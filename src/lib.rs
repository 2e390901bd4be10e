//! A Prometheus exporter for the upgrade state of Kubernetes clusters on Alibaba Cloud ACK.

pub mod api;
pub mod clock;
pub mod config;
pub mod credentials;
pub mod names;
pub mod secret;
pub mod sign;
pub mod snapshot;
pub mod trust;
pub mod upgrade;

//! A Prometheus exporter for the upgrade state of Kubernetes clusters on Alibaba Cloud ACK.

pub mod api;
pub mod config;
pub mod credentials;
pub mod names;
pub mod secret;
pub mod snapshot;
pub mod upgrade;
pub mod web;

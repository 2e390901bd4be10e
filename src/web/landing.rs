//! The first page.

use super::routes::Paths;
use crate::snapshot::Snapshot;

/// A page that says where things are.
pub fn page(_: Option<&Snapshot>, paths: &Paths) -> String {
    format!("<!doctype html><title>ack-upgrade-exporter</title><a href=\"{}{}\">metrics</a>", paths.prefix, paths.telemetry)
}

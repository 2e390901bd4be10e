//! The settings of one row of the table.

use std::time::Duration;

/// The settings of one measurement.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) clusters: usize,
    pub(crate) shards: usize,
    pub(crate) latency: Duration,
    pub(crate) concurrency: usize,
    pub(crate) time: Duration,
    pub(crate) encoding: &'a str,
    pub(crate) exporter: &'a str,
}

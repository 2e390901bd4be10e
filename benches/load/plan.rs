//! What one row of the table measures.

use std::time::Duration;

/// What is measured.
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

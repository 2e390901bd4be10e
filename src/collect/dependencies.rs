//! The dependencies of a collector on the world around it.

use std::fmt::Debug;
use std::sync::Arc;

use ack_client::clock::Clock;
use ack_client::credentials;
use ack_client::names::AccountName;
use ack_client::{CallMetrics, TransportFactory};

use crate::shard::Shard;

/// The dependencies of a collector.
#[derive(Debug)]
pub struct Dependencies {
    /// The time of day.
    pub clock: Clock,
    /// The connections to the API.
    pub transports: Arc<dyn TransportFactory>,
    /// The part of the clusters that is this instance's.
    pub shard: Shard,
    /// The context of credential providers: environment, files and network.
    pub credentials: credentials::Context,
    /// The counters of scrapes and calls.
    pub metrics: Arc<dyn ScrapeMetrics>,
}

/// Counts what a collector does.
pub trait ScrapeMetrics: Debug + Send + Sync {
    /// The counters of the calls of `account`.
    fn call_metrics(&self, account: &AccountName) -> Arc<dyn CallMetrics>;

    /// Counts a scrape that was served from a finished collection.
    fn cached_scrape(&self);

    /// Counts a scrape that joined a collection in progress.
    fn coalesced_scrape(&self);
}

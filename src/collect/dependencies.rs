//! What a collector is given of the world around it.

use std::fmt::Debug;
use std::sync::Arc;

use ack_client::clock::Clock;
use ack_client::credentials;
use ack_client::names::AccountName;
use ack_client::{CallMetrics, TransportFactory};

use crate::shard::Shard;

/// What the outside world looks like to a collector.
#[derive(Debug)]
pub struct Dependencies {
    /// The time of day.
    pub clock: Clock,
    /// The connections to the API.
    pub transports: Arc<dyn TransportFactory>,
    /// The part of the clusters that is this instance's.
    pub shard: Shard,
    /// Where credentials come from.
    pub credentials: credentials::Context,
    /// Who counts.
    pub metrics: Arc<dyn ScrapeMetrics>,
}

/// Counts what a collector does.
pub trait ScrapeMetrics: Debug + Send + Sync {
    /// Who counts the calls of `account`.
    fn call_metrics(&self, account: &AccountName) -> Arc<dyn CallMetrics>;

    /// A scrape was served from a finished collection.
    fn cached_scrape(&self);

    /// A scrape joined a collection that was under way.
    fn coalesced_scrape(&self);
}

//! What a collector is given of the world around it.

use std::fmt::Debug;
use std::sync::Arc;

use ack_client::clock::Clock;
use ack_client::credentials;
use ack_client::names::AccountName;
use ack_client::{Observer, Ways};

use crate::shard::Shard;

/// What the outside world looks like to a collector.
#[derive(Debug)]
pub struct Surroundings {
    /// The time of day.
    pub clock: Clock,
    /// The ways to the vendor.
    pub ways: Arc<dyn Ways>,
    /// The part of the clusters that is this instance's.
    pub shard: Shard,
    /// Where credentials come from.
    pub credentials: credentials::Context,
    /// Who counts.
    pub audience: Arc<dyn Audience>,
}

/// Counts what a collector does.
pub trait Audience: Debug + Send + Sync {
    /// Who counts the calls of `account`.
    fn observer(&self, account: &AccountName) -> Arc<dyn Observer>;

    /// A scrape was served from a finished collection.
    fn cached_scrape(&self);

    /// A scrape joined a collection that was under way.
    fn coalesced_scrape(&self);
}

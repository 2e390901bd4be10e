//! The simulator: its state, and its controls for tests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use ack_client::names::Region;
use bytes::Bytes;
use http::Request;
use jiff::SignedDuration;

use crate::action::Action;
use crate::auth::keys::{KeyPair, KeyStore, StoredKey};
use crate::auth::nonces::NonceCache;
use crate::call_log::{CallLog, LoggedCall};
use crate::faults::{Fault, FaultInjector, Rule};
use crate::handler::RequestHandler;
use crate::identity::Identities;
use crate::options::Options;
use crate::random::mix;
use crate::request::ReceivedRequest;
use crate::response::Response;
use crate::retirement::{RetiredRegions, RetiredResponse};
use crate::world::World;
use crate::world::clock::to_millis;

/// A simulated account with its API. Everything can be changed while it serves requests.
#[derive(Debug)]
pub struct Simulator {
    pub(crate) world: World,
    pub(crate) regions: Vec<Region>,
    pub(crate) keys: KeyStore,
    pub(crate) nonces: NonceCache,
    pub(crate) call_log: CallLog,
    pub(crate) faults: FaultInjector,
    pub(crate) retired_regions: RetiredRegions,
    pub(crate) clock_tolerance: SignedDuration,
    /// Milliseconds by which the lists lag behind the clusters.
    pub(crate) list_lag: i64,
    pub(crate) seed: u64,
    identities: RwLock<Identities>,
    latency: Duration,
    next_number: AtomicU64,
}

impl Simulator {
    /// A simulator whose world starts now.
    pub fn new(options: Options) -> Self {
        let simulator = Self {
            world: World::new(&options),
            keys: KeyStore::new(&options.keys),
            identities: RwLock::new(options.identities),
            nonces: NonceCache::new(),
            call_log: CallLog::new(options.calls_kept),
            faults: FaultInjector::new(options.seed, options.faults),
            retired_regions: RetiredRegions::default(),
            clock_tolerance: SignedDuration::try_from(options.clock_tolerance)
                .unwrap_or(SignedDuration::MAX),
            latency: options.latency,
            list_lag: to_millis(options.list_lag),
            seed: options.seed,
            next_number: AtomicU64::new(0),
            regions: options.regions,
        };
        if let Some(response) = options.retired {
            simulator.retire_everywhere(Some(response));
        }
        simulator
    }

    /// The clusters.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The regions in [`Options::regions`].
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Adds a rule for faults.
    pub fn add_fault(&self, rule: Rule) {
        self.faults.add(rule);
    }

    /// Removes all rules for faults.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// Denies an action to every caller, as RAM does, until [`Simulator::clear_faults`].
    pub fn deny(&self, action: Action) {
        self.faults.add(Rule::new(Fault::Forbidden).on(action));
    }

    /// Switches `GetUpgradeStatus` and `DescribeClustersV1` off in a region; `None` switches them
    /// on again.
    pub fn retire(&self, region: &Region, response: Option<RetiredResponse>) {
        self.retired_regions.set(region, response);
    }

    /// Switches `GetUpgradeStatus` and `DescribeClustersV1` off in all regions; `None` switches
    /// them on again.
    pub fn retire_everywhere(&self, response: Option<RetiredResponse>) {
        for region in &self.regions {
            self.retire(region, response);
        }
    }

    /// Adds a key, or changes its secret.
    pub fn add_key(&self, pair: &KeyPair) {
        self.keys
            .add(&pair.access_key_id, StoredKey::permanent(pair));
    }

    /// Changes the rules of STS and the metadata service; keys that were issued stay valid.
    pub fn change_identities(&self, change: impl FnOnce(&mut Identities)) {
        change(
            &mut self
                .identities
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    pub(crate) fn with_identities<T>(&self, access: impl FnOnce(&Identities) -> T) -> T {
        access(
            &self
                .identities
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Makes every temporary key expire now.
    pub fn expire_temporary_keys(&self) {
        self.keys.expire_temporary(self.world.now());
    }

    /// Makes every temporary key unknown, as when its role is deleted and created again.
    pub fn revoke_temporary_keys(&self) {
        self.keys.revoke_temporary();
    }

    /// Replaces the token of every temporary key, so that the issued one no longer matches.
    pub fn change_tokens(&self) {
        self.keys.change_tokens();
    }

    /// The number of calls of an action, with and without a valid signature.
    pub fn count(&self, action: Action) -> u64 {
        self.call_log.count(action)
    }

    /// The last calls, oldest first.
    pub fn calls(&self) -> Vec<LoggedCall> {
        self.call_log.calls()
    }

    /// The largest number of concurrent calls.
    pub fn peak_in_flight(&self) -> u64 {
        self.call_log.peak()
    }

    /// Clears the calls and their counters.
    pub fn forget_calls(&self) {
        self.call_log.clear();
    }

    /// Handles one request.
    ///
    /// Returns after the simulated latency. A response that is never delivered is returned too,
    /// with its [`Delivery`](crate::Delivery).
    pub async fn handle(&self, request: Request<Bytes>) -> Response {
        let _in_flight = self.call_log.begin_call();
        let response = self.respond(&ReceivedRequest::new(request));
        if !response.delay.is_zero() {
            tokio::time::sleep(response.delay).await;
        }
        response
    }

    fn respond(&self, request: &ReceivedRequest) -> Response {
        let handler = RequestHandler {
            simulator: self,
            request,
            request_id: self.request_id(),
            millis: self.world.clock.millis(),
        };
        let mut response = handler.respond();
        response.add_common_headers(&handler.request_id, self.world.now());
        response.delay += self.latency;
        response
    }

    /// A number that is never returned twice.
    pub(crate) fn next_number(&self) -> u64 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }

    /// A UUID in capitals, `4C2B1A2F-…`.
    fn request_id(&self) -> String {
        let number = self.next_number();
        let (high, low) = (mix(&[self.seed, 60, number]), mix(&[self.seed, 61, number]));
        format!(
            "{:08X}-{:04X}-{:04X}-{:04X}-{:012X}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }
}

//! A stand-in for the vendor's API: signatures are really checked, clusters really go through
//! upgrades.
//!
//! `demo` shows the exporter over it, and the tests and benches ask it instead of the vendor. It
//! can be asked in process ([`Sim::handle`], [`InProcess`]) or over a socket ([`Sim::serve`]); both
//! end in the same answers.

mod action;
mod api;
mod auth;
mod call_log;
mod error_response;
mod faults;
mod handler;
mod history;
mod identity;
mod in_process;
mod options;
mod random;
mod request;
mod response;
mod retirement;
mod routes;
mod server;
mod world;
mod xml;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use ack_client::names::Region;
use bytes::Bytes;
use http::Request;
use jiff::SignedDuration;

pub use self::action::Action;
pub use self::auth::keys::KeyPair;
pub use self::call_log::Call;
pub use self::faults::{ErrorBody, Fault, InvalidRule, Repeat, Rule, parse_rules};
pub use self::identity::{Identities, MetadataVersions};
pub use self::in_process::InProcess;
pub use self::options::Options;
pub use self::response::{Framing, Manner, Reply};
pub use self::retirement::Retired;
pub use self::world::schedule::{Phase, Stage};
pub use self::world::{TaskLists, Transition, Upgrading, World};

use self::auth::keys::{Keys, Known};
use self::auth::nonces::Nonces;
use self::call_log::Journal;
use self::faults::Faults;
use self::handler::Exchange;
use self::random::mix;
use self::request::Received;
use self::retirement::SwitchedOff;

/// The stand-in. Everything about it can be changed while it answers.
#[derive(Debug)]
pub struct Sim {
    world: World,
    regions: Vec<Region>,
    keys: Keys,
    identities: RwLock<Identities>,
    nonces: Nonces,
    journal: Journal,
    faults: Faults,
    switched_off: SwitchedOff,
    tolerance: SignedDuration,
    latency: Duration,
    list_lag: i64,
    seed: u64,
    numbers: AtomicU64,
}

impl Sim {
    /// A stand-in as `options` say. Its world begins now.
    pub fn new(options: Options) -> Self {
        let sim = Self {
            world: World::new(&options),
            keys: Keys::new(&options.keys),
            identities: RwLock::new(options.identities),
            nonces: Nonces::new(),
            journal: Journal::new(options.calls_kept),
            faults: Faults::new(options.seed, options.faults),
            switched_off: SwitchedOff::default(),
            tolerance: SignedDuration::try_from(options.clock_tolerance)
                .unwrap_or(SignedDuration::MAX),
            latency: options.latency,
            list_lag: world::clock::to_millis(options.list_lag),
            seed: options.seed,
            numbers: AtomicU64::new(0),
            regions: options.regions,
        };
        if let Some(retired) = options.retired {
            sim.retire_everywhere(Some(retired));
        }
        sim
    }

    /// The clusters.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The regions that it was made with.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Makes something go wrong from now on.
    pub fn add_fault(&self, rule: Rule) {
        self.faults.add(rule);
    }

    /// Lets everything go well again.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// Refuses an action to everybody, as RAM would, until [`Sim::clear_faults`].
    pub fn deny(&self, action: Action) {
        self.faults.add(Rule::new(Fault::Forbidden).on(action));
    }

    /// Switches the old operations off in a region, or on again with `None`.
    pub fn retire(&self, region: &Region, retired: Option<Retired>) {
        self.switched_off.set(region, retired);
    }

    /// Switches the old operations off in all regions, or on again with `None`.
    pub fn retire_everywhere(&self, retired: Option<Retired>) {
        self.regions
            .iter()
            .for_each(|region| self.retire(region, retired));
    }

    /// Makes a key known, or gives it another secret.
    pub fn add_key(&self, pair: &KeyPair) {
        self.keys.add(
            &pair.access_key_id,
            Known {
                secret: pair.access_key_secret.clone(),
                temporary: None,
            },
        );
    }

    /// Changes the rules of STS and the metadata service; keys that were issued stay good.
    pub fn change_identities(&self, change: impl FnOnce(&mut Identities)) {
        change(
            &mut self
                .identities
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    fn with_identities<T>(&self, look: impl FnOnce(&Identities) -> T) -> T {
        look(
            &self
                .identities
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Makes every temporary key that was issued run out now.
    pub fn expire_temporary_keys(&self) {
        self.keys.expire_temporary(self.world.now());
    }

    /// Makes every temporary key that was issued unknown, as when its role is made anew.
    pub fn revoke_temporary_keys(&self) {
        self.keys.revoke_temporary();
    }

    /// Makes the token of every temporary key that was issued one that does not fit the key.
    pub fn change_tokens(&self) {
        self.keys.change_tokens();
    }

    /// How often an action was asked for, well signed or not.
    pub fn count(&self, action: Action) -> u64 {
        self.journal.counted(action)
    }

    /// The last calls, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.journal.calls()
    }

    /// The largest number of calls that were being answered at once.
    pub fn peak_in_flight(&self) -> u64 {
        self.journal.peak()
    }

    /// Forgets the calls and their counts.
    pub fn forget_calls(&self) {
        self.journal.reset();
    }

    /// Answers one request. Takes as long as the answer is meant to take; a reply that never comes
    /// is told as such.
    pub async fn handle(&self, request: Request<Bytes>) -> Reply {
        let _in_flight = self.journal.enter();
        let reply = self.answer(&Received::new(request));
        if !reply.delay.is_zero() {
            tokio::time::sleep(reply.delay).await;
        }
        reply
    }

    fn answer(&self, received: &Received) -> Reply {
        let exchange = Exchange {
            sim: self,
            received,
            request_id: self.request_id(),
            millis: self.world.clock.millis(),
        };
        let mut reply = exchange.reply();
        reply.stamp(&exchange.request_id, self.world.now());
        reply.delay += self.latency;
        reply
    }

    /// A number that was never given before.
    fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// `4C2B1A2F-…`: a UUID in capitals.
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

#[cfg(test)]
mod tests;

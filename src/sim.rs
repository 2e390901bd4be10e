//! A stand-in for the vendor's API: signatures are really checked, clusters really go through upgrades.
//!
//! `demo` shows the exporter over it, and the tests and benches ask it instead of the vendor. It can be asked in process
//! ([`Sim::handle`], [`InProcess`]) or over a socket ([`Sim::serve`]); both end in the same answers.

mod action;
mod auth;
mod chores;
mod clock;
mod cluster;
mod clusters;
mod faults;
mod in_process;
mod journal;
mod keys;
mod nonces;
mod profile;
mod random;
mod received;
mod refusal;
mod regions;
mod reply;
mod routes;
mod script;
mod serve;
mod switch_off;
mod tasks;
mod upgrade_status;
mod world;
mod xml;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};

pub use self::action::Action;
pub use self::faults::{ErrorBody, Fault, Rule};
pub use self::in_process::InProcess;
pub use self::journal::Call;
pub use self::keys::KeyPair;
pub use self::reply::{Framing, Manner, Reply};
pub use self::script::{Phase, Stage};
pub use self::switch_off::Retired;
pub use self::world::{TaskLists, Transition, Upgrading, World};

use self::auth::{Gate, Principal};
use self::cluster::Cluster;
use self::faults::{About, Faults, Instead};
use self::journal::Journal;
use self::keys::{Keys, Known};
use self::nonces::Nonces;
use self::random::mix;
use self::received::Received;
use self::refusal::{Format, Refusal};
use self::routes::Route;
use self::switch_off::{Notice, SwitchedOff};
use crate::api::sign::CS_VERSION;
use crate::names::Region;

/// What a stand-in is like.
#[derive(Debug, Clone)]
pub struct Options {
    /// All that is invented follows from this number.
    pub seed: u64,
    /// How many clusters there are.
    pub clusters: usize,
    /// How many of them keep being upgraded.
    pub upgrading: Upgrading,
    /// How long their lists of tasks are.
    pub task_lists: TaskLists,
    /// Where they are.
    pub regions: Vec<Region>,
    /// The keys of the account.
    pub keys: Vec<KeyPair>,
    /// The time of day when the world begins.
    pub start: Timestamp,
    /// How far the date of a call may be off to either side.
    pub clock_tolerance: Duration,
    /// How long every answer takes.
    pub latency: Duration,
    /// How far the lists lag behind the clusters.
    pub list_lag: Duration,
    /// What goes wrong from the beginning.
    pub faults: Vec<Rule>,
    /// What the old operations say, in all regions, if they have been switched off.
    pub retired: Option<Retired>,
    /// How many of the last calls are kept.
    pub calls_kept: usize,
}

impl Default for Options {
    fn default() -> Self {
        let regions = ["cn-hangzhou", "cn-shanghai", "ap-southeast-1"].map(|region| Region::parse(region).expect("a region of the vendor"));
        Self {
            seed: 7,
            clusters: 12,
            upgrading: Upgrading::All,
            task_lists: TaskLists::LongForSome,
            regions: regions.to_vec(),
            keys: vec![KeyPair::demo()],
            start: Timestamp::now(),
            clock_tolerance: Duration::from_secs(15 * 60),
            latency: Duration::ZERO,
            list_lag: Duration::ZERO,
            faults: Vec::new(),
            retired: None,
            calls_kept: 4096,
        }
    }
}

/// The stand-in. Everything about it can be changed while it answers.
#[derive(Debug)]
pub struct Sim {
    world: World,
    regions: Vec<Region>,
    keys: Keys,
    nonces: Nonces,
    journal: Journal,
    faults: Faults,
    switched_off: SwitchedOff,
    tolerance: SignedDuration,
    latency: Duration,
    list_lag: i64,
    seed: u64,
    requests: AtomicU64,
}

impl Sim {
    /// A stand-in as `options` say. Its world begins now.
    pub fn new(options: Options) -> Self {
        let sim = Self {
            world: World::new(&options),
            keys: Keys::new(&options.keys),
            nonces: Nonces::new(),
            journal: Journal::new(options.calls_kept),
            faults: Faults::new(options.seed, options.faults),
            switched_off: SwitchedOff::default(),
            tolerance: SignedDuration::try_from(options.clock_tolerance).unwrap_or(SignedDuration::MAX),
            latency: options.latency,
            list_lag: clock::to_millis(options.list_lag),
            seed: options.seed,
            requests: AtomicU64::new(0),
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
        self.regions.iter().for_each(|region| self.retire(region, retired));
    }

    /// Makes a key known, or gives it another secret.
    pub fn add_key(&self, pair: &KeyPair) {
        self.keys.add(&pair.access_key_id, Known { secret: pair.access_key_secret.clone(), temporary: None });
    }

    /// Makes a key unknown.
    pub fn remove_key(&self, access_key_id: &str) {
        self.keys.remove(access_key_id);
    }

    /// Makes every temporary key that was issued run out now.
    pub fn expire_temporary_keys(&self) {
        self.keys.expire_temporary(self.world.now());
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

    /// Answers one request. Takes as long as the answer is meant to take; a reply that never comes is told as such.
    pub async fn handle(&self, request: Request<Bytes>) -> Reply {
        let _in_flight = self.journal.enter();
        let reply = self.answer(&Received::new(request));
        if !reply.delay.is_zero() {
            tokio::time::sleep(reply.delay).await;
        }
        reply
    }

    fn answer(&self, received: &Received) -> Reply {
        let exchange = Exchange { sim: self, received, request_id: self.request_id(), millis: self.world.clock.millis() };
        let mut reply = match Route::of(received) {
            Ok(route) => exchange.answer(&route),
            Err(refusal) => exchange.refuse(&refusal),
        };
        reply.stamp(&exchange.request_id, self.world.now());
        reply.delay += self.latency;
        reply
    }

    /// `4C2B1A2F-…`: a UUID in capitals.
    fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let (high, low) = (mix(&[self.seed, 60, number]), mix(&[self.seed, 61, number]));
        format!("{:08X}-{:04X}-{:04X}-{:04X}-{:012X}", high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48, low & 0xffff_ffff_ffff)
    }
}

/// One request and what is needed to answer it.
struct Exchange<'a> {
    sim: &'a Sim,
    received: &'a Received,
    request_id: String,
    /// The moment, in the world's milliseconds.
    millis: i64,
}

impl Exchange<'_> {
    fn answer(&self, route: &Route) -> Reply {
        self.sim.journal.count(route.action);
        let caller = self.gate().admit(self.received);
        let reply = match &caller {
            Ok(caller) => self.answer_caller(route, caller),
            Err(refusal) => self.refuse(refusal),
        };
        if self.sim.journal.keeps_calls() {
            self.sim.journal.note(Call {
                action: route.action,
                subject: route.subject.clone(),
                at: self.sim.world.clock.at(self.millis),
                access_key_id: caller.ok().map(|caller| caller.access_key_id),
                nonce: self.received.header("x-acs-signature-nonce").map(str::to_owned),
                status: reply.status.as_u16(),
            });
        }
        reply
    }

    fn gate(&self) -> Gate<'_> {
        Gate {
            keys: &self.sim.keys,
            nonces: &self.sim.nonces,
            now: self.sim.world.clock.at(self.millis),
            millis: self.millis,
            tolerance: self.sim.tolerance,
            version: CS_VERSION,
        }
    }

    fn answer_caller(&self, route: &Route, caller: &Principal) -> Reply {
        if let Some(named) = self.received.header("x-acs-action").filter(|named| *named != route.action.as_str()) {
            let message = format!("x-acs-action is {named}, but method and path are those of {}.", route.action.as_str());
            return self.refuse(&Refusal::gateway(StatusCode::BAD_REQUEST, "InvalidParameter.Action", message));
        }
        let cluster = self.sim.cluster_of(route);
        let region = self.region_of(route, cluster.as_deref());
        let about = About { action: route.action, cluster: cluster.as_ref().map(|cluster| &cluster.id), region: region.as_ref() };
        let fault = self.sim.faults.strike(about);
        if let Some(instead) = fault.as_ref().and_then(|fault| fault.instead(route.action, Some(caller))) {
            return match instead {
                Instead::Refusal(refusal) => self.refuse(&refusal),
                Instead::XmlRefusal(refusal) => self.refuse_as(&refusal, Format::Xml),
                Instead::Reply(reply) => reply,
            };
        }
        let reply = match self.notice(route, region.as_ref()) {
            Some(Notice::Refusal(refusal)) => self.refuse(&refusal),
            Some(Notice::ProxyPage) => faults::proxy_page(StatusCode::NOT_FOUND),
            None => self.perform(route, cluster.as_deref()),
        };
        match fault {
            Some(fault) => fault.spoil(route.action, reply),
            None => reply,
        }
    }

    fn perform(&self, route: &Route, cluster: Option<&Cluster>) -> Reply {
        let (sim, found) = (self.sim, || cluster.ok_or_else(|| Refusal::no_such_cluster(&route.subject)));
        if let Some(body) = cluster.and_then(|cluster| cluster.body(route.action)) {
            return Reply::new(StatusCode::OK, "application/json;charset=utf-8", body);
        }
        let listed = self.millis.saturating_sub(sim.list_lag);
        let body = match route.action {
            Action::GetUpgradeStatus => found().map(|cluster| upgrade_status::body(cluster, &cluster.standing(self.millis))),
            Action::DescribeClustersV1 => clusters::account_list(&sim.world, self.received, listed),
            Action::DescribeClustersForRegion => clusters::region_list(&sim.world, &route.subject, self.received, listed),
            Action::DescribeClusterDetail => found().map(|cluster| clusters::detail(&sim.world, cluster, self.millis)),
            Action::DescribeRegions => Ok(regions::body(&sim.regions)),
            Action::DescribeClusterTasks => {
                found().and_then(|cluster| tasks::list(&sim.world, cluster, self.received, &self.request_id, self.millis))
            }
            Action::DescribeTaskInfo => cluster
                .and_then(|cluster| tasks::info(&sim.world, cluster, &route.subject, self.millis))
                .ok_or_else(|| Refusal::no_such_task(&route.subject)),
            _ => Err(Refusal::no_such_action()),
        };
        match body {
            Ok(body) => self.accept(route.action, body),
            Err(refusal) => self.refuse(&refusal),
        }
    }

    /// What an old operation says where it has been switched off.
    fn notice(&self, route: &Route, region: Option<&Region>) -> Option<Notice> {
        match (route.action, region) {
            (Action::GetUpgradeStatus | Action::DescribeClustersV1, Some(region)) => self.sim.switched_off.notice(region),
            (Action::GetUpgradeStatus | Action::DescribeClustersV1, None) => self.sim.switched_off.notice_everywhere(&self.sim.regions),
            _ => None,
        }
    }

    /// The region that a call is about: in its path or query, its cluster's, or its host's.
    fn region_of(&self, route: &Route, cluster: Option<&Cluster>) -> Option<Region> {
        let named = match route.action {
            Action::DescribeClustersForRegion => Some(route.subject.as_str()),
            _ => self.received.parameter("region_id"),
        };
        let of_cluster = || cluster.map(|cluster| cluster.region.clone());
        named.and_then(|named| Region::parse(named).ok()).or_else(of_cluster).or_else(|| region_of_host(self.received.host()))
    }

    fn accept(&self, action: Action, json: String) -> Reply {
        if self.received.accepts_json() {
            return Reply::new(StatusCode::OK, "application/json;charset=utf-8", json);
        }
        let value = serde_json::from_str(&json).unwrap_or_default();
        Reply::new(StatusCode::OK, "text/xml;charset=utf-8", xml::render(&format!("{}Response", action.as_str()), &value))
    }

    fn refuse(&self, refusal: &Refusal) -> Reply {
        self.refuse_as(refusal, if self.received.accepts_json() { Format::Json } else { Format::Xml })
    }

    fn refuse_as(&self, refusal: &Refusal, format: Format) -> Reply {
        let (content_type, body) = refusal.body(format, &self.request_id, self.received.host());
        let reply = Reply::new(refusal.status, content_type, body);
        match refusal.retry_after {
            Some(wait) => reply.header("x-acs-retry-after", &wait.as_millis().to_string()),
            None => reply,
        }
    }
}

impl Sim {
    /// The cluster that a call is about, if it is about one that exists.
    fn cluster_of(&self, route: &Route) -> Option<std::sync::Arc<Cluster>> {
        match route.action {
            Action::GetUpgradeStatus | Action::DescribeClusterDetail | Action::DescribeClusterTasks => self.world.find(&route.subject),
            Action::DescribeTaskInfo => tasks::cluster_tag(&route.subject).and_then(|tag| self.world.find_by_tag(tag)),
            _ => None,
        }
    }
}

/// The region in a host such as `cs.cn-hangzhou.aliyuncs.com`.
fn region_of_host(host: &str) -> Option<Region> {
    let mut labels = host.split('.');
    match (labels.next()?, labels.next()?, labels.next()?) {
        ("cs" | "cs-vpc" | "cs-anony-vpc", region, "aliyuncs") => Region::parse(region).ok(),
        _ => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "in a test a panic is the verdict")]
mod tests;

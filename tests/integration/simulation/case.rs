//! A random account, its API, its scrapes and the faults that befall them.

use std::fmt::Write as _;
use std::time::Duration;

use ack_simulator::{Action, ErrorBody, Fault, KeyPair, Options, Rule, Simulator, TaskLists};
use proptest::prelude::*;

use crate::fleet::options;

/// The time by which every fault has ended.
pub const FAULTS_END: Duration = Duration::from_secs(120);

/// The time from then to the end.
pub const RECOVERY: Duration = Duration::from_secs(720);

/// One simulated run.
#[derive(Debug, Clone)]
pub struct Case {
    pub seed: u64,
    pub clusters: usize,
    /// Clusters that live for a minute or two. They are found by lists only.
    pub ghosts: usize,
    pub is_discovered: bool,
    pub source: &'static str,
    pub latency: Duration,
    pub requests_per_second: u32,
    pub burst: u32,
    pub concurrency: u32,
    pub scrape: &'static str,
    /// The intervals of the watched queries in seconds, by key; 0 stands for none.
    pub watch: [(&'static str, u64); 4],
    pub scrapers: Vec<Scraper>,
    pub faults: Vec<TimedFault>,
    pub reload_at: Option<Duration>,
}

/// A Prometheus server.
#[derive(Debug, Clone)]
pub struct Scraper {
    pub offset: Duration,
    pub interval: Duration,
    pub budget: Duration,
}

/// A fault with the time at which it begins and ends.
#[derive(Debug, Clone)]
pub struct TimedFault {
    pub from: Duration,
    pub until: Duration,
    pub kind: Fault,
    pub place: Place,
    pub percent: u32,
}

/// The calls that a fault is about.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    Everywhere,
    Region(usize),
    Cluster(usize),
    Action(Action),
}

impl Case {
    pub fn options(&self) -> Options {
        Options {
            seed: self.seed,
            ephemeral_clusters: self.ghosts,
            latency: self.latency,
            task_lists: TaskLists::Short,
            ..options(self.clusters)
        }
    }

    pub fn yaml(&self, sim: &Simulator) -> String {
        let pair = KeyPair::demo();
        let watch = self.watch.iter().filter(|(_, seconds)| *seconds > 0);
        let watch: Vec<_> = watch
            .map(|(key, seconds)| format!("{key}: {{interval: {seconds}s}}"))
            .collect();
        let mut yaml = format!(
            "scrape: {{{}}}\naccounts:\n  - name: test\n    \
             endpoint: http://simulator.example\n    source: {}\n    \
             rate_limit: {{requests_per_second: {}, burst: {}}}\n    max_concurrency: {}\n    \
             credentials: {{type: access_key, access_key_id: {}, access_key_secret: {}}}\n    \
             watch: {{{}}}\n",
            self.scrape,
            self.source,
            self.requests_per_second,
            self.burst,
            self.concurrency,
            pair.access_key_id,
            pair.access_key_secret.expose(),
            watch.join(", "),
        );
        if self.is_discovered {
            let regions: Vec<_> = sim.regions().iter().map(ToString::to_string).collect();
            let regions = regions.join(", ");
            writeln!(
                yaml,
                "    discovery: {{regions: [{regions}], refresh_interval: 1m}}"
            )
            .expect("a String takes every write");
            return yaml;
        }
        yaml.push_str("    clusters:\n");
        for id in sim.world().clusters() {
            let region = sim.world().region(&id).expect("it has one");
            writeln!(yaml, "      - {{id: {id}, region: {region}}}")
                .expect("a String takes every write");
        }
        yaml
    }
}

impl TimedFault {
    pub fn rule(&self, sim: &Simulator) -> Rule {
        let rule = Rule::new(self.kind.clone()).probability(f64::from(self.percent) / 100.0);
        match self.place {
            Place::Everywhere => rule,
            Place::Region(place) => rule.region(sim.regions()[place].clone()),
            Place::Cluster(place) => {
                let ids = sim.world().clusters();
                rule.cluster(ids[place % ids.len()].clone())
            }
            Place::Action(action) => rule.on(action),
        }
    }
}

fn millis(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_millis)
}

fn scraper() -> impl Strategy<Value = Scraper> {
    (
        millis(0..30_000),
        millis(20_000..60_000),
        millis(3_000..60_000),
    )
        .prop_map(|(offset, interval, budget)| Scraper {
            offset,
            interval,
            budget: budget.min(interval),
        })
}

fn kind() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => Just(Fault::Hang),
        1 => Just(Fault::Slow(Duration::from_secs(4))),
        1 => Just(Fault::Reset),
        1 => Just(Fault::Garbage),
        1 => Just(Fault::ServerError { status: 500, body: ErrorBody::Json }),
        1 => Just(Fault::Throttled { status: 429, retry_after: None }),
        1 => Just(Fault::Forbidden),
    ]
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        Just(Place::Everywhere),
        (0..3_usize).prop_map(Place::Region),
        (0..20_usize).prop_map(Place::Cluster),
        prop::sample::select(vec![
            Action::GetUpgradeStatus,
            Action::DescribeClusterTasks,
            Action::DescribeClustersForRegion,
            Action::DescribeClusterNodePools,
            Action::DescribeClusterDetail,
        ])
        .prop_map(Place::Action),
    ]
}

fn fault() -> impl Strategy<Value = TimedFault> {
    let end = u64::try_from(FAULTS_END.as_millis()).expect("it is small");
    (
        millis(0..end),
        millis(1_000..end),
        kind(),
        place(),
        20..=100_u32,
    )
        .prop_map(|(from, length, kind, place, percent)| TimedFault {
            from,
            until: (from + length).min(FAULTS_END),
            kind,
            place,
            percent,
        })
}

fn interval() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 60..100_u64]
}

pub fn case() -> impl Strategy<Value = Case> {
    let account = (
        any::<u64>(),
        1..=8_usize,
        0..=2_usize,
        any::<bool>(),
        prop::sample::select(vec!["upgrade_status", "tasks", "auto"]),
    );
    let limits = (millis(0..1_000), 2..40_u32, 1..60_u32, 4..16_u32);
    let scrape = prop::sample::select(vec!["", "cache_ttl: 5s", "idle_interval: 2m"]);
    let watch = [interval(), interval(), interval(), interval()];
    let scrapers = prop::collection::vec(scraper(), 1..4);
    let faults = prop::collection::vec(fault(), 0..4);
    let reload = prop::option::of(millis(10_000..300_000));
    (account, limits, scrape, watch, scrapers, faults, reload).prop_map(
        |(account, limits, scrape, watch, scrapers, faults, reload_at)| {
            let (seed, clusters, ghosts, is_discovered, source) = account;
            let (latency, requests_per_second, burst, concurrency) = limits;
            let [plans, node_pools, maintenance, addons] = watch;
            Case {
                seed,
                clusters,
                ghosts: if is_discovered { ghosts } else { 0 },
                is_discovered,
                source,
                latency,
                requests_per_second,
                burst,
                concurrency,
                scrape,
                watch: [
                    ("plans", plans),
                    ("node_pools", node_pools),
                    ("maintenance", maintenance),
                    ("addons", addons),
                ],
                scrapers,
                faults,
                reload_at,
            }
        },
    )
}

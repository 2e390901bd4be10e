//! A simulated account and a collector for it.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ack_client::Status;
use ack_client::TransportFactory;
use ack_client::clock::Clock;
use ack_client::credentials;
use ack_client::names::ClusterId;
use ack_simulator::{Action, InProcess, KeyPair, Options, Phase, Simulator};
use ack_upgrade_exporter::collect::{Collector, Dependencies, ScrapeMetrics};
use ack_upgrade_exporter::config::Config;
use ack_upgrade_exporter::metrics::{ExporterMetrics, render};
use ack_upgrade_exporter::shard::Shard;
use ack_upgrade_exporter::snapshot::{ClusterReading, Outcome, Snapshot};
use exporter_toolkit::exposition::Format;
use exporter_toolkit::process::ProcessMetrics;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::exposition::{Dialect, Exposition};

/// A simulated account, a collector for it, and the exporter's metrics.
pub struct Fleet {
    pub sim: Arc<Simulator>,
    pub collector: Arc<Collector>,
    pub own: Arc<ExporterMetrics>,
    pub config: Config,
}

/// The time at which every simulated world starts.
pub fn start() -> Timestamp {
    "2026-11-23T08:00:00Z".parse().expect("a time")
}

/// The options of a world of `clusters` that begins at [`start`].
pub fn options(clusters: usize) -> Options {
    Options {
        clusters,
        start: start(),
        calls_kept: 100_000,
        ..Options::default()
    }
}

/// The configuration of the simulated account with every cluster. `account` and `scrape` are added
/// as YAML.
pub fn yaml(sim: &Simulator, endpoint: &str, account: &str, scrape: &str) -> String {
    let pair = KeyPair::demo();
    let mut yaml = format!(
        "scrape: {{{scrape}}}\naccounts:\n  - name: test\n    endpoint: {endpoint}\n    \
         credentials: {{type: access_key, access_key_id: {}, \
         access_key_secret: {}}}\n",
        pair.access_key_id,
        pair.access_key_secret.expose()
    );
    for line in account.lines() {
        writeln!(yaml, "    {line}").expect("a String takes every write");
    }
    yaml.push_str("    clusters:\n");
    for id in sim.world().clusters() {
        let region = sim.world().region(&id).expect("a region");
        writeln!(yaml, "      - {{id: {id}, region: {region}}}")
            .expect("a String takes every write");
    }
    yaml
}

/// A rate limit that delays no test.
pub const UNLIMITED: &str = "rate_limit: {requests_per_second: 100000, burst: 100000}";

/// The dependencies of a collector that queries `sim` in process and counts in `own`.
pub fn dependencies(sim: &Arc<Simulator>, own: &Arc<ExporterMetrics>) -> Dependencies {
    let clock = Clock::simulated(sim.world().now());
    Dependencies {
        clock,
        transports: Arc::new(InProcess(Arc::clone(sim))),
        shard: Shard::default(),
        credentials: credentials::Context::offline(clock),
        metrics: Arc::clone(own) as Arc<dyn ScrapeMetrics>,
    }
}

impl Fleet {
    /// A fleet without a socket, for paused time. `account` is added to the account's
    /// configuration.
    pub fn in_process(options: Options, account: &str, scrape: &str) -> Self {
        Self::of(Arc::new(Simulator::new(options)), account, scrape)
    }

    /// A fleet in process with the given account.
    pub fn of(sim: Arc<Simulator>, account: &str, scrape: &str) -> Self {
        let text = yaml(&sim, "http://simulator.example", account, scrape);
        Self::configured(sim, &text, Shard::default())
    }

    /// A fleet without a socket, by a whole configuration.
    pub fn configured(sim: Arc<Simulator>, text: &str, shard: Shard) -> Self {
        let transports = Arc::new(InProcess(Arc::clone(&sim)));
        let clock = Clock::simulated(sim.world().now());
        Self::assemble(
            sim,
            transports,
            credentials::Context::offline(clock),
            text,
            shard,
        )
    }

    /// A fleet without a socket, by a whole configuration, in dependencies of its own.
    pub fn surrounded(sim: Arc<Simulator>, text: &str, credentials: credentials::Context) -> Self {
        let transports = Arc::new(InProcess(Arc::clone(&sim)));
        Self::assemble(sim, transports, credentials, text, Shard::default())
    }

    /// A fleet that is asked through `transports` at `endpoint`.
    pub fn over(
        sim: Arc<Simulator>,
        transports: Arc<dyn TransportFactory>,
        clock: Clock,
        endpoint: &str,
        account: &str,
        scrape: &str,
    ) -> Self {
        let text = yaml(&sim, endpoint, account, scrape);
        Self::build(sim, transports, clock, &text, Shard::default())
    }

    /// A fleet with everything given.
    pub fn build(
        sim: Arc<Simulator>,
        transports: Arc<dyn TransportFactory>,
        clock: Clock,
        text: &str,
        shard: Shard,
    ) -> Self {
        Self::assemble(
            sim,
            transports,
            credentials::Context::offline(clock),
            text,
            shard,
        )
    }

    fn assemble(
        sim: Arc<Simulator>,
        transports: Arc<dyn TransportFactory>,
        credentials: credentials::Context,
        text: &str,
        shard: Shard,
    ) -> Self {
        let config = Config::parse(text, Path::new(""))
            .unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        let own = Arc::new(ExporterMetrics::new(ProcessMetrics::Hidden));
        let clock = credentials.clock;
        let metrics = Arc::clone(&own) as Arc<dyn ScrapeMetrics>;
        let dependencies = Dependencies {
            clock,
            transports,
            shard,
            credentials,
            metrics,
        };
        let collector = Collector::new(&config, &dependencies);
        Self {
            sim,
            collector,
            own,
            config,
        }
    }

    /// The same with no upgrades, so that the state of a good cluster is `none/not_start`.
    pub fn calm(self) -> Self {
        for id in self.ids() {
            self.sim.world().set_phase(&id, Phase::NotStarted, None);
        }
        self
    }

    /// One scrape that gives up after `budget`.
    pub async fn scrape(&self, budget: Duration) -> Arc<Snapshot> {
        self.collector.collect(Instant::now() + budget).await
    }

    /// One scrape with the usual budget.
    pub async fn scrape_in_time(&self) -> Arc<Snapshot> {
        self.scrape(Duration::from_millis(9500)).await
    }

    /// The page of a scrape, read back.
    pub fn page(&self, snapshot: &Arc<Snapshot>) -> Exposition {
        let page = Exposition::read(
            &render(snapshot, &self.own, &self.config.metrics, Format::Text),
            Dialect::Text,
        )
        .expect("a legal page");
        let up = snapshot
            .clusters
            .iter()
            .filter(|reading| matches!(reading.outcome, Outcome::Up(_)))
            .count();
        let statuses: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
        let active = page.family("cs_upgrade_status").map_or(0, |family| {
            family
                .active_states("status", &statuses)
                .expect("one state each")
                .len()
        });
        assert_eq!(
            active, up,
            "each cluster with a response has exactly one state"
        );
        page
    }

    /// All cluster IDs of the world.
    pub fn ids(&self) -> Vec<ClusterId> {
        self.sim.world().clusters()
    }

    /// Calls of `action` so far.
    pub fn calls(&self, action: Action) -> u64 {
        self.sim.count(action)
    }
}

/// The reading of one cluster.
pub fn reading<'a>(snapshot: &'a Arc<Snapshot>, id: &ClusterId) -> &'a ClusterReading {
    snapshot
        .clusters
        .iter()
        .find(|reading| reading.cluster.id == *id)
        .expect("the cluster is in the snapshot")
}

/// The outcome of each cluster as a word: `status/step`, the reason of a failure, or `-` without a
/// query.
pub fn words(snapshot: &Arc<Snapshot>) -> Vec<String> {
    snapshot.clusters.iter().map(word).collect()
}

/// A word for one outcome.
pub fn word(reading: &ClusterReading) -> String {
    match &reading.outcome {
        Outcome::Up(state) => format!("{}/{}", state.status.as_str(), state.step.as_str()),
        Outcome::Down(failure) => failure.reason.as_str().to_owned(),
        Outcome::NotAsked => "-".to_owned(),
    }
}

/// The number of clusters with each word.
pub fn tally(snapshot: &Arc<Snapshot>) -> std::collections::BTreeMap<String, usize> {
    let mut tally = std::collections::BTreeMap::new();
    for reading in &snapshot.clusters {
        let word = match &reading.outcome {
            Outcome::Up(_) => "up".to_owned(),
            _ => word(reading),
        };
        *tally.entry(word).or_insert(0) += 1;
    }
    tally
}

/// The number of samples of `page` that begin with `start` and are 1.
pub fn ones(page: &str, start: &str) -> usize {
    page.lines()
        .filter(|line| line.starts_with(start) && line.ends_with(" 1"))
        .count()
}

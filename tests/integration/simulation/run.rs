//! One run of a case, and what was seen in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::credentials;
use ack_client::names::ClusterId;
use ack_simulator::{InProcess, Simulator};
use ack_upgrade_exporter::collect::{Collector, Dependencies};
use ack_upgrade_exporter::config::Config;
use ack_upgrade_exporter::shard::Shard;
use ack_upgrade_exporter::snapshot::Snapshot;
use futures_util::future::join_all;
use tokio::time::{Instant, sleep_until};

use super::case::{Case, FAULTS_END, RECOVERY, Scraper};
use super::recorder::{Call, Recorder, Shared};

/// A scrape that has ended.
#[derive(Debug)]
pub struct Page {
    pub started: Instant,
    pub ended: Instant,
    pub budget: Duration,
    pub snapshot: Arc<Snapshot>,
}

/// All that was seen.
#[derive(Debug)]
pub struct Run {
    pub began: Instant,
    pub permanent: Vec<ClusterId>,
    /// The last time at which each cluster existed, by the pages.
    pub last_seen: BTreeMap<ClusterId, Instant>,
    pub pages: Vec<Page>,
    pub calls: Vec<Call>,
    /// Scrapes that had a demand of their own.
    pub demands: usize,
    /// The pages just before and just after the reload.
    pub reload: Option<(Page, Page)>,
}

/// The world of a run.
struct World {
    sim: Arc<Simulator>,
    dependencies: Dependencies,
    config: Config,
    collector: Mutex<Arc<Collector>>,
    began: Instant,
    pages: Mutex<Vec<Page>>,
    last_seen: Mutex<BTreeMap<ClusterId, Instant>>,
}

impl Run {
    /// Runs `case` to its end. Time must be paused.
    pub async fn of(case: &Case) -> Self {
        // The jitter of retries and lists.
        fastrand::seed(case.seed);
        let recorder = Recorder::new(InProcess(Arc::new(Simulator::new(case.options()))));
        let shared = Arc::new(Shared::default());
        let world = World::new(case, &recorder, &shared);
        let sim = &world.sim;
        let permanent = sim.world().clusters().into_iter();
        let permanent = permanent.filter(|id| !sim.world().is_ephemeral(id));
        let permanent = permanent.collect();
        let scrapes = join_all(case.scrapers.iter().map(|scraper| world.scrape(scraper)));
        let (_, (), reload) = tokio::join!(scrapes, world.break_things(case), world.reload(case));
        let collector = Arc::clone(&world.lock_collector());
        collector.stop().await;
        let pages = std::mem::take(&mut *lock(&world.pages));
        let scrapes = pages.len() + 2 * usize::from(reload.is_some());
        Self {
            began: world.began,
            permanent,
            last_seen: std::mem::take(&mut *lock(&world.last_seen)),
            demands: scrapes - shared.count(),
            pages,
            calls: recorder.calls(),
            reload,
        }
    }
}

impl World {
    fn new(case: &Case, recorder: &Recorder, shared: &Arc<Shared>) -> Self {
        let sim = recorder.simulator();
        let text = case.yaml(&sim);
        let config = Config::parse(&text, Path::new("")).expect("a good configuration");
        let clock = Clock::simulated(sim.world().now());
        let dependencies = Dependencies {
            clock,
            transports: Arc::new(recorder.clone()),
            shard: Shard::default(),
            credentials: credentials::Context::offline(clock),
            metrics: Arc::clone(shared) as _,
        };
        let collector = Mutex::new(Collector::new(&config, &dependencies));
        Self {
            sim,
            dependencies,
            config,
            collector,
            began: Instant::now(),
            pages: Mutex::default(),
            last_seen: Mutex::default(),
        }
    }

    fn lock_collector(&self) -> std::sync::MutexGuard<'_, Arc<Collector>> {
        lock(&self.collector)
    }

    async fn page(&self, budget: Duration) -> Page {
        let collector = Arc::clone(&self.lock_collector());
        let started = Instant::now();
        let snapshot = collector.collect(started + budget).await;
        let ended = Instant::now();
        for id in self.sim.world().clusters() {
            lock(&self.last_seen).insert(id, ended);
        }
        Page {
            started,
            ended,
            budget,
            snapshot,
        }
    }

    async fn scrape(&self, scraper: &Scraper) {
        let mut next = self.began + scraper.offset;
        while next < self.began + FAULTS_END + RECOVERY {
            sleep_until(next).await;
            let page = self.page(scraper.budget).await;
            lock(&self.pages).push(page);
            next += scraper.interval;
        }
    }

    /// Lets each fault begin and end.
    async fn break_things(&self, case: &Case) {
        let mut changes: Vec<_> = case
            .faults
            .iter()
            .flat_map(|fault| [fault.from, fault.until])
            .collect();
        changes.sort();
        for change in changes {
            sleep_until(self.began + change).await;
            self.sim.clear_faults();
            for fault in &case.faults {
                if (fault.from..fault.until).contains(&change) {
                    self.sim.add_fault(fault.rule(&self.sim));
                }
            }
        }
    }

    async fn reload(&self, case: &Case) -> Option<(Page, Page)> {
        sleep_until(self.began + case.reload_at?).await;
        let before = self.page(Duration::ZERO).await;
        let earlier = Arc::clone(&self.lock_collector());
        let later = Collector::after(&earlier, &self.config, &self.dependencies);
        *self.lock_collector() = later;
        drop(earlier);
        Some((before, self.page(Duration::ZERO).await))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

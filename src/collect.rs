//! Collecting: every cluster asked concurrently, within the scrape's budget and the accounts'
//! limits.
//!
//! A scrape starts a round in every account's lane, or joins the one that is being waited for. Each
//! waiter takes its [`Snapshot`] when the round is done or when its own deadline has come,
//! whichever is first; the round itself goes on until every cluster has been asked, at the pace
//! that the account's limits allow.

mod contact;
mod dependencies;
mod discovery;
mod finder;
mod lane;
mod patience;
mod plan;
mod record;
mod roster;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{ApiError, Budget, Deadline, ExplainedRequest, Trace};
use futures_util::future::join_all;
use lane::Lane;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use dependencies::{Dependencies, ScrapeMetrics};

use crate::config::{Config, Scrape};
use crate::shard::Shard;
use crate::snapshot::{ClusterInfo, ClusterReading, Failure, Snapshot};
use crate::upgrade::SourceName;

/// How long clusters that the configuration names are kept from service discovery by lists that
/// nobody has tried to read yet.
const LISTS_PATIENCE: Duration = Duration::from_secs(5);

/// Collects for every scrape of this instance.
#[derive(Debug)]
pub struct Collector {
    lanes: Vec<Arc<Lane>>,
    shard: Shard,
    settings: Scrape,
    clock: Clock,
    metrics: Arc<dyn ScrapeMetrics>,
    tasks: TaskTracker,
    stop: CancellationToken,
    round: Mutex<Option<Round>>,
    latest: watch::Sender<Option<Arc<Snapshot>>>,
}

/// One collection that scrapes share.
#[derive(Debug, Clone)]
struct Round {
    number: u64,
    started: Instant,
    /// The deadline of the one who started it. Others may join until then and no longer: scrapes
    /// that always overlap would else keep a round with a silent cluster in it open for ever, and
    /// see the others as they were at its start.
    open_until: Instant,
    /// The latest deadline of those who wait.
    deadline: Deadline,
    /// Cancelled when the next round takes over.
    superseded: CancellationToken,
    /// The whole result, once there is one.
    done: watch::Receiver<Option<Arc<Snapshot>>>,
}

impl Collector {
    /// A collector for the clusters of `config`, which runs its rounds as tasks until it is
    /// dropped.
    pub fn new(config: &Config, dependencies: &Dependencies) -> Arc<Self> {
        Self::start(
            config,
            dependencies,
            plan::lanes(config, dependencies, &[]),
            None,
        )
    }

    /// A collector for `config` that takes over from `earlier`: what it knows of the same clusters
    /// and, of accounts that are asked as before, connections, credentials, limits and lists.
    /// `earlier` goes on for the scrapes that still wait there.
    pub fn after(earlier: &Self, config: &Config, dependencies: &Dependencies) -> Arc<Self> {
        Self::start(
            config,
            dependencies,
            plan::lanes(config, dependencies, &earlier.lanes),
            earlier.latest(),
        )
    }

    fn start(
        config: &Config,
        dependencies: &Dependencies,
        lanes: Vec<Arc<Lane>>,
        latest: Option<Arc<Snapshot>>,
    ) -> Arc<Self> {
        let collector = Arc::new(Self {
            lanes,
            shard: dependencies.shard,
            settings: config.scrape.clone(),
            clock: dependencies.clock,
            metrics: Arc::clone(&dependencies.metrics),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            round: Mutex::new(None),
            latest: watch::Sender::new(latest),
        });
        for lane in &collector.lanes {
            let (lane, stop) = (Arc::clone(lane), collector.stop.clone());
            collector
                .tasks
                .spawn(async move { stop.run_until_cancelled(lane.keep_refreshing()).await });
        }
        collector
    }

    /// Every cluster of this instance; None before every list was read at least once.
    pub fn clusters(&self) -> Option<Vec<Arc<ClusterInfo>>> {
        let is_known = self.lanes.iter().all(|lane| lane.has_found());
        is_known.then(|| self.lanes.iter().flat_map(|lane| lane.clusters()).collect())
    }

    /// The account and region of each list that finds clusters and has not been read yet.
    pub fn unread_lists(&self) -> Vec<(AccountName, Region)> {
        self.lanes
            .iter()
            .flat_map(|lane| {
                lane.unread()
                    .map(|region| (lane.name().clone(), region.clone()))
            })
            .collect()
    }

    /// The clusters for service discovery: all that are known once every list has been tried. Named
    /// clusters wait for the lists no longer than five seconds. Otherwise, or where there is
    /// nothing to tell, the lists that have not been read.
    ///
    /// Prometheus drops a target that an answer leaves out, and keeps its targets where there is
    /// none.
    pub async fn targets(&self) -> Result<Vec<Arc<ClusterInfo>>, Vec<(AccountName, Region)>> {
        let has_named = self.lanes.iter().any(|lane| lane.has_named());
        if has_named {
            // Most lists take less, and what they find then is not left out after a start.
            let tried = join_all(self.lanes.iter().map(|lane| lane.tried()));
            drop(
                self.stop
                    .run_until_cancelled(timeout(LISTS_PATIENCE, tried))
                    .await,
            );
        }
        let clusters: Vec<_> = self.lanes.iter().flat_map(|lane| lane.clusters()).collect();
        let have_tried = self.lanes.iter().all(|lane| lane.has_tried());
        let unread = self.unread_lists();
        let is_answer = has_named || (have_tried && !clusters.is_empty());
        if unread.is_empty() || is_answer {
            Ok(clusters)
        } else {
            Err(unread)
        }
    }

    /// The snapshot that a scrape saw last, if there was one. Asks nobody.
    pub fn latest(&self) -> Option<Arc<Snapshot>> {
        self.latest.borrow().clone()
    }

    /// Collects and answers by `deadline` with what is there by then. Dropping the future leaves
    /// the round to others.
    pub async fn collect(self: &Arc<Self>, deadline: Instant) -> Arc<Snapshot> {
        let mut round = match self.join(deadline) {
            Ok(round) => round,
            Err(cached) => return cached,
        };
        let snapshot = loop {
            let done = tokio::select! {
                biased;
                done = round.done.wait_for(Option::is_some) => done.ok().map(|done| done.clone()),
                () = sleep_until(deadline) => break None,
            };
            match done {
                Some(done) => break done,
                None => match self.successor(&round, deadline) {
                    Some(successor) => round = successor,
                    None => break None,
                },
            }
        };
        let snapshot = snapshot.unwrap_or_else(|| Arc::new(self.snapshot(&round)));
        self.latest.send_replace(Some(Arc::clone(&snapshot)));
        snapshot
    }

    /// Whether a cluster of this instance has this ID or name. Asks nobody.
    pub fn knows(&self, target: &str) -> bool {
        self.find(target).is_some()
    }

    /// Asks one cluster of this instance, by ID or name, and answers by `deadline`; None if there
    /// is none. A query that is under way is waited for rather than repeated. What is sent and
    /// received is noted in `trace`.
    pub async fn probe(
        &self,
        target: &str,
        deadline: Instant,
        trace: Option<&Trace>,
    ) -> Option<ClusterReading> {
        let (lane, id) = self.find(target)?;
        let round = self
            .round
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map_or(0, |round| round.number);
        let max_age = self.settings.max_age;
        lane.ask_one(
            &id,
            &lane::Probe {
                round,
                deadline,
                max_age,
                trace,
                tasks: &self.tasks,
                stop: &self.stop,
            },
        )
        .await
    }

    /// Reads again what there is to know of `clusters` apart from their upgrades, such as version
    /// and state, and remembers it. Asks the lists that have them and, of those in none,
    /// `DescribeClusterDetail`.
    pub async fn read_again(
        &self,
        clusters: &[ClusterId],
        deadline: Instant,
    ) -> HashMap<ClusterId, Result<Arc<ClusterInfo>, Failure>> {
        let budget = Budget::new(Deadline::at(deadline), self.stop.child_token());
        let each = join_all(
            self.lanes
                .iter()
                .map(|lane| lane.read_again(clusters, &budget)),
        )
        .await;
        each.into_iter()
            .flatten()
            .map(|(id, read)| (id, read.map_err(|error| Failure::of(&error))))
            .collect()
    }

    /// What asking for one cluster, by ID or name, would send now under `source`; None if there is
    /// no such cluster here.
    pub async fn explain(
        &self,
        target: &str,
        source: SourceName,
    ) -> Option<Result<ExplainedRequest, ApiError>> {
        let (lane, id) = self.find(target)?;
        lane.explain(&id, source).await
    }

    /// The cluster with this ID, or else with this name, and its lane.
    fn find(&self, target: &str) -> Option<(&Arc<Lane>, ClusterId)> {
        let first = |wanted: &dyn Fn(&ClusterInfo) -> bool| {
            self.lanes
                .iter()
                .find_map(|lane| Some((lane, lane.find(wanted)?)))
        };
        first(&|info| info.id.as_str() == target).or_else(|| first(&|info| info.is_meant(target)))
    }

    /// The round that a scrape with this deadline waits for, or the finished one that serves it.
    fn join(self: &Arc<Self>, deadline: Instant) -> Result<Round, Arc<Snapshot>> {
        let now = Instant::now();
        let mut current = self.round.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(round) = &*current {
            let done = round.done.borrow().clone();
            match done {
                None if now < round.open_until => {
                    round.deadline.extend_to(deadline);
                    self.metrics.coalesced_scrape();
                    return Ok(round.clone());
                }
                Some(done)
                    if done.complete
                        && now < round.started + done.duration + self.settings.cache_ttl =>
                {
                    self.metrics.cached_scrape();
                    return Err(done);
                }
                _ => {}
            }
        }
        if let Some(round) = &*current {
            round.superseded.cancel();
        }
        let number = current.as_ref().map_or(0, |round| round.number) + 1;
        let (finished, done) = watch::channel(None);
        let superseded = self.stop.child_token();
        let round = Round {
            number,
            started: now,
            open_until: deadline,
            deadline: Deadline::at(deadline),
            superseded,
            done,
        };
        *current = Some(round.clone());
        self.begin(round.clone(), finished);
        Ok(round)
    }

    /// The round that has taken over from `round`, for one who waits until `deadline`.
    fn successor(&self, round: &Round, deadline: Instant) -> Option<Round> {
        let current = self.round.lock().unwrap_or_else(PoisonError::into_inner);
        let successor = current
            .as_ref()
            .filter(|current| current.number > round.number)?;
        successor.deadline.extend_to(deadline);
        Some(successor.clone())
    }

    fn begin(self: &Arc<Self>, round: Round, finished: watch::Sender<Option<Arc<Snapshot>>>) {
        let start = lane::Start {
            number: round.number,
            deadline: &round.deadline,
            superseded: &round.superseded,
            tasks: &self.tasks,
            stop: &self.stop,
        };
        let lanes: Vec<_> = self.lanes.iter().map(|lane| lane.begin(&start)).collect();
        let collector = Arc::downgrade(self);
        self.tasks.spawn(async move {
            for lane in lanes {
                tokio::select! {
                    () = lane.finished() => {}
                    () = round.superseded.cancelled() => return,
                }
            }
            if let Some(collector) = collector.upgrade() {
                finished.send_replace(Some(Arc::new(collector.snapshot(&round))));
            }
        });
    }

    fn snapshot(&self, round: &Round) -> Snapshot {
        let mut clusters = Vec::new();
        let mut complete = true;
        for lane in &self.lanes {
            complete &= lane.readings(
                round.number,
                round.deadline.instant(),
                self.settings.max_age,
                &mut clusters,
            );
        }
        clusters
            .sort_unstable_by(|one: &ClusterReading, other| one.cluster.id.cmp(&other.cluster.id));
        // Two accounts may discover the same cluster.
        clusters.dedup_by(|later, first| later.cluster.id == first.cluster.id);
        Snapshot {
            at: self.clock.now(),
            duration: round.started.elapsed(),
            budget: round
                .deadline
                .instant()
                .saturating_duration_since(round.started),
            complete,
            shard: self.shard,
            clusters,
            accounts: self.lanes.iter().map(|lane| lane.account()).collect(),
        }
    }

    /// Ends what is under way and waits for it.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The budget of a scrape: the client's own timeout less the offset, or the configured one where
/// the client names none or one that is none.
pub fn budget(header: Option<&str>, settings: &Scrape) -> Duration {
    const LONGEST: Duration = Duration::from_secs(120);
    let timeout = header
        .and_then(|text| text.trim().parse::<f64>().ok())
        .filter(|seconds| seconds.is_finite() && *seconds > 0.0)
        .and_then(|seconds| {
            Duration::try_from_secs_f64(seconds.min(LONGEST.as_secs_f64() * 2.0)).ok()
        })
        .filter(|timeout| !timeout.is_zero());
    let budget = match timeout {
        Some(timeout) => timeout.saturating_sub(settings.timeout_offset.min(timeout / 10)),
        None => settings.timeout,
    };
    budget.min(LONGEST)
}

#[cfg(test)]
mod tests;

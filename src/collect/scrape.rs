//! The snapshot of a scrape.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::Collector;
use super::demand::{Admission, Demand};
use super::progress::{CollectionProgress, Extent};
use crate::snapshot::{ClusterReading, Snapshot};

/// The interval at which a collection without a deadline reports its progress.
const REPORT_INTERVAL: Duration = Duration::from_millis(200);

/// The newest demand, and the snapshot of the demand that was served last.
#[derive(Debug, Default)]
pub(super) struct Demands {
    newest: Option<Demand>,
    /// The snapshot that served a demand, and the start of that demand.
    served: Option<(Instant, Arc<Snapshot>)>,
}

impl Collector {
    /// Returns a snapshot once every cluster has been queried, and at `deadline` at the latest.
    /// Scrapes at the same time share the queries. Dropping the future leaves them to others.
    pub async fn collect(&self, deadline: Instant) -> Arc<Snapshot> {
        let own = Demand::new(Instant::now(), deadline);
        let demand = match self.admit(deadline) {
            Ok(demand) => demand,
            Err(cached) => return cached,
        };
        // At the deadline the state of that moment counts.
        let is_served = timeout_at(deadline, self.served(&demand)).await.is_ok();
        let snapshot = if is_served {
            self.served_snapshot(&demand)
        } else {
            let shorter = (own.length < demand.length).then_some(own.length);
            Arc::new(self.snapshot(&demand, shorter))
        };
        self.latest.send_replace(Some(Arc::clone(&snapshot)));
        snapshot
    }

    /// Returns a snapshot once every cluster has been queried, however long the rate limits make
    /// it, or once no query has ended for as long as `patience`. Calls `report` several times a
    /// second.
    pub async fn collect_to_the_end(
        &self,
        extent: Extent,
        patience: Duration,
        mut report: impl FnMut(CollectionProgress),
    ) -> Arc<Snapshot> {
        let mut deadline = Instant::now() + patience;
        let demand = match self.admit(deadline) {
            Ok(demand) => demand,
            Err(cached) => return cached,
        };
        let mut ended = 0;
        let mut is_served = false;
        loop {
            if is_served {
                sleep(REPORT_INTERVAL).await;
            } else {
                is_served = timeout(REPORT_INTERVAL, self.served(&demand)).await.is_ok();
            }
            let watched = self.watched_progress(extent);
            let progress = self.cluster_progress(&demand) + watched;
            if progress.ended > ended {
                ended = progress.ended;
                deadline = Instant::now() + patience;
            }
            let is_done = is_served && watched.ended == watched.needed;
            if is_done || Instant::now() >= deadline {
                let snapshot = Arc::new(self.snapshot(&demand, None));
                self.latest.send_replace(Some(Arc::clone(&snapshot)));
                return snapshot;
            }
            report(progress);
        }
    }

    /// Waits until every account has served `demand`.
    async fn served(&self, demand: &Demand) {
        let accounts = self.accounts.iter();
        join_all(accounts.map(|account| account.served(demand.since))).await;
    }

    fn cluster_progress(&self, demand: &Demand) -> CollectionProgress {
        self.accounts
            .iter()
            .map(|account| account.cluster_progress(demand.since))
            .sum()
    }

    fn watched_progress(&self, extent: Extent) -> CollectionProgress {
        match extent {
            Extent::Upgrades => CollectionProgress::default(),
            Extent::Watched => self
                .accounts
                .iter()
                .map(|account| account.watched_progress())
                .sum(),
        }
    }

    /// The demand of a scrape with this deadline. The error is the snapshot that serves it at once.
    fn admit(&self, deadline: Instant) -> Result<Demand, Arc<Snapshot>> {
        let now = Instant::now();
        let mut demands = self.demands();
        if let Some(newest) = &demands.newest {
            let served = self.served_at(newest);
            match newest.admit(served, now, self.settings.cache_ttl) {
                Admission::Join => {
                    newest.deadline.extend_to(deadline);
                    self.metrics.coalesced_scrape();
                    return Ok(newest.clone());
                }
                Admission::Cached => {
                    self.metrics.cached_scrape();
                    let newest = newest.clone();
                    drop(demands);
                    return Err(self.served_snapshot(&newest));
                }
                Admission::Start => {}
            }
        }
        let newest = demands.newest.as_ref();
        let demand = newest.map_or_else(
            || Demand::new(now, deadline),
            |newest| newest.next(now, deadline),
        );
        demands.newest = Some(demand.clone());
        for account in &self.accounts {
            account.demand(demand.clone());
        }
        Ok(demand)
    }

    /// The time at which every account had served `demand`; None if one has not.
    fn served_at(&self, demand: &Demand) -> Option<Instant> {
        let mut latest = demand.since;
        for account in &self.accounts {
            latest = latest.max(account.served_at(demand.since)?);
        }
        Some(latest)
    }

    /// The snapshot of `demand`, which is served. All who wait for it get the same one.
    fn served_snapshot(&self, demand: &Demand) -> Arc<Snapshot> {
        let mut demands = self.demands();
        if let Some((since, snapshot)) = &demands.served
            && *since >= demand.since
        {
            return Arc::clone(snapshot);
        }
        let snapshot = Arc::new(self.snapshot(demand, None));
        demands.served = Some((demand.since, Arc::clone(&snapshot)));
        snapshot
    }

    /// The snapshot for a reader who has waited for `shorter` than the demand, if that is set.
    fn snapshot(&self, demand: &Demand, shorter: Option<Duration>) -> Snapshot {
        let mut clusters = Vec::new();
        let mut accounts = Vec::new();
        let mut complete = true;
        for account in &self.accounts {
            complete &= account.add_readings(demand, shorter, self.settings.max_age, &mut clusters);
            accounts.push(account.reading());
        }
        clusters
            .sort_unstable_by(|one: &ClusterReading, other| one.cluster.id.cmp(&other.cluster.id));
        // Two accounts may discover the same cluster.
        clusters.dedup_by(|later, first| later.cluster.id == first.cluster.id);
        let until = self.served_at(demand).unwrap_or_else(Instant::now);
        let end = demand.deadline.instant();
        Snapshot {
            at: self.clock.now(),
            duration: until.saturating_duration_since(demand.since),
            budget: end.saturating_duration_since(demand.since),
            complete,
            shard: self.shard,
            clusters,
            accounts,
        }
    }

    fn demands(&self) -> MutexGuard<'_, Demands> {
        self.demands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

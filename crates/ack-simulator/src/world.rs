//! The clusters of the simulated account, and its clock.

pub(crate) mod add_ons;
pub(crate) mod background_tasks;
pub(crate) mod checks;
pub(crate) mod clock;
pub(crate) mod cluster;
pub(crate) mod cluster_kind;
pub(crate) mod cluster_traits;
pub(crate) mod ephemeral;
mod generated;
pub(crate) mod index;
pub(crate) mod node_pools;
mod overrides;
pub(crate) mod phase;
pub(crate) mod plans;
mod recurrence;
pub(crate) mod schedule;
mod upgrade_state;
pub(crate) mod versions;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ack_client::names::{ClusterId, Region};
use jiff::Timestamp;

use crate::action::Action;
use crate::options::Options;
use crate::random::{mix, of_text};

use self::background_tasks::BackgroundTasks;
use self::clock::{WorldClock, to_millis};
use self::cluster::Cluster;
use self::cluster_traits::ClusterTraits;
use self::ephemeral::{EphemeralClusters, Lifetime};
use self::generated::generate_cluster;
use self::index::{ClusterIndex, ClusterPage, Page};
use self::phase::Phase;
use self::schedule::UpgradeSchedule;

/// The clusters of the simulated account.
#[derive(Debug)]
pub struct World {
    pub(crate) clock: WorldClock,
    ephemeral: EphemeralClusters,
    /// The regions of ephemeral clusters.
    regions: Vec<Region>,
    /// The next moment at which an ephemeral cluster is created or deleted.
    next_change: AtomicI64,
    index: RwLock<ClusterIndex>,
}

/// A change of phase in a cluster's schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Time since the start of the world.
    pub at: Duration,
    /// The phase that begins.
    pub phase: Phase,
}

impl World {
    /// The world that `options` describe.
    pub(crate) fn new(options: &Options) -> Self {
        let regions = options.regions.clone();
        // A cluster is in a region, so an account without regions has no clusters.
        let (clusters, ephemeral) = if regions.is_empty() {
            (0, 0)
        } else {
            (options.clusters, options.ephemeral_clusters)
        };
        let mut index = ClusterIndex::default();
        for number in 0..clusters {
            index.add(Arc::new(generate_cluster(number, options)));
        }
        Self {
            clock: WorldClock::starting_at(options.start),
            ephemeral: EphemeralClusters::new(options.seed, ephemeral),
            regions,
            next_change: AtomicI64::new(if ephemeral == 0 { i64::MAX } else { 0 }),
            index: RwLock::new(index),
        }
    }

    /// Time since the start of the world, on tokio's clock.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// The time of day in the world.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// All clusters in the order of the account's list.
    pub fn clusters(&self) -> Vec<ClusterId> {
        self.read(|index| index.all.iter().map(|cluster| cluster.id.clone()).collect())
    }

    /// Returns true for a cluster with a short lifetime.
    pub fn is_ephemeral(&self, id: &ClusterId) -> bool {
        self.read(|index| index.ephemeral.iter().any(|cluster| cluster.id == *id))
    }

    /// The region of a cluster.
    pub fn region(&self, id: &ClusterId) -> Option<Region> {
        Some(self.find(id.as_str())?.region.clone())
    }

    /// The name of a cluster.
    pub fn name(&self, id: &ClusterId) -> Option<String> {
        Some(self.find(id.as_str())?.name())
    }

    /// The IDs of a cluster's node pools, in the order in which they are upgraded.
    pub fn node_pools(&self, id: &ClusterId) -> Vec<String> {
        let cluster = self.find(id.as_str());
        let pools = cluster.map(|cluster| cluster.node_pools());
        let ids = pools.into_iter().flatten().map(|pool| pool.id);
        ids.collect()
    }

    /// The current phase of a cluster's newest upgrade.
    pub fn phase(&self, id: &ClusterId) -> Option<Phase> {
        let cluster = self.find(id.as_str())?;
        Some(cluster.state(self.clock.millis()).upgrade.phase)
    }

    /// The scheduled phase at a time since the start of the world; ignores [`World::set_phase`].
    pub fn scheduled_phase(&self, id: &ClusterId, at: Duration) -> Option<Phase> {
        let cluster = self.find(id.as_str())?;
        Some(cluster.schedule.state_at(to_millis(at)).phase)
    }

    /// All changes of phase in a cluster's schedule after `from`, up to and including `to`.
    pub fn transitions(&self, id: &ClusterId, from: Duration, to: Duration) -> Vec<Transition> {
        let Some(cluster) = self.find(id.as_str()) else {
            return Vec::new();
        };
        cluster
            .schedule
            .transitions(to_millis(from), to_millis(to))
            .into_iter()
            .map(|(at, phase)| Transition {
                at: Duration::from_millis(u64::try_from(at).unwrap_or_default()),
                phase,
            })
            .collect()
    }

    /// Holds a cluster in a phase from now on. `message` replaces the generated error message.
    ///
    /// Continues an upgrade in progress under its task; after an ended one, a new one starts. Does
    /// nothing if there is no such cluster.
    pub fn set_phase(&self, id: &ClusterId, phase: Phase, message: Option<&str>) {
        if let Some(cluster) = self.find(id.as_str()) {
            cluster.set_phase(phase, message, self.clock.millis());
        }
    }

    /// Returns a cluster to its schedule.
    pub fn clear_phase(&self, id: &ClusterId) {
        if let Some(cluster) = self.find(id.as_str()) {
            cluster.clear_phase();
        }
    }

    /// Sets the literal body of the response to `action` on a cluster; `None` restores the
    /// generated one. Has no effect on calls that do not name the cluster.
    pub fn set_body(&self, id: &ClusterId, action: Action, body: Option<&str>) {
        if let Some(cluster) = self.find(id.as_str()) {
            cluster.set_body(action, body.map(str::to_owned));
        }
    }

    /// Adds a cluster that is never upgraded, at the end of the lists.
    pub fn add(&self, id: ClusterId, region: Region, name: &str) {
        let seed = mix(&[of_text(id.as_str())]);
        let schedule = UpgradeSchedule::never_upgraded(seed);
        let cluster = Arc::new(Cluster::new(
            id,
            region,
            name.to_owned(),
            schedule,
            BackgroundTasks::Few,
            ClusterTraits::ordinary(seed),
        ));
        self.write(|index| {
            index.remove(cluster.id.as_str());
            index.add(cluster);
        });
    }

    /// Deletes a cluster.
    pub fn remove(&self, id: &ClusterId) {
        self.write(|index| index.remove(id.as_str()));
    }

    /// Gives a cluster another name.
    pub fn rename(&self, id: &ClusterId, name: &str) {
        if let Some(cluster) = self.find(id.as_str()) {
            cluster.rename(name);
        }
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Cluster>> {
        self.read(|index| index.find(id))
    }

    pub(crate) fn find_by_tag(&self, tag: u64) -> Option<Arc<Cluster>> {
        self.read(|index| index.find_by_tag(tag))
    }

    pub(crate) fn page(
        &self,
        region: Option<&Region>,
        filter: Option<&dyn Fn(&Cluster) -> bool>,
        page: Page,
    ) -> ClusterPage {
        self.read(|index| index.page(region, filter, page))
    }

    /// The clusters that exist until a test deletes them.
    pub(crate) fn permanent_clusters(&self) -> Vec<Arc<Cluster>> {
        self.read(|index| {
            index
                .all
                .iter()
                .filter(|cluster| !index.is_ephemeral(cluster))
                .cloned()
                .collect()
        })
    }

    /// The ephemeral clusters that exist at some moment of `from..=to`.
    pub(crate) fn ephemeral_clusters(
        &self,
        from: i64,
        to: i64,
    ) -> impl Iterator<Item = (Cluster, Lifetime)> {
        self.ephemeral
            .lifetimes(from, to)
            .map(|lifetime| (self.ephemeral.cluster(&lifetime, &self.regions), lifetime))
    }

    /// Adds and removes the ephemeral clusters that are due.
    fn update_ephemeral(&self) {
        if self.clock.millis() < self.next_change.load(Ordering::Relaxed) {
            return;
        }
        self.write(|index| {
            // Read under the lock, so that the later of two concurrent updates wins.
            let now = self.clock.millis();
            let current: Vec<_> = self
                .ephemeral_clusters(now, now)
                .map(|(cluster, _)| cluster)
                .collect();
            let previous = std::mem::take(&mut index.ephemeral);
            for cluster in &previous {
                if current.iter().all(|other| other.id != cluster.id) {
                    index.remove(cluster.id.as_str());
                }
            }
            for cluster in current {
                let existing = previous
                    .iter()
                    .find(|other| other.id == cluster.id)
                    .cloned();
                let cluster = existing.unwrap_or_else(|| {
                    let new = Arc::new(cluster);
                    index.add(Arc::clone(&new));
                    new
                });
                index.ephemeral.push(cluster);
            }
            self.next_change
                .store(self.ephemeral.next_change(now), Ordering::Relaxed);
        });
    }

    fn read<T>(&self, access: impl FnOnce(&ClusterIndex) -> T) -> T {
        self.update_ephemeral();
        access(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut ClusterIndex) -> T) -> T {
        change(&mut self.index.write().unwrap_or_else(PoisonError::into_inner))
    }
}

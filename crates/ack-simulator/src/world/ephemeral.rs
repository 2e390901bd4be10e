//! Clusters with a short lifetime, as a pure function of the seed.
//!
//! Each slot holds one cluster for a minute or two, is empty for a while, and then holds the next.

use ack_client::names::Region;

use crate::random::{mix, within};
use crate::world::background_tasks::BackgroundTasks;
use crate::world::cluster::Cluster;
use crate::world::cluster_traits::ClusterTraits;
use crate::world::generated::{cluster_id, cluster_name};
use crate::world::schedule::UpgradeSchedule;

/// The slots of ephemeral clusters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EphemeralClusters {
    seed: u64,
    slots: usize,
}

/// The lifetime of one cluster in its slot. Times are in milliseconds since the start of the world,
/// and may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lifetime {
    slot: usize,
    /// Number of earlier clusters in this slot.
    generation: u64,
    /// First moment at which the cluster exists.
    pub(crate) created: i64,
    /// First moment at which the cluster no longer exists.
    pub(crate) deleted: i64,
}

/// The timing of one slot in milliseconds.
struct Timing {
    /// Interval between two clusters.
    period: i64,
    /// Part of the first period that has passed when the world starts.
    lead: i64,
}

impl EphemeralClusters {
    pub(crate) fn new(seed: u64, slots: usize) -> Self {
        Self {
            seed: mix(&[seed, 110]),
            slots,
        }
    }

    /// The lifetimes that overlap `from..=to`, by slot and time.
    pub(crate) fn lifetimes(self, from: i64, to: i64) -> impl Iterator<Item = Lifetime> {
        (0..self.slots)
            .flat_map(move |slot| self.lifetimes_of_slot(slot, from, to))
            .filter(move |lifetime| lifetime.deleted > from && lifetime.created <= to)
    }

    fn lifetimes_of_slot(self, slot: usize, from: i64, to: i64) -> impl Iterator<Item = Lifetime> {
        let Timing { period, lead } = self.timing(slot);
        let generation = |millis: i64| millis.saturating_add(lead).max(0) / period;
        (generation(from)..=generation(to)).map(move |generation| {
            let created = generation * period - lead;
            Lifetime {
                slot,
                generation: generation.unsigned_abs(),
                created,
                deleted: created + period / 3 * 2,
            }
        })
    }

    /// The first moment after `millis` at which a cluster is created or deleted.
    pub(crate) fn next_change(self, millis: i64) -> i64 {
        let longest = (0..self.slots).map(|slot| self.timing(slot).period).max();
        let horizon = millis.saturating_add(longest.unwrap_or_default());
        self.lifetimes(millis, horizon)
            .flat_map(|lifetime| [lifetime.created, lifetime.deleted])
            .filter(|change| *change > millis)
            .min()
            .unwrap_or(i64::MAX)
    }

    /// The cluster of a lifetime.
    pub(crate) fn cluster(self, lifetime: &Lifetime, regions: &[Region]) -> Cluster {
        let seed = mix(&[self.seed, lifetime.slot as u64]);
        let index = usize::try_from(lifetime.generation).unwrap_or(usize::MAX);
        let region = &regions[lifetime.slot % regions.len()];
        // The first dozen of a schedule's indexes have a first upgrade that is chosen for the demo.
        let schedule = UpgradeSchedule::recurring(seed, index.saturating_add(12));
        let traits = ClusterTraits::ordinary(schedule.seed());
        Cluster::new(
            cluster_id(seed, index),
            region.clone(),
            cluster_name(lifetime.slot),
            schedule,
            BackgroundTasks::Few,
            traits,
        )
    }

    fn timing(self, slot: usize) -> Timing {
        let draw = |salt, low, high| {
            let number = mix(&[self.seed, 111, salt, slot as u64]);
            i64::try_from(within(number, low, high)).unwrap_or_default()
        };
        let period = draw(0, 90_000, 150_000);
        Timing {
            period,
            lead: draw(1, 0, period.unsigned_abs()),
        }
    }
}

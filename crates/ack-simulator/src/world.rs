//! The simulated clusters of one account, and the time they live in.

pub(crate) mod background_tasks;
pub(crate) mod clock;
pub(crate) mod cluster;
pub(crate) mod ephemeral;
pub(crate) mod profile;
pub(crate) mod schedule;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ack_client::names::{ClusterId, Region};
use jiff::Timestamp;

use crate::Options;
use crate::action::Action;
use crate::random::mix;
use crate::world::background_tasks::Chores;
use crate::world::clock::{Clock, to_millis};
use crate::world::cluster::Cluster;
use crate::world::ephemeral::{Guests, Stay};
use crate::world::schedule::{Phase, Script};

/// The clusters, by all that they are asked for.
#[derive(Debug)]
pub struct World {
    pub(crate) clock: Clock,
    guests: Guests,
    /// Where guests come to.
    regions: Vec<Region>,
    /// When the next guest comes or goes.
    next_change: AtomicI64,
    index: RwLock<Index>,
}

#[derive(Debug, Default)]
struct Index {
    by_id: HashMap<String, Arc<Cluster>>,
    by_tag: HashMap<u64, Arc<Cluster>>,
    by_region: HashMap<Region, Vec<Arc<Cluster>>>,
    all: Vec<Arc<Cluster>>,
    /// Those of them that come and go.
    guests: Vec<Arc<Cluster>>,
}

/// A change of phase in a cluster's script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// When, after the world began.
    pub at: Duration,
    /// The phase that begins.
    pub phase: Phase,
}

/// How much there is to read before the newest upgrade is found among a cluster's tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskLists {
    /// One page of fifty holds them all.
    Short,
    /// The same, but one cluster in a dozen has several hundred.
    LongForSome,
}

/// How many of the clusters keep being upgraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upgrading {
    /// All but one in a dozen, which never is.
    All,
    /// The first so many by their place in the list; nothing happens to the others any more.
    First(usize),
}

impl World {
    /// The world that `options` describe.
    pub(crate) fn new(options: &Options) -> Self {
        let Options {
            seed,
            clusters: count,
            upgrading,
            task_lists,
            ref regions,
            start,
            ..
        } = *options;
        let mut index = Index::default();
        for number in 0..if regions.is_empty() { 0 } else { count } {
            // Shifted by one with each round, so that an application has clusters in several
            // regions.
            let region = &regions[(number + number / regions.len()) % regions.len()];
            let script = match upgrading {
                Upgrading::First(busy) if number >= busy => Script::still(seed, number),
                _ => Script::busy(seed, number),
            };
            index.add(Arc::new(Cluster::new(
                invent_id(seed, number),
                region.clone(),
                invent_name(number),
                script,
                Chores::of(number, task_lists),
            )));
        }
        let guests = if regions.is_empty() {
            0
        } else {
            options.guests
        };
        Self {
            clock: Clock::starting_at(start),
            guests: Guests::new(seed, guests),
            regions: regions.clone(),
            next_change: AtomicI64::new(if guests == 0 { i64::MAX } else { 0 }),
            index: RwLock::new(index),
        }
    }

    /// How long the world has existed; in tests with paused time, what was waited for.
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

    /// Whether a cluster is one of those that come and go.
    pub fn is_guest(&self, id: &ClusterId) -> bool {
        self.read(|index| index.guests.iter().any(|cluster| cluster.id == *id))
    }

    /// The region of a cluster.
    pub fn region(&self, id: &ClusterId) -> Option<Region> {
        Some(self.find(id.as_str())?.region.clone())
    }

    /// The name of a cluster.
    pub fn name(&self, id: &ClusterId) -> Option<String> {
        Some(self.find(id.as_str())?.name())
    }

    /// Where the upgrade of a cluster stands now.
    pub fn phase(&self, id: &ClusterId) -> Option<Phase> {
        Some(
            self.find(id.as_str())?
                .standing(self.clock.millis())
                .moment
                .phase,
        )
    }

    /// Where a cluster's script stands at a moment after the world began; tells nothing of what a
    /// test has fixed.
    pub fn scripted_phase(&self, id: &ClusterId, at: Duration) -> Option<Phase> {
        Some(self.find(id.as_str())?.script.at(to_millis(at)).phase)
    }

    /// Every change of phase in a cluster's script after `from`, up to and including `to`.
    pub fn transitions(&self, id: &ClusterId, from: Duration, to: Duration) -> Vec<Transition> {
        let Some(cluster) = self.find(id.as_str()) else {
            return Vec::new();
        };
        let changes = cluster
            .script
            .transitions(to_millis(from), to_millis(to))
            .into_iter();
        changes
            .map(|(at, phase)| Transition {
                at: Duration::from_millis(u64::try_from(at).unwrap_or_default()),
                phase,
            })
            .collect()
    }

    /// Holds a cluster in a phase from now on, with a message of its own if it failed. An upgrade
    /// in progress goes on under its task; after an ended one, a new one begins. Does nothing to a
    /// cluster that is not there.
    pub fn fix(&self, id: &ClusterId, phase: Phase, message: Option<&str>) {
        if let Some(cluster) = self.find(id.as_str()) {
            cluster.fix(phase, message, self.clock.millis());
        }
    }

    /// Gives a cluster back to its script.
    pub fn release(&self, id: &ClusterId) {
        if let Some(cluster) = self.find(id.as_str()) {
            cluster.release();
        }
    }

    /// Answers `action` on a cluster with `body` word for word, or again from the world with
    /// `None`. Actions that are not about one cluster know no such thing.
    pub fn set(&self, id: &ClusterId, action: Action, body: Option<&str>) {
        if let Some(cluster) = self.find(id.as_str()) {
            cluster.set_body(action, body.map(str::to_owned));
        }
    }

    /// Adds a cluster that was never upgraded, at the end of the lists.
    pub fn add(&self, id: ClusterId, region: Region, name: &str) {
        let script = Script::never(mix(&[crate::random::of_text(id.as_str())]));
        let cluster = Arc::new(Cluster::new(
            id,
            region,
            name.to_owned(),
            script,
            Chores::Few,
        ));
        self.write(|index| {
            index.remove(cluster.id.as_str());
            index.add(cluster);
        });
    }

    /// Deletes a cluster: it leaves the lists, and is unknown from now on.
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
        self.read(|index| index.by_id.get(id).cloned())
    }

    pub(crate) fn find_by_tag(&self, tag: u64) -> Option<Arc<Cluster>> {
        self.read(|index| index.by_tag.get(&tag).cloned())
    }

    /// The clusters that `wanted` picks: how many, and those of one page.
    pub(crate) fn page(
        &self,
        region: Option<&Region>,
        wanted: Option<&dyn Fn(&Cluster) -> bool>,
        page: Page,
    ) -> (usize, Vec<Arc<Cluster>>) {
        self.read(|index| {
            let all = match region {
                Some(region) => index.by_region.get(region).map_or(&[][..], Vec::as_slice),
                None => &index.all,
            };
            match wanted {
                // The usual call names no filter, and must not look at every cluster for a page of
                // fifty.
                None => (
                    all.len(),
                    all.iter()
                        .skip(page.skip)
                        .take(page.size)
                        .cloned()
                        .collect(),
                ),
                Some(wanted) => {
                    let picked: Vec<_> = all.iter().filter(|cluster| wanted(cluster)).collect();
                    (
                        picked.len(),
                        picked
                            .into_iter()
                            .skip(page.skip)
                            .take(page.size)
                            .cloned()
                            .collect(),
                    )
                }
            }
        })
    }

    /// The clusters that are there all the time, unless a test deletes them.
    pub(crate) fn residents(&self) -> Vec<Arc<Cluster>> {
        let is_resident = |index: &Index, cluster: &Arc<Cluster>| {
            !index.guests.iter().any(|guest| Arc::ptr_eq(guest, cluster))
        };
        self.read(|index| {
            index
                .all
                .iter()
                .filter(|cluster| is_resident(index, cluster))
                .cloned()
                .collect()
        })
    }

    /// The clusters that came before `to` and went after `from`, if they have gone.
    pub(crate) fn stays(&self, from: i64, to: i64) -> impl Iterator<Item = (Cluster, Stay)> {
        self.guests
            .stays(from, to)
            .map(|stay| (self.guests.cluster(&stay, &self.regions), stay))
    }

    /// Lets guests come and go whose time it is.
    fn settle(&self) {
        if self.clock.millis() < self.next_change.load(Ordering::Relaxed) {
            return;
        }
        self.write(|index| {
            // Once the lock is held, so that of two who come at once the later one has the last
            // word.
            let now = self.clock.millis();
            let present: Vec<_> = self.stays(now, now).map(|(cluster, _)| cluster).collect();
            let before = std::mem::take(&mut index.guests);
            for gone in before
                .iter()
                .filter(|guest| present.iter().all(|other| other.id != guest.id))
            {
                index.remove(gone.id.as_str());
            }
            for guest in present {
                let here = before.iter().find(|other| other.id == guest.id).cloned();
                let guest = here.unwrap_or_else(|| {
                    let newcomer = Arc::new(guest);
                    index.add(Arc::clone(&newcomer));
                    newcomer
                });
                index.guests.push(guest);
            }
            self.next_change
                .store(self.guests.next_change(now), Ordering::Relaxed);
        });
    }

    fn read<T>(&self, look: impl FnOnce(&Index) -> T) -> T {
        self.settle();
        look(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut Index) -> T) -> T {
        change(&mut self.index.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A part of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) skip: usize,
    pub(crate) size: usize,
}

impl Index {
    fn add(&mut self, cluster: Arc<Cluster>) {
        self.by_id
            .insert(cluster.id.as_str().to_owned(), Arc::clone(&cluster));
        self.by_tag.insert(cluster.tag, Arc::clone(&cluster));
        self.by_region
            .entry(cluster.region.clone())
            .or_default()
            .push(Arc::clone(&cluster));
        self.all.push(cluster);
    }

    fn remove(&mut self, id: &str) {
        let Some(gone) = self.by_id.remove(id) else {
            return;
        };
        self.by_tag.remove(&gone.tag);
        self.all.retain(|cluster| !Arc::ptr_eq(cluster, &gone));
        if let Some(list) = self.by_region.get_mut(&gone.region) {
            list.retain(|cluster| !Arc::ptr_eq(cluster, &gone));
        }
    }
}

pub(crate) fn invent_id(seed: u64, number: usize) -> ClusterId {
    let half = |salt| mix(&[seed, number as u64, salt]);
    ClusterId::parse(&format!("c{:016x}{:016x}", half(20), half(21)))
        .expect("hex digits are a cluster ID")
}

const APPLICATIONS: [&str; 12] = [
    "shop",
    "payments",
    "search",
    "orders",
    "inventory",
    "media",
    "billing",
    "analytics",
    "gateway",
    "identity",
    "recommend",
    "logistics",
];

const STAGES: [&str; 4] = ["prod", "staging", "test", "dev"];

/// `shop-prod`, `payments-staging` …; a number follows once they are all taken.
pub(crate) fn invent_name(number: usize) -> String {
    let application = APPLICATIONS[number % APPLICATIONS.len()];
    let round = number / APPLICATIONS.len();
    let stage = STAGES[(number + round) % STAGES.len()];
    match round / STAGES.len() {
        0 => format!("{application}-{stage}"),
        again => format!("{application}-{stage}-{}", again + 1),
    }
}

//! Clusters by ID, tag and region.

use std::collections::HashMap;
use std::sync::Arc;

use ack_client::names::Region;

use crate::world::cluster::Cluster;

/// All clusters that exist.
#[derive(Debug, Default)]
pub(crate) struct ClusterIndex {
    by_id: HashMap<String, Arc<Cluster>>,
    by_tag: HashMap<u64, Arc<Cluster>>,
    by_region: HashMap<Region, Vec<Arc<Cluster>>>,
    /// In the order of the account's list.
    pub(crate) all: Vec<Arc<Cluster>>,
    /// The ephemeral ones among them.
    pub(crate) ephemeral: Vec<Arc<Cluster>>,
}

/// One page of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) skip: usize,
    pub(crate) size: usize,
}

/// The clusters on one page, and the number of clusters on all pages.
#[derive(Debug)]
pub(crate) struct ClusterPage {
    pub(crate) clusters: Vec<Arc<Cluster>>,
    pub(crate) total_count: usize,
}

impl ClusterIndex {
    pub(crate) fn add(&mut self, cluster: Arc<Cluster>) {
        self.by_id
            .insert(cluster.id.as_str().to_owned(), Arc::clone(&cluster));
        self.by_tag.insert(cluster.tag, Arc::clone(&cluster));
        self.by_region
            .entry(cluster.region.clone())
            .or_default()
            .push(Arc::clone(&cluster));
        self.all.push(cluster);
    }

    pub(crate) fn remove(&mut self, id: &str) {
        let Some(removed) = self.by_id.remove(id) else {
            return;
        };
        self.by_tag.remove(&removed.tag);
        self.all.retain(|cluster| !Arc::ptr_eq(cluster, &removed));
        if let Some(list) = self.by_region.get_mut(&removed.region) {
            list.retain(|cluster| !Arc::ptr_eq(cluster, &removed));
        }
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Cluster>> {
        self.by_id.get(id).cloned()
    }

    pub(crate) fn find_by_tag(&self, tag: u64) -> Option<Arc<Cluster>> {
        self.by_tag.get(&tag).cloned()
    }

    pub(crate) fn is_ephemeral(&self, cluster: &Cluster) -> bool {
        self.ephemeral.iter().any(|other| other.id == cluster.id)
    }

    /// One page of the clusters that pass `filter`, of one region or of all.
    pub(crate) fn page(
        &self,
        region: Option<&Region>,
        filter: Option<&dyn Fn(&Cluster) -> bool>,
        page: Page,
    ) -> ClusterPage {
        let all = match region {
            Some(region) => self.by_region.get(region).map_or(&[][..], Vec::as_slice),
            None => &self.all,
        };
        let Some(filter) = filter else {
            // Most calls have no filter, and must not visit every cluster for a page of fifty.
            return ClusterPage {
                clusters: page.of(all.iter()),
                total_count: all.len(),
            };
        };
        let matching: Vec<_> = all.iter().filter(|cluster| filter(cluster)).collect();
        ClusterPage {
            total_count: matching.len(),
            clusters: page.of(matching.into_iter()),
        }
    }
}

impl Page {
    fn of<'a>(self, clusters: impl Iterator<Item = &'a Arc<Cluster>>) -> Vec<Arc<Cluster>> {
        clusters.skip(self.skip).take(self.size).cloned().collect()
    }
}

//! Add-ons: the catalogue, and those that are installed in a cluster.

use crate::random::{mix, within};
use crate::world::cluster::Cluster;
use crate::world::recurrence::signed;
use crate::world::versions::KubernetesVersion;

/// Length of the upgrade of an add-on in milliseconds.
const UPGRADE_TIME: i64 = 20_000;

/// Latest start of the upgrade of an add-on, in milliseconds after the start of the world.
const LATEST_UPGRADE: u64 = 10 * 60_000;

/// An add-on that clusters can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AddOn {
    pub(crate) name: &'static str,
    pub(crate) category: &'static str,
    /// Alibaba Cloud runs it outside the cluster.
    pub(crate) is_managed: bool,
    pub(crate) installation: Installation,
    /// The versions, oldest first.
    versions: [&'static str; 3],
    /// The oldest minor version of a cluster that can have the newest version.
    minor_for_newest: u64,
}

/// The clusters that have an add-on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Installation {
    ByDefault,
    OnRequest,
}

/// An add-on in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InstalledAddOn {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) state: AddOnState,
}

/// The state of an installed add-on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddOnState {
    Active,
    Upgrading,
    /// The upgrade has failed; no page of the reference lists the word.
    Failed,
}

use Installation::{ByDefault, OnRequest};

/// Every add-on.
pub(crate) const ADD_ONS: [AddOn; 10] = [
    AddOn::new(
        "coredns",
        "network",
        ByDefault,
        ["v1.9.3.10", "v1.11.3.2", "v1.12.1.3"],
    ),
    AddOn::new(
        "kube-proxy",
        "network",
        ByDefault,
        ["v1.31.1", "v1.32.1", "v1.33.1"],
    ),
    AddOn::new(
        "terway-eniip",
        "network",
        ByDefault,
        ["v1.12.3", "v1.14.2", "v1.16.0"],
    ),
    AddOn::new(
        "csi-plugin",
        "storage",
        ByDefault,
        ["v1.30.4", "v1.32.3", "v1.34.1"],
    ),
    AddOn::new(
        "csi-provisioner",
        "storage",
        ByDefault,
        ["v1.30.4", "v1.32.3", "v1.34.1"],
    ),
    AddOn::new(
        "metrics-server",
        "monitor",
        ByDefault,
        ["v0.3.9.7", "v0.3.9.8", "v0.6.4.2"],
    ),
    AddOn::new(
        "logtail-ds",
        "monitor",
        OnRequest,
        ["v1.8.7.0", "v2.0.6.0", "v2.2.2.0"],
    ),
    AddOn::new(
        "nginx-ingress-controller",
        "network",
        OnRequest,
        ["v1.10.6", "v1.11.5", "v1.13.3"],
    )
    .newest_from(32),
    AddOn::new(
        "gatekeeper",
        "security",
        OnRequest,
        ["v3.15.0.9", "v3.18.2.1", "v3.20.1.0"],
    ),
    AddOn::new(
        "cloud-controller-manager",
        "core",
        ByDefault,
        ["v2.9.1", "v2.11.2", "v2.13.0"],
    )
    .managed(),
];

impl AddOn {
    const fn new(
        name: &'static str,
        category: &'static str,
        installation: Installation,
        versions: [&'static str; 3],
    ) -> Self {
        Self {
            name,
            category,
            is_managed: false,
            installation,
            versions,
            minor_for_newest: 0,
        }
    }

    const fn managed(self) -> Self {
        Self {
            is_managed: true,
            ..self
        }
    }

    const fn newest_from(self, minor: u64) -> Self {
        Self {
            minor_for_newest: minor,
            ..self
        }
    }

    /// The newest version on offer for a cluster of this version.
    pub(crate) fn newest(&self, cluster: KubernetesVersion) -> &'static str {
        let [_, previous, newest] = self.versions;
        if cluster.minor >= self.minor_for_newest {
            newest
        } else {
            previous
        }
    }

    /// One add-on in two is up to date. The others are one or two versions behind; some of them are
    /// upgraded in the first minutes, and a few of these upgrades fail.
    fn installed(&self, seed: u64, cluster: KubernetesVersion, millis: i64) -> InstalledAddOn {
        let newest = self.newest(cluster);
        let upgrade = signed(within(mix(&[seed, 1]), 0, LATEST_UPGRADE));
        let (version, state) = match mix(&[seed, 2]) % 12 {
            0..=5 => (newest, AddOnState::Active),
            6 => (self.versions[0], AddOnState::Active),
            7..=8 => (self.versions[1], AddOnState::Active),
            _ if millis < upgrade => (self.versions[1], AddOnState::Active),
            _ if millis < upgrade + UPGRADE_TIME => (self.versions[1], AddOnState::Upgrading),
            11 if mix(&[seed, 3]).is_multiple_of(3) => (self.versions[1], AddOnState::Failed),
            _ => (newest, AddOnState::Active),
        };
        InstalledAddOn {
            name: self.name,
            version,
            state,
        }
    }
}

impl Cluster {
    /// The add-ons of the cluster at `millis`.
    pub(crate) fn add_ons(&self, millis: i64) -> Vec<InstalledAddOn> {
        let cluster = self.state(millis).version;
        (0..)
            .zip(&ADD_ONS)
            .filter_map(|(number, add_on)| {
                let seed = mix(&[self.schedule.seed(), 130, number]);
                let is_installed =
                    add_on.installation == ByDefault || mix(&[seed, 0]).is_multiple_of(2);
                is_installed.then(|| add_on.installed(seed, cluster, millis))
            })
            .collect()
    }
}

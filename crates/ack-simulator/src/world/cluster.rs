//! One simulated cluster: identity, upgrade schedule, and overrides of a test.

use std::sync::{Mutex, PoisonError};

use ack_client::names::{ClusterId, Region};

use crate::action::Action;
use crate::random::{mix, of_text};
use crate::world::background_tasks::BackgroundTasks;
use crate::world::cluster_traits::ClusterTraits;
use crate::world::overrides::{LISTED_UPGRADES, Overrides, SetUpgrade, SetUpgrades};
use crate::world::phase::{Phase, UpgradeStage};
use crate::world::schedule::UpgradeSchedule;
use crate::world::upgrade_state::UpgradeState;
use crate::world::versions::KubernetesVersion;

/// A cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) id: ClusterId,
    pub(crate) region: Region,
    pub(crate) schedule: UpgradeSchedule,
    pub(crate) background_tasks: BackgroundTasks,
    pub(crate) traits: ClusterTraits,
    /// 48 bits that identify the cluster in the IDs of its tasks.
    pub(crate) tag: u64,
    generated_name: String,
    overrides: Mutex<Overrides>,
}

/// One upgrade, in progress or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upgrade {
    pub(crate) state: UpgradeState,
    /// Sequence number among the cluster's upgrades.
    pub(crate) sequence: u64,
    /// Error message; empty unless the upgrade has failed.
    pub(crate) message: String,
    /// Version before the upgrade.
    pub(crate) from: KubernetesVersion,
    /// Version after the upgrade, if it succeeds.
    pub(crate) target: KubernetesVersion,
}

/// Everything about a cluster that changes with time, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterState {
    pub(crate) upgrade: UpgradeState,
    /// Error message of the upgrade; empty unless it has failed.
    pub(crate) message: String,
    pub(crate) version: KubernetesVersion,
    /// `None` if there is no newer version.
    pub(crate) next_version: Option<KubernetesVersion>,
    pub(crate) init_version: KubernetesVersion,
}

impl Cluster {
    pub(crate) fn new(
        id: ClusterId,
        region: Region,
        name: String,
        schedule: UpgradeSchedule,
        background_tasks: BackgroundTasks,
        traits: ClusterTraits,
    ) -> Self {
        let tag = of_text(id.as_str()) & 0xffff_ffff_ffff;
        Self {
            id,
            region,
            schedule,
            background_tasks,
            traits,
            tag,
            generated_name: name,
            overrides: Mutex::default(),
        }
    }

    pub(crate) fn name(&self) -> String {
        self.with_overrides(|overrides| overrides.name.clone())
            .unwrap_or_else(|| self.generated_name.clone())
    }

    pub(crate) fn rename(&self, name: &str) {
        self.with_overrides(|overrides| overrides.name = Some(name.to_owned()));
    }

    /// The body that a test has set for `action`.
    pub(crate) fn body(&self, action: Action) -> Option<String> {
        self.with_overrides(|overrides| overrides.bodies.get(&action).cloned())
    }

    pub(crate) fn set_body(&self, action: Action, body: Option<String>) {
        self.with_overrides(|overrides| match body {
            Some(body) => overrides.bodies.insert(action, body),
            None => overrides.bodies.remove(&action),
        });
    }

    /// Holds the cluster in `phase`. Continues an upgrade in progress; after an ended one, a new
    /// one starts.
    pub(crate) fn set_phase(&self, phase: Phase, message: Option<&str>, millis: i64) {
        self.with_overrides(|overrides| match &mut overrides.upgrades {
            Some(upgrades) => upgrades.advance(phase, message, millis),
            none => {
                *none = Some(SetUpgrades::begin(&self.schedule, phase, message, millis));
            }
        });
    }

    /// Returns the cluster to its schedule.
    pub(crate) fn clear_phase(&self) {
        self.with_overrides(|overrides| overrides.upgrades = None);
    }

    pub(crate) fn state(&self, millis: i64) -> ClusterState {
        let SetUpgrade {
            state: upgrade,
            message,
        } = self.newest_upgrade(millis);
        let successes = upgrade.successes + u64::from(upgrade.phase == Phase::Succeeded);
        let versions = &self.traits.versions;
        ClusterState {
            message: message.unwrap_or_else(|| self.failure_message(&upgrade).to_owned()),
            version: versions.after(successes),
            next_version: versions.next(successes),
            init_version: versions.after(0),
            upgrade,
        }
    }

    fn newest_upgrade(&self, millis: i64) -> SetUpgrade {
        self.with_overrides(|overrides| {
            let current = &overrides.upgrades.as_ref()?.current;
            // A list that lags behind shows the time before the test set the phase.
            (current.state.since <= millis).then(|| current.clone())
        })
        .unwrap_or_else(|| SetUpgrade {
            state: self.schedule.state_at(millis),
            message: None,
        })
    }

    /// The upgrades that are listed as tasks, newest first.
    pub(crate) fn upgrades(&self, millis: i64) -> Vec<Upgrade> {
        let (set, scheduled) = match self.with_overrides(|overrides| overrides.upgrades.clone()) {
            Some(upgrades) if upgrades.current.state.phase == Phase::NotStarted => {
                (Vec::new(), None)
            }
            Some(upgrades) => (
                std::iter::once(upgrades.current)
                    .chain(upgrades.past)
                    .collect(),
                upgrades.scheduled,
            ),
            None => (Vec::new(), Some(self.schedule.state_at(millis))),
        };
        let scheduled = std::iter::successors(scheduled, |state| self.schedule.previous(state))
            .map(|state| SetUpgrade {
                state,
                message: None,
            });
        set.into_iter()
            .chain(scheduled)
            .take(LISTED_UPGRADES)
            .filter_map(|upgrade| self.upgrade(upgrade))
            .collect()
    }

    fn upgrade(&self, upgrade: SetUpgrade) -> Option<Upgrade> {
        let SetUpgrade { state, message } = upgrade;
        let versions = &self.traits.versions;
        Some(Upgrade {
            sequence: state.sequence?,
            message: message.unwrap_or_else(|| self.failure_message(&state).to_owned()),
            from: versions.after(state.successes),
            target: versions.after(state.successes + 1),
            state,
        })
    }

    /// The ID of an upgrade's precheck report: 32 hex digits.
    pub(crate) fn report_id(&self, sequence: u64) -> String {
        format!(
            "{:016x}{:016x}",
            mix(&[self.schedule.seed(), 8, sequence]),
            mix(&[self.schedule.seed(), 9, sequence])
        )
    }

    fn failure_message(&self, upgrade: &UpgradeState) -> &'static str {
        let Phase::Failed(stage) = upgrade.phase else {
            return "";
        };
        let messages: &[&str] = match stage {
            UpgradeStage::Precheck => &PRECHECK_FAILURES,
            UpgradeStage::Upgrade => &UPGRADE_FAILURES,
        };
        let sequence = upgrade.sequence.unwrap_or_default();
        let number = mix(&[self.schedule.seed(), 10, sequence]);
        messages[usize::try_from(number % messages.len() as u64).unwrap_or_default()]
    }

    fn with_overrides<T>(&self, access: impl FnOnce(&mut Overrides) -> T) -> T {
        access(
            &mut self
                .overrides
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

const PRECHECK_FAILURES: [&str; 3] = [
    "precheck failed: 2 nodes run a kubelet that is more than two minor versions behind, upgrade \
     the node pools first",
    "precheck failed: deprecated API in use: flowcontrol.apiserver.k8s.io/v1beta3 (3 objects)",
    "precheck failed: node cn-hangzhou.10.0.3.17 is NotReady",
];

const UPGRADE_FAILURES: [&str; 4] = [
    "kube-apiserver of replica 2 is not ready after 600s: context deadline exceeded",
    "failed to upgrade add-on coredns: admission webhook \"validate.policy.example\" denied the \
     request",
    "etcd snapshot before the upgrade failed: mvcc: database space exceeded",
    "failed to upgrade kube-controller-manager: leader election lost",
];

//! One simulated cluster: who it is, its script, and what a test has put in the script's place.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ack_client::names::{ClusterId, Region};

use crate::action::Action;
use crate::random::{mix, of_text};
use crate::world::background_tasks::Chores;
use crate::world::schedule::{Moment, Phase, Script, Stage};

/// A cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) id: ClusterId,
    pub(crate) region: Region,
    pub(crate) script: Script,
    pub(crate) chores: Chores,
    /// 48 bits that stand for the cluster in the IDs of its tasks.
    pub(crate) tag: u64,
    given_name: String,
    overrides: Mutex<Overrides>,
}

#[derive(Debug, Default)]
struct Overrides {
    name: Option<String>,
    fixed: Option<Fixed>,
    bodies: HashMap<Action, String>,
}

/// A state that a test has put in the script's place.
#[derive(Debug, Clone)]
struct Fixed {
    now: Reached,
    /// The upgrades that tests have brought to an end before, newest first.
    past: Vec<Reached>,
    /// The script's last upgrade before all of these.
    root: Option<Moment>,
}

/// A moment that a test has made up, and its message if it has one of its own.
#[derive(Debug, Clone)]
struct Reached {
    moment: Moment,
    message: Option<String>,
}

/// One upgrade, under way or over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upgrade {
    pub(crate) moment: Moment,
    /// Its number among the cluster's upgrades.
    pub(crate) episode: u64,
    /// Why it failed; empty if it did not.
    pub(crate) message: String,
    /// The version before it.
    pub(crate) from: String,
    /// The version after it, if all goes well.
    pub(crate) target: String,
}

/// What there is to tell about a cluster at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) moment: Moment,
    /// Why the upgrade failed; empty if it did not.
    pub(crate) message: String,
    pub(crate) version: String,
    /// Empty where there is nothing to upgrade to.
    pub(crate) next_version: String,
    pub(crate) init_version: String,
}

/// Older upgrades than these are listed no more.
const UPGRADES_KEPT: usize = 6;

/// The numbers of the upgrades that tests make up, apart from those of scripts.
const FIRST_FIXED_EPISODE: u64 = 1 << 31;

impl Cluster {
    pub(crate) fn new(
        id: ClusterId,
        region: Region,
        name: String,
        script: Script,
        chores: Chores,
    ) -> Self {
        let tag = of_text(id.as_str()) & 0xffff_ffff_ffff;
        Self {
            id,
            region,
            script,
            chores,
            tag,
            given_name: name,
            overrides: Mutex::default(),
        }
    }

    pub(crate) fn name(&self) -> String {
        self.with(|overrides| overrides.name.clone())
            .unwrap_or_else(|| self.given_name.clone())
    }

    pub(crate) fn rename(&self, name: &str) {
        self.with(|overrides| overrides.name = Some(name.to_owned()));
    }

    /// What a test wants to be answered, word for word.
    pub(crate) fn body(&self, action: Action) -> Option<String> {
        self.with(|overrides| {
            if overrides.bodies.is_empty() {
                None
            } else {
                overrides.bodies.get(&action).cloned()
            }
        })
    }

    pub(crate) fn set_body(&self, action: Action, body: Option<String>) {
        self.with(|overrides| match body {
            Some(body) => overrides.bodies.insert(action, body),
            None => overrides.bodies.remove(&action),
        });
    }

    /// Holds the cluster in `phase`. An upgrade in progress goes on; an ended one is followed by a
    /// new one.
    pub(crate) fn fix(&self, phase: Phase, message: Option<&str>, millis: i64) {
        self.with(|overrides| {
            let reach = |before| Reached {
                moment: follow(before, phase, millis),
                message: message.map(str::to_owned),
            };
            match &mut overrides.fixed {
                Some(fixed) => {
                    let now = reach(fixed.now.moment);
                    let before = std::mem::replace(&mut fixed.now, now);
                    if before.moment.episode.is_some()
                        && before.moment.episode != fixed.now.moment.episode
                    {
                        fixed.past.insert(0, before);
                        fixed.past.truncate(UPGRADES_KEPT);
                    }
                }
                none => {
                    let before = self.script.at(millis);
                    let now = reach(before);
                    let goes_on = now.moment.episode == before.episode;
                    let root = if goes_on {
                        self.script.before(&before)
                    } else {
                        Some(before).filter(|before| before.episode.is_some())
                    };
                    *none = Some(Fixed {
                        now,
                        past: Vec::new(),
                        root,
                    });
                }
            }
        });
    }

    /// Gives the cluster back to its script.
    pub(crate) fn release(&self) {
        self.with(|overrides| overrides.fixed = None);
    }

    pub(crate) fn standing(&self, millis: i64) -> Standing {
        let fixed = self.with(|overrides| overrides.fixed.as_ref().map(|fixed| fixed.now.clone()));
        let fixed = fixed.filter(|now| now.moment.since <= millis);
        let (moment, message) = fixed.map_or_else(
            || (self.script.at(millis), None),
            |now| (now.moment, now.message),
        );
        let init = self.first_level();
        let level = init + moment.successes + u64::from(moment.phase == Phase::Succeeded);
        let up_to_date = moment.phase == Phase::NotStarted && self.script.seed().is_multiple_of(4);
        Standing {
            message: message.unwrap_or_else(|| self.failure(&moment).to_owned()),
            version: version(level),
            next_version: if up_to_date {
                String::new()
            } else {
                version(level + 1)
            },
            init_version: version(init),
            moment,
        }
    }

    /// The upgrades that are still listed, newest first.
    pub(crate) fn upgrades(&self, millis: i64) -> Vec<Upgrade> {
        let (made_up, root) = match self.with(|overrides| overrides.fixed.clone()) {
            Some(fixed) if fixed.now.moment.phase == Phase::NotStarted => (Vec::new(), None),
            Some(fixed) => (
                std::iter::once(fixed.now).chain(fixed.past).collect(),
                fixed.root,
            ),
            None => (Vec::new(), Some(self.script.at(millis))),
        };
        let scripted =
            std::iter::successors(root, |moment| self.script.before(moment)).map(|moment| {
                Reached {
                    moment,
                    message: None,
                }
            });
        made_up
            .into_iter()
            .chain(scripted)
            .take(UPGRADES_KEPT)
            .filter_map(|reached| self.upgrade(reached))
            .collect()
    }

    fn upgrade(&self, reached: Reached) -> Option<Upgrade> {
        let Reached { moment, message } = reached;
        let level = self.first_level() + moment.successes;
        Some(Upgrade {
            episode: moment.episode?,
            message: message.unwrap_or_else(|| self.failure(&moment).to_owned()),
            from: version(level),
            target: version(level + 1),
            moment,
        })
    }

    /// The level of the version that the cluster was made with.
    fn first_level(&self) -> u64 {
        12 + mix(&[self.script.seed(), 7]) % 12
    }

    /// The report of an upgrade's precheck: 32 hex digits.
    pub(crate) fn report_id(&self, episode: u64) -> String {
        format!(
            "{:016x}{:016x}",
            mix(&[self.script.seed(), 8, episode]),
            mix(&[self.script.seed(), 9, episode])
        )
    }

    fn failure(&self, moment: &Moment) -> &'static str {
        let Phase::Failed(stage) = moment.phase else {
            return "";
        };
        let messages: &[&str] = match stage {
            Stage::Precheck => &PRECHECK_FAILURES,
            Stage::Upgrade => &UPGRADE_FAILURES,
        };
        let number = mix(&[self.script.seed(), 10, moment.episode.unwrap_or_default()]);
        messages[usize::try_from(number % messages.len() as u64).unwrap_or_default()]
    }

    fn with<T>(&self, look: impl FnOnce(&mut Overrides) -> T) -> T {
        look(
            &mut self
                .overrides
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

const PRECHECK_FAILURES: [&str; 3] = [
    "precheck failed: 2 nodes run a kubelet that is more than two minor versions behind, upgrade the node pools first",
    "precheck failed: deprecated API in use: flowcontrol.apiserver.k8s.io/v1beta3 (3 objects)",
    "precheck failed: node cn-hangzhou.10.0.3.17 is NotReady",
];

const UPGRADE_FAILURES: [&str; 4] = [
    "kube-apiserver of replica 2 is not ready after 600s: context deadline exceeded",
    "failed to upgrade add-on coredns: admission webhook \"validate.policy.example\" denied the request",
    "etcd snapshot before the upgrade failed: mvcc: database space exceeded",
    "failed to upgrade kube-controller-manager: leader election lost",
];

fn follow(before: Moment, phase: Phase, millis: i64) -> Moment {
    let same_upgrade = before.phase.is_in_progress() || before.phase == phase;
    let successes = before.successes + u64::from(!same_upgrade && before.phase == Phase::Succeeded);
    match before.episode {
        _ if phase == Phase::NotStarted => Moment {
            phase,
            episode: None,
            started: millis,
            since: millis,
            successes,
        },
        Some(episode) if same_upgrade => Moment {
            phase,
            episode: Some(episode),
            started: before.started,
            since: millis,
            successes,
        },
        episode => {
            let episode = episode.map_or(FIRST_FIXED_EPISODE, |episode| {
                (episode + 1).max(FIRST_FIXED_EPISODE)
            });
            Moment {
                phase,
                episode: Some(episode),
                started: millis,
                since: millis,
                successes,
            }
        }
    }
}

/// The Kubernetes versions in their order: `1.28.1-aliyun.1`, `1.28.1-aliyun.2`, `1.28.3-aliyun.1`
/// …, six a minor.
pub(crate) fn version(level: u64) -> String {
    format!(
        "1.{}.{}-aliyun.{}",
        28 + level / 6,
        1 + level % 6 / 2 * 2,
        1 + level % 2
    )
}

//! The checks of a cluster, which a client can list and read.

use crate::random::mix;
use crate::world::clock::DAY;
use crate::world::cluster::{Cluster, Upgrade};
use crate::world::cluster_traits::PlanPattern;
use crate::world::phase::{Phase, UpgradeStage};
use crate::world::plans::Plan;

/// Longest time of a check that passes, in milliseconds.
const LENGTH: i64 = 5_000;

/// Numbers of checks; each kind has a range of its own.
const FIRST_OF_PLANS: u64 = 1 << 40;
const FIRST_OF_NODE_POOLS: u64 = 1 << 41;
const FIRST_OF_USERS: u64 = 1 << 42;

/// A check. Times are in milliseconds since the start of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    /// The number of the check in its cluster.
    pub(crate) number: u64,
    pub(crate) subject: CheckSubject,
    pub(crate) created: i64,
    pub(crate) result: CheckResult,
}

/// The operation that a check is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CheckSubject {
    /// The upgrade of a cluster, which a user starts.
    Cluster,
    /// The upgrade of a control plane, which is planned.
    ControlPlane,
    /// The upgrade of the node pool with this ID.
    NodePool(String),
}

/// The end of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CheckResult {
    Running,
    Finished {
        at: i64,
        verdict: Verdict,
    },
    /// The check itself has failed, so that it has no verdict.
    Broken {
        at: i64,
    },
}

/// The worst level of a check's items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Warning,
    /// Failed, with this message.
    Failed(String),
}

impl Cluster {
    /// The checks of the listed upgrades, and one that a user has started, newest first.
    pub(crate) fn checks(&self, millis: i64) -> Vec<Check> {
        let upgrades = self.upgrades(millis);
        let mut checks: Vec<_> = upgrades
            .iter()
            .map(|upgrade| self.check_of_upgrade(upgrade, millis))
            .collect();
        checks.extend(
            self.failed_checks(millis)
                .iter()
                .filter(|plan| plan.start <= millis)
                .map(check_of_plan),
        );
        for upgrade in self.node_pool_upgrades(millis) {
            checks.push(Check {
                number: FIRST_OF_NODE_POOLS
                    + (upgrade.sequence << 2)
                    + upgrade.pool.position as u64,
                created: upgrade.started,
                result: self.passed(upgrade.started, millis),
                subject: CheckSubject::NodePool(upgrade.pool.id),
            });
        }
        checks.push(self.check_of_user());
        checks.sort_by_key(|check| std::cmp::Reverse(check.created));
        checks
    }

    fn check_of_upgrade(&self, upgrade: &Upgrade, millis: i64) -> Check {
        let state = &upgrade.state;
        let result = match state.phase {
            Phase::NotStarted | Phase::Prechecking => CheckResult::Running,
            Phase::Failed(UpgradeStage::Precheck) => CheckResult::Finished {
                at: state.since,
                verdict: Verdict::Failed(upgrade.message.clone()),
            },
            _ => self.passed(state.started, millis),
        };
        Check {
            number: upgrade.sequence,
            subject: match self.traits.plans {
                PlanPattern::None => CheckSubject::Cluster,
                _ => CheckSubject::ControlPlane,
            },
            created: state.started,
            result,
        }
    }

    /// A check on the days before the start of the world; one in twelve is broken.
    fn check_of_user(&self) -> Check {
        let draw = mix(&[self.schedule.seed(), 160]);
        let created = -DAY * i64::try_from(1 + draw % 9).unwrap_or(1);
        let at = created + LENGTH;
        Check {
            number: FIRST_OF_USERS,
            subject: CheckSubject::Cluster,
            created,
            result: if draw.is_multiple_of(12) {
                CheckResult::Broken { at }
            } else {
                self.passed(created, at)
            },
        }
    }

    /// The result of a check that lets the upgrade go on; one in four has a warning.
    fn passed(&self, created: i64, millis: i64) -> CheckResult {
        let at = created + LENGTH;
        if millis < at {
            return CheckResult::Running;
        }
        let draw = mix(&[self.schedule.seed(), 161, created.unsigned_abs()]);
        CheckResult::Finished {
            at,
            verdict: if draw.is_multiple_of(4) {
                Verdict::Warning
            } else {
                Verdict::Passed
            },
        }
    }
}

/// The check that keeps a plan from its execution.
fn check_of_plan(plan: &Plan) -> Check {
    let message = "2 nodes run a kubelet that is more than two minor versions behind";
    Check {
        number: FIRST_OF_PLANS + plan.number,
        subject: CheckSubject::ControlPlane,
        created: plan.start,
        result: CheckResult::Finished {
            at: plan.start + 1,
            verdict: Verdict::Failed(message.to_owned()),
        },
    }
}

//! The planned operations of a cluster, before, while and after they are executed.

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::world::clock::{DAY, WorldClock};
use crate::world::cluster::{Cluster, Upgrade};
use crate::world::cluster_traits::PlanPattern;
use crate::world::phase::{Phase, UpgradeStage};

/// Number of upgrades in progress and ended whose plans are listed.
const PLANNED_UPGRADES: usize = 3;

/// Time between a nightly plan and its cancelation, which is followed by the next plan.
const NIGHTLY_LEAD: i64 = HOUR / 2;

/// Length of a plan at night.
const NIGHTLY_LENGTH: i64 = 4 * HOUR;

/// The hour in Beijing at which a nightly plan starts, after midnight.
const NIGHTLY_START: i64 = 2 * HOUR;

const HOUR: i64 = 3_600_000;

/// Numbers of plans; each kind has a range of its own, so that no ID occurs twice in a cluster.
const FIRST_CHECK: u64 = 1 << 40;
const FIRST_NIGHT: u64 = 1 << 41;
const FIRST_POOL_NIGHT: u64 = 1 << 42;

/// A plan. Times are in milliseconds since the start of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The number of the plan in its cluster.
    pub(crate) number: u64,
    pub(crate) operation: PlannedOperation,
    pub(crate) state: PlanState,
    pub(crate) created: i64,
    pub(crate) start: i64,
    pub(crate) end: i64,
}

/// The operation of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlannedOperation {
    /// The upgrade of the control plane.
    ControlPlane,
    /// The upgrade of the kubelets of the node pool with this ID.
    Kubelet(String),
}

/// The state of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlanState {
    Scheduled,
    Executing(Box<Upgrade>),
    Executed(Box<Upgrade>),
    Failed(Box<Upgrade>),
    /// The check before the execution has failed, so that there is no task.
    ValidatingFailed,
    /// A user has canceled it.
    Canceled,
}

impl Cluster {
    /// The plans that exist at `millis`, newest first.
    pub(crate) fn plans(&self, clock: &WorldClock, millis: i64) -> Vec<Plan> {
        let mut plans = match self.traits.plans {
            PlanPattern::None => Vec::new(),
            PlanPattern::EachUpgrade => self.plans_of_upgrades(millis),
            PlanPattern::EachUpgradeAfterFailedCheck => {
                let mut plans = self.plans_of_upgrades(millis);
                plans.extend(self.failed_checks(millis));
                plans
            }
            PlanPattern::EveryNight => self.nightly_plans(clock, millis),
        };
        plans.retain(|plan| plan.created <= millis);
        plans.sort_by_key(|plan| std::cmp::Reverse(plan.created));
        plans
    }

    /// The plans whose check has failed before the execution, newest first.
    pub(crate) fn failed_checks(&self, millis: i64) -> Vec<Plan> {
        if self.traits.plans != PlanPattern::EachUpgradeAfterFailedCheck {
            return Vec::new();
        }
        let starts = self.planned_starts(millis);
        let plans = starts.into_iter().map(|(sequence, start)| {
            let notice = self.notice();
            let check = start - notice / 5 * 4;
            let state = if millis < check {
                PlanState::Scheduled
            } else {
                PlanState::ValidatingFailed
            };
            Plan {
                number: FIRST_CHECK + sequence,
                operation: PlannedOperation::ControlPlane,
                state,
                created: start - notice,
                start: check,
                end: check + notice,
            }
        });
        plans.filter(|plan| plan.created <= millis).collect()
    }

    /// The plans of the next upgrade and of the last ones.
    fn plans_of_upgrades(&self, millis: i64) -> Vec<Plan> {
        let next = self
            .next_start(millis)
            .map(|(sequence, start)| self.plan_of_upgrade(sequence, start, PlanState::Scheduled));
        let past = self.upgrades(millis).into_iter().take(PLANNED_UPGRADES);
        let past = past.map(|upgrade| {
            let (sequence, start) = (upgrade.sequence, upgrade.state.started);
            self.plan_of_upgrade(sequence, start, PlanState::of(upgrade))
        });
        next.into_iter().chain(past).collect()
    }

    fn plan_of_upgrade(&self, sequence: u64, start: i64, state: PlanState) -> Plan {
        let notice = self.notice();
        // If there is an earlier plan for this upgrade, this one follows its failed check.
        let created = match self.traits.plans {
            PlanPattern::EachUpgradeAfterFailedCheck => start - notice / 2,
            _ => start - notice,
        };
        Plan {
            number: sequence,
            operation: PlannedOperation::ControlPlane,
            state,
            created,
            start,
            end: start + 4 * notice,
        }
    }

    /// The sequence number and the start of the next upgrade and of the last ones.
    fn planned_starts(&self, millis: i64) -> Vec<(u64, i64)> {
        let past = self.upgrades(millis).into_iter().take(PLANNED_UPGRADES);
        let past = past.map(|upgrade| (upgrade.sequence, upgrade.state.started));
        self.next_start(millis).into_iter().chain(past).collect()
    }

    /// The sequence number and the start of the next scheduled upgrade.
    fn next_start(&self, millis: i64) -> Option<(u64, i64)> {
        let newest = self.state(millis).upgrade;
        let start = self.schedule.start_after(&newest)?;
        let sequence = newest.sequence.map_or(0, |sequence| sequence + 1);
        (start > millis).then_some((sequence, start))
    }

    /// Time between the creation of a plan and its start. A real one is a day; an upgrade of a
    /// cluster in accelerated time ends earlier than that before the next one.
    fn notice(&self) -> i64 {
        self.schedule.period().map_or(DAY, |period| period / 5)
    }

    /// The plans of the coming night, and those of the last night, which a user has canceled.
    fn nightly_plans(&self, clock: &WorldClock, millis: i64) -> Vec<Plan> {
        let coming = coming_night(clock, millis);
        let pool = self.node_pools().into_iter().next().map(|pool| pool.id);
        let mut plans = Vec::new();
        for (night, state) in [
            (coming, PlanState::Scheduled),
            (coming - 1, PlanState::Canceled),
        ] {
            let start = clock.millis_at(start_of_night(night));
            let number = night.unsigned_abs();
            let plan = Plan {
                number: FIRST_NIGHT + number,
                operation: PlannedOperation::ControlPlane,
                state,
                created: start - DAY - NIGHTLY_LEAD,
                start,
                end: start + NIGHTLY_LENGTH,
            };
            if let Some(pool) = &pool {
                plans.push(Plan {
                    number: FIRST_POOL_NIGHT + number,
                    operation: PlannedOperation::Kubelet(pool.clone()),
                    start: plan.end,
                    end: plan.end + NIGHTLY_LENGTH,
                    ..plan.clone()
                });
            }
            plans.push(plan);
        }
        plans
    }
}

/// The number of the first night, counted from 1970, whose plan is not yet canceled.
fn coming_night(clock: &WorldClock, millis: i64) -> i64 {
    let now = beijing_millis(clock.at(millis));
    (now - NIGHTLY_START + NIGHTLY_LEAD).div_euclid(DAY) + 1
}

/// The start of the plans of a night.
fn start_of_night(night: i64) -> Timestamp {
    let offset = i64::from(Offset::constant(8).seconds()) * 1000;
    Timestamp::from_millisecond(night * DAY + NIGHTLY_START - offset).unwrap_or(Timestamp::MAX)
}

/// Milliseconds since 1970 in the time of Beijing.
fn beijing_millis(time: Timestamp) -> i64 {
    time.as_millisecond() + i64::from(Offset::constant(8).seconds()) * 1000
}

impl PlanState {
    /// The state of the plan of an upgrade that has started.
    fn of(upgrade: Upgrade) -> Self {
        let upgrade = Box::new(upgrade);
        match upgrade.state.phase {
            Phase::NotStarted => Self::Scheduled,
            Phase::Prechecking | Phase::Upgrading | Phase::Paused => Self::Executing(upgrade),
            Phase::Succeeded => Self::Executed(upgrade),
            Phase::Failed(UpgradeStage::Precheck) => Self::ValidatingFailed,
            Phase::Failed(UpgradeStage::Upgrade) => Self::Failed(upgrade),
            Phase::Canceled(_) => Self::Canceled,
        }
    }
}

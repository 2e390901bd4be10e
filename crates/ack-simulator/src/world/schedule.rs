//! The upgrades of one cluster in accelerated time, as a pure function of the seed.

use crate::random::{mix, within};
use crate::world::phase::Phase;
use crate::world::recurrence::{Recurrence, signed};
use crate::world::upgrade_state::UpgradeState;

/// All upgrades of one cluster.
#[derive(Debug, Clone)]
pub(crate) struct UpgradeSchedule {
    seed: u64,
    activity: Activity,
}

#[derive(Debug, Clone)]
enum Activity {
    /// The cluster stays in `phase`.
    Inactive {
        phase: Phase,
        started: i64,
    },
    Recurring(Recurrence),
}

const DOZEN: usize = 12;

const HOUR: i64 = 3_600_000;

impl UpgradeSchedule {
    /// The schedule of the cluster at `index`: one upgrade after the other. In each dozen, the last
    /// cluster is never upgraded.
    pub(crate) fn recurring(seed: u64, index: usize) -> Self {
        let seed = mix(&[seed, index as u64]);
        if index % DOZEN == DOZEN - 1 {
            return Self::never_upgraded(seed);
        }
        Self {
            seed,
            activity: Activity::Recurring(Recurrence::new(seed, index)),
        }
    }

    /// The schedule of a cluster without further upgrades; one half was upgraded days ago.
    pub(crate) fn inactive(seed: u64, index: usize) -> Self {
        let seed = mix(&[seed, index as u64]);
        let phase = if seed.is_multiple_of(2) {
            Phase::NotStarted
        } else {
            Phase::Succeeded
        };
        Self {
            seed,
            activity: Activity::Inactive {
                phase,
                started: -HOUR * signed(within(mix(&[seed, 1]), 24, 720)),
            },
        }
    }

    /// The schedule of a cluster that is never upgraded.
    pub(crate) fn never_upgraded(seed: u64) -> Self {
        Self {
            seed,
            activity: Activity::Inactive {
                phase: Phase::NotStarted,
                started: 0,
            },
        }
    }

    /// The seed of all generated details of this cluster.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// The state at `millis`.
    pub(crate) fn state_at(&self, millis: i64) -> UpgradeState {
        match &self.activity {
            Activity::Inactive {
                phase: Phase::NotStarted,
                ..
            } => UpgradeState::not_started(millis),
            Activity::Inactive { phase, started } => UpgradeState {
                phase: *phase,
                sequence: Some(0),
                started: *started,
                since: started + HOUR / 2,
                successes: 0,
            },
            Activity::Recurring(recurrence) => recurrence.state_at(millis),
        }
    }

    /// The final state of the upgrade before the one of `state`, if there was one.
    pub(crate) fn previous(&self, state: &UpgradeState) -> Option<UpgradeState> {
        if state.sequence? == 0 {
            return None;
        }
        Some(self.state_at(state.started - 1))
    }

    /// Milliseconds between the starts of two upgrades; `None` if no more follow.
    pub(crate) fn period(&self) -> Option<i64> {
        match &self.activity {
            Activity::Inactive { .. } => None,
            Activity::Recurring(recurrence) => Some(recurrence.period()),
        }
    }

    /// The start of the scheduled upgrade after the one of `state`; before the first one, its own.
    /// `None` if there is none, or if `state` is not of this schedule.
    pub(crate) fn start_after(&self, state: &UpgradeState) -> Option<i64> {
        match &self.activity {
            Activity::Inactive { .. } => None,
            Activity::Recurring(recurrence) => recurrence.start_after(state.sequence),
        }
    }

    /// All changes of phase after `from`, up to and including `to`, in order.
    pub(crate) fn transitions(&self, from: i64, to: i64) -> Vec<(i64, Phase)> {
        match &self.activity {
            Activity::Inactive { .. } => Vec::new(),
            Activity::Recurring(recurrence) => recurrence.transitions(from, to),
        }
    }
}

//! The upgrades of one cluster in accelerated time, as a pure function of the seed.

use crate::random::{mix, within};
use crate::world::phase::{Phase, UpgradeStage};

/// The outcome of one scheduled upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Succeeds,
    SucceedsAfterPause,
    FailsInPrecheck,
    FailsInUpgrade,
}

impl Outcome {
    fn draw(number: u64) -> Self {
        match number % 20 {
            0..=10 => Self::Succeeds,
            11..=14 => Self::SucceedsAfterPause,
            15..=16 => Self::FailsInPrecheck,
            _ => Self::FailsInUpgrade,
        }
    }

    fn is_failure(self) -> bool {
        matches!(self, Self::FailsInPrecheck | Self::FailsInUpgrade)
    }
}

/// Number of upgrades after which the outcomes repeat. Keeps counting past successes cheap.
const CYCLE: usize = 8;

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

/// One upgrade in each `period` milliseconds; the first one starts `lead` milliseconds before the
/// world.
#[derive(Debug, Clone, Copy)]
struct Recurrence {
    seed: u64,
    period: u64,
    lead: i64,
    outcomes: [Outcome; CYCLE],
}

/// The state of a cluster's newest upgrade at one moment. Times are in milliseconds since the start
/// of the world, and may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UpgradeState {
    pub(crate) phase: Phase,
    /// Sequence number of the upgrade, from 0; `None` before the first.
    pub(crate) sequence: Option<u64>,
    /// Start of the upgrade.
    pub(crate) started: i64,
    /// Start of the phase.
    pub(crate) since: i64,
    /// Number of earlier upgrades that have succeeded.
    pub(crate) successes: u64,
}

/// Outcome of the first upgrade of the first clusters, and the percentage of its period that has
/// passed when the world starts. Shows at least four states from the first request on.
const FIRST_UPGRADES: [(Outcome, i64); 11] = [
    (Outcome::Succeeds, 25),
    (Outcome::Succeeds, 5),
    (Outcome::SucceedsAfterPause, 47),
    (Outcome::FailsInUpgrade, 78),
    (Outcome::Succeeds, 78),
    (Outcome::Succeeds, -20),
    (Outcome::FailsInPrecheck, 30),
    (Outcome::SucceedsAfterPause, 30),
    (Outcome::Succeeds, 88),
    (Outcome::FailsInUpgrade, 8),
    (Outcome::SucceedsAfterPause, -50),
];

const HOUR: i64 = 3_600_000;

impl UpgradeSchedule {
    /// The schedule of the cluster at `index`: one upgrade after the other. In each dozen, the last
    /// cluster is never upgraded.
    pub(crate) fn recurring(seed: u64, index: usize) -> Self {
        let seed = mix(&[seed, index as u64]);
        if index % (FIRST_UPGRADES.len() + 1) == FIRST_UPGRADES.len() {
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

    /// All changes of phase after `from`, up to and including `to`, in order.
    pub(crate) fn transitions(&self, from: i64, to: i64) -> Vec<(i64, Phase)> {
        match &self.activity {
            Activity::Inactive { .. } => Vec::new(),
            Activity::Recurring(recurrence) => recurrence.transitions(from, to),
        }
    }
}

impl Recurrence {
    fn new(seed: u64, index: usize) -> Self {
        let period = within(mix(&[seed, 1]), 60_000, 240_000);
        let (first, percent) = FIRST_UPGRADES.get(index).copied().unwrap_or_else(|| {
            let percent = signed(within(mix(&[seed, 3]), 0, 140)) - 40;
            (Outcome::draw(mix(&[seed, 2])), percent)
        });
        let mut outcomes = [first; CYCLE];
        for turn in 1..CYCLE {
            // The upgrade after a failed one succeeds, so that no cluster fails for long.
            outcomes[turn] = if outcomes[turn - 1].is_failure() {
                Outcome::Succeeds
            } else {
                Outcome::draw(mix(&[seed, 4, turn as u64]))
            };
        }
        if first.is_failure() {
            // The first outcome follows the last one when the cycle repeats.
            outcomes[CYCLE - 1] = Outcome::Succeeds;
        }
        Self {
            seed,
            period,
            lead: signed(period) / 100 * percent,
            outcomes,
        }
    }

    fn state_at(&self, millis: i64) -> UpgradeState {
        let Ok(position) = u64::try_from(millis.saturating_add(self.lead)) else {
            return UpgradeState::not_started(millis);
        };
        let (sequence, position) = (position / self.period, position % self.period);
        let started = signed(sequence.saturating_mul(self.period)).saturating_sub(self.lead);
        let (offset, phase) = self
            .phase_starts(sequence)
            .into_iter()
            .take_while(|(offset, _)| *offset <= position)
            .last()
            .unwrap_or((0, Phase::Prechecking));
        UpgradeState {
            phase,
            sequence: Some(sequence),
            started,
            since: started.saturating_add(signed(offset)),
            successes: self.successes_before(sequence),
        }
    }

    fn outcome(&self, sequence: u64) -> Outcome {
        self.outcomes[turn(sequence)]
    }

    /// The phases of an upgrade, each with its start in milliseconds after the start of the upgrade.
    fn phase_starts(&self, sequence: u64) -> Vec<(u64, Phase)> {
        let draw = |salt, low, high| {
            let permille = within(mix(&[self.seed, 5, sequence, salt]), low, high);
            self.period * permille / 1000
        };
        let checked = draw(1, 120, 200);
        let (paused, resumed) = (draw(2, 380, 450), draw(3, 500, 600));
        let ended = draw(4, 640, 760);
        let prechecking = (0, Phase::Prechecking);
        let upgrading = (checked, Phase::Upgrading);
        match self.outcome(sequence) {
            Outcome::Succeeds => vec![prechecking, upgrading, (ended, Phase::Succeeded)],
            Outcome::SucceedsAfterPause => vec![
                prechecking,
                upgrading,
                (paused, Phase::Paused),
                (resumed, Phase::Upgrading),
                (ended, Phase::Succeeded),
            ],
            Outcome::FailsInPrecheck => {
                vec![
                    prechecking,
                    (checked, Phase::Failed(UpgradeStage::Precheck)),
                ]
            }
            Outcome::FailsInUpgrade => vec![
                prechecking,
                upgrading,
                (ended, Phase::Failed(UpgradeStage::Upgrade)),
            ],
        }
    }

    fn successes_before(&self, sequence: u64) -> u64 {
        let count = |outcomes: &[Outcome]| {
            outcomes
                .iter()
                .filter(|outcome| !outcome.is_failure())
                .count() as u64
        };
        sequence / CYCLE as u64 * count(&self.outcomes) + count(&self.outcomes[..turn(sequence)])
    }

    fn transitions(&self, from: i64, to: i64) -> Vec<(i64, Phase)> {
        let first = u64::try_from(from.saturating_add(self.lead)).unwrap_or_default();
        let Ok(last) = u64::try_from(to.saturating_add(self.lead)) else {
            return Vec::new();
        };
        let mut transitions = Vec::new();
        for sequence in first / self.period..=last / self.period {
            let started = signed(sequence * self.period) - self.lead;
            for (offset, phase) in self.phase_starts(sequence) {
                let at = started + signed(offset);
                if at > from && at <= to {
                    transitions.push((at, phase));
                }
            }
        }
        transitions
    }
}

impl UpgradeState {
    fn not_started(millis: i64) -> Self {
        Self {
            phase: Phase::NotStarted,
            sequence: None,
            started: millis,
            since: millis.min(0),
            successes: 0,
        }
    }
}

fn turn(sequence: u64) -> usize {
    usize::try_from(sequence % CYCLE as u64).unwrap_or_default()
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

//! Upgrades that follow each other: outcomes, and the times of their phases.

use crate::random::{mix, within};
use crate::world::phase::{Phase, UpgradeStage};
use crate::world::upgrade_state::{FIRST_SET_SEQUENCE, UpgradeState};

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

/// One upgrade in each `period` milliseconds; the first one starts `lead` milliseconds before the
/// world.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recurrence {
    seed: u64,
    period: u64,
    lead: i64,
    outcomes: [Outcome; CYCLE],
}

impl Recurrence {
    pub(super) fn new(seed: u64, index: usize) -> Self {
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

    /// Milliseconds between the starts of two upgrades.
    pub(super) fn period(&self) -> i64 {
        signed(self.period)
    }

    /// The start of the upgrade after `sequence`, or of the first one; `None` after an upgrade that
    /// a test has created.
    pub(super) fn start_after(&self, sequence: Option<u64>) -> Option<i64> {
        match sequence {
            None => Some(-self.lead),
            Some(sequence) if sequence >= FIRST_SET_SEQUENCE => None,
            Some(sequence) => Some(self.start(sequence + 1)),
        }
    }

    fn start(&self, sequence: u64) -> i64 {
        signed(sequence.saturating_mul(self.period)).saturating_sub(self.lead)
    }

    pub(super) fn state_at(&self, millis: i64) -> UpgradeState {
        let Ok(position) = u64::try_from(millis.saturating_add(self.lead)) else {
            return UpgradeState::not_started(millis);
        };
        let (sequence, position) = (position / self.period, position % self.period);
        let started = self.start(sequence);
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

    /// The phases of an upgrade, each with its start in milliseconds after the start of the
    /// upgrade.
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

    pub(super) fn transitions(&self, from: i64, to: i64) -> Vec<(i64, Phase)> {
        let first = u64::try_from(from.saturating_add(self.lead)).unwrap_or_default();
        let Ok(last) = u64::try_from(to.saturating_add(self.lead)) else {
            return Vec::new();
        };
        let mut transitions = Vec::new();
        for sequence in first / self.period..=last / self.period {
            let started = self.start(sequence);
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

fn turn(sequence: u64) -> usize {
    usize::try_from(sequence % CYCLE as u64).unwrap_or_default()
}

pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

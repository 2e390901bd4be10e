//! Everything that a test has set on one cluster in place of the generated values.

use std::collections::HashMap;

use crate::action::Action;
use crate::world::phase::Phase;
use crate::world::schedule::UpgradeSchedule;
use crate::world::upgrade_state::{FIRST_SET_SEQUENCE, UpgradeState};

/// Number of upgrades that are listed as tasks; older ones are left out.
pub(crate) const LISTED_UPGRADES: usize = 6;

/// Values that take precedence over generated ones.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) name: Option<String>,
    pub(crate) upgrades: Option<SetUpgrades>,
    pub(crate) bodies: HashMap<Action, String>,
}

/// Upgrades that a test has set in place of the schedule.
#[derive(Debug, Clone)]
pub(crate) struct SetUpgrades {
    pub(crate) current: SetUpgrade,
    /// Ended upgrades that were set before, newest first.
    pub(crate) past: Vec<SetUpgrade>,
    /// The last scheduled upgrade before all of these.
    pub(crate) scheduled: Option<UpgradeState>,
}

/// One upgrade, with its error message if the test gave one.
#[derive(Debug, Clone)]
pub(crate) struct SetUpgrade {
    pub(crate) state: UpgradeState,
    pub(crate) message: Option<String>,
}

impl SetUpgrades {
    /// Replaces the schedule from `millis` on.
    pub(crate) fn begin(
        schedule: &UpgradeSchedule,
        phase: Phase,
        message: Option<&str>,
        millis: i64,
    ) -> Self {
        let before = schedule.state_at(millis);
        let current = SetUpgrade::after(before, phase, message, millis);
        let is_same_upgrade = current.state.sequence == before.sequence;
        let scheduled = if is_same_upgrade {
            schedule.previous(&before)
        } else {
            before.sequence.map(|_| before)
        };
        Self {
            current,
            past: Vec::new(),
            scheduled,
        }
    }

    /// Continues the current upgrade, or starts the next one if it has ended.
    pub(crate) fn advance(&mut self, phase: Phase, message: Option<&str>, millis: i64) {
        let next = SetUpgrade::after(self.current.state, phase, message, millis);
        let previous = std::mem::replace(&mut self.current, next);
        if previous.state.sequence.is_some()
            && previous.state.sequence != self.current.state.sequence
        {
            self.past.insert(0, previous);
            self.past.truncate(LISTED_UPGRADES);
        }
    }
}

impl SetUpgrade {
    fn after(before: UpgradeState, phase: Phase, message: Option<&str>, millis: i64) -> Self {
        Self {
            state: follow(before, phase, millis),
            message: message.map(str::to_owned),
        }
    }
}

/// The state after `before` when `phase` begins at `millis`.
fn follow(before: UpgradeState, phase: Phase, millis: i64) -> UpgradeState {
    let is_same_upgrade = before.phase.is_in_progress() || before.phase == phase;
    let next_sequence = |last: u64| (last + 1).max(FIRST_SET_SEQUENCE);
    let (sequence, started) = match before.sequence {
        _ if phase == Phase::NotStarted => (None, millis),
        Some(sequence) if is_same_upgrade => (Some(sequence), before.started),
        last => (Some(last.map_or(FIRST_SET_SEQUENCE, next_sequence)), millis),
    };
    let has_succeeded = !is_same_upgrade && before.phase == Phase::Succeeded;
    UpgradeState {
        phase,
        sequence,
        started,
        since: millis,
        successes: before.successes + u64::from(has_succeeded),
    }
}

//! What happens to one cluster: upgrade after upgrade in accelerated time, as a pure function of
//! the seed.

use crate::random::{mix, within};

/// Where an upgrade stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// No upgrade has ever begun.
    NotStarted,
    /// The checks before the upgrade are running.
    Prechecking,
    /// The control plane is being upgraded.
    Upgrading,
    /// Somebody has paused it.
    Paused,
    /// It ended well.
    Succeeded,
    /// It ended badly while this stage was running.
    Failed(Stage),
    /// Somebody gave it up during this stage. Only a test brings this about: the older operation
    /// has no word for it.
    Canceled(Stage),
}

/// The two stages of an upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// The checks before it.
    Precheck,
    /// The upgrade proper.
    Upgrade,
}

impl Phase {
    /// Whether the upgrade goes on, or would if it were resumed.
    pub fn is_in_progress(self) -> bool {
        matches!(self, Self::Prechecking | Self::Upgrading | Self::Paused)
    }

    /// The stage that is or was the last one.
    pub(crate) fn stage(self) -> Stage {
        match self {
            Self::NotStarted | Self::Prechecking => Stage::Precheck,
            Self::Upgrading | Self::Paused | Self::Succeeded => Stage::Upgrade,
            Self::Failed(stage) | Self::Canceled(stage) => stage,
        }
    }
}

/// How an upgrade is going to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Succeeds,
    SucceedsAfterPause,
    FailsInPrecheck,
    FailsInUpgrade,
}

/// After this many upgrades the outcomes come again. Keeps the count of past successes a sum of
/// eight.
const CYCLE: usize = 8;

/// A cluster's life.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    seed: u64,
    life: Life,
}

#[derive(Debug, Clone)]
enum Life {
    /// Nothing ever happens again.
    Still { phase: Phase, started: i64 },
    /// One upgrade per `period` milliseconds, the first one `lead` before the world began.
    Busy {
        period: u64,
        lead: i64,
        outcomes: [Outcome; CYCLE],
    },
}

/// Where a script stands at one moment. Times are in milliseconds since the world began, and may be
/// before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) phase: Phase,
    /// The number of the upgrade, from 0; `None` before the first.
    pub(crate) episode: Option<u64>,
    /// When the upgrade began.
    pub(crate) started: i64,
    /// When the phase began.
    pub(crate) since: i64,
    /// How many upgrades have succeeded before this one.
    pub(crate) successes: u64,
}

/// What the first dozen clusters show when the world begins: how their first upgrade goes, and how
/// many hundredths of its period are over. Four states at least must be there from the first look.
const OPENING: [(Outcome, i64); 11] = [
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

impl Script {
    /// The script of the cluster at `index` in a world of `seed`. Of every dozen, the last is never
    /// upgraded.
    pub(crate) fn busy(seed: u64, index: usize) -> Self {
        let seed = mix(&[seed, index as u64]);
        if index % (OPENING.len() + 1) == OPENING.len() {
            return Self::never(seed);
        }
        let period = within(mix(&[seed, 1]), 60_000, 240_000);
        let (opening, percent) = OPENING.get(index).copied().unwrap_or_else(|| {
            (
                draw_outcome(mix(&[seed, 2])),
                signed(within(mix(&[seed, 3]), 0, 140)) - 40,
            )
        });
        let mut outcomes = [opening; CYCLE];
        for turn in 1..CYCLE {
            // Whoever failed comes out well at the next try.
            outcomes[turn] = match outcomes[turn - 1] {
                Outcome::FailsInPrecheck | Outcome::FailsInUpgrade => Outcome::Succeeds,
                Outcome::Succeeds | Outcome::SucceedsAfterPause => {
                    draw_outcome(mix(&[seed, 4, turn as u64]))
                }
            };
        }
        if matches!(opening, Outcome::FailsInPrecheck | Outcome::FailsInUpgrade) {
            // The cycle begins anew with the opening.
            outcomes[CYCLE - 1] = Outcome::Succeeds;
        }
        Self {
            seed,
            life: Life::Busy {
                period,
                lead: hundredth(period) * percent,
                outcomes,
            },
        }
    }

    /// The script of a cluster to which nothing happens any more: half of them were upgraded days
    /// ago.
    pub(crate) fn still(seed: u64, index: usize) -> Self {
        let seed = mix(&[seed, index as u64]);
        let phase = if seed.is_multiple_of(2) {
            Phase::NotStarted
        } else {
            Phase::Succeeded
        };
        Self {
            seed,
            life: Life::Still {
                phase,
                started: -HOUR * signed(within(mix(&[seed, 1]), 24, 720)),
            },
        }
    }

    /// The script of a cluster that was never upgraded.
    pub(crate) fn never(seed: u64) -> Self {
        Self {
            seed,
            life: Life::Still {
                phase: Phase::NotStarted,
                started: 0,
            },
        }
    }

    /// The number that all of this cluster's invented details derive from.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Where the script stands at `millis`.
    pub(crate) fn at(&self, millis: i64) -> Moment {
        match &self.life {
            Life::Still {
                phase: Phase::NotStarted,
                ..
            } => Moment::before_the_first(millis),
            Life::Still { phase, started } => Moment {
                phase: *phase,
                episode: Some(0),
                started: *started,
                since: started + HOUR / 2,
                successes: 0,
            },
            Life::Busy {
                period,
                lead,
                outcomes,
            } => {
                let position = millis.saturating_add(*lead);
                let Ok(position) = u64::try_from(position) else {
                    return Moment::before_the_first(millis);
                };
                self.in_episode(
                    position / period,
                    position % period,
                    *period,
                    *lead,
                    *outcomes,
                )
            }
        }
    }

    fn in_episode(
        &self,
        episode: u64,
        position: u64,
        period: u64,
        lead: i64,
        outcomes: [Outcome; CYCLE],
    ) -> Moment {
        let started = signed(episode.saturating_mul(period)).saturating_sub(lead);
        let (at, phase) = self
            .marks(episode, period, outcomes)
            .into_iter()
            .flatten()
            .take_while(|(at, _)| *at <= position)
            .last()
            .unwrap_or((0, Phase::Prechecking));
        Moment {
            phase,
            episode: Some(episode),
            started,
            since: started.saturating_add(signed(at)),
            successes: successes(episode, outcomes),
        }
    }

    /// When each phase of an upgrade begins, in milliseconds after its start.
    fn marks(
        &self,
        episode: u64,
        period: u64,
        outcomes: [Outcome; CYCLE],
    ) -> [Option<(u64, Phase)>; 5] {
        let cut = |salt, low, high| {
            period * within(mix(&[self.seed, 5, episode, salt]), low, high) / 1000
        };
        let (checked, paused, resumed, ended) = (
            cut(1, 120, 200),
            cut(2, 380, 450),
            cut(3, 500, 600),
            cut(4, 640, 760),
        );
        let begin = Some((0, Phase::Prechecking));
        let upgrade = Some((checked, Phase::Upgrading));
        let turn = usize::try_from(episode % CYCLE as u64).unwrap_or_default();
        match outcomes[turn] {
            Outcome::Succeeds => [begin, upgrade, Some((ended, Phase::Succeeded)), None, None],
            Outcome::SucceedsAfterPause => [
                begin,
                upgrade,
                Some((paused, Phase::Paused)),
                Some((resumed, Phase::Upgrading)),
                Some((ended, Phase::Succeeded)),
            ],
            Outcome::FailsInPrecheck => [
                begin,
                Some((checked, Phase::Failed(Stage::Precheck))),
                None,
                None,
                None,
            ],
            Outcome::FailsInUpgrade => [
                begin,
                upgrade,
                Some((ended, Phase::Failed(Stage::Upgrade))),
                None,
                None,
            ],
        }
    }

    /// How the upgrade before the one of `moment` ended, if there was one.
    pub(crate) fn before(&self, moment: &Moment) -> Option<Moment> {
        moment
            .episode
            .filter(|episode| *episode > 0)
            .map(|_| self.at(moment.started - 1))
    }

    /// Every change of phase after `from`, up to and including `to`, in order.
    pub(crate) fn transitions(&self, from: i64, to: i64) -> Vec<(i64, Phase)> {
        let Life::Busy {
            period,
            lead,
            outcomes,
        } = &self.life
        else {
            return Vec::new();
        };
        let first = u64::try_from(from.saturating_add(*lead)).unwrap_or_default() / period;
        let Ok(last) = u64::try_from(to.saturating_add(*lead)) else {
            return Vec::new();
        };
        (first..=last / period)
            .flat_map(|episode| {
                let started = signed(episode * period) - lead;
                self.marks(episode, *period, *outcomes)
                    .into_iter()
                    .flatten()
                    .map(move |(at, phase)| (started + signed(at), phase))
            })
            .filter(|(at, _)| (from + 1..=to).contains(at))
            .collect()
    }
}

impl Moment {
    fn before_the_first(millis: i64) -> Self {
        Self {
            phase: Phase::NotStarted,
            episode: None,
            started: millis,
            since: millis.min(0),
            successes: 0,
        }
    }
}

fn draw_outcome(number: u64) -> Outcome {
    match number % 20 {
        0..=10 => Outcome::Succeeds,
        11..=14 => Outcome::SucceedsAfterPause,
        15..=16 => Outcome::FailsInPrecheck,
        _ => Outcome::FailsInUpgrade,
    }
}

/// How many of the upgrades before `episode` went well.
fn successes(episode: u64, outcomes: [Outcome; CYCLE]) -> u64 {
    let good = |outcomes: &[Outcome]| {
        outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Succeeds | Outcome::SucceedsAfterPause))
            .count() as u64
    };
    let turn = usize::try_from(episode % CYCLE as u64).unwrap_or_default();
    episode / CYCLE as u64 * good(&outcomes) + good(&outcomes[..turn])
}

/// A hundredth, of what is known to be small.
fn hundredth(number: u64) -> i64 {
    signed(number) / 100
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

//! Clusters that come and go, as a pure function of the seed: each stays for a minute or two, and a
//! while after it has gone another one takes its place.

use ack_client::names::Region;

use crate::random::{mix, within};
use crate::world::background_tasks::Chores;
use crate::world::cluster::Cluster;
use crate::world::schedule::Script;
use crate::world::{invent_id, invent_name};

/// The places of the clusters that come and go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guests {
    seed: u64,
    places: usize,
}

/// One cluster's time in its place. Times are in milliseconds since the world began, and may be
/// before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stay {
    place: usize,
    /// How many were in this place before.
    turn: u64,
    pub(crate) comes: i64,
    /// From then on it is gone.
    pub(crate) goes: i64,
}

impl Guests {
    pub(crate) fn new(seed: u64, places: usize) -> Self {
        Self {
            seed: mix(&[seed, 110]),
            places,
        }
    }

    /// The stays that have something of `from..=to` in them, by place and time.
    pub(crate) fn stays(self, from: i64, to: i64) -> impl Iterator<Item = Stay> {
        (0..self.places).flat_map(move |place| {
            let (period, lead) = self.measure(place);
            let turn = |millis: i64| millis.saturating_add(lead).max(0) / period;
            let stay = move |turn: i64| {
                let comes = turn * period - lead;
                Stay {
                    place,
                    turn: turn.unsigned_abs(),
                    comes,
                    goes: comes + period / 3 * 2,
                }
            };
            (turn(from)..=turn(to))
                .map(stay)
                .filter(move |stay| stay.goes > from && stay.comes <= to)
        })
    }

    /// The first moment after `millis` at which somebody comes or goes.
    pub(crate) fn next_change(self, millis: i64) -> i64 {
        let period = |place| self.measure(place).0;
        let horizon = millis.saturating_add((0..self.places).map(period).max().unwrap_or_default());
        let changes = self
            .stays(millis, horizon)
            .flat_map(|stay| [stay.comes, stay.goes]);
        changes
            .filter(|change| *change > millis)
            .min()
            .unwrap_or(i64::MAX)
    }

    /// The cluster whose stay it is.
    pub(crate) fn cluster(self, stay: &Stay, regions: &[Region]) -> Cluster {
        let seed = mix(&[self.seed, stay.place as u64]);
        let number = usize::try_from(stay.turn).unwrap_or(usize::MAX);
        let region = &regions[stay.place % regions.len()];
        // Past the dozen whose beginning is the demo's opening.
        let script = Script::busy(seed, number.saturating_add(12));
        Cluster::new(
            invent_id(seed, number),
            region.clone(),
            invent_name(stay.place),
            script,
            Chores::Few,
        )
    }

    /// How often a place is taken anew, and how much of the first turn is over when the world
    /// begins.
    fn measure(self, place: usize) -> (i64, i64) {
        let draw = |salt| mix(&[self.seed, 111, salt, place as u64]);
        let some =
            |salt, low, high| i64::try_from(within(draw(salt), low, high)).unwrap_or_default();
        let period = some(0, 90_000, 150_000);
        (period, some(1, 0, period.unsigned_abs()))
    }
}

//! The decisions of the table hold for any sequence of demands, results, lists and reloads. No
//! clock runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ack_client::names::ClusterId;
use ack_client::{ApiError, ErrorKind};
use jiff::Timestamp;
use proptest::prelude::*;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::collect::demand::Demand;
use crate::collect::entry::Trigger;
use crate::collect::fixture::{SECOND, SHARE, discovered, error, id, region, upgrading};

const NAMES: [&str; 6] = ["c0", "c1", "c2", "c3", "c4", "c5"];
const REGION: &str = "cn-hangzhou";

#[derive(Debug, Clone)]
enum Event {
    Demand,
    /// The first of the due clusters is queried.
    Query,
    /// The turn of a cluster comes that was due some time ago.
    Turn(usize),
    Probe(usize),
    /// A query in flight ends.
    End(usize, Outcome),
    /// The list has these clusters.
    List(Vec<bool>),
    Reload,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Success,
    Failure,
    /// The query has only waited for the account's rate limit.
    Wait,
}

impl Outcome {
    fn result(self) -> Result<UpgradeState, ApiError> {
        match self {
            Self::Success => Ok(upgrading()),
            Self::Failure => Err(error(ErrorKind::Timeout)),
            Self::Wait => Err(error(ErrorKind::RateLimited)),
        }
    }
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Success),
        Just(Outcome::Failure),
        Just(Outcome::Wait)
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let place = 0..NAMES.len();
    prop_oneof![
        2 => Just(Event::Demand),
        6 => Just(Event::Query),
        2 => place.clone().prop_map(Event::Turn),
        1 => place.clone().prop_map(Event::Probe),
        5 => (place, outcome()).prop_map(|(place, outcome)| Event::End(place, outcome)),
        1 => prop::collection::vec(any::<bool>(), NAMES.len()).prop_map(Event::List),
        1 => Just(Event::Reload),
    ]
}

/// The table, and what is known of it by the events alone.
struct Model {
    table: ClusterTable,
    now: Instant,
    demand: Demand,
    in_flight: Vec<(ClusterId, Arc<InFlight>)>,
    /// Every cluster that has a result, and if the last one failed.
    results: BTreeMap<ClusterId, bool>,
    /// The clusters queried since the newest demand, by a scrape.
    queried: BTreeSet<ClusterId>,
}

impl Model {
    fn new() -> Self {
        let now = Instant::now();
        let mut model = Self {
            table: ClusterTable::new(Vec::new()),
            now,
            demand: Demand::new(now, now + 10 * SECOND),
            in_flight: Vec::new(),
            results: BTreeMap::new(),
            queried: BTreeSet::new(),
        };
        model.list(&NAMES);
        model
    }

    fn present(&self) -> Now {
        Now {
            instant: self.now,
            timestamp: Timestamp::UNIX_EPOCH,
        }
    }

    fn list(&mut self, names: &[&str]) {
        let targets = names.iter().map(|name| discovered(name, REGION)).collect();
        let now = self.present();
        self.table
            .apply_list(&region(REGION), &[], targets, None, now);
        let entries = &self.table.entries;
        self.results.retain(|id, _| entries.contains_key(id));
        self.in_flight.retain(|(id, query)| {
            let entry = entries.get(id);
            entry.is_some_and(|entry| entry.has_in_flight(query.number))
        });
        self.queried.retain(|id| entries.contains_key(id));
    }

    /// Queries the cluster unless one of its queries is in flight.
    fn query(&mut self, id: &ClusterId, trigger: Trigger) -> bool {
        let number = self.table.next_query_number();
        let Some(entry) = self.table.entries.get_mut(id) else {
            return false;
        };
        let is_needed = match trigger {
            Trigger::Scrape => entry.claim(&self.demand),
            Trigger::Probe => entry.in_flight().is_none(),
        };
        if !is_needed {
            return false;
        }
        assert!(entry.in_flight().is_none(), "{id} is in flight already");
        let stop = CancellationToken::new();
        let query = entry.start_query(number, &self.demand, trigger, SHARE, self.now, stop);
        self.in_flight.push((id.clone(), query));
        true
    }

    fn query_for_scrape(&mut self, id: &ClusterId) {
        if self.query(id, Trigger::Scrape) {
            let is_first = self.queried.insert(id.clone());
            assert!(is_first, "{id} is queried twice for one demand");
        }
    }

    fn end(&mut self, place: usize, outcome: Outcome) {
        let (id, query) = self.in_flight.remove(place);
        let now = self.present();
        self.table
            .record_result(&id, &query, outcome.result(), SECOND, now, false);
        match outcome {
            Outcome::Success => drop(self.results.insert(id, false)),
            Outcome::Failure => drop(self.results.insert(id, true)),
            Outcome::Wait => drop(self.queried.remove(&id)),
        }
    }

    fn reload(&mut self) {
        let results = self.table.cached_results();
        let names: Vec<_> = self.table.entries.keys().map(ToString::to_string).collect();
        self.table = ClusterTable::new(Vec::new());
        self.table.inherit(results);
        self.in_flight.clear();
        self.queried.clear();
        self.list(&names.iter().map(String::as_str).collect::<Vec<_>>());
    }

    fn apply(&mut self, event: Event) {
        self.now += SECOND;
        match event {
            Event::Demand => {
                self.demand = self.demand.next(self.now, self.now + 10 * SECOND);
                self.queried.clear();
            }
            Event::Query => {
                let due = self.table.due(self.demand.since, |_| true);
                if let Some(first) = due.first() {
                    self.query_for_scrape(first);
                }
            }
            Event::Turn(place) => self.query_for_scrape(&id(NAMES[place])),
            Event::Probe(place) => drop(self.query(&id(NAMES[place]), Trigger::Probe)),
            Event::End(place, outcome) if place < self.in_flight.len() => self.end(place, outcome),
            Event::End(..) => {}
            Event::List(present) => {
                let names = NAMES
                    .iter()
                    .zip(present)
                    .filter(|(_, is_present)| *is_present);
                self.list(&names.map(|(name, _)| *name).collect::<Vec<_>>());
            }
            Event::Reload => self.reload(),
        }
    }

    fn check(&self) {
        let due = self.table.due(self.demand.since, |_| true);
        let served: Vec<_> = due.iter().map(|id| self.table.entries[id].served).collect();
        assert!(served.is_sorted(), "those that were not reached come first");
        for (id, is_failing) in &self.results {
            let entry = &self.table.entries[id];
            assert_eq!(entry.is_failing(), *is_failing, "{id}: a result is lost");
        }
        let is_complete = self.table.is_complete(self.demand.since);
        assert!(!is_complete || due.is_empty());
        for id in self.table.entries.keys() {
            let is_in_flight = self.in_flight.iter().any(|(other, _)| other == id);
            let counts = self.queried.contains(id) || is_in_flight || self.results.contains_key(id);
            assert!(counts || due.contains(id), "{id} is forgotten");
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_queried_twice_for_a_demand_or_at_once_and_nothing_is_lost(
        events in prop::collection::vec(event(), 1..100),
    ) {
        let mut model = Model::new();
        for event in events {
            model.apply(event);
            model.check();
        }
    }

    /// Only `reach` clusters are queried for each demand: each has its turn all the same, be it
    /// failing or not.
    #[test]
    fn no_cluster_starves_however_few_are_queried_for_a_demand(
        outcomes in prop::collection::vec(any::<bool>(), NAMES.len()),
        reach in 1..NAMES.len(),
    ) {
        let mut model = Model::new();
        let mut waits = BTreeMap::new();
        for _ in 0..30 {
            model.apply(Event::Demand);
            for _ in 0..reach {
                model.apply(Event::Query);
                let Some((id, _)) = model.in_flight.first() else {
                    continue;
                };
                let place = NAMES.iter().position(|name| *name == id.as_str());
                let fails = outcomes[place.expect("it is one of them")];
                model.end(0, if fails { Outcome::Failure } else { Outcome::Success });
            }
            for id in model.table.entries.keys() {
                let wait: &mut usize = waits.entry(id.clone()).or_default();
                *wait = if model.queried.contains(id) { 0 } else { *wait + 1 };
                prop_assert!(*wait < NAMES.len().div_ceil(reach), "{id} starves");
            }
        }
    }
}

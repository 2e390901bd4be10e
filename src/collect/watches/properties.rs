//! The decisions of the watched queries hold for any sequence of events. No clock runs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ack_client::names::ClusterId;
use ack_client::{ApiError, ErrorKind, Operation};
use proptest::prelude::*;

use super::state::Due;
use super::tests::{Count, INTERVAL, quiet};
use super::*;
use crate::collect::fixture::{SECOND, id};

const NAMES: [&str; 6] = ["c0", "c1", "c2", "c3", "c4", "c5"];

/// The delay after a failure, at least.
const SHORTEST_RETRY: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Answer,
    Failure,
    LastingFailure,
}

impl Outcome {
    fn result(self) -> Result<u32, ApiError> {
        let error = |kind| ApiError::local(Operation::DescribeClusterDetail, kind, "failed");
        match self {
            Self::Answer => Ok(1),
            Self::Failure => Err(error(ErrorKind::Network)),
            Self::LastingFailure => Err(error(ErrorKind::Forbidden)),
        }
    }
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Answer),
        Just(Outcome::Failure),
        Just(Outcome::LastingFailure)
    ]
}

#[derive(Debug, Clone)]
enum Event {
    Pass(Duration),
    /// The first of the due queries starts.
    Start,
    /// A query in flight ends.
    End(usize, Outcome),
    /// The account has these clusters.
    Clusters(Vec<bool>),
    Reload,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (1_u64..90_000).prop_map(|millis| Event::Pass(Duration::from_millis(millis))),
        Just(Event::Start),
        Just(Event::Start),
        (0..NAMES.len(), outcome()).prop_map(|(place, outcome)| Event::End(place, outcome)),
        prop::collection::vec(any::<bool>(), NAMES.len()).prop_map(Event::Clusters),
        Just(Event::Reload),
    ]
}

/// The slots, and what is known of them by the events alone.
struct Model {
    slots: Arc<Slots<Count>>,
    now: Instant,
    present: BTreeSet<ClusterId>,
    in_flight: Vec<ClusterId>,
    /// The last result of each cluster, and its time.
    ended: BTreeMap<ClusterId, (Instant, Outcome)>,
}

/// A subject of which nothing else is known.
fn asked(now: Instant) -> Entry<Arc<u32>> {
    Entry::new(Slot::new(now))
}

fn new_slots() -> Arc<Slots<Count>> {
    Slots::new(&AccountName::parse("a").expect("a name"), Count)
}

impl Model {
    fn new() -> Self {
        let mut model = Self {
            slots: new_slots(),
            now: Instant::now(),
            present: BTreeSet::new(),
            in_flight: Vec::new(),
            ended: BTreeMap::new(),
        };
        model.show(&NAMES);
        model
    }

    /// Makes `names` the clusters of the account.
    fn show(&mut self, names: &[&str]) {
        let targets = quiet(names);
        self.slots
            .update_subjects(&targets, Knowledge::AllKnown, self.now);
        self.present = names.iter().map(|name| id(name)).collect();
        // A cluster that goes while it is queried is forgotten after the end of its query.
        let (present, in_flight) = (&self.present, &self.in_flight);
        self.ended
            .retain(|id, _| present.contains(id) || in_flight.contains(id));
    }

    fn due(&self, limit: usize) -> Vec<Due<ClusterId>> {
        self.slots.lock().due(&self.slots.query, self.now, limit)
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Pass(time) => self.now += time,
            Event::Start => {
                let first = self.due(1).into_iter().next();
                if let Some(due) = first
                    && self.slots.start(&due.subject).is_some()
                {
                    assert!(!self.in_flight.contains(&due.subject), "in flight twice");
                    self.in_flight.push(due.subject);
                }
            }
            Event::End(place, outcome) if place < self.in_flight.len() => {
                let id = self.in_flight.remove(place);
                self.slots
                    .record(&id, &asked(self.now), outcome.result(), self.now);
                if self.present.contains(&id) {
                    self.ended.insert(id, (self.now, outcome));
                } else {
                    assert!(!self.slots.lock().entries.contains_key(&id), "{id} stays");
                    self.ended.remove(&id);
                }
            }
            Event::End(..) => {}
            Event::Clusters(present) => {
                let names = NAMES
                    .iter()
                    .zip(present)
                    .filter(|(_, is_present)| *is_present);
                self.show(&names.map(|(name, _)| *name).collect::<Vec<_>>());
            }
            Event::Reload => {
                let later = new_slots();
                later.inherit(&*self.slots, ReloadedClient::Kept);
                self.slots = later;
                self.in_flight.clear();
                let names: Vec<_> = self.present.iter().map(ToString::to_string).collect();
                self.show(&names.iter().map(String::as_str).collect::<Vec<_>>());
            }
        }
    }

    fn check(&self) {
        let due = self.due(usize::MAX);
        assert!(due.is_sorted_by_key(|due| due.at), "oldest first: {due:?}");
        let is_due: BTreeSet<_> = due.iter().map(|due| due.subject.clone()).collect();
        for id in &is_due {
            assert!(!self.in_flight.contains(id), "{id} is in flight");
        }
        for id in &self.present {
            let (earliest, latest) = match self.ended.get(id) {
                None => (self.now, self.now),
                Some((ended, Outcome::Failure)) => (*ended + SHORTEST_RETRY, *ended + INTERVAL),
                Some((ended, Outcome::LastingFailure)) => (*ended + INTERVAL, *ended + INTERVAL),
                // The first interval is shorter, so that subjects drift apart.
                Some((ended, Outcome::Answer)) => (*ended + INTERVAL / 10, *ended + INTERVAL),
            };
            let is_late = latest <= self.now && !self.in_flight.contains(id);
            assert!(!is_late || is_due.contains(id), "{id} is forgotten");
            assert!(
                earliest <= self.now || !is_due.contains(id),
                "{id} too soon"
            );
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_asked_twice_at_once_too_soon_or_never(
        events in prop::collection::vec(event(), 1..80),
    ) {
        let mut model = Model::new();
        for event in events {
            model.apply(event);
            model.check();
        }
    }

    /// Each query takes `pause`, however many are due: the oldest comes first, so that between a
    /// subject's due time and its query every other one is asked at most once.
    #[test]
    fn no_subject_starves_however_little_time_there_is(
        outcomes in prop::collection::vec(outcome(), NAMES.len()),
        late in 0..NAMES.len(),
        pause in 1_u64..200,
    ) {
        let mut model = Model::new();
        model.show(&NAMES[..late]);
        let mut waits: BTreeMap<ClusterId, u32> = BTreeMap::new();
        for round in 0..100 {
            if round == 20 {
                model.show(&NAMES);
            }
            let due = model.due(usize::MAX);
            if let Some(first) = due.first() {
                let id = first.subject.clone();
                for due in &due[1..] {
                    let wait = waits.entry(due.subject.clone()).or_default();
                    *wait += 1;
                    prop_assert!((*wait as usize) < NAMES.len(), "{} waits", due.subject);
                }
                waits.remove(&id);
                model.slots.start(&id);
                model.now += u32::try_from(pause).expect("it is small") * SECOND;
                let place = NAMES.iter().position(|name| *name == id.as_str());
                let outcome = outcomes[place.expect("it is one of them")];
                model.slots.record(&id, &asked(model.now), outcome.result(), model.now);
            } else {
                model.now += SECOND;
            }
        }
    }

    #[test]
    fn each_standing_has_its_own_limit(
        outcomes in prop::collection::vec(outcome(), NAMES.len()),
        limit in 0_usize..8,
    ) {
        let mut model = Model::new();
        let mut failing = 0;
        for (name, outcome) in NAMES.iter().zip(outcomes) {
            model.slots.start(&id(name));
            model.slots.record(&id(name), &asked(model.now), outcome.result(), model.now);
            failing += usize::from(matches!(outcome, Outcome::Failure));
        }
        model.now += INTERVAL;
        let due = model.due(limit);
        let count = |class| due.iter().filter(|due| due.class == class).count();
        prop_assert_eq!(count(QueryClass::Failing), failing.min(limit));
        prop_assert_eq!(count(QueryClass::Responding), (NAMES.len() - failing).min(limit));
    }
}

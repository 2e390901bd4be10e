//! The rules of scheduling, as functions of a state and a time: who is next, who is silent, what a
//! result is, what a page says.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ack_client::Endpoint;
use ack_client::clock::Clock;
use ack_client::credentials;
use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{ApiError, Budget, Deadline, ErrorKind, ListedCluster, Operation, Reason};
use ack_client::{Status, Step};
use ack_simulator::{InProcess, Options, Sim};
use exporter_toolkit::process::ProcessMetrics;
use jiff::Timestamp;
use tokio::time::{Instant, advance, timeout};
use tokio_util::sync::CancellationToken;

use super::lane::{Lane, Query, Start};
use super::patience::Patience;
use super::record::{Change, Flight, Memory, Origin, Reader, Record, Target, Waiting};
use super::roster::{Idling, Roster};
use super::{Collector, Dependencies};
use crate::config::Config;
use crate::metrics::ExporterMetrics;
use crate::shard::Shard;
use crate::snapshot::{ClusterInfo, ClusterReading, Outcome};
use crate::source::{Question, Reading, UpgradeSource};
use crate::upgrade::{SourceName, UpgradeState};

const SECOND: Duration = Duration::from_secs(1);
const MAX_AGE: Duration = Duration::from_secs(300);
/// How long a query has in these tests while others wait for its place.
const SHARE: Duration = Duration::from_secs(2);

/// A source that nobody may ask.
#[derive(Debug)]
struct Untouched(Option<SourceName>);

impl UpgradeSource for Untouched {
    fn read<'a>(&'a self, _: Question<'a>) -> Reading<'a> {
        panic!("these tests ask nobody")
    }

    fn in_use(&self) -> Option<SourceName> {
        self.0
    }
}

fn id(name: &str) -> ClusterId {
    ClusterId::parse(name).expect("an ID")
}

fn target(name: &str, source: Option<SourceName>) -> Target {
    let info = ClusterInfo {
        id: id(name),
        name: String::new(),
        account: AccountName::parse("a").expect("a name"),
        region: None,
        cluster_type: String::new(),
        spec: String::new(),
        version: String::new(),
        next_version: String::new(),
        state: None,
        labels: BTreeMap::new(),
    };
    Target {
        info: Arc::new(info),
        origin: Origin::Configured,
        endpoint: Endpoint::parse("http://stand-in.example").expect("an endpoint"),
        source: Arc::new(Untouched(source)),
    }
}

fn roster(names: &[&str]) -> Roster {
    Roster::new(names.iter().map(|name| target(name, None)).collect())
}

fn record() -> Record {
    Record::new(target("c1", None), Memory::default())
}

fn flight(number: u64) -> Flight {
    let deadline = Deadline::at(Instant::now() + 10 * SECOND);
    let call_off = CancellationToken::new();
    Flight {
        number,
        started: Instant::now(),
        budget: Budget::new(deadline.clone(), call_off.clone()),
        deadline,
        call_off,
        share: SHARE,
        asked_before: 3,
        awaited: Arc::new(AtomicBool::new(true)),
        changed: None,
    }
}

fn good() -> UpgradeState {
    UpgradeState {
        status: Status::Running,
        step: Step::Upgrading,
        ..UpgradeState::never(SourceName::Tasks)
    }
}

fn error(kind: ErrorKind) -> ApiError {
    ApiError::local(Operation::DescribeClusterTasks, kind, "no luck")
}

/// A record that was answered at this moment.
fn answered() -> Record {
    let mut record = record();
    record.finish(Ok(good()), &flight(1), SECOND, Timestamp::UNIX_EPOCH);
    record
}

/// What the page of a scrape whose waiters go in a moment says of `record`, which was `asked` in it
/// or was not.
fn page(record: &Record, asked: bool) -> Outcome {
    let now = Instant::now();
    record
        .reading(Reader::Page, now, asked, Waiting::ForToken, MAX_AGE, now)
        .outcome
}

fn reason(outcome: &Outcome) -> Option<Reason> {
    match outcome {
        Outcome::Down(failure) => Some(failure.reason),
        Outcome::Up(_) | Outcome::NotAsked => None,
    }
}

fn is_up(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Up(_))
}

// === who is next ===

#[tokio::test(start_paused = true)]
async fn those_that_were_left_out_come_first_and_those_that_fail_last() {
    let mut roster = roster(&["a", "b", "c", "d", "e"]);
    for (name, asked, fails) in [
        ("a", 1, true),
        ("b", 1, false),
        ("c", 0, true),
        ("d", 0, false),
        ("e", 2, false),
    ] {
        let record = roster.records.get_mut(&id(name)).expect("it is there");
        record.asked = asked;
        let result = if fails {
            Err(crate::snapshot::Failure::of(&error(ErrorKind::Network)))
        } else {
            Ok(good())
        };
        record.finish(result, &flight(1), SECOND, Timestamp::UNIX_EPOCH);
    }
    assert_eq!(
        roster.due(2, |_| true),
        ["d", "c", "b", "a"].map(id),
        "e was asked in this round"
    );
    assert_eq!(
        roster.due(3, |record| !record.is_failing()),
        ["d", "b", "e"].map(id)
    );
    assert!(roster.due(0, |_| true).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_query_costs_what_the_last_one_took() {
    let cost = |source| Record::new(target("c1", source), Memory::default()).cost();
    assert_eq!(
        [
            None,
            Some(SourceName::UpgradeStatus),
            Some(SourceName::Tasks)
        ]
        .map(cost),
        [1, 1, 2]
    );
    assert_eq!(answered().cost(), 1, "no call at all is one the next time");
}

// === who is silent ===

#[tokio::test(start_paused = true)]
async fn a_query_is_silent_after_its_share_and_not_before() {
    let mut roster = roster(&["old", "young", "resting"]);
    let mut take_off = |name: &str, number| {
        roster
            .records
            .get_mut(&id(name))
            .expect("it is there")
            .flight = Some(flight(number));
    };
    take_off("old", 1);
    advance(SECOND).await;
    take_off("young", 2);
    let silent = |roster: &Roster, now| {
        roster
            .silent(now, 8 * SECOND)
            .map(|flight| flight.number)
            .collect::<Vec<_>>()
    };
    let began = Instant::now() - SECOND;
    assert_eq!(
        silent(&roster, began + 2 * SECOND),
        [0_u64; 0],
        "a quarter of eight seconds is not over"
    );
    assert_eq!(
        silent(&roster, began + 2 * SECOND + Duration::from_millis(1)),
        [1]
    );
    assert_eq!(silent(&roster, began + 4 * SECOND).len(), 2);
    roster.patience.answered(3 * SECOND);
    assert_eq!(
        silent(&roster, began + 6 * SECOND),
        [0_u64; 0],
        "twice a slow answer"
    );
    assert!(
        roster.is_under_way(&id("old"), &flight(1)) && !roster.is_under_way(&id("old"), &flight(2))
    );
    assert!(
        !roster.is_under_way(&id("resting"), &flight(1))
            && !roster.is_under_way(&id("gone"), &flight(1))
    );
}

#[tokio::test(start_paused = true)]
async fn a_share_is_a_quarter_or_twice_a_slow_answer_and_doubles_while_nothing_is_heard() {
    let mut patience = Patience::default();
    let began = Instant::now();
    let share = |patience: &Patience| patience.share(Instant::now(), 8 * SECOND);
    assert_eq!(share(&patience), 2 * SECOND);
    patience.answered(3 * SECOND);
    assert_eq!(share(&patience), 6 * SECOND);
    patience.answered(Duration::ZERO);
    assert_eq!(
        share(&patience),
        5250 * Duration::from_millis(1),
        "what is slow is forgotten slowly"
    );
    let mut patience = Patience::default();
    advance(SECOND).await;
    patience.called_off(began);
    patience.called_off(began);
    assert_eq!(
        share(&patience),
        4 * SECOND,
        "those that were under way beside it count once"
    );
    assert_eq!(patience.share(began, 8 * SECOND), 2 * SECOND);
    for _ in 0..4 {
        advance(SECOND).await;
        patience.called_off(Instant::now());
    }
    assert_eq!(share(&patience), 8 * SECOND, "never more than the whole");
    patience.heard();
    assert_eq!(share(&patience), 2 * SECOND);
}

// === what a result is ===

/// A roster with a query under way of its only cluster, which was asked in round 7.
fn under_way() -> (Roster, Flight) {
    let mut roster = roster(&["c1"]);
    let flight = flight(1);
    let record = roster.records.get_mut(&id("c1")).expect("it is there");
    (record.asked, record.flight) = (7, Some(flight.clone()));
    (roster, flight)
}

fn land(
    roster: &mut Roster,
    flight: &Flight,
    result: Result<UpgradeState, ApiError>,
    is_stopping: bool,
) -> Option<Change> {
    roster.land(
        &id("c1"),
        flight,
        result,
        3 * SECOND,
        Timestamp::UNIX_EPOCH,
        is_stopping,
    )
}

#[tokio::test(start_paused = true)]
async fn answers_and_failures_are_remembered_and_tell_how_long_the_api_takes() {
    let share = |roster: &Roster| roster.patience.share(Instant::now(), 4 * SECOND);
    let (mut roster, flight) = under_way();
    assert_eq!(
        land(&mut roster, &flight, Ok(good()), false),
        Some(Change::First)
    );
    assert_eq!(share(&roster), 6 * SECOND);
    let record = &roster.records[&id("c1")];
    assert!(record.flight.is_none() && !record.is_failing() && record.asked == 7);

    let (mut roster, flight) = under_way();
    roster.patience.called_off(flight.started);
    assert_eq!(
        land(&mut roster, &flight, Err(error(ErrorKind::Timeout)), false),
        Some(Change::Nothing)
    );
    assert_eq!(
        roster.records[&id("c1")]
            .failure()
            .map(|failure| failure.reason),
        Some(Reason::Timeout)
    );
    assert_eq!(
        share(&roster),
        2 * SECOND,
        "still doubled: nothing was heard"
    );

    let (mut roster, flight) = under_way();
    roster.patience.called_off(flight.started);
    let refused = ApiError {
        status: Some(403),
        ..error(ErrorKind::Forbidden)
    };
    land(&mut roster, &flight, Err(refused), false);
    assert_eq!(share(&roster), SECOND, "the API is there");
}

#[tokio::test(start_paused = true)]
async fn what_ends_because_all_ends_has_not_failed() {
    let (mut roster, flight) = under_way();
    assert_eq!(
        land(&mut roster, &flight, Err(error(ErrorKind::Timeout)), true),
        None
    );
    assert!(!roster.records[&id("c1")].is_failing() && roster.records[&id("c1")].flight.is_none());
    let (mut roster, flight) = under_way();
    assert_eq!(
        land(&mut roster, &flight, Ok(good()), true),
        Some(Change::First),
        "an answer is one all the same"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_own_rate_limit_is_no_result_and_makes_the_cluster_the_first_in_turn() {
    let (mut roster, flight) = under_way();
    assert_eq!(
        land(
            &mut roster,
            &flight,
            Err(error(ErrorKind::RateLimited)),
            false
        ),
        None
    );
    let record = &roster.records[&id("c1")];
    assert!(!record.is_failing() && record.flight.is_none());
    assert_eq!(record.asked, 3, "as before the query");
}

#[tokio::test(start_paused = true)]
async fn queries_that_start_in_one_moment_are_told_apart_and_those_of_clusters_that_are_gone_are_nobodys()
 {
    let (mut roster, first) = under_way();
    let second = flight(2);
    assert_eq!(first.started, second.started);
    assert_eq!(land(&mut roster, &second, Ok(good()), false), None);
    assert!(roster.is_under_way(&id("c1"), &first));
    roster.records.clear();
    assert_eq!(land(&mut roster, &first, Ok(good()), false), None);
    let (one, other) = (roster.number_flight(), roster.number_flight());
    assert_ne!(one, other);
}

// === what a page says ===

#[tokio::test(start_paused = true)]
async fn a_cluster_that_was_not_asked_is_served_from_memory_until_max_age() {
    let record = answered();
    advance(MAX_AGE).await;
    assert!(is_up(&page(&record, false)));
    advance(Duration::from_millis(1)).await;
    assert_eq!(reason(&page(&record, false)), Some(Reason::RateLimited));
    assert!(is_up(&page(&record, true)), "it has been asked");
    let now = Instant::now();
    let waits_for_place = record
        .reading(Reader::Page, now, false, Waiting::ForPlace, MAX_AGE, now)
        .outcome;
    assert_eq!(reason(&waits_for_place), Some(Reason::Timeout));
}

#[tokio::test(start_paused = true)]
async fn one_that_was_never_asked_has_no_state_unless_the_api_has_kept_it_from_being_asked() {
    let record = record();
    assert_eq!(page(&record, false), Outcome::NotAsked);
    let now = Instant::now();
    let outcome = record
        .reading(Reader::Page, now, false, Waiting::ForPlace, MAX_AGE, now)
        .outcome;
    assert_eq!(reason(&outcome), Some(Reason::Timeout));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_never_covered_by_memory() {
    let mut record = answered();
    record.finish(
        Err(crate::snapshot::Failure::of(&error(ErrorKind::Forbidden))),
        &flight(2),
        SECOND,
        Timestamp::UNIX_EPOCH,
    );
    assert_eq!(reason(&page(&record, true)), Some(Reason::Forbidden));
    assert_eq!(reason(&page(&record, false)), Some(Reason::Forbidden));
}

#[tokio::test(start_paused = true)]
async fn a_query_that_has_had_its_share_is_a_time_out_and_one_that_has_not_is_not() {
    let mut record = answered();
    record.flight = Some(flight(2));
    let early = page(&record, true);
    assert!(is_up(&early), "it started when the page was due: {early:?}");
    advance(Duration::from_millis(1999)).await;
    assert!(is_up(&page(&record, true)));
    advance(Duration::from_millis(1)).await;
    assert_eq!(reason(&page(&record, true)), Some(Reason::Timeout));
    record
        .flight
        .as_ref()
        .expect("under way")
        .awaited
        .store(false, Ordering::Relaxed);
    assert!(
        is_up(&page(&record, true)),
        "it is a probe's and nobody's else"
    );
    let now = Instant::now();
    let probe: ClusterReading =
        record.reading(Reader::Probe, now, true, Waiting::ForToken, MAX_AGE, now);
    assert_eq!(
        (reason(&probe.outcome), probe.duration),
        (Some(Reason::Timeout), Some(SHARE))
    );
}

#[tokio::test(start_paused = true)]
async fn a_cluster_whose_first_query_is_not_silent_yet_has_no_state() {
    let mut record = record();
    record.flight = Some(flight(1));
    advance(SECOND).await;
    assert_eq!(page(&record, true), Outcome::NotAsked);
}

// === what a list says ===

const INTERVAL: Duration = Duration::from_secs(600);

fn listed(name: &str, state: &str, updated: i64) -> ListedCluster {
    ListedCluster {
        id: id(name),
        region: None,
        name: format!("{name} by the list"),
        cluster_type: "ManagedKubernetes".to_owned(),
        spec: "ack.pro.small".to_owned(),
        state: state.to_owned(),
        version: "1.31.1".to_owned(),
        next_version: String::new(),
        updated: Some(Timestamp::constant(updated, 0)),
        tags: Vec::new(),
    }
}

fn region(name: &str) -> Region {
    Region::parse(name).expect("a region")
}

fn discovered(name: &str, in_region: &str) -> Target {
    let mut target = target(name, None);
    Arc::make_mut(&mut target.info).region = Some(region(in_region));
    Target {
        origin: Origin::Discovered,
        ..target
    }
}

/// A roster whose clusters have answered in turn, one each second, that no upgrade has begun.
async fn idle(names: &[&str]) -> Roster {
    let mut roster = roster(names);
    for name in names {
        let flight = Flight {
            changed: Some(Timestamp::constant(1, 0)),
            ..flight(1)
        };
        let never = UpgradeState::never(SourceName::Tasks);
        roster
            .records
            .get_mut(&id(name))
            .expect("it is there")
            .finish(Ok(never), &flight, SECOND, Timestamp::UNIX_EPOCH);
        advance(SECOND).await;
    }
    roster
}

fn take_list(roster: &mut Roster, list: &[ListedCluster], round: Option<u64>) {
    let round = round.map(|round| (round, Idling { interval: INTERVAL }));
    roster.take_list(
        &region("cn-hangzhou"),
        list,
        Vec::new(),
        round,
        Timestamp::constant(9, 0),
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_leaves_those_out_in_which_nothing_goes_on() {
    let mut roster = idle(&["calm", "changed", "upgrading", "unlisted"]).await;
    roster.records.insert(
        id("never"),
        Record::new(target("never", None), Memory::default()),
    );
    let failure = crate::snapshot::Failure::of(&error(ErrorKind::Network));
    let mut failing = Record::new(target("failing", None), answered().memory().clone());
    failing.finish(Err(failure), &flight(2), SECOND, Timestamp::UNIX_EPOCH);
    roster.records.insert(id("failing"), failing);
    let states = [
        ("calm", "running", 1),
        ("changed", "running", 2),
        ("upgrading", "upgrading", 1),
        ("never", "running", 1),
        ("failing", "running", 1),
    ];
    let list = states.map(|(name, state, updated)| listed(name, state, updated));
    advance(MAX_AGE).await;
    take_list(&mut roster, &list, Some(5));
    assert_eq!(roster.due(5, |_| true).len(), 5, "all but one");
    let record = |name: &str| &roster.records[&id(name)];
    assert_eq!(record("calm").asked, 5);
    assert!(
        is_up(&page(record("calm"), false)) && is_up(&page(record("changed"), false)),
        "what has changed waits its turn and is served on"
    );
    assert!(record("changed").has_changed() && !record("calm").has_changed());
    assert_eq!(
        reason(&page(record("unlisted"), false)),
        Some(Reason::RateLimited),
        "a list that does not have it keeps nothing"
    );
    let fresh = |name: &str| {
        record(name)
            .reading(
                Reader::Page,
                Instant::now(),
                true,
                Waiting::ForToken,
                MAX_AGE,
                Instant::now(),
            )
            .last_success
    };
    assert_eq!(
        (fresh("calm"), fresh("changed")),
        (Some(Timestamp::constant(9, 0)), Some(Timestamp::UNIX_EPOCH))
    );
}

#[tokio::test(start_paused = true)]
async fn of_those_whose_interval_is_over_one_in_a_hundred_is_asked_the_oldest_first() {
    let names: Vec<_> = (0..300).map(|number| format!("c{number:03}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let list: Vec<_> = names
        .iter()
        .map(|name| listed(name, "running", 1))
        .collect();
    let mut roster = idle(&names).await;
    advance(Duration::from_millis(299_999)).await;
    take_list(&mut roster, &list, Some(1));
    assert!(
        roster.due(1, |_| true).is_empty(),
        "the oldest lacks a millisecond"
    );
    advance(Duration::from_millis(1)).await;
    take_list(&mut roster, &list, Some(2));
    assert_eq!(
        roster.due(2, |_| true),
        ["c000"].map(id),
        "the others are younger"
    );
    advance(INTERVAL).await;
    take_list(&mut roster, &list, Some(3));
    assert_eq!(roster.due(3, |_| true), ["c000", "c001", "c002"].map(id));
    let mut few = idle(&["a", "b"]).await;
    advance(INTERVAL).await;
    take_list(
        &mut few,
        &[listed("a", "running", 1), listed("b", "running", 1)],
        Some(1),
    );
    assert_eq!(few.due(1, |_| true), ["a"].map(id), "one at the least");
    few.records.get_mut(&id("b")).expect("it is there").asked = 0;
    take_list(
        &mut few,
        &[listed("a", "running", 1), listed("b", "running", 1)],
        Some(0),
    );
    assert_eq!(
        few.records[&id("b")].asked,
        0,
        "a round that it has been asked in"
    );
}

#[tokio::test(start_paused = true)]
async fn clusters_come_and_go_with_the_list_of_their_own_region() {
    let mut roster = roster(&["named"]);
    let list = [listed("new", "running", 1)];
    for (gone, in_region) in [("old", "cn-hangzhou"), ("far", "cn-shanghai")] {
        roster.records.insert(
            id(gone),
            Record::new(discovered(gone, in_region), Memory::default()),
        );
    }
    roster.take_list(
        &region("cn-hangzhou"),
        &list,
        vec![discovered("new", "cn-hangzhou")],
        None,
        Timestamp::UNIX_EPOCH,
    );
    assert_eq!(
        roster.records.keys().cloned().collect::<Vec<_>>(),
        ["far", "named", "new"].map(id)
    );
    let info = &roster.records[&id("new")].target.info;
    assert_eq!(
        (
            info.name.as_str(),
            info.version.as_str(),
            info.state.as_deref()
        ),
        ("new by the list", "1.31.1", Some("running"))
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_list_says_of_a_cluster_is_learnt_but_for_the_operators_own_name() {
    let mut roster = roster(&["c1", "c2"]);
    Arc::make_mut(
        &mut roster
            .records
            .get_mut(&id("c2"))
            .expect("it is there")
            .target
            .info,
    )
    .name = "shop".to_owned();
    take_list(
        &mut roster,
        &[listed("c1", "", 1), listed("c2", "running", 1)],
        None,
    );
    let info = |roster: &Roster, name: &str| Arc::clone(&roster.records[&id(name)].target.info);
    assert_eq!(
        (
            info(&roster, "c1").name.as_str(),
            info(&roster, "c1").state.as_deref()
        ),
        ("c1 by the list", None)
    );
    assert_eq!(info(&roster, "c2").name, "shop");
    let changes: [fn(&mut ListedCluster); 5] = [
        |cluster| cluster.version = "1.32.1".to_owned(),
        |cluster| cluster.next_version = "1.33.1".to_owned(),
        |cluster| cluster.spec = "ack.standard".to_owned(),
        |cluster| cluster.cluster_type = "Kubernetes".to_owned(),
        |cluster| cluster.state = "upgrading".to_owned(),
    ];
    let mut cluster = listed("c2", "running", 1);
    for change in changes {
        let before = info(&roster, "c2");
        take_list(&mut roster, std::slice::from_ref(&cluster), None);
        assert!(Arc::ptr_eq(&before, &info(&roster, "c2")), "nothing new");
        change(&mut cluster);
        take_list(&mut roster, std::slice::from_ref(&cluster), None);
        assert_ne!(before, info(&roster, "c2"));
    }
    let now = info(&roster, "c2");
    assert_eq!(
        (
            now.version.as_str(),
            now.next_version.as_str(),
            now.state.as_deref()
        ),
        ("1.32.1", "1.33.1", Some("upgrading"))
    );
    assert_eq!(
        (now.spec.as_str(), now.cluster_type.as_str()),
        ("ack.standard", "Kubernetes")
    );
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_configuration_knew_is_taken_over_until_the_lists_are_known() {
    let mut earlier = idle(&["c1", "c2"]).await;
    let memories = earlier.memories();
    let mut later = roster(&["c1"]);
    later.inherit(memories);
    assert!(is_up(&page(&later.records[&id("c1")], false)));
    later.take_list(
        &region("cn-hangzhou"),
        &[listed("c2", "running", 1)],
        vec![discovered("c2", "cn-hangzhou")],
        None,
        Timestamp::UNIX_EPOCH,
    );
    assert!(
        is_up(&page(&later.records[&id("c2")], false)),
        "found later"
    );
    earlier.disinherit();
    assert_eq!(earlier.memories().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_new_state_takes_the_place_of_the_old_one_and_an_equal_one_is_shared() {
    let mut record = answered();
    let before = record.known().expect("answered");
    let began = Instant::now() + SECOND;
    assert!(!record.has_ended_since(began));
    assert_eq!(
        record.finish(Ok(good()), &flight(2), SECOND, Timestamp::UNIX_EPOCH),
        Change::Nothing
    );
    assert!(Arc::ptr_eq(&before, &record.known().expect("answered")));
    advance(SECOND).await;
    let paused = UpgradeState {
        status: Status::Pause,
        ..good()
    };
    assert_eq!(
        record.finish(
            Ok(paused.clone()),
            &flight(3),
            SECOND,
            Timestamp::UNIX_EPOCH
        ),
        Change::State
    );
    assert_eq!(*record.known().expect("answered"), paused);
    assert!(record.has_ended_since(began));
    assert!(
        record.has_answered_since(Instant::now() - SECOND)
            && !record.has_answered_since(Instant::now())
    );
    let mut failing = Record::new(target("c1", None), record.memory().clone());
    failing.finish(
        Err(crate::snapshot::Failure::of(&error(ErrorKind::Network))),
        &flight(4),
        SECOND,
        Timestamp::UNIX_EPOCH,
    );
    assert!(
        !failing.has_answered_since(Instant::now() - SECOND),
        "it has failed since"
    );
    assert!(record.idle_since_reading().is_none(), "it is under way");
}

// === a lane ===

/// A lane of four clusters with two places, over an account that nobody asks.
fn lane() -> (Arc<Collector>, Arc<Lane>) {
    let sim = Arc::new(Sim::new(Options::default()));
    let clock = Clock::simulated(sim.world().now());
    let yaml = "accounts:\n  - name: a\n    endpoint: http://stand-in.example\n    max_concurrency: 2\n    \
                credentials: {type: access_key, access_key_id: i, access_key_secret: s}\n    \
                clusters: [{id: c1}, {id: c2}, {id: c3}, {id: c4}]\n";
    let config = Config::parse(yaml, Path::new("")).expect("a configuration");
    let dependencies = Dependencies {
        clock,
        transports: Arc::new(InProcess(sim)),
        shard: Shard::default(),
        credentials: credentials::Context::offline(clock),
        metrics: Arc::new(ExporterMetrics::new(ProcessMetrics::Hidden)),
    };
    let collector = Collector::new(&config, &dependencies);
    let lane = Arc::clone(&collector.lanes[0]);
    (collector, lane)
}

#[tokio::test(start_paused = true)]
async fn a_new_round_calls_off_who_has_been_silent_for_its_share() {
    let (collector, lane) = lane();
    let [old, young] = ["c1", "c2"].map(|name| {
        let flight = flight(if name == "c1" { 1 } else { 2 });
        lane.lock()
            .records
            .get_mut(&id(name))
            .expect("it is there")
            .flight = Some(flight.clone());
        flight
    });
    advance(3 * SECOND).await;
    let young = Flight {
        started: Instant::now() - SECOND,
        ..young
    };
    lane.lock()
        .records
        .get_mut(&id("c2"))
        .expect("it is there")
        .flight = Some(young.clone());
    let (deadline, superseded) = (
        Deadline::at(Instant::now() + 8 * SECOND),
        CancellationToken::new(),
    );
    drop(lane.begin(&Start {
        number: 1,
        deadline: &deadline,
        superseded: &superseded,
        tasks: &collector.tasks,
        stop: &collector.stop,
    }));
    assert!(old.call_off.is_cancelled(), "three seconds of the eight");
    assert!(!young.call_off.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_round_that_waits_for_a_query_puts_off_the_deadline_of_that_query_alone() {
    let (_collector, lane) = lane();
    let first = Lane::round_of(1, Deadline::at(Instant::now() + 5 * SECOND));
    let (_, one) = lane
        .take_off(&first, &id("c1"), Reader::Page)
        .expect("nobody asks it");
    let (_, other) = lane
        .take_off(&first, &id("c2"), Reader::Page)
        .expect("nobody asks it");
    let second = Lane::round_of(2, Deadline::at(Instant::now() + 30 * SECOND));
    assert!(
        lane.take_off(&second, &id("c1"), Reader::Page).is_none(),
        "it is under way"
    );
    assert_eq!(one.deadline.instant(), second.deadline.instant());
    assert_eq!(other.deadline.instant(), first.deadline.instant());
    assert_eq!(lane.lock().records[&id("c1")].asked, 2);
    first.deadline.extend_to(Instant::now() + 9 * SECOND);
    assert_eq!(
        other.deadline.instant(),
        first.deadline.instant(),
        "who joins its own round"
    );
}

#[tokio::test(start_paused = true)]
async fn a_place_is_taken_from_one_who_is_silent_and_from_nobody_whose_query_has_ended() {
    let (_collector, lane) = lane();
    let round = Lane::round_of(1, Deadline::at(Instant::now() + 8 * SECOND));
    let places: Vec<_> = (0..2).map(|_| lane.free_place().expect("free")).collect();
    let flights: Vec<_> = ["c1", "c2"]
        .map(|name| {
            (
                id(name),
                lane.take_off(&round, &id(name), Reader::Page)
                    .expect("nobody asks it")
                    .1,
            )
        })
        .into();
    // The first has ended, but its place is with somebody else.
    lane.lock().land(
        &flights[0].0,
        &flights[0].1,
        Ok(good()),
        Duration::ZERO,
        Timestamp::UNIX_EPOCH,
        false,
    );
    let mut oldest: VecDeque<_> = flights.clone().into();
    assert!(
        timeout(SECOND, lane.place(&round, &mut oldest))
            .await
            .is_err()
    );
    assert!(!flights[0].1.call_off.is_cancelled() && !flights[1].1.call_off.is_cancelled());
    let mut oldest: VecDeque<_> = flights.clone().into();
    let (place, ()) = tokio::join!(lane.place(&round, &mut oldest), async {
        flights[1].1.call_off.cancelled().await;
        assert_eq!(
            flights[1].1.started.elapsed(),
            2 * SECOND,
            "a quarter of the round"
        );
        lane.lock().land(
            &flights[1].0,
            &flights[1].1,
            Err(error(ErrorKind::Timeout)),
            SHARE,
            Timestamp::UNIX_EPOCH,
            false,
        );
        drop(places);
    });
    drop(place);
    assert!(!flights[0].1.call_off.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_query_that_panics_is_its_clusters_failure_and_names_what_its_source_asks() {
    for (source, operation) in [
        (None, "GetUpgradeStatus"),
        (Some(SourceName::UpgradeStatus), "GetUpgradeStatus"),
        (Some(SourceName::Tasks), "DescribeClusterTasks"),
    ] {
        let (_collector, lane) = lane();
        let flight = flight(1);
        let mut record = Record::new(target("c1", source), Memory::default());
        record.flight = Some(flight.clone());
        let query = Query::new(
            Arc::clone(&lane),
            &record,
            flight.clone(),
            CancellationToken::new(),
        );
        lane.lock().records.insert(id("c1"), record);
        // As whoever starts it does.
        lane.await_one();
        query
            .run(flight.budget, lane.free_place().expect("free"))
            .await;
        let roster = lane.lock();
        let failure = roster.records[&id("c1")].failure().expect("it has failed");
        assert_eq!(
            (failure.reason, failure.message.as_str()),
            (
                Reason::Other,
                &*format!("{operation}: the query panicked; please report this")
            )
        );
    }
}

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
use ack_simulator::{InProcess, Options, Simulator};
use exporter_toolkit::process::ProcessMetrics;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::{Instant, advance, timeout};
use tokio_util::sync::CancellationToken;

use super::account::{AccountCollector, CollectionRequest, Query};
use super::entry::{
    BlockedBy, CachedResults, ClusterEntry, InFlight, Origin, StateChange, Target, Trigger,
};
use super::fair_share::FairShare;
use super::table::{ClusterTable, IdlePolicy};
use super::{Collector, Dependencies};
use crate::config::Config;
use crate::metrics::ExporterMetrics;
use crate::queries::upgrade::{UpgradeQuery, UpgradeSource};
use crate::shard::Shard;
use crate::snapshot::{ClusterInfo, ClusterReading, Outcome};
use crate::upgrade::{SourceName, UpgradeState};

const SECOND: Duration = Duration::from_secs(1);
const MAX_AGE: Duration = Duration::from_secs(300);
/// How long a query has in these tests while others wait for its place.
const SHARE: Duration = Duration::from_secs(2);

/// A source that nobody may ask.
#[derive(Debug)]
struct Untouched(Option<SourceName>);

impl UpgradeSource for Untouched {
    fn fetch<'a>(&'a self, _: UpgradeQuery<'a>) -> BoxFuture<'a, Result<UpgradeState, ApiError>> {
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

fn table(names: &[&str]) -> ClusterTable {
    ClusterTable::new(names.iter().map(|name| target(name, None)).collect())
}

fn entry() -> ClusterEntry {
    ClusterEntry::new(target("c1", None), CachedResults::default())
}

fn in_flight(number: u64) -> InFlight {
    let deadline = Deadline::at(Instant::now() + 10 * SECOND);
    let cancel = CancellationToken::new();
    InFlight {
        number,
        started: Instant::now(),
        budget: Budget::new(deadline.clone(), cancel.clone()),
        deadline,
        cancel,
        share: SHARE,
        previously_asked: 3,
        awaited: Arc::new(AtomicBool::new(true)),
        changed: None,
    }
}

fn upgrading() -> UpgradeState {
    UpgradeState {
        status: Status::Running,
        step: Step::Upgrading,
        ..UpgradeState::never(SourceName::Tasks)
    }
}

fn error(kind: ErrorKind) -> ApiError {
    ApiError::local(Operation::DescribeClusterTasks, kind, "no luck")
}

/// A entry that was answered at this moment.
fn answered() -> ClusterEntry {
    let mut entry = entry();
    entry.finish(
        Ok(upgrading()),
        &in_flight(1),
        SECOND,
        Timestamp::UNIX_EPOCH,
    );
    entry
}

/// What the page of a scrape whose waiters go in a moment says of `entry`, which was `asked` in it
/// or was not.
fn page(entry: &ClusterEntry, asked: bool) -> Outcome {
    let now = Instant::now();
    entry
        .reading(
            Trigger::Scrape,
            now,
            asked,
            BlockedBy::RateLimit,
            MAX_AGE,
            now,
        )
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
    let mut table = table(&["a", "b", "c", "d", "e"]);
    for (name, asked, fails) in [
        ("a", 1, true),
        ("b", 1, false),
        ("c", 0, true),
        ("d", 0, false),
        ("e", 2, false),
    ] {
        let entry = table.entries.get_mut(&id(name)).expect("it is there");
        entry.asked = asked;
        let result = if fails {
            Err(crate::snapshot::Failure::of(&error(ErrorKind::Network)))
        } else {
            Ok(upgrading())
        };
        entry.finish(result, &in_flight(1), SECOND, Timestamp::UNIX_EPOCH);
    }
    assert_eq!(
        table.due(2, |_| true),
        ["d", "c", "b", "a"].map(id),
        "e was asked in this collection"
    );
    assert_eq!(
        table.due(3, |entry| !entry.is_failing()),
        ["d", "b", "e"].map(id)
    );
    assert!(table.due(0, |_| true).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_query_costs_what_the_last_one_took() {
    let cost = |source| ClusterEntry::new(target("c1", source), CachedResults::default()).cost();
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
    let mut table = table(&["old", "young", "resting"]);
    let mut start_query = |name: &str, number| {
        table
            .entries
            .get_mut(&id(name))
            .expect("it is there")
            .in_flight = Some(in_flight(number));
    };
    start_query("old", 1);
    advance(SECOND).await;
    start_query("young", 2);
    let silent = |table: &ClusterTable, now| {
        table
            .overdue(now, 8 * SECOND)
            .map(|in_flight| in_flight.number)
            .collect::<Vec<_>>()
    };
    let began = Instant::now() - SECOND;
    assert_eq!(
        silent(&table, began + 2 * SECOND),
        [0_u64; 0],
        "a quarter of eight seconds is not over"
    );
    assert_eq!(
        silent(&table, began + 2 * SECOND + Duration::from_millis(1)),
        [1]
    );
    assert_eq!(silent(&table, began + 4 * SECOND).len(), 2);
    table.fair_share.record_response(3 * SECOND);
    assert_eq!(
        silent(&table, began + 6 * SECOND),
        [0_u64; 0],
        "twice a slow answer"
    );
    assert!(
        table.is_in_flight(&id("old"), &in_flight(1))
            && !table.is_in_flight(&id("old"), &in_flight(2))
    );
    assert!(
        !table.is_in_flight(&id("resting"), &in_flight(1))
            && !table.is_in_flight(&id("gone"), &in_flight(1))
    );
}

#[tokio::test(start_paused = true)]
async fn a_share_is_a_quarter_or_twice_a_slow_answer_and_doubles_while_nothing_is_heard() {
    let mut fair_share = FairShare::default();
    let began = Instant::now();
    let share = |fair_share: &FairShare| fair_share.share(Instant::now(), 8 * SECOND);
    assert_eq!(share(&fair_share), 2 * SECOND);
    fair_share.record_response(3 * SECOND);
    assert_eq!(share(&fair_share), 6 * SECOND);
    fair_share.record_response(Duration::ZERO);
    assert_eq!(
        share(&fair_share),
        5250 * Duration::from_millis(1),
        "what is slow is forgotten slowly"
    );
    let mut fair_share = FairShare::default();
    advance(SECOND).await;
    fair_share.record_cancelled(began);
    fair_share.record_cancelled(began);
    assert_eq!(
        share(&fair_share),
        4 * SECOND,
        "those that were under way beside it count once"
    );
    assert_eq!(fair_share.share(began, 8 * SECOND), 2 * SECOND);
    for _ in 0..4 {
        advance(SECOND).await;
        fair_share.record_cancelled(Instant::now());
    }
    assert_eq!(share(&fair_share), 8 * SECOND, "never more than the whole");
    fair_share.record_contact();
    assert_eq!(share(&fair_share), 2 * SECOND);
}

// === what a result is ===

/// A table with a query under way of its only cluster, which was asked in collection 7.
fn under_way() -> (ClusterTable, InFlight) {
    let mut table = table(&["c1"]);
    let in_flight = in_flight(1);
    let entry = table.entries.get_mut(&id("c1")).expect("it is there");
    (entry.asked, entry.in_flight) = (7, Some(in_flight.clone()));
    (table, in_flight)
}

fn land(
    table: &mut ClusterTable,
    in_flight: &InFlight,
    result: Result<UpgradeState, ApiError>,
    is_stopping: bool,
) -> Option<StateChange> {
    table.record_result(
        &id("c1"),
        in_flight,
        result,
        3 * SECOND,
        Timestamp::UNIX_EPOCH,
        is_stopping,
    )
}

#[tokio::test(start_paused = true)]
async fn answers_and_failures_are_remembered_and_tell_how_long_the_api_takes() {
    let share = |table: &ClusterTable| table.fair_share.share(Instant::now(), 4 * SECOND);
    let (mut table, in_flight) = under_way();
    assert_eq!(
        land(&mut table, &in_flight, Ok(upgrading()), false),
        Some(StateChange::First)
    );
    assert_eq!(share(&table), 6 * SECOND);
    let entry = &table.entries[&id("c1")];
    assert!(entry.in_flight.is_none() && !entry.is_failing() && entry.asked == 7);

    let (mut table, in_flight) = under_way();
    table.fair_share.record_cancelled(in_flight.started);
    assert_eq!(
        land(
            &mut table,
            &in_flight,
            Err(error(ErrorKind::Timeout)),
            false
        ),
        Some(StateChange::Unchanged)
    );
    assert_eq!(
        table.entries[&id("c1")]
            .failure()
            .map(|failure| failure.reason),
        Some(Reason::Timeout)
    );
    assert_eq!(
        share(&table),
        2 * SECOND,
        "still doubled: nothing was heard"
    );

    let (mut table, in_flight) = under_way();
    table.fair_share.record_cancelled(in_flight.started);
    let refused = ApiError {
        status: Some(403),
        ..error(ErrorKind::Forbidden)
    };
    land(&mut table, &in_flight, Err(refused), false);
    assert_eq!(share(&table), SECOND, "the API is there");
}

#[tokio::test(start_paused = true)]
async fn what_ends_because_all_ends_has_not_failed() {
    let (mut table, in_flight) = under_way();
    assert_eq!(
        land(&mut table, &in_flight, Err(error(ErrorKind::Timeout)), true),
        None
    );
    assert!(!table.entries[&id("c1")].is_failing() && table.entries[&id("c1")].in_flight.is_none());
    let (mut table, in_flight) = under_way();
    assert_eq!(
        land(&mut table, &in_flight, Ok(upgrading()), true),
        Some(StateChange::First),
        "an answer is one all the same"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_own_rate_limit_is_no_result_and_makes_the_cluster_the_first_in_turn() {
    let (mut table, in_flight) = under_way();
    assert_eq!(
        land(
            &mut table,
            &in_flight,
            Err(error(ErrorKind::RateLimited)),
            false
        ),
        None
    );
    let entry = &table.entries[&id("c1")];
    assert!(!entry.is_failing() && entry.in_flight.is_none());
    assert_eq!(entry.asked, 3, "as before the query");
}

#[tokio::test(start_paused = true)]
async fn queries_that_start_in_one_moment_are_told_apart_and_those_of_clusters_that_are_gone_are_nobodys()
 {
    let (mut table, first) = under_way();
    let second = in_flight(2);
    assert_eq!(first.started, second.started);
    assert_eq!(land(&mut table, &second, Ok(upgrading()), false), None);
    assert!(table.is_in_flight(&id("c1"), &first));
    table.entries.clear();
    assert_eq!(land(&mut table, &first, Ok(upgrading()), false), None);
    let (one, other) = (table.next_query_number(), table.next_query_number());
    assert_ne!(one, other);
}

// === what a page says ===

#[tokio::test(start_paused = true)]
async fn a_cluster_that_was_not_asked_is_served_from_memory_until_max_age() {
    let entry = answered();
    advance(MAX_AGE).await;
    assert!(is_up(&page(&entry, false)));
    advance(Duration::from_millis(1)).await;
    assert_eq!(reason(&page(&entry, false)), Some(Reason::RateLimited));
    assert!(is_up(&page(&entry, true)), "it has been asked");
    let now = Instant::now();
    let waits_for_place = entry
        .reading(
            Trigger::Scrape,
            now,
            false,
            BlockedBy::Concurrency,
            MAX_AGE,
            now,
        )
        .outcome;
    assert_eq!(reason(&waits_for_place), Some(Reason::Timeout));
}

#[tokio::test(start_paused = true)]
async fn one_that_was_never_asked_has_no_state_unless_the_api_has_kept_it_from_being_asked() {
    let entry = entry();
    assert_eq!(page(&entry, false), Outcome::NotAsked);
    let now = Instant::now();
    let outcome = entry
        .reading(
            Trigger::Scrape,
            now,
            false,
            BlockedBy::Concurrency,
            MAX_AGE,
            now,
        )
        .outcome;
    assert_eq!(reason(&outcome), Some(Reason::Timeout));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_never_covered_by_memory() {
    let mut entry = answered();
    entry.finish(
        Err(crate::snapshot::Failure::of(&error(ErrorKind::Forbidden))),
        &in_flight(2),
        SECOND,
        Timestamp::UNIX_EPOCH,
    );
    assert_eq!(reason(&page(&entry, true)), Some(Reason::Forbidden));
    assert_eq!(reason(&page(&entry, false)), Some(Reason::Forbidden));
}

#[tokio::test(start_paused = true)]
async fn a_query_that_has_had_its_share_is_a_time_out_and_one_that_has_not_is_not() {
    let mut entry = answered();
    entry.in_flight = Some(in_flight(2));
    let early = page(&entry, true);
    assert!(is_up(&early), "it started when the page was due: {early:?}");
    advance(Duration::from_millis(1999)).await;
    assert!(is_up(&page(&entry, true)));
    advance(Duration::from_millis(1)).await;
    assert_eq!(reason(&page(&entry, true)), Some(Reason::Timeout));
    entry
        .in_flight
        .as_ref()
        .expect("under way")
        .awaited
        .store(false, Ordering::Relaxed);
    assert!(
        is_up(&page(&entry, true)),
        "it is a probe's and nobody's else"
    );
    let now = Instant::now();
    let probe: ClusterReading = entry.reading(
        Trigger::Probe,
        now,
        true,
        BlockedBy::RateLimit,
        MAX_AGE,
        now,
    );
    assert_eq!(
        (reason(&probe.outcome), probe.duration),
        (Some(Reason::Timeout), Some(SHARE))
    );
}

#[tokio::test(start_paused = true)]
async fn a_cluster_whose_first_query_is_not_silent_yet_has_no_state() {
    let mut entry = entry();
    entry.in_flight = Some(in_flight(1));
    advance(SECOND).await;
    assert_eq!(page(&entry, true), Outcome::NotAsked);
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

/// A table whose clusters have answered in turn, one each second, that no upgrade has begun.
async fn idle(names: &[&str]) -> ClusterTable {
    let mut table = table(names);
    for name in names {
        let in_flight = InFlight {
            changed: Some(Timestamp::constant(1, 0)),
            ..in_flight(1)
        };
        let never = UpgradeState::never(SourceName::Tasks);
        table
            .entries
            .get_mut(&id(name))
            .expect("it is there")
            .finish(Ok(never), &in_flight, SECOND, Timestamp::UNIX_EPOCH);
        advance(SECOND).await;
    }
    table
}

fn apply_list(table: &mut ClusterTable, list: &[ListedCluster], collection: Option<u64>) {
    let collection = collection.map(|collection| (collection, IdlePolicy { interval: INTERVAL }));
    table.apply_list(
        &region("cn-hangzhou"),
        list,
        Vec::new(),
        collection,
        Timestamp::constant(9, 0),
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_leaves_those_out_in_which_nothing_goes_on() {
    let mut table = idle(&["calm", "changed", "upgrading", "unlisted"]).await;
    table.entries.insert(
        id("never"),
        ClusterEntry::new(target("never", None), CachedResults::default()),
    );
    let failure = crate::snapshot::Failure::of(&error(ErrorKind::Network));
    let mut failing = ClusterEntry::new(target("failing", None), answered().cached().clone());
    failing.finish(Err(failure), &in_flight(2), SECOND, Timestamp::UNIX_EPOCH);
    table.entries.insert(id("failing"), failing);
    let states = [
        ("calm", "running", 1),
        ("changed", "running", 2),
        ("upgrading", "upgrading", 1),
        ("never", "running", 1),
        ("failing", "running", 1),
    ];
    let list = states.map(|(name, state, updated)| listed(name, state, updated));
    advance(MAX_AGE).await;
    apply_list(&mut table, &list, Some(5));
    assert_eq!(table.due(5, |_| true).len(), 5, "all but one");
    let entry = |name: &str| &table.entries[&id(name)];
    assert_eq!(entry("calm").asked, 5);
    assert!(
        is_up(&page(entry("calm"), false)) && is_up(&page(entry("changed"), false)),
        "what has changed waits its turn and is served on"
    );
    assert!(entry("changed").has_changed() && !entry("calm").has_changed());
    assert_eq!(
        reason(&page(entry("unlisted"), false)),
        Some(Reason::RateLimited),
        "a list that does not have it keeps nothing"
    );
    let fresh = |name: &str| {
        entry(name)
            .reading(
                Trigger::Scrape,
                Instant::now(),
                true,
                BlockedBy::RateLimit,
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
    let mut table = idle(&names).await;
    advance(Duration::from_millis(299_999)).await;
    apply_list(&mut table, &list, Some(1));
    assert!(
        table.due(1, |_| true).is_empty(),
        "the oldest_queries lacks a millisecond"
    );
    advance(Duration::from_millis(1)).await;
    apply_list(&mut table, &list, Some(2));
    assert_eq!(
        table.due(2, |_| true),
        ["c000"].map(id),
        "the others are younger"
    );
    advance(INTERVAL).await;
    apply_list(&mut table, &list, Some(3));
    assert_eq!(table.due(3, |_| true), ["c000", "c001", "c002"].map(id));
    let mut few = idle(&["a", "b"]).await;
    advance(INTERVAL).await;
    apply_list(
        &mut few,
        &[listed("a", "running", 1), listed("b", "running", 1)],
        Some(1),
    );
    assert_eq!(few.due(1, |_| true), ["a"].map(id), "one at the least");
    few.entries.get_mut(&id("b")).expect("it is there").asked = 0;
    apply_list(
        &mut few,
        &[listed("a", "running", 1), listed("b", "running", 1)],
        Some(0),
    );
    assert_eq!(
        few.entries[&id("b")].asked,
        0,
        "a collection that it has been asked in"
    );
}

#[tokio::test(start_paused = true)]
async fn clusters_come_and_go_with_the_list_of_their_own_region() {
    let mut table = table(&["named"]);
    let list = [listed("new", "running", 1)];
    for (gone, in_region) in [("old", "cn-hangzhou"), ("far", "cn-shanghai")] {
        table.entries.insert(
            id(gone),
            ClusterEntry::new(discovered(gone, in_region), CachedResults::default()),
        );
    }
    table.apply_list(
        &region("cn-hangzhou"),
        &list,
        vec![discovered("new", "cn-hangzhou")],
        None,
        Timestamp::UNIX_EPOCH,
    );
    assert_eq!(
        table.entries.keys().cloned().collect::<Vec<_>>(),
        ["far", "named", "new"].map(id)
    );
    let info = &table.entries[&id("new")].target.info;
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
    let mut table = table(&["c1", "c2"]);
    Arc::make_mut(
        &mut table
            .entries
            .get_mut(&id("c2"))
            .expect("it is there")
            .target
            .info,
    )
    .name = "shop".to_owned();
    apply_list(
        &mut table,
        &[listed("c1", "", 1), listed("c2", "running", 1)],
        None,
    );
    let info = |table: &ClusterTable, name: &str| Arc::clone(&table.entries[&id(name)].target.info);
    assert_eq!(
        (
            info(&table, "c1").name.as_str(),
            info(&table, "c1").state.as_deref()
        ),
        ("c1 by the list", None)
    );
    assert_eq!(info(&table, "c2").name, "shop");
    let changes: [fn(&mut ListedCluster); 5] = [
        |cluster| cluster.version = "1.32.1".to_owned(),
        |cluster| cluster.next_version = "1.33.1".to_owned(),
        |cluster| cluster.spec = "ack.standard".to_owned(),
        |cluster| cluster.cluster_type = "Kubernetes".to_owned(),
        |cluster| cluster.state = "upgrading".to_owned(),
    ];
    let mut cluster = listed("c2", "running", 1);
    for change in changes {
        let before = info(&table, "c2");
        apply_list(&mut table, std::slice::from_ref(&cluster), None);
        assert!(Arc::ptr_eq(&before, &info(&table, "c2")), "nothing new");
        change(&mut cluster);
        apply_list(&mut table, std::slice::from_ref(&cluster), None);
        assert_ne!(before, info(&table, "c2"));
    }
    let now = info(&table, "c2");
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
    let cached_results = earlier.cached_results();
    let mut later = table(&["c1"]);
    later.inherit(cached_results);
    assert!(is_up(&page(&later.entries[&id("c1")], false)));
    later.apply_list(
        &region("cn-hangzhou"),
        &[listed("c2", "running", 1)],
        vec![discovered("c2", "cn-hangzhou")],
        None,
        Timestamp::UNIX_EPOCH,
    );
    assert!(
        is_up(&page(&later.entries[&id("c2")], false)),
        "found later"
    );
    earlier.drop_inherited();
    assert_eq!(earlier.cached_results().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_new_state_takes_the_place_of_the_old_one_and_an_equal_one_is_shared() {
    let mut entry = answered();
    let before = entry.last_state().expect("answered");
    let began = Instant::now() + SECOND;
    assert!(!entry.has_ended_since(began));
    assert_eq!(
        entry.finish(
            Ok(upgrading()),
            &in_flight(2),
            SECOND,
            Timestamp::UNIX_EPOCH
        ),
        StateChange::Unchanged
    );
    assert!(Arc::ptr_eq(&before, &entry.last_state().expect("answered")));
    advance(SECOND).await;
    let paused = UpgradeState {
        status: Status::Pause,
        ..upgrading()
    };
    assert_eq!(
        entry.finish(
            Ok(paused.clone()),
            &in_flight(3),
            SECOND,
            Timestamp::UNIX_EPOCH
        ),
        StateChange::Changed
    );
    assert_eq!(*entry.last_state().expect("answered"), paused);
    assert!(entry.has_ended_since(began));
    assert!(
        entry.has_answered_since(Instant::now() - SECOND)
            && !entry.has_answered_since(Instant::now())
    );
    let mut failing = ClusterEntry::new(target("c1", None), entry.cached().clone());
    failing.finish(
        Err(crate::snapshot::Failure::of(&error(ErrorKind::Network))),
        &in_flight(4),
        SECOND,
        Timestamp::UNIX_EPOCH,
    );
    assert!(
        !failing.has_answered_since(Instant::now() - SECOND),
        "it has failed since"
    );
    assert!(entry.idle_since_reading().is_none(), "it is under way");
}

// === an account ===

/// An account of four clusters with two permits, over an account that nobody asks.
fn account() -> (Arc<Collector>, Arc<AccountCollector>) {
    let sim = Arc::new(Simulator::new(Options::default()));
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
    let account = Arc::clone(&collector.accounts[0]);
    (collector, account)
}

#[tokio::test(start_paused = true)]
async fn a_new_round_calls_off_who_has_been_silent_for_its_share() {
    let (collector, account) = account();
    let [old, young] = ["c1", "c2"].map(|name| {
        let in_flight = in_flight(if name == "c1" { 1 } else { 2 });
        account
            .lock()
            .entries
            .get_mut(&id(name))
            .expect("it is there")
            .in_flight = Some(in_flight.clone());
        in_flight
    });
    advance(3 * SECOND).await;
    let young = InFlight {
        started: Instant::now() - SECOND,
        ..young
    };
    account
        .lock()
        .entries
        .get_mut(&id("c2"))
        .expect("it is there")
        .in_flight = Some(young.clone());
    let (deadline, superseded) = (
        Deadline::at(Instant::now() + 8 * SECOND),
        CancellationToken::new(),
    );
    drop(account.begin(&CollectionRequest {
        number: 1,
        deadline: &deadline,
        superseded: &superseded,
        tasks: &collector.tasks,
        stop: &collector.stop,
    }));
    assert!(old.cancel.is_cancelled(), "three seconds of the eight");
    assert!(!young.cancel.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_round_that_waits_for_a_query_puts_off_the_deadline_of_that_query_alone() {
    let (_collector, account) = account();
    let first = AccountCollector::collection_of(1, Deadline::at(Instant::now() + 5 * SECOND));
    let (_, one) = account
        .start_query(&first, &id("c1"), Trigger::Scrape)
        .expect("nobody asks it");
    let (_, other) = account
        .start_query(&first, &id("c2"), Trigger::Scrape)
        .expect("nobody asks it");
    let second = AccountCollector::collection_of(2, Deadline::at(Instant::now() + 30 * SECOND));
    assert!(
        account
            .start_query(&second, &id("c1"), Trigger::Scrape)
            .is_none(),
        "it is under way"
    );
    assert_eq!(one.deadline.instant(), second.deadline.instant());
    assert_eq!(other.deadline.instant(), first.deadline.instant());
    assert_eq!(account.lock().entries[&id("c1")].asked, 2);
    first.deadline.put_off(Instant::now() + 9 * SECOND);
    assert_eq!(
        other.deadline.instant(),
        first.deadline.instant(),
        "who joins its own collection"
    );
}

#[tokio::test(start_paused = true)]
async fn a_place_is_taken_from_one_who_is_silent_and_from_nobody_whose_query_has_ended() {
    let (_collector, account) = account();
    let collection = AccountCollector::collection_of(1, Deadline::at(Instant::now() + 8 * SECOND));
    let permits: Vec<_> = (0..2)
        .map(|_| account.free_place().expect("free"))
        .collect();
    let flights: Vec<_> = ["c1", "c2"]
        .map(|name| {
            (
                id(name),
                account
                    .start_query(&collection, &id(name), Trigger::Scrape)
                    .expect("nobody asks it")
                    .1,
            )
        })
        .into();
    // The first has ended, but its place is with somebody else.
    account.lock().record_result(
        &flights[0].0,
        &flights[0].1,
        Ok(upgrading()),
        Duration::ZERO,
        Timestamp::UNIX_EPOCH,
        false,
    );
    let mut oldest_queries: VecDeque<_> = flights.clone().into();
    assert!(
        timeout(SECOND, account.place(&collection, &mut oldest_queries))
            .await
            .is_err()
    );
    assert!(!flights[0].1.cancel.is_cancelled() && !flights[1].1.cancel.is_cancelled());
    let mut oldest_queries: VecDeque<_> = flights.clone().into();
    let (place, ()) = tokio::join!(account.place(&collection, &mut oldest_queries), async {
        flights[1].1.cancel.cancelled().await;
        assert_eq!(
            flights[1].1.started.elapsed(),
            2 * SECOND,
            "a quarter of the collection"
        );
        account.lock().record_result(
            &flights[1].0,
            &flights[1].1,
            Err(error(ErrorKind::Timeout)),
            SHARE,
            Timestamp::UNIX_EPOCH,
            false,
        );
        drop(permits);
    });
    drop(place);
    assert!(!flights[0].1.cancel.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_query_that_panics_is_its_clusters_failure_and_names_what_its_source_asks() {
    for (source, operation) in [
        (None, "GetUpgradeStatus"),
        (Some(SourceName::UpgradeStatus), "GetUpgradeStatus"),
        (Some(SourceName::Tasks), "DescribeClusterTasks"),
    ] {
        let (_collector, account) = account();
        let in_flight = in_flight(1);
        let mut entry = ClusterEntry::new(target("c1", source), CachedResults::default());
        entry.in_flight = Some(in_flight.clone());
        let query = Query::new(
            Arc::clone(&account),
            &entry,
            in_flight.clone(),
            CancellationToken::new(),
        );
        account.lock().entries.insert(id("c1"), entry);
        // As whoever starts it does.
        account.await_one();
        query
            .run(in_flight.budget, account.free_place().expect("free"))
            .await;
        let table = account.lock();
        let failure = table.entries[&id("c1")].failure().expect("it has failed");
        assert_eq!(
            (failure.reason, failure.message.as_str()),
            (
                Reason::Other,
                &*format!("{operation}: the query panicked; please report this")
            )
        );
    }
}

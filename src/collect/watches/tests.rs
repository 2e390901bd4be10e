mod log;

use std::collections::BTreeMap;
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::names::ClusterId;
use ack_client::{ApiError, ErrorKind, Operation};
use jiff::Timestamp;

use super::*;
use crate::collect::fixture::{SECOND, account, discovered};
use crate::queries::{Activity, FetchContext, Query};

pub(super) const INTERVAL: Duration = Duration::from_secs(60);

/// A query about single clusters, which counts how often it is made.
#[derive(Debug)]
pub(super) struct Count;

impl Query for Count {
    type Subject = ClusterId;
    type Answer = u32;
    const OPERATIONS: &'static [Operation] = &[Operation::DescribeClusterDetail];

    async fn fetch(
        &self,
        cluster: &ClusterId,
        _: FetchContext<'_>,
        last: Option<&u32>,
    ) -> Result<u32, ApiError> {
        match cluster.as_str() {
            "panics" => panic!("as the test wants it"),
            "fails" => Err(error(ErrorKind::Forbidden)),
            "silent" => Err(error(ErrorKind::Timeout)),
            "waits" => Err(error(ErrorKind::RateLimited)),
            _ => Ok(last.map_or(1, |last| last + 1)),
        }
    }
}

impl WatchedQuery for Count {
    const NAME: &'static str = "count";

    fn subject(&self, cluster: &ClusterInfo) -> Option<ClusterId> {
        Some(cluster.id.clone())
    }

    fn interval(&self, _: Option<&u32>, activity: Activity) -> Duration {
        match activity {
            Activity::Quiet => INTERVAL,
            Activity::Changed => INTERVAL / 2,
            Activity::Upgrading => SECOND,
        }
    }

    fn max_age(&self) -> Duration {
        INTERVAL
    }

    fn add(&self, count: &Arc<u32>, _: &ClusterInfo, _: Timestamp, watched: &mut Watched) {
        watched.version_support = Some(support(**count));
    }
}

fn error(kind: ErrorKind) -> ApiError {
    ApiError::local(Operation::DescribeClusterDetail, kind, "no")
}

/// The count, in a field that the snapshot has.
fn support(count: u32) -> crate::queries::versions::VersionSupport {
    crate::queries::versions::VersionSupport {
        version: String::new(),
        end_of_support: None,
        versions_behind: Some(count),
    }
}

fn slots(clusters: &[&str]) -> Arc<Slots<Count>> {
    let slots = Slots::new(&AccountName::parse("a").expect("a name"), Count);
    slots.update_subjects(&quiet(clusters), Knowledge::AllKnown, Instant::now());
    slots
}

fn targets(clusters: &[&str]) -> Vec<Target> {
    let targets = clusters.iter().map(|id| discovered(id, "cn-hangzhou"));
    targets.collect()
}

/// The clusters while nothing happens to them; they changed last at the second `changed`.
fn unchanged_since(changed: i64, clusters: &[&str]) -> Vec<KnownCluster> {
    let known = |target| KnownCluster {
        target,
        is_upgrading: false,
        changed: Timestamp::from_second(changed).ok(),
    };
    targets(clusters).into_iter().map(known).collect()
}

pub(super) fn quiet(clusters: &[&str]) -> Vec<KnownCluster> {
    unchanged_since(1, clusters)
}

/// Makes every query that is due, and returns how many there were.
async fn make_due(slots: &Slots<Count>) -> usize {
    let (_, account) = account();
    let client = account.account_client().client().with_spare_calls();
    let jobs = slots.due(&client, Instant::now(), 100);
    let count = jobs.len();
    for job in jobs {
        (job.start)().await;
    }
    count
}

fn counts(slots: &Slots<Count>, clusters: &[&str]) -> BTreeMap<String, Option<u32>> {
    let count = |target: Target| {
        let mut watched = Watched::default();
        slots.add(&target.info, Now::of(Clock::System), &mut watched);
        let support = watched.version_support;
        (
            target.info.id.to_string(),
            support.and_then(|support| support.versions_behind),
        )
    };
    targets(clusters).into_iter().map(count).collect()
}

#[tokio::test(start_paused = true)]
async fn a_query_is_made_at_once_and_then_at_its_interval_or_sooner_during_an_upgrade() {
    let slots = slots(&["c1", "c2"]);
    assert_eq!(make_due(&slots).await, 2);
    assert_eq!(make_due(&slots).await, 0);
    tokio::time::advance(2 * SECOND).await;
    assert_eq!(make_due(&slots).await, 0);
    let mut upgrading = quiet(&["c1", "c2"]);
    for known in &mut upgrading {
        known.is_upgrading = true;
    }
    slots.update_subjects(&upgrading, Knowledge::AllKnown, Instant::now());
    assert_eq!(make_due(&slots).await, 2);
    slots.update_subjects(&quiet(&["c1", "c2"]), Knowledge::AllKnown, Instant::now());
    tokio::time::advance(INTERVAL).await;
    assert_eq!(make_due(&slots).await, 2);
    assert_eq!(counts(&slots, &["c1"])["c1"], Some(3));
}

#[tokio::test(start_paused = true)]
async fn a_query_that_was_not_due_a_moment_ago_is_due_at_its_time() {
    let slots = slots(&["c1"]);
    make_due(&slots).await;
    tokio::time::advance(INTERVAL).await;
    assert_eq!(make_due(&slots).await, 1);
    tokio::time::advance(INTERVAL / 2).await;
    assert_eq!(make_due(&slots).await, 0);
    tokio::time::advance(INTERVAL / 2).await;
    assert_eq!(make_due(&slots).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_has_changed_since_its_answer_is_asked_about_sooner_and_once() {
    let slots = slots(&["c1", "fails"]);
    make_due(&slots).await;
    // After the first answer the interval is shorter in any case.
    tokio::time::advance(INTERVAL).await;
    assert_eq!(make_due(&slots).await, 2);
    let changed = unchanged_since(9, &["c1", "fails"]);
    slots.update_subjects(&changed, Knowledge::AllKnown, Instant::now());
    tokio::time::advance(INTERVAL / 2).await;
    assert_eq!(make_due(&slots).await, 1, "a failure stays as it is");
    tokio::time::advance(INTERVAL / 2).await;
    assert_eq!(make_due(&slots).await, 1, "the one that failed");
    tokio::time::advance(INTERVAL / 2).await;
    assert_eq!(make_due(&slots).await, 1, "no change since");
    assert_eq!(counts(&slots, &["c1"])["c1"], Some(4));
}

#[tokio::test(start_paused = true)]
async fn the_query_that_is_overdue_longest_is_the_first() {
    let slots = slots(&["c2"]);
    make_due(&slots).await;
    tokio::time::advance(SECOND).await;
    slots.update_subjects(&quiet(&["c1", "c2"]), Knowledge::AllKnown, Instant::now());
    make_due(&slots).await;
    tokio::time::advance(2 * INTERVAL).await;
    let (_, account) = account();
    let client = account.account_client().client().with_spare_calls();
    let due_at = |limit| -> Vec<Instant> {
        let due = slots.due(&client, Instant::now(), limit);
        due.iter().map(|job| job.due_at).collect()
    };
    let due = due_at(9);
    assert!(due.len() == 2 && due[0] < due[1], "{due:?}");
    assert_eq!(due_at(1), due[..1], "no more than the limit");
}

#[tokio::test(start_paused = true)]
async fn the_second_queries_are_spread_over_the_interval_and_the_others_follow_each_at_it() {
    let names: Vec<_> = (0..100).map(|number| format!("c{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let slots = slots(&names);
    assert_eq!(make_due(&slots).await, 100);
    for _ in 0..4 {
        for tenth in 0..10 {
            tokio::time::advance(INTERVAL / 10).await;
            let made = make_due(&slots).await;
            assert!((2..=30).contains(&made), "{made} in tenth {tenth}");
        }
    }
    let counts = counts(&slots, &names);
    assert!(counts.values().all(|count| *count == Some(5)), "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_or_a_panic_is_that_of_its_subject_and_names_the_permission() {
    let clusters = ["c1", "fails", "panics"];
    let slots = slots(&clusters);
    assert_eq!(make_due(&slots).await, 3);
    let failures: Vec<_> = targets(&clusters)
        .iter()
        .map(|target| slots.cluster_reading(&target.info).expect("made").failure)
        .collect();
    assert!(failures[0].is_none());
    let message = |at: usize| failures[at].as_ref().expect("it failed").message.clone();
    assert!(
        message(1).contains("cs:DescribeClusterDetail"),
        "{}",
        message(1)
    );
    assert!(message(2).contains("panicked"), "{}", message(2));
}

#[tokio::test(start_paused = true)]
async fn a_query_that_the_accounts_own_limit_held_back_has_not_failed_and_stays_due() {
    let slots = slots(&["waits"]);
    assert_eq!(make_due(&slots).await, 1);
    let reading = slots.cluster_reading(&targets(&["waits"])[0].info);
    assert_eq!(reading, None, "not asked yet");
    assert_eq!(make_due(&slots).await, 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_shown_until_it_is_too_old_and_goes_with_its_cluster() {
    let slots = slots(&["c1"]);
    assert_eq!(counts(&slots, &["c1"])["c1"], None);
    make_due(&slots).await;
    assert_eq!(counts(&slots, &["c1"])["c1"], Some(1));
    slots.update_subjects(&[], Knowledge::Partial, Instant::now());
    assert_eq!(counts(&slots, &["c1"])["c1"], Some(1), "a list is missing");
    tokio::time::advance(INTERVAL + SECOND).await;
    assert_eq!(counts(&slots, &["c1"])["c1"], None);
    slots.update_subjects(&[], Knowledge::AllKnown, Instant::now());
    assert!(slots.lock().entries.is_empty());
}

#[tokio::test(start_paused = true)]
async fn answers_survive_a_reload() {
    let earlier = slots(&["c1"]);
    make_due(&earlier).await;
    let later = slots(&[]);
    later.inherit(&*earlier, ReloadedClient::Kept);
    assert_eq!(make_due(&later).await, 0, "no cluster is known yet");
    assert_eq!(counts(&later, &["c1"])["c1"], Some(1));
    later.update_subjects(&quiet(&["c1"]), Knowledge::AllKnown, Instant::now());
    assert_eq!(make_due(&later).await, 0, "it is fresh");
}

#[tokio::test(start_paused = true)]
async fn a_reload_with_another_access_repeats_what_has_failed_and_nothing_else() {
    let earlier = slots(&["c1", "fails"]);
    make_due(&earlier).await;
    for (client, due) in [(ReloadedClient::Kept, 0), (ReloadedClient::Replaced, 1)] {
        let later = slots(&[]);
        later.inherit(&*earlier, client);
        later.update_subjects(
            &quiet(&["c1", "fails"]),
            Knowledge::AllKnown,
            Instant::now(),
        );
        assert_eq!(make_due(&later).await, due, "{client:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_is_seen_across_a_reload() {
    let earlier = slots(&["c1"]);
    make_due(&earlier).await;
    tokio::time::advance(INTERVAL).await;
    make_due(&earlier).await;
    let later = slots(&[]);
    later.inherit(&*earlier, ReloadedClient::Kept);
    let changed = unchanged_since(9, &["c1"]);
    later.update_subjects(&changed, Knowledge::AllKnown, Instant::now());
    tokio::time::advance(INTERVAL / 2).await;
    assert_eq!(make_due(&later).await, 1, "sooner than after an interval");
}

#[tokio::test(start_paused = true)]
async fn a_new_cluster_is_expected_to_fare_as_the_last_query_in_its_region_did() {
    for (first, in_region, expected) in [
        ("silent", "cn-hangzhou", QueryClass::Failing),
        ("silent", "cn-beijing", QueryClass::Responding),
        ("fails", "cn-hangzhou", QueryClass::Responding),
        ("c1", "cn-hangzhou", QueryClass::Responding),
    ] {
        let slots = slots(&[first]);
        make_due(&slots).await;
        let new = KnownCluster {
            target: discovered("new", in_region),
            is_upgrading: false,
            changed: None,
        };
        slots.update_subjects(&[new], Knowledge::Partial, Instant::now());
        let due = slots.lock().due(&Count, Instant::now(), 9);
        let classes: Vec<_> = due.iter().map(|due| due.class).collect();
        assert_eq!(classes, [expected], "{first}, {in_region}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_progress_counts_subjects_whose_query_has_succeeded_or_failed() {
    let slots = slots(&["c1", "fails", "waits"]);
    let progress = |ended| CollectionProgress { ended, needed: 3 };
    assert_eq!(slots.progress(), progress(0));
    make_due(&slots).await;
    assert_eq!(slots.progress(), progress(2), "one is not asked yet");
}

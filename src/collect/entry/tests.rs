use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ack_client::{ErrorKind, Reason, Status};
use tokio::time::{Instant, advance};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::collect::fixture::*;
use crate::snapshot::Outcome;
use crate::upgrade::SourceName;

#[tokio::test(start_paused = true)]
async fn a_query_is_expected_to_take_as_many_calls_as_the_last_one() {
    let calls =
        |source| ClusterEntry::new(target("c1", source), CachedResults::default()).expected_calls();
    assert_eq!(
        [
            None,
            Some(SourceName::UpgradeStatus),
            Some(SourceName::Tasks)
        ]
        .map(calls),
        [1, 1, 2]
    );
    assert_eq!(
        succeeded().expected_calls(),
        1,
        "no call at all is one the next time"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_was_not_queried_is_served_from_the_cache_until_max_age() {
    let entry = succeeded();
    advance(MAX_AGE).await;
    assert!(is_up(&page(&entry, false)));
    advance(Duration::from_millis(1)).await;
    assert_eq!(reason(&page(&entry, false)), Some(Reason::RateLimited));
    assert!(is_up(&page(&entry, true)), "it has been asked");
    assert_eq!(reason(&page_of_a_slow_api(&entry)), Some(Reason::Timeout));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_was_never_queried_has_no_state_unless_the_api_blocks_it() {
    let entry = new_entry("c1");
    assert_eq!(page(&entry, false), Outcome::NotAsked);
    assert_eq!(reason(&page_of_a_slow_api(&entry)), Some(Reason::Timeout));
}

/// The outcome of a cluster that was not queried because all permits are taken.
fn page_of_a_slow_api(entry: &ClusterEntry) -> Outcome {
    let viewpoint = viewpoint(Trigger::Scrape, BlockedBy::Concurrency);
    entry.reading(&viewpoint).outcome
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_never_hidden_by_the_cache() {
    let mut entry = succeeded();
    entry.record_result(
        Err(failure(ErrorKind::Forbidden)),
        &in_flight(2),
        SECOND,
        now(),
    );
    assert_eq!(reason(&page(&entry, true)), Some(Reason::Forbidden));
    assert_eq!(reason(&page(&entry, false)), Some(Reason::Forbidden));
}

#[tokio::test(start_paused = true)]
async fn a_query_is_a_time_out_once_it_has_had_its_share() {
    let mut entry = succeeded();
    entry.start(Arc::new(in_flight(2)));
    let early = page(&entry, true);
    assert!(is_up(&early), "it started when the page was due: {early:?}");
    advance(Duration::from_millis(1999)).await;
    assert!(is_up(&page(&entry, true)));
    advance(Duration::from_millis(1)).await;
    assert_eq!(reason(&page(&entry, true)), Some(Reason::Timeout));
    let in_flight = entry.in_flight().expect("one is in flight");
    in_flight.is_awaited.store(false, Ordering::Relaxed);
    assert!(is_up(&page(&entry, true)), "no demand waits for it");
    let probe = entry.reading(&viewpoint(Trigger::Probe, BlockedBy::RateLimit));
    assert_eq!(
        (reason(&probe.outcome), probe.duration),
        (Some(Reason::Timeout), Some(SHARE))
    );
}

#[tokio::test(start_paused = true)]
async fn a_cluster_whose_first_query_is_in_flight_has_no_state() {
    let mut entry = new_entry("c1");
    entry.start(Arc::new(in_flight(1)));
    advance(SECOND).await;
    assert_eq!(page(&entry, true), Outcome::NotAsked);
}

#[tokio::test(start_paused = true)]
async fn a_query_that_starts_when_the_reader_goes_is_not_for_that_reader() {
    let mut entry = succeeded();
    advance(SECOND).await;
    entry.start(Arc::new(in_flight(2)));
    let viewpoint = viewpoint(Trigger::Scrape, BlockedBy::RateLimit);
    let reading = entry.reading(&viewpoint);
    assert_eq!(reading.duration, Some(SECOND), "of the last query");
    let later = Viewpoint {
        end: viewpoint.end + Duration::from_nanos(1),
        ..viewpoint
    };
    let reading = entry.reading(&later);
    assert_eq!(reading.duration, Some(Duration::ZERO), "so far");
}

#[tokio::test(start_paused = true)]
async fn a_new_state_replaces_the_old_one_and_an_equal_one_is_shared() {
    let mut entry = succeeded();
    let before = Arc::clone(entry.last_state().expect("it has been read"));
    let equal = entry.record_result(Ok(upgrading()), &in_flight(2), SECOND, now());
    assert_eq!(equal.change, StateChange::Unchanged);
    let after = entry.last_state().expect("it has been read");
    assert!(Arc::ptr_eq(&before, after));
    advance(SECOND).await;
    let explained = UpgradeState {
        error_message: Some("slow".to_owned()),
        ..upgrading()
    };
    let same = entry.record_result(Ok(explained.clone()), &in_flight(2), SECOND, now());
    assert_eq!(same.change, StateChange::Unchanged, "the same step");
    assert_eq!(**entry.last_state().expect("it has been read"), explained);
    let paused = UpgradeState {
        status: Status::Pause,
        ..upgrading()
    };
    let other = entry.record_result(Ok(paused.clone()), &in_flight(3), SECOND, now());
    assert_eq!(other.change, StateChange::Changed);
    assert_eq!(**entry.last_state().expect("it has been read"), paused);
    assert!(entry.idle_since().is_none(), "an upgrade is running");
}

#[tokio::test(start_paused = true)]
async fn a_query_has_ended_or_succeeded_since_the_times_before_its_end() {
    let mut entry = succeeded();
    let later = Instant::now() + SECOND;
    assert!(!entry.has_ended_since(later));
    advance(SECOND).await;
    entry.record_result(Ok(upgrading()), &in_flight(2), SECOND, now());
    assert!(entry.has_ended_since(later));
    assert!(entry.has_succeeded_since(later - SECOND));
    assert!(!entry.has_succeeded_since(later));
    let network = failure(ErrorKind::Network);
    let recorded = entry.record_result(Err(network.clone()), &in_flight(3), SECOND, now());
    assert_eq!(recorded.previous_failure, None);
    assert!(
        !entry.has_succeeded_since(later - SECOND),
        "it has failed since"
    );
    let recorded = entry.record_result(Err(network), &in_flight(4), SECOND, now());
    assert_eq!(recorded.previous_failure, Some(Reason::Network));
}

#[tokio::test(start_paused = true)]
async fn a_demand_queries_a_cluster_unless_a_query_in_flight_counts() {
    let mut entry = new_entry("c1");
    let first = demand(5 * SECOND);
    assert!(entry.claim(&first));
    assert_eq!(entry.served, None, "it has not been queried yet");
    let query = entry.start_query(
        1,
        &first,
        Trigger::Probe,
        SHARE,
        Instant::now(),
        CancellationToken::new(),
    );
    assert!(!query.is_awaited(), "it is only a probe's");
    assert!(!entry.claim(&first));
    assert!(query.is_awaited());
    advance(SECOND).await;
    let second = demand(30 * SECOND);
    assert!(!entry.claim(&second));
    assert_eq!(query.budget.end(), second.deadline.instant());
    assert!(entry.has_served(second.since));
}

#[tokio::test(start_paused = true)]
async fn a_demand_needs_no_query_of_a_cluster_that_was_read_after_its_start() {
    let mut entry = succeeded();
    let later = demand(5 * SECOND);
    assert!(entry.claim(&later), "not after its start");
    advance(SECOND).await;
    entry.record_result(Ok(upgrading()), &in_flight(2), SECOND, now());
    assert!(!entry.claim(&later));
    assert!(entry.has_served(later.since));
}

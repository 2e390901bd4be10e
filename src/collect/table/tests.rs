use std::sync::Arc;
use std::time::Duration;

use ack_client::{ApiError, ErrorKind, Reason, describe_cluster};
use tokio::time::{Instant, advance};

use super::*;
use crate::collect::entry::StateChange;
use crate::collect::fixture::*;

#[tokio::test(start_paused = true)]
async fn clusters_that_were_not_reached_come_first_and_those_that_fail_last() {
    let mut table = table(&["a", "b", "c", "d", "e"]);
    for (name, demand, fails) in [
        ("a", 1, true),
        ("b", 1, false),
        ("c", 0, true),
        ("d", 0, false),
        ("e", 2, false),
    ] {
        let entry = table.entries.get_mut(&id(name)).expect("it is there");
        entry.served = Some(moment(demand));
        let result = if fails {
            Err(failure(ErrorKind::Network))
        } else {
            Ok(upgrading())
        };
        entry.record_result(result, &in_flight(1), SECOND, now());
    }
    assert_eq!(
        table.due(moment(2), |_| true),
        ["d", "c", "b", "a"].map(id),
        "e has served this demand"
    );
    assert_eq!(
        table.due(moment(3), |entry| !entry.is_failing()),
        ["d", "b", "e"].map(id)
    );
    assert!(table.due(moment(0), |_| true).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_query_is_overdue_after_its_share_and_not_before() {
    let mut table = table(&["old", "young", "resting"]);
    let mut start_query = |name: &str, number| {
        table
            .entries
            .get_mut(&id(name))
            .expect("it is there")
            .start(Arc::new(in_flight(number)));
    };
    start_query("old", 1);
    advance(SECOND).await;
    start_query("young", 2);
    let overdue = |table: &ClusterTable, now| {
        table
            .overdue(now, 8 * SECOND)
            .map(|in_flight| in_flight.number)
            .collect::<Vec<_>>()
    };
    let began = Instant::now() - SECOND;
    assert_eq!(
        overdue(&table, began + 2 * SECOND),
        [0_u64; 0],
        "a quarter of eight seconds is not over"
    );
    assert_eq!(
        overdue(&table, began + 2 * SECOND + Duration::from_millis(1)),
        [1]
    );
    assert_eq!(overdue(&table, began + 4 * SECOND).len(), 2);
    table.fair_share.record_response(3 * SECOND);
    assert_eq!(
        overdue(&table, began + 6 * SECOND),
        [0_u64; 0],
        "twice a slow response"
    );
}

/// A table with a query in flight of its only cluster, which served demand 7.
fn with_query() -> (ClusterTable, Arc<InFlight>) {
    let mut table = table(&["c1"]);
    let query = Arc::new(in_flight(1));
    let entry = table.entries.get_mut(&id("c1")).expect("it is there");
    entry.served = Some(moment(7));
    entry.start(Arc::clone(&query));
    (table, query)
}

fn record(
    table: &mut ClusterTable,
    query: &InFlight,
    result: Result<UpgradeState, ApiError>,
    is_stopping: bool,
) -> Option<StateChange> {
    table
        .record_result(&id("c1"), query, result, 3 * SECOND, now(), is_stopping)
        .map(|(_, recorded)| recorded.change)
}

#[tokio::test(start_paused = true)]
async fn results_are_kept_and_tell_how_long_the_api_takes() {
    let share = |table: &ClusterTable| table.fair_share.share(Instant::now(), 4 * SECOND);
    let (mut table, in_flight) = with_query();
    assert_eq!(
        record(&mut table, &in_flight, Ok(upgrading()), false),
        Some(StateChange::First)
    );
    assert_eq!(share(&table), 6 * SECOND);
    let entry = &table.entries[&id("c1")];
    assert!(entry.in_flight().is_none() && !entry.is_failing() && entry.served == Some(moment(7)));

    let (mut table, in_flight) = with_query();
    table.fair_share.record_cancelled(in_flight.started);
    assert_eq!(
        record(
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
        "still doubled: there was no response"
    );

    let (mut table, in_flight) = with_query();
    table.fair_share.record_cancelled(in_flight.started);
    let refused = ApiError {
        status: Some(403),
        ..error(ErrorKind::Forbidden)
    };
    record(&mut table, &in_flight, Err(refused), false);
    assert_eq!(share(&table), SECOND, "the API is there");
}

#[tokio::test(start_paused = true)]
async fn a_response_after_a_wait_for_the_rate_limit_does_not_tell_how_long_the_api_takes() {
    let (_collector, account) = account();
    let client = account.account_client().client();
    let _taken = client.limiter().acquire(100).await;
    let (mut table, in_flight) = with_query();
    let endpoint = &table.entries[&id("c1")].target.endpoint;
    drop(describe_cluster(client, endpoint, &id("c1"), &in_flight.budget).await);
    assert!(in_flight.budget.has_waited_for_rate_limit());
    record(&mut table, &in_flight, Ok(upgrading()), false);
    let share = table.fair_share.share(Instant::now(), 4 * SECOND);
    assert_eq!(share, SECOND, "a quarter");
}

#[tokio::test(start_paused = true)]
async fn a_query_that_ends_because_all_end_has_not_failed() {
    let (mut table, in_flight) = with_query();
    assert_eq!(
        record(&mut table, &in_flight, Err(error(ErrorKind::Timeout)), true),
        None
    );
    assert!(
        !table.entries[&id("c1")].is_failing() && table.entries[&id("c1")].in_flight().is_none()
    );
    let (mut table, in_flight) = with_query();
    assert_eq!(
        record(&mut table, &in_flight, Ok(upgrading()), true),
        Some(StateChange::First),
        "a response counts all the same"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_rate_limit_is_no_result_and_makes_the_cluster_the_first_in_order() {
    let (mut table, in_flight) = with_query();
    assert_eq!(
        record(
            &mut table,
            &in_flight,
            Err(error(ErrorKind::RateLimited)),
            false
        ),
        None
    );
    let entry = &table.entries[&id("c1")];
    assert!(!entry.is_failing() && entry.in_flight().is_none());
    assert_eq!(entry.served, Some(moment(3)), "as before the query");
}

#[tokio::test(start_paused = true)]
async fn queries_have_numbers_and_results_of_clusters_that_are_gone_are_dropped() {
    let (mut table, first) = with_query();
    let second = in_flight(2);
    assert_eq!(first.started, second.started);
    assert_eq!(record(&mut table, &second, Ok(upgrading()), false), None);
    assert!(table.entries[&id("c1")].has_in_flight(1));
    assert!(second.has_ended() && !first.has_ended());
    table.entries.clear();
    assert_eq!(record(&mut table, &first, Ok(upgrading()), false), None);
    let (one, other) = (table.next_query_number(), table.next_query_number());
    assert_ne!(one, other);
}

#[tokio::test(start_paused = true)]
async fn results_of_an_earlier_configuration_are_taken_over_until_the_lists_are_known() {
    let earlier = idle(&["c1", "c2", "gone"]).await;
    let mut later = table(&["c1"]);
    later.inherit(earlier.cached_results());
    assert!(is_up(&page(&later.entries[&id("c1")], false)));
    later.apply_list(
        &region("cn-hangzhou"),
        &[listed("c2", "running", 1)],
        vec![discovered("c2", "cn-hangzhou")],
        None,
        now(),
    );
    assert!(
        is_up(&page(&later.entries[&id("c2")], false)),
        "found later"
    );
    assert!(later.cached_results().contains_key(&id("gone")));
    later.drop_inherited();
    assert_eq!(later.cached_results().len(), 2, "no list has it");
}

#[tokio::test(start_paused = true)]
async fn the_progress_of_a_demand_counts_the_clusters_that_have_served_it() {
    let (mut table, query) = with_query();
    let progress = |ended| CollectionProgress { ended, needed: 1 };
    assert_eq!(table.progress(moment(7)), progress(0), "a query is awaited");
    record(&mut table, &query, Ok(upgrading()), false);
    assert_eq!(table.progress(moment(7)), progress(1));
    assert_eq!(table.progress(moment(8)), progress(0), "a later demand");
}

#[tokio::test(start_paused = true)]
async fn after_a_reload_a_cluster_has_its_results_but_not_the_query_in_flight() {
    let mut earlier = idle(&["c1"]).await;
    let entry = earlier.entries.get_mut(&id("c1")).expect("it is there");
    entry.start(Arc::new(in_flight(1)));
    let mut later = table(&["c1"]);
    later.inherit(earlier.cached_results());
    let entry = &later.entries[&id("c1")];
    assert!(entry.last_state().is_some() && entry.in_flight().is_none());
}

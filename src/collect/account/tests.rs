use std::sync::Arc;

use ack_client::ErrorKind;
use tokio::time::{Instant, advance, timeout};

use super::*;
use crate::collect::entry::InFlight;
use crate::collect::fixture::*;

#[tokio::test(start_paused = true)]
async fn a_new_demand_cancels_queries_that_are_overdue() {
    let (_collector, account) = account();
    let old = start_query(&account, "c1", 1);
    advance(2 * SECOND).await;
    let young = start_query(&account, "c2", 2);
    advance(SECOND).await;
    account.demand(demand(8 * SECOND));
    advance(SECOND / 10).await;
    assert!(old.budget.is_cancelled(), "three seconds of the eight");
    assert!(!young.budget.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_demand_is_served_when_every_query_has_ended_one_of_an_earlier_demand_too() {
    let (_collector, account) = account();
    let earlier = start_query(&account, "c1", 1);
    let demand = demand(8 * SECOND);
    let since = demand.since;
    account.demand(demand);
    assert!(timeout(SECOND, account.served(since)).await.is_err());
    assert!(!account.lock().is_complete(since) && account.served_at(since).is_none());
    let result = Err(error(ErrorKind::Network));
    account
        .lock()
        .record_result(&id("c1"), &earlier, result, SECOND, now(), false);
    account.served(since).await;
    assert!(account.lock().is_complete(since));
    assert_eq!(account.served_at(since), Some(Instant::now()));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_an_earlier_demand_is_served_with_a_newer_one() {
    let (_collector, account) = account();
    let silent = start_query(&account, "c1", 1);
    let earlier = demand(8 * SECOND);
    let since = earlier.since;
    account.demand(earlier);
    advance(SECOND).await;
    let newer = demand(8 * SECOND);
    account.demand(newer.clone());
    let result = Err(error(ErrorKind::Network));
    account
        .lock()
        .record_result(&id("c1"), &silent, result, SECOND, now(), false);
    account.served(since).await;
    assert!(account.lock().is_complete(newer.since));
}

/// Starts a query that ends when its result is recorded.
fn start_query(account: &AccountCollector, name: &str, number: u64) -> Arc<InFlight> {
    let query = Arc::new(in_flight(number));
    let mut table = account.lock();
    let entry = table.entries.get_mut(&id(name)).expect("it is there");
    entry.start(Arc::clone(&query));
    query
}

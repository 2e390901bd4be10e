use std::sync::Arc;

use ack_client::Deadline;
use ack_client::ErrorKind;
use tokio::task::JoinHandle;
use tokio::time::{Instant, advance, timeout};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::collect::Collector;
use crate::collect::entry::InFlight;
use crate::collect::fixture::*;

#[tokio::test(start_paused = true)]
async fn a_new_collection_cancels_queries_that_are_overdue() {
    let (collector, account) = account();
    let old = start_query(&account, "c1", 1);
    advance(2 * SECOND).await;
    let young = start_query(&account, "c2", 2);
    advance(SECOND).await;
    drop(start_collection(&collector, &account));
    assert!(old.cancel.is_cancelled(), "three seconds of the eight");
    assert!(!young.cancel.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_collection_ends_when_every_query_has_ended_one_of_an_earlier_collection_too() {
    let (collector, account) = account();
    let earlier = start_query(&account, "c1", 1);
    let mut collection = start_collection(&collector, &account);
    assert!(timeout(SECOND, &mut collection).await.is_err());
    let is_complete = || account.lock().is_complete(1);
    assert!(!is_complete());
    let result = Err(error(ErrorKind::Network));
    account
        .lock()
        .record_result(&id("c1"), &earlier, result, SECOND, now(), false);
    collection.await.expect("no panic");
    assert!(is_complete());
}

/// Starts a query that ends when its result is recorded.
fn start_query(account: &AccountCollector, name: &str, number: u64) -> Arc<InFlight> {
    let query = Arc::new(in_flight(number));
    let mut table = account.lock();
    let entry = table.entries.get_mut(&id(name)).expect("it is there");
    entry.in_flight = Some(Arc::clone(&query));
    query
}

/// Starts the first collection, of eight seconds.
fn start_collection(collector: &Collector, account: &Arc<AccountCollector>) -> JoinHandle<()> {
    account.start_collection(&CollectionRequest {
        number: 1,
        deadline: &Deadline::at(Instant::now() + 8 * SECOND),
        superseded: &CancellationToken::new(),
        tasks: &collector.tasks,
        stop: &collector.stop,
    })
}

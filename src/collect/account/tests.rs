use std::sync::Arc;

use ack_client::Deadline;
use tokio::time::{Instant, advance};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::collect::fixture::*;

#[tokio::test(start_paused = true)]
async fn a_new_collection_cancels_queries_that_are_overdue() {
    let (collector, account) = account();
    let start_query = |name: &str, number| {
        let query = Arc::new(in_flight(number));
        let mut table = account.lock();
        let entry = table.entries.get_mut(&id(name)).expect("it is there");
        entry.in_flight = Some(Arc::clone(&query));
        query
    };
    let old = start_query("c1", 1);
    advance(2 * SECOND).await;
    let young = start_query("c2", 2);
    advance(SECOND).await;
    let deadline = Deadline::at(Instant::now() + 8 * SECOND);
    drop(account.start_collection(&CollectionRequest {
        number: 1,
        deadline: &deadline,
        superseded: &CancellationToken::new(),
        tasks: &collector.tasks,
        stop: &collector.stop,
    }));
    assert!(old.cancel.is_cancelled(), "three seconds of the eight");
    assert!(!young.cancel.is_cancelled());
}

use std::time::Duration;

use ack_client::{ApiError, ErrorKind};
use tokio::time::timeout;

use super::*;
use crate::collect::fixture::*;
use crate::upgrade::UpgradeState;

#[tokio::test(start_paused = true)]
async fn a_permit_is_taken_from_a_silent_query_and_from_none_that_has_ended() {
    let (_collector, account) = account();
    let demand = demand(8 * SECOND);
    let permits = Arc::clone(&account.permits)
        .try_acquire_many_owned(2)
        .expect("both are free");
    let [ended, silent, other] = ["c1", "c2", "c3"].map(|name| {
        let query = account.start_query(&id(name), &demand, Trigger::Scrape);
        Arc::clone(query.expect("none is in flight").in_flight())
    });
    let schedule = || {
        let mut schedule = Schedule::new(&account, &demand);
        schedule
            .started
            .extend([&ended, &silent, &other].map(Arc::clone));
        schedule
    };
    // Another query has taken its permit.
    record(&account, "c1", &ended, Ok(upgrading()), Duration::ZERO);
    assert!(timeout(SECOND, schedule().acquire_permit()).await.is_err());
    assert!(!ended.budget.is_cancelled() && !silent.budget.is_cancelled());
    let release = async {
        silent.budget.expired().await;
        assert!(silent.budget.is_cancelled());
        assert_eq!(
            silent.started.elapsed(),
            2 * SECOND,
            "a quarter of the time"
        );
        let result = Err(error(ErrorKind::Timeout));
        record(&account, "c2", &silent, result, SHARE);
        drop(permits);
    };
    let mut schedule = schedule();
    let (permit, ()) = tokio::join!(schedule.acquire_permit(), release);
    drop(permit);
    assert!(!ended.budget.is_cancelled());
    assert!(!other.budget.is_cancelled(), "one permit was wanted");
}

fn record(
    account: &AccountCollector,
    name: &str,
    query: &InFlight,
    result: Result<UpgradeState, ApiError>,
    duration: Duration,
) {
    account
        .lock()
        .record_result(&id(name), query, result, duration, now(), false);
}

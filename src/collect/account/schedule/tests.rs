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

#[tokio::test(start_paused = true)]
async fn a_query_that_is_cancelled_doubles_the_share_once_and_one_that_has_ended_never() {
    let (_collector, account) = account();
    let demand = demand(8 * SECOND);
    let [ended, silent] = ["c1", "c2"].map(|name| {
        let query = account.start_query(&id(name), &demand, Trigger::Scrape);
        Arc::clone(query.expect("none is in flight").in_flight())
    });
    let share = || {
        let table = account.lock();
        table.fair_share.share(Instant::now(), 8 * SECOND)
    };
    record(&account, "c1", &ended, Ok(upgrading()), Duration::ZERO);
    account.cancel(&ended);
    assert!(!ended.budget.is_cancelled());
    assert_eq!(share(), 2 * SECOND);
    for _ in 0..2 {
        account.cancel(&silent);
        assert!(silent.budget.is_cancelled());
        assert_eq!(share(), 4 * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn a_timer_of_another_query_makes_a_wait_neither_longer_nor_shorter() {
    for other in [1, 2, 9] {
        let start = Instant::now();
        let mut timer = Box::pin(sleep_until(start + other * SECOND));
        wait_until(timer.as_mut(), start + 2 * SECOND).await;
        assert_eq!(start.elapsed(), 2 * SECOND, "{other}");
    }
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

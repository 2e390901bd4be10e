use ack_client::Reason;
use tokio::time::Instant;

use super::*;
use crate::collect::entry::CachedResults;
use crate::collect::fixture::*;
use crate::upgrade::SourceName;

#[tokio::test(start_paused = true)]
async fn a_demand_that_waits_for_a_query_extends_the_deadline_of_that_query_alone() {
    let (_collector, account) = account();
    let start_query = |name: &str, demand: &Demand| {
        account
            .start_query(&id(name), demand, Trigger::Scrape)
            .map(|query| Arc::clone(query.in_flight()))
    };
    let first = demand(5 * SECOND);
    let one = start_query("c1", &first).expect("none is in flight");
    let other = start_query("c2", &first).expect("none is in flight");
    tokio::time::advance(SECOND).await;
    let second = demand(30 * SECOND);
    assert!(start_query("c1", &second).is_none(), "one is in flight");
    assert_eq!(one.budget.end(), second.deadline.instant());
    assert_eq!(other.budget.end(), first.deadline.instant());
    assert!(account.lock().entries[&id("c1")].has_served(second.since));
    first.deadline.extend_to(Instant::now() + 9 * SECOND);
    assert_eq!(
        other.budget.end(),
        first.deadline.instant(),
        "a scrape joined its demand"
    );
}

#[tokio::test(start_paused = true)]
async fn a_query_that_panics_is_a_failure_of_its_cluster_and_names_the_operation() {
    for (source, operation) in [
        (None, "GetUpgradeStatus"),
        (Some(SourceName::UpgradeStatus), "GetUpgradeStatus"),
        (Some(SourceName::Tasks), "DescribeClusterTasks"),
    ] {
        let (_collector, account) = account();
        let entry = ClusterEntry::new(target("c1", source), CachedResults::default());
        account.lock().entries.insert(id("c1"), entry);
        let query = account
            .start_query(&id("c1"), &demand(5 * SECOND), Trigger::Scrape)
            .expect("none is in flight");
        query.run(permit(&account)).await;
        let table = account.lock();
        let failure = table.entries[&id("c1")].failure().expect("it has failed");
        assert_eq!(failure.reason, Reason::Other);
        assert_eq!(
            failure.message,
            format!("{operation}: the query panicked; please report this")
        );
    }
}

fn permit(account: &AccountCollector) -> OwnedSemaphorePermit {
    Arc::clone(&account.permits)
        .try_acquire_owned()
        .expect("a permit is free")
}

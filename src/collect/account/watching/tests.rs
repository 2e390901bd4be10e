use std::time::Duration;

use tokio::time::timeout;

use super::QueryClass::{Failing, Responding};
use super::*;
use crate::collect::fixture::{SECOND, cluster_state, new_entry, succeeded};

/// A query that is due. It ends `after` its start.
fn job(class: QueryClass, after: Duration) -> Job<'static> {
    Job {
        due_at: Instant::now(),
        class,
        start: Box::new(move || tokio::time::sleep(after).boxed()),
    }
}

fn classes(due: &VecDeque<Job<'_>>) -> Vec<QueryClass> {
    due.iter().map(|job| job.class).collect()
}

#[tokio::test(start_paused = true)]
async fn two_queries_run_at_once_and_one_of_those_that_fail() {
    let mut running = Running::default();
    let mut due: VecDeque<_> = [
        job(Failing, SECOND),
        job(Failing, 9 * SECOND),
        job(Responding, 2 * SECOND),
        job(Responding, 3 * SECOND),
    ]
    .into();
    running.start(&mut due);
    assert_eq!(classes(&due), [Failing, Responding]);
    running.ended().await;
    running.start(&mut due);
    assert_eq!(classes(&due), [Responding], "the next that fails");
    running.ended().await;
    running.start(&mut due);
    assert_eq!(classes(&due), []);
}

#[tokio::test(start_paused = true)]
async fn failing_subjects_leave_a_place_to_the_others_though_none_is_due() {
    let mut running = Running::default();
    let mut due: VecDeque<_> = [job(Failing, 9 * SECOND), job(Failing, SECOND)].into();
    running.start(&mut due);
    assert_eq!(classes(&due), [Failing]);
    due.push_back(job(Responding, SECOND));
    running.start(&mut due);
    assert_eq!(classes(&due), [Failing]);
    running.ended().await;
    running.start(&mut due);
    assert_eq!(classes(&due), [Failing], "the first one still runs");
}

#[tokio::test(start_paused = true)]
async fn without_a_query_there_is_no_end_to_wait_for() {
    let mut running = Running::default();
    assert!(timeout(SECOND, running.ended()).await.is_err());
}

#[test]
fn a_cluster_is_upgraded_if_its_state_the_list_or_a_plan_says_so() {
    assert!(!is_upgrading(&new_entry("c1")));
    assert!(is_upgrading(&succeeded()), "its state");
    for (state, expected) in [("running", false), ("updating", true), ("upgrading", true)] {
        let mut entry = new_entry("c1");
        Arc::make_mut(&mut entry.target.info).state = cluster_state(state);
        assert_eq!(is_upgrading(&entry), expected, "{state}");
    }
    let mut planned = new_entry("c1");
    planned.is_upgraded_by_plan = true;
    assert!(is_upgrading(&planned));
}

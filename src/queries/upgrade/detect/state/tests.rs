use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn cluster(number: u8) -> ClusterId {
    ClusterId::parse(&format!("c{number}")).unwrap()
}

fn refusal(number: u8, asked: Instant, was_served: bool) -> Refusal {
    Refusal {
        cluster: cluster(number),
        asked,
        was_served,
    }
}

/// The state of a region in which cluster 0 got a response.
fn served(now: Instant) -> DetectionState {
    let mut state = DetectionState::default();
    state.record_response(&cluster(0), now);
    state
}

#[test]
fn a_code_retires_at_once_and_two_probes_in_a_row_bring_back() {
    let now = Instant::now();
    let mut state = served(now);
    // As often as it is gone: what it took to come back is forgotten by then.
    for _ in 0..2 {
        state.record_gone(now);
        for succeeds in [true, false, true] {
            state.record_response(&cluster(0), now);
            if succeeds {
                state.probe_succeeded(&cluster(0), now);
            } else {
                state.probe_failed();
            }
            assert!(state.is_gone());
        }
        state.record_gone(now);
        state.probe_succeeded(&cluster(0), now);
        assert_eq!(
            (state.is_retired(), state.in_use()),
            (false, Some(SourceName::UpgradeStatus))
        );
    }
}

#[test]
fn two_refused_clusters_and_no_response_retire_it_until_there_is_one() {
    let now = Instant::now();
    let mut state = DetectionState::default();
    for _ in 0..2 {
        state.record_refusal(&refusal(1, now, false), now);
        assert!(!state.is_retired(), "one cluster");
    }
    state.record_refusal(&refusal(2, now, false), now);
    assert_eq!(
        (state.is_gone(), state.in_use()),
        (false, Some(SourceName::Tasks))
    );
    state.record_response(&cluster(3), now);
    assert_eq!(
        (state.is_retired(), state.in_use()),
        (false, Some(SourceName::UpgradeStatus))
    );
}

#[test]
fn only_a_cluster_that_was_served_and_is_queried_after_the_last_response_counts() {
    let answered = Instant::now();
    let later = answered + MINUTE;
    for (asked, was_served, counts) in [
        (later, true, true),
        (later, false, false),
        (answered, true, false),
    ] {
        let mut state = served(answered);
        for number in [1, 2] {
            assert_eq!(state.counts(&refusal(number, asked, was_served)), counts);
            state.record_refusal(&refusal(number, asked, was_served), later);
        }
        assert_eq!(state.is_retired(), counts);
    }
}

#[test]
fn a_response_clears_all_refusals_before_it() {
    let now = Instant::now();
    let mut state = served(now);
    state.record_refusal(&refusal(1, now + MINUTE, true), now + MINUTE);
    state.record_response(&cluster(0), now + 2 * MINUTE);
    state.record_refusal(&refusal(2, now + 3 * MINUTE, true), now + 3 * MINUTE);
    assert!(!state.is_retired());
}

#[test]
fn a_cluster_that_is_not_served_is_read_from_its_tasks_and_tried_again_once_an_hour() {
    let now = Instant::now();
    let mut state = served(now);
    assert!(state.record_unserved(&cluster(1), now));
    assert_eq!(
        [0, 1].map(|number| state.source(&cluster(number))),
        [SourceName::UpgradeStatus, SourceName::Tasks]
    );
    let almost = now + PROBE_INTERVAL - Duration::from_millis(1);
    assert!(!state.take_probe(&cluster(1), almost), "not yet");
    assert!(state.take_probe(&cluster(1), now + PROBE_INTERVAL));
    assert!(
        !state.take_probe(&cluster(1), now + PROBE_INTERVAL),
        "not twice"
    );
    assert!(
        !state.take_probe(&cluster(0), now + PROBE_INTERVAL),
        "this one is served"
    );
    assert!(
        !state.record_unserved(&cluster(1), now + PROBE_INTERVAL),
        "no news"
    );
    state.probe_failed();
    assert_eq!(state.source(&cluster(1)), SourceName::Tasks);
    state.probe_succeeded(&cluster(1), now + PROBE_INTERVAL);
    assert_eq!(state.source(&cluster(1)), SourceName::UpgradeStatus);
}

#[test]
fn a_retired_operation_is_tried_again_once_an_hour_for_all_clusters_together() {
    let now = Instant::now();
    let mut gone = served(now);
    gone.record_gone(now);
    let mut refused = DetectionState::default();
    refused.record_refusal(&refusal(1, now, true), now);
    refused.record_refusal(&refusal(2, now, true), now);
    for mut state in [gone, refused] {
        assert!(
            !state.take_probe(&cluster(1), now + PROBE_INTERVAL - Duration::from_millis(1)),
            "not yet"
        );
        assert!(state.take_probe(&cluster(1), now + PROBE_INTERVAL));
        assert!(
            !state.take_probe(&cluster(2), now + PROBE_INTERVAL),
            "not twice"
        );
        assert!(state.take_probe(&cluster(2), now + 2 * PROBE_INTERVAL));
    }
}

#[test]
fn one_cluster_leads_while_nothing_is_decided() {
    let now = Instant::now();
    let mut state = DetectionState::default();
    state.record_unserved(&cluster(1), now);
    assert_eq!(
        state.in_use(),
        Some(SourceName::Tasks),
        "the only source with a response"
    );
    assert!(!state.take_lead(&cluster(1)), "it is not queried");
    assert!(!state.waits_for_leader(&cluster(2)), "there is no leader");
    assert!(state.take_lead(&cluster(2)));
    assert!(!state.take_lead(&cluster(3)) && state.waits_for_leader(&cluster(3)));
    assert!(!state.waits_for_leader(&cluster(1)), "its tasks are read");
    state.end_lead();
    assert!(state.take_lead(&cluster(3)));
    state.record_response(&cluster(3), now);
    assert!(
        !state.waits_for_leader(&cluster(4)) && !state.take_lead(&cluster(4)),
        "all may be queried"
    );
}

#[test]
fn clusters_that_are_not_queried_any_more_are_forgotten() {
    let now = Instant::now();
    let mut state = served(now);
    state.record_unserved(&cluster(1), now);
    state.record_unserved(&cluster(2), now + PROBE_INTERVAL);
    assert_eq!(state.unserved.len(), 2);
    state.record_unserved(&cluster(2), now + 2 * PROBE_INTERVAL);
    assert_eq!(state.unserved.into_keys().collect::<Vec<_>>(), [cluster(2)]);
}

#[derive(Debug, Clone)]
enum Event {
    Response(u8),
    Gone,
    /// Of a cluster whose query began so long before.
    Refused(u8, Duration, bool),
    Unserved(u8),
    ProbeSucceeded(u8),
    ProbeFailed,
}

fn any_event() -> impl Strategy<Value = Event> {
    let any_cluster = || 0..4_u8;
    prop_oneof![
        2 => any_cluster().prop_map(Event::Response),
        1 => Just(Event::Gone),
        6 => (any_cluster(), (0..3_u32).prop_map(|minutes| MINUTE * minutes), any::<bool>())
            .prop_map(|(cluster, ago, was_served)| Event::Refused(cluster, ago, was_served)),
        2 => any_cluster().prop_map(Event::Unserved),
        2 => any_cluster().prop_map(Event::ProbeSucceeded),
        1 => Just(Event::ProbeFailed),
    ]
}

proptest! {
    #[test]
    fn only_an_error_code_outweighs_a_response(events in vec((any_event(), 0..3_u32), 1..40)) {
        let mut state = DetectionState::default();
        // Leaves room for queries that began earlier.
        let mut now = Instant::now() + 60 * MINUTE;
        let mut last_response = None;
        let mut refused = HashSet::new();
        let mut is_gone = false;
        let mut successful_probes = 0;
        for (event, minutes) in events {
            now += MINUTE * minutes;
            let mut success = None;
            match event {
                Event::Response(number) => {
                    state.record_response(&cluster(number), now);
                    success = Some(number).filter(|_| !is_gone);
                }
                Event::Gone => {
                    state.record_gone(now);
                    successful_probes = if is_gone { successful_probes } else { 0 };
                    is_gone = true;
                }
                Event::Refused(number, ago, was_served) => {
                    state.record_refusal(&refusal(number, now - ago, was_served), now);
                    if last_response.is_none_or(|last| last < now - ago) {
                        refused.insert(number);
                    }
                }
                Event::Unserved(number) => {
                    state.record_unserved(&cluster(number), now);
                    prop_assert_eq!(state.source(&cluster(number)), SourceName::Tasks);
                }
                Event::ProbeSucceeded(number) => {
                    state.probe_succeeded(&cluster(number), now);
                    successful_probes += 1;
                    is_gone &= successful_probes < 2;
                    success = Some(number).filter(|_| !is_gone);
                }
                Event::ProbeFailed => {
                    state.probe_failed();
                    successful_probes = 0;
                }
            }
            if let Some(number) = success {
                (last_response, successful_probes) = (Some(now), 0);
                refused.clear();
                prop_assert_eq!(state.source(&cluster(number)), SourceName::UpgradeStatus);
            }
            prop_assert_eq!(state.is_gone(), is_gone);
            prop_assert!(
                !state.is_retired() || is_gone || refused.len() >= 2,
                "refusals since the last response: {refused:?}"
            );
            prop_assert!(
                last_response.is_some() || is_gone || state.is_retired() == (refused.len() >= 2),
                "no response ever"
            );
        }
    }
}

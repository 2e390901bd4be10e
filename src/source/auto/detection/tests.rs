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

/// Detection of a region in which cluster 0 was answered.
fn served(now: Instant) -> Detection {
    let mut detection = Detection::default();
    detection.answered(&cluster(0), now);
    detection
}

#[test]
fn a_code_retires_at_once_and_two_probes_in_a_row_bring_back() {
    let now = Instant::now();
    let mut detection = served(now);
    // As often as it is gone: what it took to come back is forgotten by then.
    for _ in 0..2 {
        detection.gone(now);
        for succeeds in [true, false, true] {
            detection.answered(&cluster(0), now);
            if succeeds {
                detection.probe_succeeded(&cluster(0), now);
            } else {
                detection.probe_failed();
            }
            assert!(detection.is_gone());
        }
        detection.gone(now);
        detection.probe_succeeded(&cluster(0), now);
        assert_eq!(
            (detection.is_retired(), detection.in_use()),
            (false, Some(SourceName::UpgradeStatus))
        );
    }
}

#[test]
fn two_clusters_that_are_refused_and_none_that_is_answered_retire_it_until_one_is() {
    let now = Instant::now();
    let mut detection = Detection::default();
    for _ in 0..2 {
        detection.refused(&refusal(1, now, false), now);
        assert!(!detection.is_retired(), "one cluster");
    }
    detection.refused(&refusal(2, now, false), now);
    assert_eq!(
        (detection.is_gone(), detection.in_use()),
        (false, Some(SourceName::Tasks))
    );
    detection.answered(&cluster(3), now);
    assert_eq!(
        (detection.is_retired(), detection.in_use()),
        (false, Some(SourceName::UpgradeStatus))
    );
}

#[test]
fn only_a_cluster_that_was_served_and_is_asked_after_the_last_answer_is_evidence_against_it() {
    let answered = Instant::now();
    let later = answered + MINUTE;
    for (asked, was_served, counts) in [
        (later, true, true),
        (later, false, false),
        (answered, true, false),
    ] {
        let mut detection = served(answered);
        for number in [1, 2] {
            assert_eq!(
                detection.is_evidence(&refusal(number, asked, was_served)),
                counts
            );
            detection.refused(&refusal(number, asked, was_served), later);
        }
        assert_eq!(detection.is_retired(), counts);
    }
}

#[test]
fn an_answer_clears_all_refusals_before_it() {
    let now = Instant::now();
    let mut detection = served(now);
    detection.refused(&refusal(1, now + MINUTE, true), now + MINUTE);
    detection.answered(&cluster(0), now + 2 * MINUTE);
    detection.refused(&refusal(2, now + 3 * MINUTE, true), now + 3 * MINUTE);
    assert!(!detection.is_retired());
}

#[test]
fn a_cluster_that_is_not_served_is_read_from_its_tasks_and_tried_again_once_an_hour() {
    let now = Instant::now();
    let mut detection = served(now);
    assert!(detection.unserved(&cluster(1), now));
    assert_eq!(
        [0, 1].map(|number| detection.source(&cluster(number))),
        [SourceName::UpgradeStatus, SourceName::Tasks]
    );
    let almost = now + PROBE_INTERVAL - Duration::from_millis(1);
    assert!(!detection.take_probe(&cluster(1), almost), "not yet");
    assert!(detection.take_probe(&cluster(1), now + PROBE_INTERVAL));
    assert!(
        !detection.take_probe(&cluster(1), now + PROBE_INTERVAL),
        "not twice"
    );
    assert!(
        !detection.take_probe(&cluster(0), now + PROBE_INTERVAL),
        "this one is served"
    );
    assert!(
        !detection.unserved(&cluster(1), now + PROBE_INTERVAL),
        "no news"
    );
    detection.probe_failed();
    assert_eq!(detection.source(&cluster(1)), SourceName::Tasks);
    detection.probe_succeeded(&cluster(1), now + PROBE_INTERVAL);
    assert_eq!(detection.source(&cluster(1)), SourceName::UpgradeStatus);
}

#[test]
fn a_retired_operation_is_tried_again_once_an_hour_for_all_clusters_together() {
    let now = Instant::now();
    let mut gone = served(now);
    gone.gone(now);
    let mut refused = Detection::default();
    refused.refused(&refusal(1, now, true), now);
    refused.refused(&refusal(2, now, true), now);
    for mut detection in [gone, refused] {
        assert!(
            !detection.take_probe(&cluster(1), now + PROBE_INTERVAL - Duration::from_millis(1)),
            "not yet"
        );
        assert!(detection.take_probe(&cluster(1), now + PROBE_INTERVAL));
        assert!(
            !detection.take_probe(&cluster(2), now + PROBE_INTERVAL),
            "not twice"
        );
        assert!(detection.take_probe(&cluster(2), now + 2 * PROBE_INTERVAL));
    }
}

#[test]
fn one_cluster_is_asked_first_while_nothing_is_decided() {
    let now = Instant::now();
    let mut detection = Detection::default();
    detection.unserved(&cluster(1), now);
    assert_eq!(
        detection.in_use(),
        Some(SourceName::Tasks),
        "the only source that has answered"
    );
    assert!(!detection.take_lead(&cluster(1)), "it is not asked");
    assert!(!detection.waits(&cluster(2)), "for nobody");
    assert!(detection.take_lead(&cluster(2)));
    assert!(!detection.take_lead(&cluster(3)) && detection.waits(&cluster(3)));
    assert!(!detection.waits(&cluster(1)), "its tasks are read");
    detection.end_lead();
    assert!(detection.take_lead(&cluster(3)));
    detection.answered(&cluster(3), now);
    assert!(
        !detection.waits(&cluster(4)) && !detection.take_lead(&cluster(4)),
        "all may be asked"
    );
}

#[test]
fn clusters_that_nobody_asks_for_any_more_are_forgotten() {
    let now = Instant::now();
    let mut detection = served(now);
    detection.unserved(&cluster(1), now);
    detection.unserved(&cluster(2), now + PROBE_INTERVAL);
    assert_eq!(detection.unserved.len(), 2);
    detection.unserved(&cluster(2), now + 2 * PROBE_INTERVAL);
    assert_eq!(
        detection.unserved.into_keys().collect::<Vec<_>>(),
        [cluster(2)]
    );
}

#[derive(Debug, Clone)]
enum Event {
    Answered(u8),
    Gone,
    /// Of a cluster that was asked so long before.
    Refused(u8, Duration, bool),
    Unserved(u8),
    ProbeSucceeded(u8),
    ProbeFailed,
}

fn any_event() -> impl Strategy<Value = Event> {
    let any_cluster = || 0..4_u8;
    prop_oneof![
        2 => any_cluster().prop_map(Event::Answered),
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
    fn whatever_happens_only_a_code_outweighs_an_answer(events in vec((any_event(), 0..3_u32), 1..40)) {
        let mut detection = Detection::default();
        // Long enough ago for what was asked before.
        let mut now = Instant::now() + 60 * MINUTE;
        let (mut answered, mut refused, mut is_gone, mut good_probes) = (None, HashSet::new(), false, 0);
        for (event, minutes) in events {
            now += MINUTE * minutes;
            let mut success = None;
            match event {
                Event::Answered(number) => {
                    detection.answered(&cluster(number), now);
                    success = Some(number).filter(|_| !is_gone);
                }
                Event::Gone => {
                    detection.gone(now);
                    good_probes = if is_gone { good_probes } else { 0 };
                    is_gone = true;
                }
                Event::Refused(number, ago, was_served) => {
                    detection.refused(&refusal(number, now - ago, was_served), now);
                    if answered.is_none_or(|answered| answered < now - ago) {
                        refused.insert(number);
                    }
                }
                Event::Unserved(number) => {
                    detection.unserved(&cluster(number), now);
                    prop_assert_eq!(detection.source(&cluster(number)), SourceName::Tasks);
                }
                Event::ProbeSucceeded(number) => {
                    detection.probe_succeeded(&cluster(number), now);
                    good_probes += 1;
                    is_gone &= good_probes < 2;
                    success = Some(number).filter(|_| !is_gone);
                }
                Event::ProbeFailed => {
                    detection.probe_failed();
                    good_probes = 0;
                }
            }
            if let Some(number) = success {
                (answered, good_probes) = (Some(now), 0);
                refused.clear();
                prop_assert_eq!(detection.source(&cluster(number)), SourceName::UpgradeStatus);
            }
            prop_assert_eq!(detection.is_gone(), is_gone);
            prop_assert!(!detection.is_retired() || is_gone || refused.len() >= 2, "refusals since the last answer: {refused:?}");
            prop_assert!(answered.is_some() || is_gone || detection.is_retired() == (refused.len() >= 2), "nobody was ever answered");
        }
    }
}

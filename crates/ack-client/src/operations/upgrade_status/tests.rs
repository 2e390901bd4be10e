//! Responses of `GetUpgradeStatus` and the upgrades that they describe.

use serde::de::DeserializeSeed as _;

use super::*;

fn decoded(json: &str) -> (UpgradeStatusResponse, Vec<(&'static str, String)>) {
    let mut unknown = Vec::new();
    let mut fields = Field::<UpgradeStatusFields>::Absent;
    (&mut fields)
        .deserialize(&mut serde_json::Deserializer::from_str(json))
        .expect("JSON");
    let fields = fields.into_value().expect("an object");
    let response = fields.into_response(&mut |field, value| {
        unknown.push((field, value.to_owned()));
    });
    (response, unknown)
}

#[test]
fn every_documented_value_is_understood_in_any_letter_case() {
    let statuses = [
        ("success", Status::Success),
        ("succeeded", Status::Success),
        ("error", Status::Fail),
        ("pending", Status::Running),
        ("pausing", Status::Running),
        ("resuming", Status::Running),
        ("cancelling", Status::Running),
        ("canceling", Status::Running),
        ("fail", Status::Fail),
        ("failed", Status::Fail),
        ("None", Status::None),
        ("canceled", Status::Canceled),
        ("CANCELLED", Status::Canceled),
        ("pause", Status::Pause),
        ("paused", Status::Pause),
        ("running", Status::Running),
    ];
    let steps = [
        ("not_start", Step::NotStart),
        ("prechecking", Step::Prechecking),
        ("upgrading", Step::Upgrading),
        ("pause", Step::Pause),
        ("paused", Step::Pause),
        ("success", Step::Success),
    ];
    let tasks = [
        ("running", TaskStatus::Running),
        ("paused", TaskStatus::Running),
        ("error", TaskStatus::Failed),
        ("Success", TaskStatus::Success),
        ("Failed", TaskStatus::Failed),
        ("fail", TaskStatus::Failed),
    ];
    let spellings = |word: &str| {
        [
            word.to_owned(),
            word.to_uppercase(),
            word[..1].to_uppercase() + &word[1..],
            format!(" {word} "),
        ]
    };
    for (word, status) in statuses {
        for word in spellings(word) {
            assert_eq!(
                decoded(&format!(r#"{{"status": "{word}"}}"#)).0.status,
                status,
                "{word}"
            );
        }
    }
    for (word, step) in steps {
        for word in spellings(word) {
            assert_eq!(
                decoded(&format!(r#"{{"upgrade_step": "{word}"}}"#)).0.step,
                step,
                "{word}"
            );
        }
    }
    for (word, task) in tasks {
        for word in spellings(word) {
            assert_eq!(
                decoded(&format!(r#"{{"upgrade_task": {{"status": "{word}"}}}}"#))
                    .0
                    .task_status,
                task,
                "{word}"
            );
        }
    }
}

#[test]
fn what_is_absent_null_or_empty_means_that_nothing_was_started() {
    for json in [
        "{}",
        r#"{"status": null, "upgrade_step": null, "error_message": null, "precheck_report_id": null, "upgrade_task": null}"#,
        r#"{"status": "", "upgrade_step": "", "error_message": "", "precheck_report_id": "", "upgrade_task": {"status": "", "message": ""}}"#,
        r#"{"upgrade_task": {"status": null}, "colour": {"deep": [1, 2]}}"#,
    ] {
        let (state, unknown) = decoded(json);
        assert_eq!(
            (state.status, state.step, state.task_status),
            (Status::None, Step::NotStart, TaskStatus::None),
            "{json}"
        );
        assert_eq!((state.error_message, unknown), (None, vec![]), "{json}");
    }
}

#[test]
fn an_unlisted_value_is_unknown_and_told_with_its_field() {
    let (state, unknown) = decoded(
        r#"{"status": "Melting", "upgrade_step": "draining", "upgrade_task": {"status": "queued"}}"#,
    );
    assert_eq!(
        (state.status, state.step, state.task_status),
        (Status::Unknown, Step::Unknown, TaskStatus::Unknown)
    );
    assert_eq!(
        unknown,
        [
            ("status", "Melting".to_owned()),
            ("upgrade_step", "draining".to_owned()),
            ("upgrade_task.status", "queued".to_owned())
        ]
    );
}

#[test]
fn a_failed_tasks_message_stands_in_for_a_missing_one() {
    let message = |json| decoded(json).0.error_message;
    assert_eq!(
        message(r#"{"error_message": "disk full", "upgrade_task": {"status": "Failed", "message": "see above"}}"#).as_deref(),
        Some("disk full")
    );
    assert_eq!(
        message(r#"{"error_message": "", "upgrade_task": {"status": "Failed", "message": "etcd is unhealthy"}}"#).as_deref(),
        Some("etcd is unhealthy")
    );
    assert_eq!(
        message(r#"{"upgrade_task": {"status": "running", "message": "step 3 of 5"}}"#),
        None
    );
}

//! `GetUpgradeStatus`.

use serde::Serialize;

use crate::error_response::json;
use crate::world::cluster::{Cluster, Standing};
use crate::world::schedule::{Phase, Stage};

#[derive(Serialize)]
struct Body<'a> {
    status: &'static str,
    precheck_report_id: &'a str,
    upgrade_step: &'static str,
    error_message: &'a str,
    upgrade_task: Option<Task<'a>>,
}

#[derive(Serialize)]
struct Task<'a> {
    status: &'static str,
    message: &'a str,
}

/// The reply's body. The capitals of the task's status are the vendor's.
pub(crate) fn body(cluster: &Cluster, standing: &Standing) -> String {
    let phase = standing.moment.phase;
    let (status, upgrade_step) = words(phase);
    let task = match phase {
        Phase::NotStarted => None,
        Phase::Prechecking => Some(("running", "precheck is running")),
        Phase::Upgrading => Some(("running", "control plane is being upgraded")),
        Phase::Paused => Some(("running", "paused by user")),
        Phase::Succeeded => Some(("Success", "")),
        Phase::Failed(_) => Some(("Failed", standing.message.as_str())),
        Phase::Canceled(_) => Some(("canceled", "")),
    };
    let report_id = standing
        .moment
        .episode
        .map(|episode| cluster.report_id(episode))
        .unwrap_or_default();
    json(&Body {
        status,
        precheck_report_id: &report_id,
        upgrade_step,
        error_message: &standing.message,
        upgrade_task: task.map(|(status, message)| Task { status, message }),
    })
}

/// Status and step of a phase.
pub(crate) fn words(phase: Phase) -> (&'static str, &'static str) {
    match phase {
        Phase::NotStarted => ("", "not_start"),
        Phase::Prechecking => ("running", "prechecking"),
        Phase::Upgrading => ("running", "upgrading"),
        Phase::Paused => ("pause", "pause"),
        Phase::Succeeded => ("success", "success"),
        Phase::Failed(stage) => ("fail", step_of(stage)),
        Phase::Canceled(stage) => ("canceled", step_of(stage)),
    }
}

/// The vendor's list of steps has no word for a failure: the step stays where it was.
fn step_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Precheck => "prechecking",
        Stage::Upgrade => "upgrading",
    }
}

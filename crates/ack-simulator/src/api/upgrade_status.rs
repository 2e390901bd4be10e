//! `GetUpgradeStatus`.

use serde::Serialize;

use crate::api::OperationCall;
use crate::error_response::{ErrorResponse, json};
use crate::world::phase::{Phase, UpgradeStage};

#[derive(Serialize)]
struct UpgradeStatusBody<'a> {
    status: &'static str,
    precheck_report_id: &'a str,
    upgrade_step: &'static str,
    error_message: &'a str,
    upgrade_task: Option<UpgradeTask<'a>>,
}

#[derive(Serialize)]
struct UpgradeTask<'a> {
    status: &'static str,
    message: &'a str,
}

/// The body of the response.
pub(super) fn status_body(call: &OperationCall<'_>) -> Result<String, ErrorResponse> {
    let cluster = call.cluster()?;
    let state = cluster.state(call.millis);
    let phase = state.upgrade.phase;
    // The API spells `Success` and `Failed` with capitals here, and only here.
    let task = match phase {
        Phase::NotStarted => None,
        Phase::Prechecking => Some(("running", "precheck is running")),
        Phase::Upgrading => Some(("running", "control plane is being upgraded")),
        Phase::Paused => Some(("running", "paused by user")),
        Phase::Succeeded => Some(("Success", "")),
        Phase::Failed(_) => Some(("Failed", state.message.as_str())),
        Phase::Canceled(_) => Some(("canceled", "")),
    };
    let report_id = state
        .upgrade
        .sequence
        .map(|sequence| cluster.report_id(sequence))
        .unwrap_or_default();
    Ok(json(&UpgradeStatusBody {
        status: status(phase),
        precheck_report_id: &report_id,
        upgrade_step: step(phase),
        error_message: &state.message,
        upgrade_task: task.map(|(status, message)| UpgradeTask { status, message }),
    }))
}

/// The `status` of a phase.
pub(crate) fn status(phase: Phase) -> &'static str {
    match phase {
        Phase::NotStarted => "",
        Phase::Prechecking | Phase::Upgrading => "running",
        Phase::Paused => "pause",
        Phase::Succeeded => "success",
        Phase::Failed(_) => "fail",
        Phase::Canceled(_) => "canceled",
    }
}

/// The `upgrade_step` of a phase.
pub(crate) fn step(phase: Phase) -> &'static str {
    match phase {
        Phase::NotStarted => "not_start",
        Phase::Prechecking => "prechecking",
        Phase::Upgrading => "upgrading",
        Phase::Paused => "pause",
        Phase::Succeeded => "success",
        // The documented steps have no value for a failure: the step stays where it was.
        Phase::Failed(stage) | Phase::Canceled(stage) => match stage {
            UpgradeStage::Precheck => "prechecking",
            UpgradeStage::Upgrade => "upgrading",
        },
    }
}

//! The parts of an upgrade's task: state, error, stages and events.

use serde_json::{Value, json};

use crate::api::task_parts::{EmptyObject, TaskError, TaskEvent, TaskStage};
use crate::world::World;
use crate::world::clock::{beijing, beijing_without_zone};
use crate::world::cluster::Upgrade;
use crate::world::phase::{Phase, UpgradeStage};

/// The error of a failed upgrade.
pub(super) fn error(upgrade: &Upgrade) -> Option<TaskError> {
    let Phase::Failed(stage) = upgrade.state.phase else {
        return None;
    };
    let code = match stage {
        UpgradeStage::Precheck => "PrecheckFailed",
        UpgradeStage::Upgrade => "ClusterUpgradeFailed",
    };
    Some(TaskError {
        code,
        message: upgrade.message.clone(),
    })
}

/// The parameters: the version before the upgrade, and the one after it.
pub(super) fn parameters(upgrade: &Upgrade) -> Value {
    json!({
        "cluster_version": upgrade.from.to_string(),
        "next_version": upgrade.target.to_string(),
    })
}

/// One stage, or two after the precheck. Stages have no name in the API; only their order counts.
pub(super) fn stages(upgrade: &Upgrade, world: &World) -> Vec<TaskStage> {
    let time = |millis| beijing_without_zone(world.clock.at(millis));
    let (started, since) = (upgrade.state.started, upgrade.state.since);
    let phase = upgrade.state.phase;
    let end_time = if phase.is_in_progress() {
        String::new()
    } else {
        time(since)
    };
    let last_stage = |start_time| TaskStage {
        state: state(phase, upgrade.sequence),
        start_time,
        end_time,
        message: upgrade.message.clone(),
        outputs: EmptyObject {},
    };
    match phase.stage() {
        UpgradeStage::Precheck => vec![last_stage(time(started))],
        UpgradeStage::Upgrade => {
            // The state holds no end of the precheck; no client depends on it.
            let checked = time(started.midpoint(since));
            let precheck = TaskStage {
                state: "success",
                start_time: time(started),
                end_time: checked.clone(),
                message: String::new(),
                outputs: EmptyObject {},
            };
            vec![precheck, last_stage(checked)]
        }
    }
}

/// The events of an upgrade: its start, and its end.
pub(super) fn events(upgrade: &Upgrade, world: &World) -> Vec<TaskEvent> {
    let event = |millis, level, reason, message: &str| TaskEvent {
        action: "upgrade",
        level,
        message: message.to_owned(),
        reason,
        source: "cluster-upgrade",
        timestamp: beijing(world.clock.at(millis)),
    };
    let (started, since) = (upgrade.state.started, upgrade.state.since);
    let start = "upgrade of the control plane started";
    let success = "upgrade of the control plane succeeded";
    let mut events = vec![event(started, "Normal", "UpgradeStarted", start)];
    match upgrade.state.phase {
        Phase::Failed(_) => {
            events.push(event(since, "error", "UpgradeFailed", &upgrade.message));
        }
        Phase::Succeeded => events.push(event(since, "Normal", "UpgradeSucceeded", success)),
        _ => {}
    }
    events
}

/// The `state` of an upgrade's task. The API reference spells two states in two ways; clients must
/// read both.
pub(super) fn state(phase: Phase, sequence: u64) -> &'static str {
    match phase {
        Phase::NotStarted | Phase::Prechecking | Phase::Upgrading => "running",
        Phase::Paused => "paused",
        Phase::Succeeded => "success",
        Phase::Failed(_) if sequence.is_multiple_of(2) => "fail",
        Phase::Failed(_) => "failed",
        Phase::Canceled(_) if sequence.is_multiple_of(2) => "canceled",
        Phase::Canceled(_) => "cancelled",
    }
}

/// The `current_stage` of an upgrade's task; empty after success.
pub(super) fn stage_name(phase: Phase) -> &'static str {
    match phase.stage() {
        _ if phase == Phase::Succeeded => "",
        // No reference names the stages of a cluster upgrade: this name is made up, and
        // `DrainNodes` is the one in the sample of the API reference.
        UpgradeStage::Precheck => "cluster_upgrade_precheck",
        UpgradeStage::Upgrade => "DrainNodes",
    }
}

//! The parts of the task that upgrades a node pool.

use serde_json::{Value, json};

use crate::api::task_parts::{EmptyObject, TaskError, TaskStage};
use crate::random::mix;
use crate::world::World;
use crate::world::clock::beijing_without_zone;
use crate::world::node_pools::{NodePoolPhase, NodePoolUpgrade};

/// The type of the task, which one sample of the reference spells in another way.
pub(super) fn task_type(upgrade: &NodePoolUpgrade) -> &'static str {
    if mix(&[upgrade.pool.seed, 30]).is_multiple_of(16) {
        "nodePool_upgrade"
    } else {
        "nodepool_upgrade"
    }
}

/// The `state` of the task.
pub(super) fn state(upgrade: &NodePoolUpgrade) -> &'static str {
    match upgrade.phase {
        NodePoolPhase::Upgrading => "running",
        NodePoolPhase::Paused => "paused",
        NodePoolPhase::Succeeded => "success",
        NodePoolPhase::Failed if upgrade.pool.position == 0 => "failed",
        NodePoolPhase::Failed => "fail",
    }
}

/// The error of a failed upgrade. A planned pause has none.
pub(super) fn error(upgrade: &NodePoolUpgrade) -> Option<TaskError> {
    (upgrade.phase == NodePoolPhase::Failed).then(|| TaskError {
        code: "NodePoolUpgradeFailed",
        message: "node cn-hangzhou.10.0.3.17 was not drained within 600s: cannot evict pod as it \
                  would violate the pod's disruption budget"
            .to_owned(),
    })
}

/// The `current_stage` of the task; empty after its end.
pub(super) fn stage_name(upgrade: &NodePoolUpgrade) -> &'static str {
    if upgrade.phase.is_in_progress() {
        "DrainNodes"
    } else {
        ""
    }
}

/// The parameters: those of the request that has started the upgrade.
pub(super) fn parameters(upgrade: &NodePoolUpgrade) -> Value {
    let pause_policy = if upgrade.phase == NodePoolPhase::Paused {
        "FirstBatch"
    } else {
        "NotPause"
    };
    json!({
        "kubernetes_version": upgrade.target.to_string(),
        "rolling_policy": {"max_parallelism": 10, "pause_policy": pause_policy},
    })
}

/// One stage. Stages have no name in the API.
pub(super) fn stages(upgrade: &NodePoolUpgrade, world: &World) -> Vec<TaskStage> {
    let time = |millis| beijing_without_zone(world.clock.at(millis));
    vec![TaskStage {
        state: state(upgrade),
        start_time: time(upgrade.started),
        end_time: if upgrade.phase.is_in_progress() {
            String::new()
        } else {
            time(upgrade.since)
        },
        message: error(upgrade)
            .map(|error| error.message)
            .unwrap_or_default(),
        outputs: EmptyObject {},
    }]
}

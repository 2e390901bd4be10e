//! `ListOperationPlansForRegion`.

use std::cmp::Reverse;

use ack_client::names::Region;
use serde_json::{Value, json};

use crate::api::cluster_task::{ClusterTask, scrambled_id};
use crate::api::variation::vary;
use crate::api::{OperationCall, invalid_parameter};
use crate::error_response::ErrorResponse;
use crate::random::mix;
use crate::world::World;
use crate::world::clock::{beijing, beijing_nanos, utc};
use crate::world::cluster::{Cluster, Upgrade};
use crate::world::index::Page;
use crate::world::plans::{Plan, PlanState, PlannedOperation};

/// The largest number of plans in a response; the operation has no pages.
const LIMIT: usize = 100;

/// The body of the response: the latest plans that pass the filters.
pub(super) fn list(call: &OperationCall<'_>) -> Result<String, ErrorResponse> {
    let region = call.ids.at("region");
    let region = Region::parse(region).map_err(|_| invalid_parameter("region_id", region))?;
    let (world, millis) = (call.world(), call.millis);
    let all = Page {
        skip: 0,
        size: usize::MAX,
    };
    let mut plans = Vec::new();
    for cluster in world.page(Some(&region), None, all).clusters {
        if is_wanted(call, "cluster_id", cluster.id.as_str()) {
            for plan in cluster.plans(&world.clock, millis) {
                if is_wanted(call, "type", plan.type_word())
                    && is_wanted(call, "state", plan.state.word())
                {
                    plans.push((plan.created, entry(world, &cluster, &plan)));
                }
            }
        }
    }
    plans.sort_by_key(|(created, _)| Reverse(*created));
    let plans: Vec<_> = plans
        .into_iter()
        .take(LIMIT)
        .map(|(_, entry)| entry)
        .collect();
    Ok(json!({ "plans": plans }).to_string())
}

/// Returns true if the query has no such filter, or names this value.
fn is_wanted(call: &OperationCall<'_>, name: &str, value: &str) -> bool {
    call.parameter(name)
        .is_none_or(|wanted| wanted.eq_ignore_ascii_case(value))
}

fn entry(world: &World, cluster: &Cluster, plan: &Plan) -> Value {
    let seed = mix(&[cluster.tag, 140, plan.number]);
    // The reference has all three formats, in different places.
    let time = |millis| match seed % 3 {
        0 => utc(world.clock.at(millis)),
        1 => beijing_nanos(world.clock.at(millis)),
        _ => beijing(world.clock.at(millis)),
    };
    let (target_type, target_id) = match &plan.operation {
        PlannedOperation::ControlPlane => ("cluster", cluster.id.as_str()),
        PlannedOperation::Kubelet(pool) => ("nodepool", pool.as_str()),
    };
    let mut entry = json!({
        "plan_id": format!("P-{}", scrambled_id(cluster, plan.number)),
        "cluster_id": cluster.id.as_str(),
        "created": time(plan.created),
        "start_time": time(plan.start),
        "end_time": time(plan.end),
        "type": plan.type_word(),
        "state": plan.state.word(),
        "state_reason": plan.state.reason(),
        "target_type": target_type,
        "target_id": target_id,
        "task_id": plan.state.task_id(cluster),
    });
    vary(&mut entry, seed, &["state_reason", "task_id"]);
    entry
}

impl Plan {
    fn type_word(&self) -> &'static str {
        match self.operation {
            PlannedOperation::ControlPlane => "CLUSTER_UPGRADE_MASTER",
            PlannedOperation::Kubelet(_) => "KUBELET_UPGRADE",
        }
    }
}

impl PlanState {
    fn word(&self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::Executing(_) => "Executing",
            Self::Executed(_) => "Executed",
            Self::Failed(_) => "Failed",
            Self::ValidatingFailed => "ValidatingFailed",
            Self::Canceled => "Canceled",
        }
    }

    fn reason(&self) -> Value {
        match self {
            Self::Scheduled | Self::Executing(_) | Self::Executed(_) => json!({}),
            Self::Failed(upgrade) => {
                json!({"code": "TaskFailed", "message": upgrade.message})
            }
            Self::ValidatingFailed => json!({
                "code": "PrecheckFailed",
                "message": "the precheck of the cluster has failed",
            }),
            Self::Canceled => json!({
                "code": "CanceledByUser",
                "message": "the plan has been canceled by a user",
            }),
        }
    }

    /// The task that the plan has become; empty if there is none.
    fn task_id(&self, cluster: &Cluster) -> String {
        let id = |upgrade: &Upgrade| ClusterTask::Upgrade(upgrade.clone()).id(cluster);
        match self {
            Self::Executing(upgrade) | Self::Executed(upgrade) | Self::Failed(upgrade) => {
                id(upgrade)
            }
            Self::Scheduled | Self::ValidatingFailed | Self::Canceled => String::new(),
        }
    }
}

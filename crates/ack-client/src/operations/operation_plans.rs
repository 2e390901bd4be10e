//! `ListOperationPlansForRegion`: `GET /regions/{region}/operation/plans`.

use jiff::Timestamp;

use super::{paging, word};
use crate::budget::Budget;
use crate::client::{Call, Client};
use crate::decode::{Field, Keyword, LenientObject as _, List, Report, lenient_object};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::names::{ClusterId, Region};
use crate::operation::Operation;
use crate::response::{KnownKeys, ResponseObject};
use crate::state_set::state_set;
use crate::text::clean_message;

/// A planned operation, such as an automatic upgrade. A plan has no target version. Texts are
/// cleaned and at most 256 characters long; a text that the API did not send is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationPlan {
    /// The ID, such as `P-5fd211e924e1d00787000293`.
    pub id: String,
    /// The cluster.
    pub cluster: ClusterId,
    /// `type` in lower case, such as `cluster_upgrade_master` or `kubelet_upgrade`.
    pub kind: String,
    /// The ID of the resource that changes: the cluster, or a part of it.
    pub target_id: String,
    /// The state.
    pub state: PlanState,
    /// Code and message of the reason for the state, such as `CanceledByUser`.
    pub reason: String,
    /// The time of creation.
    pub created: Option<Timestamp>,
    /// The start of the window that it is planned for.
    pub start: Option<Timestamp>,
    /// The end of the window that it is planned for.
    pub end: Option<Timestamp>,
    /// The ID of the task that carries it out. It may be empty until the plan is executed.
    pub task_id: String,
}

state_set! {
    /// The state of a planned operation.
    PlanState {
        /// The operation has not begun.
        Scheduled = "scheduled",
        /// The operation is running.
        Executing = "executing",
        /// The operation has ended with success.
        Executed = "executed",
        /// The operation has failed.
        Failed = "failed",
        /// The check before the operation has failed, and the operation did not begin.
        ValidatingFailed = "validating_failed",
        /// The operation was canceled.
        Canceled = "canceled",
        /// A value that the API's reference does not list, or a missing one.
        Unknown = "unknown",
    }
}

impl PlanState {
    /// Returns true if nothing more happens to the plan.
    pub fn is_ended(self) -> bool {
        match self {
            Self::Executed | Self::Failed | Self::ValidatingFailed | Self::Canceled => true,
            Self::Scheduled | Self::Executing | Self::Unknown => false,
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        match word {
            "cancelled" => Some(Self::Canceled),
            word => word::find(word),
        }
    }

    /// The value in a query. There is none for an unknown state.
    fn query_word(self) -> Option<&'static str> {
        Some(match self {
            Self::Scheduled => "Scheduled",
            Self::Executing => "Executing",
            Self::Executed => "Executed",
            Self::Failed => "Failed",
            Self::ValidatingFailed => "ValidatingFailed",
            Self::Canceled => "Canceled",
            Self::Unknown => return None,
        })
    }
}

lenient_object! {
    pub(super) struct PlanList at "" {
        plans: List<PlanFields> = "plans",
    }
}

lenient_object! {
    pub(super) struct PlanFields at "plan." {
        plan_id: String = "plan_id",
        cluster_id: String = "cluster_id",
        kind: Keyword = "type",
        target_id: String = "target_id",
        target_type: Keyword = "target_type", // counted only
        state: Keyword = "state",
        state_reason: ReasonFields = "state_reason",
        created: Timestamp = "created",
        start_time: Timestamp = "start_time",
        end_time: Timestamp = "end_time",
        task_id: String = "task_id",
    }

    fn is_usable(&self) -> bool {
        self.plan_id.value().is_some() && self.cluster_id.value().is_some()
    }
}

lenient_object! {
    pub(super) struct ReasonFields at "plan.state_reason." {
        code: String = "code",
        message: String = "message",
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self { message: Field::Value(text.to_owned()), ..Self::default() })
    }
}

impl ResponseObject for PlanList {
    fn is_recognized(&self, keys: KnownKeys) -> bool {
        paging::is_list(&self.plans, keys)
    }
}

/// Lists the newest 100 plans of `region`, or of those in `state`, in the order of the API. The API
/// has no pages, so a caller who needs certain plans has to select them. Dropping the future
/// cancels the call.
pub async fn list_operation_plans(
    client: &Client,
    endpoint: &Endpoint,
    region: &Region,
    state: Option<PlanState>,
    budget: &Budget,
) -> Result<Vec<OperationPlan>, ApiError> {
    let path = format!("/regions/{region}/operation/plans");
    let state = state.and_then(PlanState::query_word).unwrap_or_default();
    let call = Call {
        operation: Operation::ListOperationPlansForRegion,
        endpoint,
        path: &path,
        query: &super::nonempty([("state", state)]),
    };
    let list: PlanList = client.call(&call, budget).await?;
    let mut report = client.unknown_values();
    let plans = list.plans.into_items().into_iter();
    Ok(plans
        .filter_map(|plan| plan.into_plan(&mut report))
        .collect())
}

impl PlanFields {
    /// Converts the fields and reports the unexpected ones. Returns `None` without a valid cluster
    /// ID.
    fn into_plan(self, report: &mut Report<'_>) -> Option<OperationPlan> {
        self.report_unexpected_fields(report);
        let cluster = self.cluster_id.into_value()?;
        let Ok(cluster) = ClusterId::parse(&cluster) else {
            report("plan.cluster_id", &cluster);
            return None;
        };
        Some(OperationPlan {
            id: self.plan_id.into_text(),
            cluster,
            kind: self.kind.into_lower_case(),
            target_id: self.target_id.into_text(),
            state: self.state.into_listed(
                "plan.state",
                [PlanState::Unknown; 2],
                PlanState::from_word,
                report,
            ),
            reason: reason(self.state_reason),
            created: self.created.into_value(),
            start: self.start_time.into_value(),
            end: self.end_time.into_value(),
            task_id: self.task_id.into_text(),
        })
    }
}

/// Code and message of a reason, or the one that there is.
fn reason(reason: Field<ReasonFields>) -> String {
    let reason = reason.into_value().unwrap_or_default();
    let (code, message) = (reason.code.into_text(), reason.message.into_text());
    if code.is_empty() || message.is_empty() {
        return code + &message;
    }
    clean_message(&format!("{code}: {message}"))
}

#[cfg(test)]
mod tests;

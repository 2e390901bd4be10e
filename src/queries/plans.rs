//! The operations that Alibaba Cloud plans for clusters: `ListOperationPlansForRegion`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::{ClusterId, Region};
use ack_client::{ApiError, Operation, OperationPlan, PlanState, list_operation_plans};
use jiff::Timestamp;
use serde::Serialize;

use super::{Activity, FetchContext, Query, Watched, WatchedQuery, json};
use crate::cluster::ClusterInfo;

/// A response has the latest plans only. One as long as this may lack the older ones.
const MOST_PLANS: usize = 100;

/// Asks for the plans of a region.
#[derive(Debug)]
pub struct Plans {
    interval: Duration,
}

/// A planned operation, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    pub id: String,
    /// The type of the operation in lower case, such as `cluster_upgrade_master`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The ID of the node pool or add-on that it is about; empty for the cluster itself.
    pub target: String,
    #[serde(serialize_with = "json::state")]
    pub state: PlanState,
    /// The reason of the state, where the API gives one.
    pub reason: String,
    /// The window in which it is to run.
    #[serde(serialize_with = "json::time")]
    pub start: Option<Timestamp>,
    #[serde(serialize_with = "json::time")]
    pub end: Option<Timestamp>,
    /// The ID of the task that it became.
    pub task_id: String,
}

impl Plans {
    /// Plans, asked for at `interval`.
    pub fn new(interval: Duration) -> Self {
        Self { interval }
    }
}

impl Query for Plans {
    type Subject = Region;
    type Answer = HashMap<ClusterId, Arc<[Plan]>>;
    const OPERATIONS: &'static [Operation] = &[Operation::ListOperationPlansForRegion];

    async fn fetch(
        &self,
        region: &Region,
        context: FetchContext<'_>,
        _: Option<&Self::Answer>,
    ) -> Result<Self::Answer, ApiError> {
        let FetchContext {
            client,
            endpoint,
            budget,
            ..
        } = context;
        let mut plans = list_operation_plans(client, endpoint, region, None, budget).await?;
        if plans.len() >= MOST_PLANS {
            // Ended plans may have crowded out the ones to come.
            for state in [PlanState::Scheduled, PlanState::Executing] {
                let state = Some(state);
                plans.extend(list_operation_plans(client, endpoint, region, state, budget).await?);
            }
        }
        Ok(by_cluster(plans))
    }
}

impl WatchedQuery for Plans {
    const NAME: &'static str = "plans";

    fn subject(&self, cluster: &ClusterInfo) -> Option<Region> {
        cluster.region.clone()
    }

    fn interval(&self, _: Option<&Self::Answer>, _: Activity) -> Duration {
        self.interval
    }

    fn upgrading<'a>(&self, answer: &'a Self::Answer) -> Vec<&'a ClusterId> {
        let is_executed =
            |plans: &[Plan]| plans.iter().any(|plan| plan.state == PlanState::Executing);
        let clusters = answer.iter();
        clusters
            .filter(|(_, plans)| is_executed(plans))
            .map(|(cluster, _)| cluster)
            .collect()
    }

    fn add(
        &self,
        answer: &Arc<Self::Answer>,
        cluster: &ClusterInfo,
        _: Timestamp,
        watched: &mut Watched,
    ) {
        let plans = answer.get(&cluster.id).cloned();
        watched.plans = Some(plans.unwrap_or_default());
    }
}

/// The plans of each cluster: those to come, and of each type and target the newest that ended.
fn by_cluster(plans: Vec<OperationPlan>) -> HashMap<ClusterId, Arc<[Plan]>> {
    let mut unique = BTreeMap::new();
    for plan in plans {
        unique.entry(plan.id.clone()).or_insert(plan);
    }
    let mut clusters: HashMap<ClusterId, Vec<OperationPlan>> = HashMap::new();
    for plan in unique.into_values() {
        clusters.entry(plan.cluster.clone()).or_default().push(plan);
    }
    clusters
        .into_iter()
        .map(|(cluster, plans)| (cluster, shown(plans)))
        .collect()
}

fn shown(plans: Vec<OperationPlan>) -> Arc<[Plan]> {
    let mut newest_ended: BTreeMap<(String, String), OperationPlan> = BTreeMap::new();
    let mut shown = Vec::new();
    for plan in plans {
        if !plan.state.is_ended() {
            shown.push(plan);
            continue;
        }
        let key = (plan.kind.clone(), plan.target_id.clone());
        let is_older = newest_ended
            .get(&key)
            .is_some_and(|newest| time(newest) >= time(&plan));
        if !is_older {
            newest_ended.insert(key, plan);
        }
    }
    shown.extend(newest_ended.into_values());
    shown.sort_by(|one, other| (one.start, &one.id).cmp(&(other.start, &other.id)));
    shown.into_iter().map(Plan::from).collect()
}

/// The time by which ended plans are compared.
fn time(plan: &OperationPlan) -> Option<Timestamp> {
    plan.start.or(plan.created)
}

impl From<OperationPlan> for Plan {
    fn from(plan: OperationPlan) -> Self {
        let target = if plan.target_id == plan.cluster.as_str() {
            String::new()
        } else {
            plan.target_id
        };
        Self {
            id: plan.id,
            kind: plan.kind,
            target,
            state: plan.state,
            reason: plan.reason,
            start: plan.start,
            end: plan.end,
            task_id: plan.task_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(id: &str, state: PlanState, start: i64) -> OperationPlan {
        OperationPlan {
            id: id.to_owned(),
            cluster: ClusterId::parse("c1").expect("an ID"),
            kind: "cluster_upgrade_master".to_owned(),
            target_id: "c1".to_owned(),
            state,
            reason: String::new(),
            created: None,
            start: Timestamp::from_second(start).ok(),
            end: None,
            task_id: String::new(),
        }
    }

    fn ids(plans: Vec<OperationPlan>) -> Vec<String> {
        shown(plans).iter().map(|plan| plan.id.clone()).collect()
    }

    #[test]
    fn a_plan_that_is_executed_is_an_upgrade_of_its_cluster() {
        let query = Plans::new(Duration::from_secs(900));
        for state in PlanState::ALL.iter().copied() {
            let answer = by_cluster(vec![plan("p1", state, 1)]);
            let is_upgrading = !query.upgrading(&answer).is_empty();
            assert_eq!(is_upgrading, state == PlanState::Executing, "{state:?}");
        }
    }

    #[test]
    fn plans_to_come_are_shown_and_the_newest_that_ended_of_each_type_and_target() {
        let pool = OperationPlan {
            target_id: "np1".to_owned(),
            ..plan("P-pool", PlanState::Failed, 5)
        };
        let created = OperationPlan {
            start: None,
            created: Timestamp::from_second(15).ok(),
            ..plan("P-created", PlanState::Canceled, 0)
        };
        let plans = vec![
            plan("P-oldest", PlanState::Failed, 10),
            plan("P-new", PlanState::Executed, 20),
            created,
            plan("P-old", PlanState::Failed, 10),
            plan("P-later", PlanState::Scheduled, 50),
            plan("P-next", PlanState::Scheduled, 40),
            pool,
        ];
        assert_eq!(ids(plans), ["P-pool", "P-new", "P-next", "P-later"]);
    }

    #[test]
    fn a_plan_that_two_responses_have_is_shown_once() {
        let twice = vec![
            plan("P-1", PlanState::Executing, 1),
            plan("P-1", PlanState::Executing, 1),
        ];
        let clusters = by_cluster(twice);
        assert_eq!(clusters[&ClusterId::parse("c1").expect("an ID")].len(), 1);
    }

    #[test]
    fn a_plan_of_the_cluster_itself_has_no_target() {
        assert_eq!(Plan::from(plan("P-1", PlanState::Executing, 1)).target, "");
    }
}

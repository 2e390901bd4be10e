//! The checks of clusters before upgrades: `ListClusterChecks` and `GetClusterCheck`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::ClusterId;
use ack_client::{
    ApiError, CheckVerdict, ClusterCheck, Operation, get_cluster_check, list_cluster_checks,
};
use jiff::Timestamp;
use serde::Serialize;

use super::{Activity, FetchContext, Query, Watched, WatchedQuery, json};
use crate::cluster::ClusterInfo;

/// Longest time from one response to the next call while the cluster is upgraded or a check runs.
const BUSY_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// Limit of the types that are shown. The reference has four.
const MAX_TYPES: usize = 8;

/// Asks for the checks of each cluster.
#[derive(Debug)]
pub struct Prechecks {
    interval: Duration,
}

/// The newest check of its type, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Precheck {
    pub id: String,
    /// The type of the check in lower case, such as `cluster_upgrade`.
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(serialize_with = "json::state")]
    pub result: CheckVerdict,
    /// The time at which it ended; None while it runs.
    #[serde(serialize_with = "json::time")]
    pub finished: Option<Timestamp>,
}

impl Prechecks {
    /// Checks, asked for at `interval`, and sooner while an upgrade or a check is under way.
    pub fn new(interval: Duration) -> Self {
        Self { interval }
    }
}

impl Precheck {
    /// Reads the result of a check from a list.
    async fn fetch(
        cluster: &ClusterId,
        check: ClusterCheck,
        context: FetchContext<'_>,
    ) -> Result<Self, ApiError> {
        let result = get_cluster_check(
            context.client,
            context.endpoint,
            cluster,
            &check.id,
            context.budget,
        )
        .await?;
        Ok(Self {
            id: check.id,
            kind: check.kind,
            result: result.verdict,
            finished: result.check.finished.or(check.finished),
        })
    }
}

impl Query for Prechecks {
    type Subject = ClusterId;
    /// The newest check of each type, in the order of the types.
    type Answer = Arc<[Precheck]>;
    const OPERATIONS: &'static [Operation] =
        &[Operation::ListClusterChecks, Operation::GetClusterCheck];

    fn cost(&self, last: Option<&Self::Answer>) -> u32 {
        match last {
            Some(_) => 1,
            // The list, and the check that most clusters have.
            None => 2,
        }
    }

    async fn fetch(
        &self,
        cluster: &ClusterId,
        context: FetchContext<'_>,
        last: Option<&Self::Answer>,
    ) -> Result<Self::Answer, ApiError> {
        let checks =
            list_cluster_checks(context.client, context.endpoint, cluster, context.budget).await?;
        let last = last.map_or(&[][..], |last| &**last);
        let mut prechecks = Vec::new();
        for check in newest_of_each_type(checks) {
            // A check that has finished does not change.
            let known = last
                .iter()
                .find(|known| known.id == check.id && known.finished.is_some());
            prechecks.push(match known {
                Some(known) => known.clone(),
                None => Precheck::fetch(cluster, check, context).await?,
            });
        }
        Ok(prechecks.into())
    }
}

impl WatchedQuery for Prechecks {
    const NAME: &'static str = "prechecks";

    fn subject(&self, cluster: &ClusterInfo) -> Option<ClusterId> {
        Some(cluster.id.clone())
    }

    fn interval(&self, last: Option<&Self::Answer>, activity: Activity) -> Duration {
        let mut prechecks = last.into_iter().flat_map(|prechecks| prechecks.iter());
        let is_running = prechecks.any(|precheck| precheck.finished.is_none());
        if is_running || activity == Activity::Upgrading {
            self.interval.min(BUSY_INTERVAL)
        } else {
            self.interval
        }
    }

    fn add(
        &self,
        prechecks: &Arc<Self::Answer>,
        _: &ClusterInfo,
        _: Timestamp,
        watched: &mut Watched,
    ) {
        watched.prechecks = Some(Arc::clone(prechecks));
    }
}

/// The newest check of each type, in the order of the types. The order of the list is not known.
fn newest_of_each_type(checks: Vec<ClusterCheck>) -> impl Iterator<Item = ClusterCheck> {
    let mut newest: BTreeMap<String, ClusterCheck> = BTreeMap::new();
    for check in checks {
        let is_newest = newest
            .get(&check.kind)
            .is_none_or(|newest| newest.created < check.created);
        if is_newest {
            newest.insert(check.kind.clone(), check);
        }
    }
    newest.into_values().take(MAX_TYPES)
}

#[cfg(test)]
mod tests {
    use ack_client::Status;
    use serde_json::json;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn check(id: &str, kind: &str, created: Option<i64>) -> ClusterCheck {
        ClusterCheck {
            id: id.to_owned(),
            kind: kind.to_owned(),
            status: Status::Success,
            created: created.and_then(|created| Timestamp::from_second(created).ok()),
            finished: None,
        }
    }

    fn precheck(finished: Option<i64>) -> Precheck {
        Precheck {
            id: "check-1".to_owned(),
            kind: "cluster_upgrade".to_owned(),
            result: CheckVerdict::Warning,
            finished: finished.and_then(|finished| Timestamp::from_second(finished).ok()),
        }
    }

    #[test]
    fn the_newest_check_of_each_type_is_found_in_any_order() {
        let checks = vec![
            check("a", "master_upgrade", Some(1)),
            check("b", "cluster_upgrade", None),
            check("c", "cluster_upgrade", Some(5)),
            check("d", "master_upgrade", Some(9)),
            check("e", "cluster_upgrade", Some(4)),
            check("f", "cluster_upgrade", Some(5)),
            check("g", "", None),
        ];
        let ids: Vec<_> = newest_of_each_type(checks).map(|check| check.id).collect();
        assert_eq!(ids, ["g", "c", "d"]);
    }

    #[test]
    fn many_types_do_not_cost_many_calls() {
        let checks = (0..99).map(|number| check("a", &format!("type {number}"), None));
        assert_eq!(newest_of_each_type(checks.collect()).count(), MAX_TYPES);
    }

    #[test]
    fn a_cluster_is_asked_about_sooner_while_it_is_upgraded_or_a_check_runs() {
        let query = Prechecks::new(6 * HOUR);
        let running: Arc<[Precheck]> = Arc::new([precheck(Some(1)), precheck(None)]);
        let finished: Arc<[Precheck]> = Arc::new([precheck(Some(1))]);
        let interval = |last, activity| query.interval(last, activity);
        assert_eq!(interval(Some(&finished), Activity::Quiet), 6 * HOUR);
        assert_eq!(
            interval(Some(&finished), Activity::Upgrading),
            BUSY_INTERVAL
        );
        assert_eq!(interval(Some(&running), Activity::Quiet), BUSY_INTERVAL);
        assert_eq!(interval(None, Activity::Quiet), 6 * HOUR);
        assert_eq!(query.max_age(), 18 * HOUR);
    }

    #[test]
    fn a_check_is_shown_with_its_result_and_time() {
        let expected = json!({
            "id": "check-1", "type": "cluster_upgrade", "result": "warning",
            "finished": "1970-01-01T00:00:09Z",
        });
        assert_eq!(json!(precheck(Some(9))), expected);
    }
}

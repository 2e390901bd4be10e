//! Clusters and snapshots for tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{ClusterState, Reason, Status, Step, TaskStatus};
use jiff::{SignedDuration, Timestamp};

use crate::cluster::ClusterInfo;
use crate::queries::Watched;
use crate::shard::Shard;
use crate::snapshot::{ClusterReading, Failure, Outcome, Snapshot};
use crate::upgrade::{SourceName, UpgradeState};

/// The time of the tests.
pub(super) const NOW: Timestamp = Timestamp::constant(1_795_459_769, 0);

pub(super) fn ago(seconds: i64) -> Timestamp {
    NOW - SignedDuration::from_secs(seconds)
}

/// A cluster whose last successful query was three seconds ago.
pub(super) fn cluster(id: &str, outcome: Outcome) -> ClusterReading {
    let info = ClusterInfo {
        id: ClusterId::parse(id).unwrap(),
        name: format!("shop-{id}"),
        account: AccountName::parse("prod").unwrap(),
        region: Some(Region::parse("cn-hangzhou").unwrap()),
        cluster_type: "ManagedKubernetes".to_owned(),
        spec: "ack.pro.small".to_owned(),
        profile: "Default".to_owned(),
        version: "1.30.1-aliyun.1".to_owned(),
        next_version: "1.31.1-aliyun.1".to_owned(),
        state: Some(ClusterState::Running),
        labels: BTreeMap::from([("team".to_owned(), "payments".to_owned())]),
    };
    ClusterReading {
        cluster: Arc::new(info),
        outcome,
        duration: Some(Duration::from_millis(210)),
        last_success: Some(ago(3)),
        since: Some(ago(600)),
        watched: Watched::default(),
        queries: Vec::new(),
    }
}

/// The same cluster with a change.
pub(super) fn altered(
    mut reading: ClusterReading,
    change: impl FnOnce(&mut ClusterInfo),
) -> ClusterReading {
    change(Arc::make_mut(&mut reading.cluster));
    reading
}

pub(super) fn state(status: Status, step: Step) -> UpgradeState {
    UpgradeState {
        source: SourceName::Tasks,
        status,
        step,
        task_status: TaskStatus::Running,
        error_message: None,
        precheck_report_id: "report-1".to_owned(),
        task_id: "T-1".to_owned(),
        target_version: "1.31.1-aliyun.1".to_owned(),
        started: Some(ago(3600)),
        updated: Some(ago(30)),
    }
}

pub(super) fn up(status: Status, step: Step) -> Outcome {
    Outcome::Up(Arc::new(state(status, step)))
}

pub(super) fn down(reason: Reason, message: &str) -> Outcome {
    Outcome::Down(Failure {
        reason,
        message: message.to_owned(),
        lasting: false,
    })
}

/// A complete snapshot, twelve seconds old.
pub(super) fn snapshot(clusters: Vec<ClusterReading>) -> Snapshot {
    Snapshot {
        at: ago(12),
        duration: Duration::from_secs(1),
        budget: Duration::from_secs(9),
        complete: true,
        shard: Shard::default(),
        clusters,
        accounts: Vec::new(),
    }
}

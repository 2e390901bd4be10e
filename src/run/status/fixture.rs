//! Clusters for tests.

use std::sync::Arc;

use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{Reason, Status, Step};
use jiff::{SignedDuration, Timestamp};

use crate::cluster::ClusterInfo;
use crate::queries::Watched;
use crate::snapshot::{ClusterReading, Failure, Outcome};
use crate::upgrade::{SourceName, UpgradeState};

/// The time of the tests.
pub(super) const NOW: Timestamp = Timestamp::constant(1_795_459_769, 0);

pub(super) fn ago(seconds: i64) -> Timestamp {
    NOW - SignedDuration::from_secs(seconds)
}

/// A cluster whose ID begins with `id`.
pub(super) fn cluster(id: &str, name: &str, outcome: Outcome) -> ClusterReading {
    let id = ClusterId::parse(&format!("c{id:0<32}")).expect("an ID");
    let account = AccountName::parse("prod").expect("a name");
    let info = ClusterInfo {
        name: name.to_owned(),
        version: "1.31.1-aliyun.1".to_owned(),
        ..ClusterInfo::new(id, account, Region::parse("cn-hangzhou").ok())
    };
    ClusterReading {
        cluster: Arc::new(info),
        outcome,
        duration: None,
        last_success: None,
        since: Some(NOW),
        watched: Watched::default(),
        queries: Vec::new(),
    }
}

/// An upgrade to 1.32.1 that was started `started` seconds ago and changed `updated` seconds ago.
pub(super) fn up(status: Status, step: Step, [started, updated]: [i64; 2]) -> Outcome {
    let state = UpgradeState {
        status,
        step,
        target_version: "1.32.1-aliyun.1".to_owned(),
        started: Some(ago(started)),
        updated: Some(ago(updated)),
        ..UpgradeState::never(SourceName::Tasks)
    };
    Outcome::Up(Arc::new(state))
}

/// The same with a message of the API.
pub(super) fn with_message(outcome: Outcome, message: &str) -> Outcome {
    match outcome {
        Outcome::Up(mut state) => {
            Arc::make_mut(&mut state).error_message = Some(message.to_owned());
            Outcome::Up(state)
        }
        other => other,
    }
}

/// A cluster that was never upgraded.
pub(super) fn never() -> Outcome {
    Outcome::Up(Arc::new(UpgradeState::never(SourceName::Tasks)))
}

pub(super) fn down(reason: Reason, message: &str) -> Outcome {
    Outcome::Down(Failure {
        reason,
        message: message.to_owned(),
        lasting: false,
    })
}

/// One cluster in each situation, with names in two scripts.
pub(super) fn fleet() -> Vec<ClusterReading> {
    let failed = up(Status::Fail, Step::Upgrading, [5400, 1500]);
    let paused = up(Status::Pause, Step::Pause, [7200, 90]);
    vec![
        cluster("0a", "analytics-staging-2", never()),
        cluster(
            "1b",
            "生产集群-上海",
            up(Status::Running, Step::Upgrading, [300, 5]),
        ),
        cluster(
            "2c",
            "gateway-prod",
            up(Status::Success, Step::Success, [90_000, 88_000]),
        ),
        cluster(
            "3d",
            "billing-prod",
            with_message(
                failed,
                "etcd member etcd-1 did not become healthy in 600 seconds; see the event log of \
                 the control plane",
            ),
        ),
        cluster("4e", "search-dev", Outcome::NotAsked),
        cluster(
            "5f",
            "shop-prod",
            up(Status::Running, Step::Prechecking, [4000, 5]),
        ),
        cluster("6a", "orders-prod", paused.clone()),
        cluster(
            "7b",
            "identity-prod",
            with_message(paused, "节点 cn-hangzhou.10.0.0.12 未就绪，升级已暂停"),
        ),
        cluster(
            "8c",
            "recommend-test",
            down(
                Reason::Forbidden,
                "DescribeClusterTasks: HTTP 403: Forbidden.RAM: the RAM action \
                 cs:DescribeClusterTasks is missing",
            ),
        ),
        cluster(
            "9d",
            "payments-dev",
            up(Status::Canceled, Step::Prechecking, [700_000, 600_000]),
        ),
    ]
}

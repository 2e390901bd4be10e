//! The readings that the pages show.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{
    AddonInstance, AddonState, CheckVerdict, ClusterState, NodeCounts, NodePoolState, Operation,
    PlanState, Reason,
};
use ack_client::{Status, Step, TaskStatus};
use exporter_toolkit::process::ProcessMetrics;

use crate::cluster::ClusterInfo;
use crate::collect::ScrapeMetrics as _;
use crate::metrics::ExporterMetrics;
use crate::queries::Watched;
use crate::queries::addons::ClusterAddons;
use crate::queries::maintenance::{AutoUpgrade, ClusterMaintenance, Window};
use crate::queries::node_pools::{NodePool, NodePoolUpgrade};
use crate::queries::plans::Plan;
use crate::queries::prechecks::Precheck;
use crate::queries::versions::VersionSupport;
use crate::shard::Shard;
use crate::snapshot::{
    AccountReading, ClusterReading, DiscoveryReading, Failure, Outcome, QueryReading, Snapshot,
};
use crate::upgrade::{SourceName, UpgradeState};

fn account() -> AccountName {
    AccountName::parse("prod").unwrap()
}

fn cluster(id: &str) -> ClusterInfo {
    let region = Region::parse("cn-hangzhou").unwrap();
    ClusterInfo::new(ClusterId::parse(id).unwrap(), account(), Some(region))
}

/// A cluster whose upgrade failed, with every value known.
pub(super) fn failed() -> ClusterReading {
    ClusterReading {
        cluster: Arc::new(ClusterInfo {
            name: "shop \"西\"\\".to_owned(),
            cluster_type: "ManagedKubernetes".to_owned(),
            spec: "ack.pro.small".to_owned(),
            version: "1.30.1-aliyun.1".to_owned(),
            next_version: "1.31.1-aliyun.1".to_owned(),
            state: Some(ClusterState::Upgrading),
            labels: BTreeMap::from([("team".to_owned(), "payments\nand\\more".to_owned())]),
            ..cluster("c-failed")
        }),
        outcome: Outcome::Up(Arc::new(UpgradeState {
            source: SourceName::Tasks,
            status: Status::Fail,
            step: Step::Upgrading,
            task_status: TaskStatus::Failed,
            error_message: Some("drain failed:\r\n\tpod \"x\\y\"\u{7} stays".to_owned()),
            precheck_report_id: "report-1".to_owned(),
            task_id: "T-1".to_owned(),
            target_version: "1.31.1-aliyun.1".to_owned(),
            started: "2026-11-23T10:00:00Z".parse().ok(),
            updated: "2026-11-23T10:05:00.5Z".parse().ok(),
        })),
        duration: Some(Duration::from_micros(120_500)),
        last_success: "2026-11-23T10:10:00.123456Z".parse().ok(),
        since: "2026-11-23T10:05:01Z".parse().ok(),
        watched: watched(),
        queries: vec![QueryReading::new("node_pools", Some(&timeout()))],
    }
}

/// Everything that can be known beside an upgrade.
fn watched() -> Watched {
    Watched {
        plans: Some(Arc::new([Plan {
            id: "P-1".to_owned(),
            kind: "kubelet_upgrade".to_owned(),
            target: "np-1".to_owned(),
            state: PlanState::Scheduled,
            reason: String::new(),
            start: "2026-11-24T18:00:00Z".parse().ok(),
            end: "2026-11-24T22:00:00Z".parse().ok(),
            task_id: String::new(),
        }])),
        version_support: Some(VersionSupport {
            version: "1.30.1-aliyun.1".to_owned(),
            end_of_support: "2027-01-31T00:00:00Z".parse().ok(),
            versions_behind: Some(3),
        }),
        node_pools: Some(vec![node_pool(), unknown_node_pool()]),
        addons: ClusterAddons {
            installed: Some(Arc::new([AddonInstance {
                name: "coredns".to_owned(),
                version: "v1.9.3.10".to_owned(),
                state: AddonState::Active,
            }])),
            offers: Some(Arc::new(BTreeMap::from([(
                "coredns".to_owned(),
                "v1.11.3.2".to_owned(),
            )]))),
        },
        prechecks: Some(Arc::new([Precheck {
            id: "check-1".to_owned(),
            kind: "cluster_upgrade".to_owned(),
            result: CheckVerdict::Warning,
            finished: "2026-11-23T09:00:00Z".parse().ok(),
        }])),
        maintenance: Some(ClusterMaintenance {
            auto_upgrade: Some(AutoUpgrade {
                enabled: true,
                channel: "stable",
            }),
            window: Some(Window {
                next_start: "2026-11-25T18:00:00Z".parse().ok(),
                duration: Some(Duration::from_secs(4 * 3600)),
            }),
        }),
    }
}

/// A node pool whose upgrade failed, with every value known.
fn node_pool() -> NodePool {
    NodePool {
        id: "np-1".to_owned(),
        name: "web \"西\"".to_owned(),
        kind: "ess".to_owned(),
        state: NodePoolState::Active,
        nodes: NodeCounts {
            total: Some(7),
            healthy: Some(6),
            failed: Some(1),
            initial: Some(0),
            offline: Some(2),
            removing: Some(3),
            serving: Some(5),
        },
        kubelet_version: "1.28.3-aliyun.1".to_owned(),
        runtime: "containerd".to_owned(),
        runtime_version: "1.6.39".to_owned(),
        image: "aliyun_3_x64.vhd".to_owned(),
        versions_behind: Some(2),
        upgrade: Some(NodePoolUpgrade {
            status: Status::Fail,
            task_id: "T-2".to_owned(),
            target_version: "1.30.1-aliyun.1".to_owned(),
            error_message: Some("node \"a\\b\" was not drained".to_owned()),
            started: "2026-11-23T09:00:00Z".parse().ok(),
            updated: "2026-11-23T09:30:00.5Z".parse().ok(),
        }),
    }
}

/// A node pool of which the API tells only that there is one.
fn unknown_node_pool() -> NodePool {
    NodePool {
        id: "np-2".to_owned(),
        name: String::new(),
        kind: String::new(),
        state: NodePoolState::Unknown,
        nodes: NodeCounts::default(),
        kubelet_version: String::new(),
        runtime: String::new(),
        runtime_version: String::new(),
        image: String::new(),
        versions_behind: None,
        upgrade: None,
    }
}

fn timeout() -> Failure {
    Failure {
        reason: Reason::Timeout,
        message: "no response".to_owned(),
        lasting: false,
    }
}

/// A cluster that could be queried before and cannot now.
pub(super) fn down() -> ClusterReading {
    ClusterReading {
        cluster: Arc::new(ClusterInfo {
            labels: BTreeMap::from([("env".to_owned(), "prod".to_owned())]),
            ..cluster("c-down")
        }),
        outcome: Outcome::Down(timeout()),
        duration: Some(Duration::from_secs(9)),
        last_success: "2026-11-23T10:09:00Z".parse().ok(),
        since: "2026-11-23T09:00:00Z".parse().ok(),
        watched: Watched::default(),
        queries: Vec::new(),
    }
}

/// A cluster whose first query still waits for the rate limit.
pub(super) fn never_queried() -> ClusterReading {
    ClusterReading {
        cluster: Arc::new(ClusterInfo {
            region: None,
            ..cluster("c-never-queried")
        }),
        outcome: Outcome::NotAsked,
        duration: None,
        last_success: None,
        since: None,
        watched: Watched::default(),
        queries: Vec::new(),
    }
}

fn accounts() -> Vec<AccountReading> {
    vec![AccountReading {
        account: account(),
        provider: Some("environment".to_owned()),
        credentials_expiry: "2026-11-23T11:00:00Z".parse().ok(),
        sources: vec![
            ("cn-hangzhou".to_owned(), "tasks"),
            ("cn-beijing".to_owned(), "upgrade_status"),
        ],
        discoveries: vec![DiscoveryReading {
            region: Region::parse("cn-hangzhou").unwrap(),
            failure: None,
            clusters: 3,
        }],
        queries: vec![(
            Region::parse("cn-hangzhou").unwrap(),
            QueryReading::new("plans", None),
        )],
    }]
}

pub(super) fn snapshot(clusters: Vec<ClusterReading>) -> Snapshot {
    Snapshot {
        at: "2026-11-23T10:10:01Z".parse().unwrap(),
        duration: Duration::from_millis(9_250),
        budget: Duration::from_millis(9_500),
        complete: false,
        shard: Shard::new(1, 3).expect("a shard"),
        clusters,
        accounts: accounts(),
    }
}

pub(super) fn own() -> ExporterMetrics {
    let own = ExporterMetrics::new(ProcessMetrics::Hidden);
    own.reload_succeeded("2026-11-23T09:00:00.25Z".parse().unwrap());
    let metrics = own.call_metrics(&account());
    for failure in [None, Some(Reason::Timeout)] {
        metrics.started(Operation::GetUpgradeStatus);
        metrics.finished(
            Operation::GetUpgradeStatus,
            Duration::from_millis(125),
            failure,
        );
    }
    own
}

//! A fleet of any size with something of everything: for tests, and for pictures.

use std::sync::Arc;

use ack_client::names::{AccountName, Region};
use ack_client::{NodeCounts, NodePoolState, PlanState, Reason, Status, Step};
use jiff::SignedDuration;

use crate::queries::Watched;
use crate::queries::node_pools::{NodePool, NodePoolUpgrade};
use crate::queries::plans::Plan;
use crate::queries::versions::VersionSupport;
use crate::snapshot::{
    AccountReading, ClusterReading, DiscoveryReading, Failure, Outcome, QueryReading, Snapshot,
};
use crate::upgrade::UpgradeState;
use crate::web::fixture::{NOW, ago, altered, cluster, down, snapshot, state, up};

const DRAIN: &str = "upgrade of worker nodes failed: drain of node cn-hangzhou.10.0.3.17 timed out after 600 seconds: pod payments/gateway-5d4f8b7c9-x2x8p cannot be evicted as it would violate the pod's disruption budget (PDB payments/gateway, allowed disruptions 0); resume the task once the budget allows it, or cancel it (request 3D2F9B1E-77A0-5C1B-9A2F-0B9D2C4E8A11)";
const REGIONS: [&str; 3] = ["cn-hangzhou", "cn-beijing", "ap-southeast-1"];
const ACCOUNTS: [&str; 2] = ["prod", "staging"];
pub(super) const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// `size` clusters, of which about one in ten needs somebody.
pub(super) fn fleet(size: usize) -> Snapshot {
    let clusters = (0..size).map(|at| member(at, outcome(at))).collect();
    let mut snapshot = snapshot(clusters);
    snapshot.accounts = ACCOUNTS.map(account).into();
    snapshot
}

fn outcome(at: usize) -> Outcome {
    let with_message = |status, step, message: &str| {
        Outcome::Up(Arc::new(UpgradeState {
            error_message: Some(message.to_owned()),
            ..state(status, step)
        }))
    };
    match at % 40 {
        1 => up(Status::Running, Step::Upgrading),
        7 => with_message(Status::Fail, Step::Upgrading, DRAIN),
        11 => with_message(
            Status::Pause,
            Step::Pause,
            "node pool default: 2 nodes are NotReady",
        ),
        19 => down(
            Reason::Forbidden,
            "GetUpgradeStatus: Forbidden.RAM: User not authorized to operate on the specified resource; needs cs:GetUpgradeStatus",
        ),
        23 => up(Status::Pause, Step::Upgrading),
        29 => up(Status::Running, Step::Prechecking),
        31 => up(Status::Canceled, Step::Upgrading),
        37 => Outcome::NotAsked,
        at if at % 3 == 0 => up(Status::None, Step::NotStart),
        _ => up(Status::Success, Step::Success),
    }
}

fn member(at: usize, outcome: Outcome) -> ClusterReading {
    let id = format!("c106f377e16f34eb1808d6b9362c9{at:04}");
    let mut reading = altered(cluster(&id, outcome), |info| {
        info.name = format!(
            "{}-{at}",
            ["shop", "search", "ledger", "ml-training"][at % 4]
        );
        info.account = AccountName::parse(ACCOUNTS[at % 5 / 4]).unwrap();
        info.region = Some(Region::parse(REGIONS[at % 7 % 3]).unwrap());
        info.version = format!("1.{}.3-aliyun.1", 28 + at % 5);
    });
    reading.since = Some(ago(60 + 977 * i64::try_from(at).unwrap()));
    watch(&mut reading.watched, at);
    let failure = Failure {
        reason: Reason::Forbidden,
        message: "needs cs:ListClusterAddonInstances".to_owned(),
        lasting: true,
    };
    let failure = Some(&failure).filter(|_| at % 9 == 4);
    reading.queries = vec![QueryReading::new("addons", failure)];
    reading
}

/// The plan of the cluster at this place in the fleet.
pub(super) fn plan(at: usize) -> Plan {
    Plan {
        id: format!("P-{at}"),
        kind: "cluster_upgrade_master".to_owned(),
        target: String::new(),
        state: PlanState::Scheduled,
        reason: String::new(),
        start: Some(NOW + HOUR * i32::try_from(2 + at % 7).unwrap()),
        end: Some(NOW + HOUR * i32::try_from(6 + at % 7).unwrap()),
        task_id: String::new(),
    }
}

fn watch(watched: &mut Watched, at: usize) {
    let plans: Vec<_> = Some(plan(at))
        .filter(|_| at % 20 == 2)
        .into_iter()
        .collect();
    let end_of_support = match at % 10 {
        3 => Some(NOW - HOUR * 24 * 40),
        5 => Some(NOW + HOUR * 24 * 34),
        _ => Some(NOW + HOUR * 24 * 300),
    };
    watched.plans = Some(plans.into());
    watched.node_pools = Some(vec![node_pool(at)]);
    watched.version_support = Some(VersionSupport {
        version: "1.30.1-aliyun.1".to_owned(),
        end_of_support,
        versions_behind: Some(3),
    });
}

fn node_pool(at: usize) -> NodePool {
    let status = if at % 30 == 9 {
        Status::Fail
    } else {
        Status::Success
    };
    NodePool {
        id: "np0123456789abcdef".to_owned(),
        name: "default".to_owned(),
        kind: "ess".to_owned(),
        state: NodePoolState::Active,
        nodes: NodeCounts {
            total: Some(12),
            healthy: Some(11),
            ..NodeCounts::default()
        },
        kubelet_version: "1.29.1-aliyun.1".to_owned(),
        runtime: "containerd".to_owned(),
        runtime_version: "1.6.28".to_owned(),
        image: "aliyun_3_x64_20G_alibase_20240528.vhd".to_owned(),
        versions_behind: Some(1),
        upgrade: Some(NodePoolUpgrade {
            status,
            task_id: "T-2".to_owned(),
            target_version: "1.30.1-aliyun.1".to_owned(),
            error_message: (status == Status::Fail).then(|| "kubelet is not ready".to_owned()),
            started: Some(ago(9000)),
            updated: Some(ago(8000)),
        }),
    }
}

fn account(name: &str) -> AccountReading {
    let region = |name: &str| Region::parse(name).unwrap();
    let failure = |reason, message: &str| Failure {
        reason,
        message: message.to_owned(),
        lasting: true,
    };
    let unread = failure(
        Reason::Timeout,
        "DescribeClustersForRegion: no response within 9 s",
    );
    let list = |at: usize, region: Region| DiscoveryReading {
        failure: Some(unread.clone()).filter(|_| at == 2 && name == "staging"),
        region,
        clusters: 100,
    };
    let regions = REGIONS.map(region).into_iter().enumerate();
    AccountReading {
        account: AccountName::parse(name).unwrap(),
        provider: Some("ecs_ram_role".to_owned()),
        credentials_expiry: Some(NOW + HOUR * 5),
        sources: vec![(REGIONS[0].to_owned(), "tasks")],
        discoveries: regions.map(|(at, region)| list(at, region)).collect(),
        queries: vec![(
            region(REGIONS[1]),
            QueryReading::new(
                "plans",
                Some(&failure(
                    Reason::Throttled,
                    "Throttling.User: Request was denied",
                )),
            ),
        )],
    }
}

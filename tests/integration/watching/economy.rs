//! The calls of an hour with everything watched, beside those for the upgrades themselves.

use std::fmt::Write as _;

use ack_client::names::Region;
use ack_simulator::UpgradingClusters;
use tokio::time::{Instant, sleep_until};

use super::*;

const EVERYTHING: &str =
    "plans: {}, versions: {}, node_pools: {}, addons: {}, prechecks: {}, maintenance: {}";

/// The operations beside that of the upgrades; with `source: upgrade_status`, the tasks are those
/// of node pools.
const OPERATIONS: [Action; 11] = [
    Action::DescribeClustersForRegion,
    Action::ListOperationPlansForRegion,
    Action::DescribeKubernetesVersionMetadata,
    Action::ListAddons,
    Action::DescribeClusterNodePools,
    Action::DescribeClusterTasks,
    Action::DescribeTaskInfo,
    Action::ListClusterAddonInstances,
    Action::ListClusterChecks,
    Action::GetClusterCheck,
    Action::DescribeClusterDetail,
];

/// The calls of each operation in one hour.
type Hour = [u64; OPERATIONS.len()];

/// Each hour of `clusters` in four regions, with a scrape every minute.
async fn hours(clusters: usize, hours: usize) -> Vec<Hour> {
    let regions = ["cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-shenzhen"];
    let regions = regions.map(|region| Region::parse(region).expect("a region"));
    let options = Options {
        regions: regions.to_vec(),
        upgrading: UpgradingClusters::First(0),
        calls_kept: 0,
        ..options(clusters)
    };
    let account = format!("source: upgrade_status\nwatch: {{{EVERYTHING}}}");
    let fleet = Fleet::in_process(options, &account, "idle_interval: 1h");
    let mut calls = vec![[0; OPERATIONS.len()]];
    for _ in 0..hours {
        for _ in 0..60 {
            let next = Instant::now() + MINUTE;
            fleet.scrape_in_time().await;
            sleep_until(next).await;
        }
        calls.push(OPERATIONS.map(|action| fleet.calls(action)));
    }
    let pairs = calls.windows(2);
    pairs
        .map(|pair| std::array::from_fn(|index| pair[1][index] - pair[0][index]))
        .collect()
}

/// A line for each operation, with its calls in each hour.
fn table(hours: &[Hour]) -> String {
    let mut table = String::new();
    let mut line = |name: &str, calls: &dyn Fn(&Hour) -> u64| {
        write!(table, "{name:34}").expect("a String takes every write");
        for hour in hours {
            write!(table, "{:6}", calls(hour)).expect("a String takes every write");
        }
        table.push('\n');
    };
    for (index, action) in OPERATIONS.iter().enumerate() {
        line(action.as_str(), &|hour| hour[index]);
    }
    line("sum", &|hour| hour.iter().sum());
    table
}

#[tokio::test(start_paused = true)]
async fn everything_watched_takes_less_than_three_calls_an_hour_for_each_cluster() {
    const CLUSTERS: u64 = 40;
    let hours = hours(40, 7).await;
    let table = table(&hours);
    let of_clusters = |hour: &Hour| hour[4..].iter().sum::<u64>();
    let later = &hours[1..];
    let sum: u64 = later.iter().map(of_clusters).sum();
    // The pools twice an hour, and in six hours each of three other operations, and the tasks of
    // every second cluster, some of which have several pages.
    let expected = CLUSTERS * (6 * 2 + 3);
    assert!((expected..expected + 60).contains(&sum), "{table}");
    for hour in later {
        let most = CLUSTERS * 7 / 2;
        assert!(of_clusters(hour) <= most, "not all at once\n{table}");
        assert_eq!(hour[0], 4 * 60, "a list of each region a minute\n{table}");
        assert_eq!(hour[1], 4 * 4, "plans\n{table}");
    }
}

/// Takes some minutes. `cargo test --test integration economy -- --ignored --nocapture` prints the
/// table of docs/cost.md.
#[tokio::test(start_paused = true)]
#[ignore = "takes some minutes; tests/run has the same with 40 clusters"]
async fn a_thousand_clusters_take_at_most_4000_calls_an_hour() {
    let hours = hours(1000, 7).await;
    let table = table(&hours);
    println!("{table}");
    for hour in &hours[1..] {
        assert!(hour.iter().sum::<u64>() <= 4000, "{table}");
    }
}

//! Clusters, queries and tables for the tests of this module.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{
    ApiError, Budget, ClusterState, Deadline, Endpoint, ErrorKind, ListedCluster, Operation, Reason,
};
use ack_client::{Status, Step, credentials};
use ack_simulator::{InProcess, Options, Simulator};
use exporter_toolkit::process::ProcessMetrics;
use jiff::Timestamp;
use tokio::sync::SetOnce;
use tokio::time::{Instant, advance};
use tokio_util::sync::CancellationToken;

use super::account::AccountCollector;
use super::demand::Demand;
use super::entry::{
    BlockedBy, CachedResults, ClusterEntry, InFlight, Now, Origin, Target, Trigger, Viewpoint,
};
use super::table::ClusterTable;
use super::{Collector, Dependencies};
use crate::cluster::ClusterInfo;
use crate::config::Config;
use crate::metrics::ExporterMetrics;
use crate::queries::upgrade::UpgradeQuery;
use crate::shard::Shard;
use crate::snapshot::{Failure, Outcome};
use crate::upgrade::{SourceName, UpgradeState};

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MAX_AGE: Duration = Duration::from_secs(300);
/// The share of a query in these tests.
pub(super) const SHARE: Duration = Duration::from_secs(2);

pub(super) fn id(name: &str) -> ClusterId {
    ClusterId::parse(name).expect("an ID")
}

pub(super) fn region(name: &str) -> Region {
    Region::parse(name).expect("a region")
}

/// The present, at the beginning of the epoch for people.
pub(super) fn now() -> Now {
    Now {
        instant: Instant::now(),
        timestamp: Timestamp::UNIX_EPOCH,
    }
}

pub(super) fn target(name: &str, source: Option<SourceName>) -> Target {
    let account = AccountName::parse("a").expect("a name");
    Target {
        info: Arc::new(ClusterInfo::new(id(name), account, None)),
        origin: Origin::Configured,
        endpoint: Endpoint::parse("http://stand-in.example").expect("an endpoint"),
        query: UpgradeQuery::Panicking(source),
    }
}

pub(super) fn discovered(name: &str, in_region: &str) -> Target {
    let mut target = target(name, None);
    Arc::make_mut(&mut target.info).region = Some(region(in_region));
    Target {
        origin: Origin::Discovered,
        ..target
    }
}

pub(super) fn table(names: &[&str]) -> ClusterTable {
    ClusterTable::new(names.iter().map(|name| target(name, None)).collect())
}

/// A table whose clusters have been read in turn, one each second; all of them are idle.
pub(super) async fn idle(names: &[&str]) -> ClusterTable {
    let mut table = table(names);
    for name in names {
        let in_flight = InFlight {
            changed: Some(Timestamp::constant(1, 0)),
            ..in_flight(1)
        };
        let never = UpgradeState::never(SourceName::Tasks);
        let entry = table.entries.get_mut(&id(name)).expect("it is there");
        entry.record_result(Ok(never), &in_flight, SECOND, now());
        advance(SECOND).await;
    }
    table
}

/// A cluster as a list has it.
pub(super) fn listed(name: &str, state: &str, updated: i64) -> ListedCluster {
    ListedCluster {
        id: id(name),
        region: None,
        name: format!("{name} by the list"),
        cluster_type: "ManagedKubernetes".to_owned(),
        spec: "ack.pro.small".to_owned(),
        profile: "Default".to_owned(),
        state: cluster_state(state),
        version: "1.31.1".to_owned(),
        next_version: String::new(),
        updated: Some(Timestamp::constant(updated, 0)),
        tags: Vec::new(),
    }
}

/// The state called `word`; none if it is empty.
pub(super) fn cluster_state(word: &str) -> Option<ClusterState> {
    let states = ClusterState::ALL.iter().copied();
    let state = states.clone().find(|state| state.as_str() == word);
    (!word.is_empty()).then(|| state.unwrap_or(ClusterState::Unknown))
}

/// The entry of a configured cluster that has never been queried.
pub(super) fn new_entry(name: &str) -> ClusterEntry {
    ClusterEntry::new(target(name, None), CachedResults::default())
}

/// An entry that was queried for a demand a second ago, with a response of this moment.
pub(super) fn succeeded() -> ClusterEntry {
    let mut entry = new_entry("c1");
    entry.served = Some(Instant::now() - SECOND);
    entry.record_result(Ok(upgrading()), &in_flight(1), SECOND, now());
    entry
}

/// A query that starts at this moment.
pub(super) fn in_flight(number: u64) -> InFlight {
    let deadline = Deadline::at(Instant::now() + 10 * SECOND);
    InFlight {
        number,
        started: Instant::now(),
        budget: Budget::new(deadline, CancellationToken::new()),
        share: SHARE,
        previously_served: Some(moment(3)),
        is_awaited: AtomicBool::new(true),
        changed: None,
        end: SetOnce::new(),
    }
}

/// A demand of this moment.
pub(super) fn demand(length: Duration) -> Demand {
    let now = Instant::now();
    Demand::new(now, now + length)
}

/// One of several moments in a row, which demands of these tests are known by.
pub(super) fn moment(number: u32) -> Instant {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    *FIRST.get_or_init(Instant::now) + number * SECOND
}

pub(super) fn upgrading() -> UpgradeState {
    UpgradeState {
        status: Status::Running,
        step: Step::Upgrading,
        ..UpgradeState::never(SourceName::Tasks)
    }
}

pub(super) fn error(kind: ErrorKind) -> ApiError {
    ApiError::local(Operation::DescribeClusterTasks, kind, "no luck")
}

pub(super) fn failure(kind: ErrorKind) -> Failure {
    Failure::of(&error(kind))
}

/// The view of a reader who goes at this moment, and for whom no cluster has been queried.
pub(super) fn viewpoint(trigger: Trigger, blocked_by: BlockedBy) -> Viewpoint {
    Viewpoint {
        trigger,
        since: Instant::now() + SECOND,
        end: Instant::now(),
        share: SHARE,
        blocked_by,
        max_age: MAX_AGE,
        now: Instant::now(),
    }
}

/// The outcome on the metrics page of a scrape whose waiters go at this moment. `is_collected` is
/// set if the entry was queried for it.
pub(super) fn page(entry: &ClusterEntry, is_collected: bool) -> Outcome {
    let viewpoint = viewpoint(Trigger::Scrape, BlockedBy::RateLimit);
    let since = entry.served.filter(|_| is_collected);
    let viewpoint = Viewpoint {
        since: since.unwrap_or(viewpoint.since),
        ..viewpoint
    };
    entry.reading(&viewpoint).outcome
}

pub(super) fn reason(outcome: &Outcome) -> Option<Reason> {
    match outcome {
        Outcome::Down(failure) => Some(failure.reason),
        Outcome::Up(_) | Outcome::NotAsked => None,
    }
}

pub(super) fn is_up(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Up(_))
}

/// The collector of an account with four clusters and two permits, over an API that gets no query.
pub(super) fn account() -> (Arc<Collector>, Arc<AccountCollector>) {
    let simulator = Arc::new(Simulator::new(Options::default()));
    let clock = Clock::simulated(simulator.world().now());
    let yaml = "accounts:\n  - name: a\n    endpoint: http://stand-in.example\n    max_concurrency: 2\n    \
                credentials: {type: access_key, access_key_id: i, access_key_secret: s}\n    \
                clusters: [{id: c1}, {id: c2}, {id: c3}, {id: c4}]\n";
    let config = Config::parse(yaml, Path::new("")).expect("a configuration");
    let dependencies = Dependencies {
        clock,
        transports: Arc::new(InProcess(simulator)),
        shard: Shard::default(),
        credentials: credentials::Context::offline(clock),
        metrics: Arc::new(ExporterMetrics::new(ProcessMetrics::Hidden)),
    };
    let collector = Collector::new(&config, &dependencies);
    let account = Arc::clone(&collector.accounts[0]);
    (collector, account)
}

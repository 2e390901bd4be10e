//! Collections without a deadline, as `status` makes them. Time is paused.

use std::sync::Arc;
use std::time::Duration;

use ack_simulator::{Action, Fault, Options, Phase, Rule, UpgradingClusters};
use ack_upgrade_exporter::collect::{CollectionProgress, Extent};
use ack_upgrade_exporter::snapshot::{ClusterReading, Snapshot};
use tokio::time::Instant;

use crate::fleet::{Fleet, options, tally};

const PATIENCE: Duration = Duration::from_secs(10);

/// The snapshot of a whole collection, the reports about its progress, and its time in seconds.
async fn collect(fleet: &Fleet, extent: Extent) -> (Arc<Snapshot>, Vec<CollectionProgress>, u64) {
    let started = Instant::now();
    let mut reports = Vec::new();
    let snapshot = fleet
        .collector
        .collect_to_the_end(extent, PATIENCE, |progress| reports.push(progress))
        .await;
    (snapshot, reports, started.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_fleet_beyond_the_rate_limit_is_queried_to_the_end() {
    for (source, calls) in [("upgrade_status", 1), ("tasks", 2)] {
        let sim = Options {
            upgrading: UpgradingClusters::First(0),
            latency: Duration::from_millis(50),
            ..options(1000)
        };
        let fleet = Fleet::in_process(sim, &format!("source: {source}"), "");
        for id in fleet.ids() {
            fleet.sim.world().set_phase(&id, Phase::Succeeded, None);
        }
        let (snapshot, reports, seconds) = collect(&fleet, Extent::Upgrades).await;
        assert_eq!(tally(&snapshot).get("up"), Some(&1000), "{source}");
        let least = (calls * 1000 - 40) / 20;
        assert!(
            (least..least * 6 / 5).contains(&seconds),
            "{source}: {seconds}"
        );
        assert!(reports.iter().all(|report| report.needed == 1000));
        assert!(reports.is_sorted_by_key(|report| report.ended));
    }
}

#[tokio::test(start_paused = true)]
async fn silent_clusters_do_not_hold_up_the_end() {
    let sim = Options {
        latency: Duration::from_millis(50),
        ..options(300)
    };
    let fleet = Fleet::in_process(sim, "source: upgrade_status", "");
    for id in &fleet.ids()[..20] {
        fleet
            .sim
            .add_fault(Rule::new(Fault::Hang).cluster(id.clone()));
    }
    let (snapshot, _, seconds) = collect(&fleet, Extent::Upgrades).await;
    let tally = tally(&snapshot);
    assert_eq!(
        (tally.get("up"), tally.get("timeout")),
        (Some(&280), Some(&20)),
        "{tally:?}"
    );
    assert!(seconds < 40, "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn a_collection_without_progress_is_given_up() {
    let limit = "rate_limit: {requests_per_second: 0.01, burst: 1}";
    let fleet = Fleet::in_process(options(3), &format!("source: upgrade_status\n{limit}"), "");
    let (snapshot, reports, seconds) = collect(&fleet, Extent::Upgrades).await;
    let tally = tally(&snapshot);
    assert_eq!(
        (tally.get("up"), tally.get("-")),
        (Some(&1), Some(&2)),
        "{tally:?}"
    );
    assert_eq!(seconds, PATIENCE.as_secs());
    let last = CollectionProgress {
        ended: 1,
        needed: 3,
    };
    assert_eq!(reports.last(), Some(&last));
}

#[tokio::test(start_paused = true)]
async fn the_watched_queries_are_waited_for_where_they_are_wanted() {
    let watching = "watch: {plans: {}, versions: {}}";
    let sim = Options {
        latency: Duration::from_secs(2),
        ..options(12)
    };
    let fleet = Fleet::in_process(sim, watching, "");
    let (snapshot, ..) = collect(&fleet, Extent::Watched).await;
    let has_answers = |reading: &ClusterReading| {
        reading.watched.plans.is_some() && reading.watched.version_support.is_some()
    };
    assert!(snapshot.clusters.iter().all(has_answers));
    let fleet = Fleet::in_process(options(12), watching, "");
    fleet.sim.deny(Action::ListOperationPlansForRegion);
    let (snapshot, _, seconds) = collect(&fleet, Extent::Watched).await;
    assert!(
        snapshot
            .clusters
            .iter()
            .all(|reading| reading.watched.plans.is_none())
    );
    assert!(seconds < PATIENCE.as_secs(), "a refusal is a response");
}

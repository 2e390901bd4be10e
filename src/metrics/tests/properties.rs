//! Properties of every page, for any text of the API and of the configuration.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ack_client::ClusterState;
use ack_client::Reason;
use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{Status, Step, TaskStatus};
use exporter_toolkit::exposition::{Format, Metric};
use exporter_toolkit::process::ProcessMetrics;
use jiff::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use safe_input::text::is_misleading;

use super::exposition::{Dialect, Exposition};
use super::of;
use crate::cluster::ClusterInfo;
use crate::collect::ScrapeMetrics as _;
use crate::config::Metrics;
use crate::metrics::catalog::{self, SeriesScope};
use crate::metrics::{ExporterMetrics, render};
use crate::queries::Watched;
use crate::shard::Shard;
use crate::snapshot::{
    AccountReading, ClusterReading, DiscoveryReading, Failure, Outcome, Snapshot,
};
use crate::upgrade::{SourceName, StateSet, UpgradeState};

fn any_account() -> impl Strategy<Value = AccountName> {
    "[^\\p{C}]{1,8}".prop_map(|name| AccountName::parse(&name.replace(is_misleading, "x")).unwrap())
}

fn any_region() -> impl Strategy<Value = Region> {
    select(vec!["cn-hangzhou", "cn-beijing"]).prop_map(|region| Region::parse(region).unwrap())
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    (-2_000_000_000_000_i64..4_000_000_000_000)
        .prop_map(|time| Timestamp::from_millisecond(time).unwrap())
}

fn any_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0..u64::MAX).prop_map(Duration::from_nanos),
        Just(Duration::ZERO),
        Just(Duration::MAX)
    ]
}

prop_compose! {
    fn any_cluster()(
        id in "[a-c]{1,2}",
        [name, cluster_type, spec, version, next_version] in any::<[String; 5]>(),
        account in any_account(),
        region in option::of(any_region()),
        state in option::of(select(ClusterState::ALL)),
        labels in btree_map("user_[a-c]", any::<String>(), 0..3),
    ) -> ClusterInfo {
        let id = ClusterId::parse(&id).unwrap();
        ClusterInfo {
            id,
            name,
            account,
            region,
            cluster_type,
            spec,
            profile: String::new(),
            version,
            next_version,
            state,
            labels,
        }
    }
}

prop_compose! {
    fn any_state()(
        source in select(vec![SourceName::UpgradeStatus, SourceName::Tasks]),
        status in select(Status::ALL),
        step in select(Step::ALL),
        task_status in select(TaskStatus::ALL),
        error_message in option::of(any::<String>()),
        (precheck_report_id, task_id, target_version) in any::<(String, String, String)>(),
        (started, updated) in (option::of(any_time()), option::of(any_time())),
    ) -> UpgradeState {
        UpgradeState {
            source,
            status,
            step,
            task_status,
            error_message,
            precheck_report_id,
            task_id,
            target_version,
            started,
            updated,
        }
    }
}

prop_compose! {
    fn any_failure()(reason in select(Reason::ALL), message in any::<String>()) -> Failure {
        Failure { reason, message, lasting: false }
    }
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        3 => any_state().prop_map(|state| Outcome::Up(Arc::new(state))),
        1 => any_failure().prop_map(Outcome::Down),
        1 => Just(Outcome::NotAsked),
    ]
}

prop_compose! {
    fn any_reading()(
        cluster in any_cluster(),
        outcome in any_outcome(),
        duration in option::of(any_duration()),
        last_success in option::of(any_time()),
        since in option::of(any_time()),
    ) -> ClusterReading {
        ClusterReading {
            cluster: Arc::new(cluster),
            outcome,
            duration,
            last_success,
            since,
            watched: Watched::default(),
            queries: Vec::new(),
        }
    }
}

prop_compose! {
    fn any_account_reading()(
        account in any_account(),
        provider in option::of(any::<String>()),
        credentials_expiry in option::of(any_time()),
        sources in vec((any::<String>(), select(vec!["tasks", "upgrade_status"])), 0..3),
        discoveries in vec((any_region(), option::of(any_failure()), any::<usize>()), 0..3),
    ) -> AccountReading {
        let discovery = |(region, failure, clusters)| DiscoveryReading {
            region,
            failure,
            clusters,
        };
        let discoveries = discoveries.into_iter().map(discovery).collect();
        AccountReading {
            account,
            provider,
            credentials_expiry,
            sources,
            discoveries,
            queries: Vec::new(),
        }
    }
}

prop_compose! {
    // Unordered and with duplicates on purpose: no input may break the page.
    fn any_snapshot()(
        at in any_time(),
        duration in any_duration(),
        budget in any_duration(),
        complete in any::<bool>(),
        clusters in vec(any_reading(), 0..8),
        accounts in vec(any_account_reading(), 0..3),
        (ordinal, total) in any::<(u32, u32)>(),
    ) -> Snapshot {
        let shard = Shard::new(ordinal % total.max(1), total.max(1)).expect("a shard");
        Snapshot { at, duration, budget, complete, shard, clusters, accounts }
    }
}

fn pages(snapshot: &Snapshot) -> (Exposition, Exposition) {
    let own = ExporterMetrics::new(ProcessMetrics::Hidden);
    for account in &snapshot.accounts {
        own.call_metrics(&account.account);
    }
    let read = |format, dialect| {
        Exposition::read(
            &render(snapshot, &own, &Metrics::default(), format),
            dialect,
        )
        .unwrap()
    };
    (
        read(Format::Text, Dialect::Text),
        read(Format::OpenMetrics, Dialect::OpenMetrics),
    )
}

/// The active value of a state set, by cluster.
fn active<S: StateSet>(page: &Exposition, metric: &Metric) -> BTreeMap<String, String> {
    let values: Vec<&str> = S::ALL.iter().map(|value| value.as_str()).collect();
    let Some(family) = page.family(metric.name) else {
        return BTreeMap::new();
    };
    let active = family.active_states(metric.labels[1], &values).unwrap();
    active
        .into_iter()
        .map(|(labels, value)| (labels[0].1.clone(), value))
        .collect()
}

proptest! {
    #[test]
    fn any_page_is_well_formed_and_has_the_same_content_in_both_formats(
        snapshot in any_snapshot(),
    ) {
        let (text, open_metrics) = pages(&snapshot);
        prop_assert_eq!(text.families.len(), open_metrics.families.len());
        for (one, other) in text.families.iter().zip(&open_metrics.families) {
            let metric = catalog::find(&one.name).expect("every family is in the catalogue");
            prop_assert_eq!(&one.help, metric.help);
            prop_assert_eq!(&one.help, &other.help);
            prop_assert_eq!(&one.kind, metric.kind.word(Format::Text));
            prop_assert_eq!(&other.kind, metric.kind.word(Format::OpenMetrics));
            for (one, other) in one.samples.iter().zip(&other.samples) {
                prop_assert_eq!((&one.name, one.value), (&other.name, other.value));
                let without_bound = |labels: &[(String, String)]| -> Vec<_> {
                    labels.iter().filter(|label| label.0 != "le").cloned().collect()
                };
                prop_assert_eq!(without_bound(&one.labels), without_bound(&other.labels));
                let names = one.labels.iter().map(|(name, _)| name.as_str());
                let names: Vec<&str> = names.filter(|name| *name != "le").collect();
                if of(SeriesScope::Cluster).any(|one| one == metric) {
                    prop_assert_eq!(&names[..metric.labels.len()], metric.labels);
                } else {
                    let mut labels = metric.labels.to_vec();
                    labels.sort_unstable();
                    let mut names = names;
                    names.sort_unstable();
                    prop_assert_eq!(names, labels);
                }
            }
        }
    }

    #[test]
    fn a_cluster_has_a_state_exactly_while_it_is_up(snapshot in any_snapshot()) {
        let (page, _) = pages(&snapshot);
        let mut first = BTreeMap::new();
        for reading in &snapshot.clusters {
            first.entry(reading.cluster.id.as_str()).or_insert(reading);
        }
        let statuses = active::<Status>(&page, &catalog::UPGRADE_STATUS);
        let steps = active::<Step>(&page, &catalog::UPGRADE_STEP);
        let tasks = active::<TaskStatus>(&page, &catalog::UPGRADE_TASK_STATUS);
        for (id, reading) in first {
            let sample = |name| page.samples(name).find(|sample| sample.label("cluster") == Some(id));
            let up = sample("cs_up").map(|sample| sample.value);
            let reason = sample("cs_query_failure").and_then(|sample| sample.label("reason"));
            let info = sample("cs_cluster_info").expect("every cluster has one");
            for (name, value) in &reading.cluster.labels {
                prop_assert_eq!(info.label(name), Some(value.as_str()));
            }
            match &reading.outcome {
                Outcome::Up(state) => {
                    prop_assert_eq!((up, reason), (Some(1.0), None));
                    prop_assert_eq!(statuses.get(id).map(String::as_str), Some(state.status.as_str()));
                    prop_assert_eq!(steps.get(id).map(String::as_str), Some(state.step.as_str()));
                    prop_assert_eq!(tasks.get(id).map(String::as_str), Some(state.task_status.as_str()));
                    prop_assert!(sample("cs_upgrade_info").is_some());
                }
                Outcome::Down(failure) => prop_assert_eq!((up, reason), (Some(0.0), Some(failure.reason.as_str()))),
                Outcome::NotAsked => prop_assert_eq!((up, reason), (None, None)),
            }
            if !matches!(reading.outcome, Outcome::Up(_)) {
                let of_the_upgrade = |name: &str| name.starts_with("cs_upgrade_");
                let families = page.families.iter().filter(|family| of_the_upgrade(&family.name));
                let samples = families.flat_map(|family| &family.samples);
                prop_assert!(samples.into_iter().all(|sample| sample.label("cluster") != Some(id)));
            }
        }
    }
}

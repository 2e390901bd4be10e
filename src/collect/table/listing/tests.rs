use std::time::Duration;

use ack_client::{ErrorKind, Reason};
use jiff::Timestamp;
use tokio::time::advance;

use super::*;
use crate::collect::entry::{BlockedBy, CachedResults, Trigger};
use crate::collect::fixture::*;

const INTERVAL: Duration = Duration::from_secs(600);

/// Applies the list of a region that has no discovered clusters, at second 9 of the epoch.
fn apply_list(table: &mut ClusterTable, list: &[ListedCluster], demand: Option<u32>) {
    let skip_for = demand.map(|demand| (moment(demand), IdlePolicy { interval: INTERVAL }));
    let now = Now {
        timestamp: Timestamp::constant(9, 0),
        ..now()
    };
    table.apply_list(&region("cn-hangzhou"), list, Vec::new(), skip_for, now);
}

#[tokio::test(start_paused = true)]
async fn a_demand_skips_clusters_that_a_list_shows_to_be_idle() {
    let mut table = idle(&["calm", "changed", "planned", "upgrading", "unlisted"]).await;
    table.entries.insert(
        id("never"),
        ClusterEntry::new(target("never", None), CachedResults::default()),
    );
    let failure = failure(ErrorKind::Network);
    let mut failing = ClusterEntry::new(target("failing", None), succeeded().cached().inherited());
    failing.record_result(Err(failure), &in_flight(2), SECOND, now());
    table.entries.insert(id("failing"), failing);
    let states = [
        ("calm", "running", 1),
        ("changed", "running", 2),
        ("upgrading", "upgrading", 1),
        ("never", "running", 1),
        ("failing", "running", 1),
        ("planned", "running", 1),
    ];
    let planned = table.entries.get_mut(&id("planned"));
    planned.expect("it is there").is_upgraded_by_plan = true;
    let list = states.map(|(name, state, updated)| listed(name, state, updated));
    advance(MAX_AGE).await;
    apply_list(&mut table, &list, Some(5));
    assert_eq!(table.due(moment(5), |_| true).len(), 6, "all but one");
    let entry = |name: &str| &table.entries[&id(name)];
    assert_eq!(entry("calm").served, Some(moment(5)));
    assert!(
        is_up(&page(entry("calm"), false)) && is_up(&page(entry("changed"), false)),
        "a changed one is served until it is queried"
    );
    assert!(entry("changed").has_changed() && !entry("calm").has_changed());
    assert_eq!(
        reason(&page(entry("unlisted"), false)),
        Some(Reason::RateLimited),
        "a list without it confirms nothing"
    );
    let last_success = |name: &str| {
        let viewpoint = viewpoint(Trigger::Scrape, BlockedBy::RateLimit);
        entry(name).reading(&viewpoint).last_success
    };
    assert_eq!(last_success("calm"), Some(Timestamp::constant(9, 0)));
    assert_eq!(last_success("changed"), Some(now().timestamp));
}

#[tokio::test(start_paused = true)]
async fn of_those_whose_interval_is_over_one_in_a_hundred_is_queried_the_oldest_first() {
    let names: Vec<_> = (0..300).map(|number| format!("c{number:03}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let list: Vec<_> = names
        .iter()
        .map(|name| listed(name, "running", 1))
        .collect();
    let mut table = idle(&names).await;
    advance(Duration::from_millis(299_999)).await;
    apply_list(&mut table, &list, Some(1));
    assert!(
        table.due(moment(1), |_| true).is_empty(),
        "the oldest lacks a millisecond"
    );
    advance(Duration::from_millis(1)).await;
    apply_list(&mut table, &list, Some(2));
    assert_eq!(
        table.due(moment(2), |_| true),
        ["c000"].map(id),
        "the others are younger"
    );
    advance(INTERVAL).await;
    apply_list(&mut table, &list, Some(3));
    assert_eq!(
        table.due(moment(3), |_| true),
        ["c000", "c001", "c002"].map(id)
    );
    let mut few = idle(&["a", "b"]).await;
    advance(INTERVAL).await;
    apply_list(
        &mut few,
        &[listed("a", "running", 1), listed("b", "running", 1)],
        Some(1),
    );
    assert_eq!(few.due(moment(1), |_| true), ["a"].map(id), "at least one");
    few.entries.get_mut(&id("b")).expect("it is there").served = Some(moment(0));
    apply_list(
        &mut few,
        &[listed("a", "running", 1), listed("b", "running", 1)],
        Some(0),
    );
    assert_eq!(
        few.entries[&id("b")].served,
        Some(moment(0)),
        "it has served that demand"
    );
}

#[tokio::test(start_paused = true)]
async fn clusters_come_and_go_with_the_list_of_their_own_region() {
    let mut table = table(&["named"]);
    let list = [listed("new", "running", 1)];
    for (gone, in_region) in [("old", "cn-hangzhou"), ("far", "cn-shanghai")] {
        table.entries.insert(
            id(gone),
            ClusterEntry::new(discovered(gone, in_region), CachedResults::default()),
        );
    }
    table.apply_list(
        &region("cn-hangzhou"),
        &list,
        vec![discovered("new", "cn-hangzhou")],
        None,
        now(),
    );
    assert_eq!(
        table.entries.keys().cloned().collect::<Vec<_>>(),
        ["far", "named", "new"].map(id)
    );
    let info = &table.entries[&id("new")].target.info;
    assert_eq!(
        (info.name.as_str(), info.version.as_str(), info.state),
        ("new by the list", "1.31.1", Some(ClusterState::Running))
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_updates_a_cluster_but_for_the_name_of_the_configuration() {
    let mut table = table(&["c1", "c2"]);
    Arc::make_mut(
        &mut table
            .entries
            .get_mut(&id("c2"))
            .expect("it is there")
            .target
            .info,
    )
    .name = "shop".to_owned();
    apply_list(
        &mut table,
        &[listed("c1", "", 1), listed("c2", "running", 1)],
        None,
    );
    let info = |table: &ClusterTable, name: &str| Arc::clone(&table.entries[&id(name)].target.info);
    assert_eq!(
        (info(&table, "c1").name.as_str(), info(&table, "c1").state),
        ("c1 by the list", None)
    );
    assert_eq!(info(&table, "c2").name, "shop");
    let changes: [fn(&mut ListedCluster); 5] = [
        |cluster| cluster.version = "1.32.1".to_owned(),
        |cluster| cluster.next_version = "1.33.1".to_owned(),
        |cluster| cluster.spec = "ack.standard".to_owned(),
        |cluster| cluster.cluster_type = "Kubernetes".to_owned(),
        |cluster| cluster.state = Some(ClusterState::Upgrading),
    ];
    let mut cluster = listed("c2", "running", 1);
    for change in changes {
        let before = info(&table, "c2");
        apply_list(&mut table, std::slice::from_ref(&cluster), None);
        assert!(Arc::ptr_eq(&before, &info(&table, "c2")), "nothing new");
        change(&mut cluster);
        apply_list(&mut table, std::slice::from_ref(&cluster), None);
        assert_ne!(before, info(&table, "c2"));
    }
    let now = info(&table, "c2");
    assert_eq!(
        (now.version.as_str(), now.next_version.as_str(), now.state),
        ("1.32.1", "1.33.1", Some(ClusterState::Upgrading))
    );
    assert_eq!(
        (now.spec.as_str(), now.cluster_type.as_str()),
        ("ack.standard", "Kubernetes")
    );
}

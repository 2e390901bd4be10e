//! The policies of `deploy/ram`, compared with the calls of each source and each watched query.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use ack_client::Operation;
use ack_simulator::{Action, Options, RetiredResponse};
use ack_upgrade_exporter::queries::Query as _;
use ack_upgrade_exporter::queries::addons::{AddonOffers, InstalledAddons};
use ack_upgrade_exporter::queries::maintenance::Maintenance;
use ack_upgrade_exporter::queries::node_pools::NodePools;
use ack_upgrade_exporter::queries::plans::Plans;
use ack_upgrade_exporter::queries::prechecks::Prechecks;
use ack_upgrade_exporter::queries::versions::Versions;
use serde_json::Value;
use tokio::time::sleep;

use crate::fleet::{Fleet, UNLIMITED, options, tally};

fn allowed(policy: &str) -> BTreeSet<String> {
    let policy: Value = serde_json::from_str(
        &fs::read_to_string(format!("deploy/ram/{policy}.json")).expect("the policy"),
    )
    .expect("JSON");
    let statements = policy["Statement"].as_array().expect("statements").iter();
    statements
        .flat_map(|statement| statement["Action"].as_array().expect("actions"))
        .map(|action| action.as_str().expect("a name").to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn each_policy_allows_exactly_the_actions_of_its_source() {
    for (source, policy, retired) in [
        ("upgrade_status", "upgrade-status", None),
        ("tasks", "tasks", None),
        // The form of the switch-off whose detection needs most calls.
        ("auto", "auto", Some(RetiredResponse::UnknownCode)),
    ] {
        let account = format!(
            "source: {source}\n{UNLIMITED}\n\
             discovery: {{regions: [cn-hangzhou, cn-shanghai, ap-southeast-1]}}"
        );
        let fleet = Fleet::in_process(
            Options {
                retired,
                ..options(30)
            },
            &account,
            "",
        );
        assert_eq!(
            tally(&fleet.scrape_in_time().await)
                .into_iter()
                .collect::<Vec<_>>(),
            [("up".to_owned(), 30)],
            "{source}"
        );
        let asked = Action::ALL
            .iter()
            .filter(|action| fleet.calls(**action) > 0)
            .map(|action| format!("cs:{}", action.as_str()));
        assert_eq!(asked.collect::<BTreeSet<_>>(), allowed(policy), "{source}");
    }
}

/// The keys of `watch`, and the operations of the queries of each.
const WATCHED: &[(&str, &[&[Operation]])] = &[
    ("plans", &[Plans::OPERATIONS]),
    ("versions", &[Versions::OPERATIONS]),
    ("node_pools", &[NodePools::OPERATIONS]),
    (
        "addons",
        &[InstalledAddons::OPERATIONS, AddonOffers::OPERATIONS],
    ),
    ("prechecks", &[Prechecks::OPERATIONS]),
    ("maintenance", &[Maintenance::OPERATIONS]),
];

/// The actions that each source may take as well.
const BESIDE: [Action; 2] = [Action::GetUpgradeStatus, Action::DescribeClustersForRegion];

#[tokio::test(start_paused = true)]
async fn each_key_of_watch_has_a_policy_of_exactly_the_operations_of_its_queries() {
    for (key, operations) in WATCHED {
        let account = format!("source: upgrade_status\n{UNLIMITED}\nwatch: {{{key}: {{}}}}");
        let fleet = Fleet::in_process(options(12), &account, "");
        sleep(Duration::from_secs(60)).await;
        let called = Action::ALL
            .iter()
            .filter(|action| fleet.calls(**action) > 0 && !BESIDE.contains(action))
            .map(|action| format!("cs:{}", action.as_str()));
        let operations = operations.iter().copied().flatten();
        let declared: BTreeSet<_> = operations.map(|one| one.ram_action()).collect();
        assert_eq!(called.collect::<BTreeSet<_>>(), declared, "{key}");
        assert_eq!(allowed(&key.replace('_', "-")), declared, "{key}");
    }
}

#[test]
fn every_key_of_watch_has_its_policy() {
    let schema = fs::read_to_string("deploy/config.schema.json").expect("the schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let keys = schema["definitions"]["Watch"]["properties"].as_object();
    let keys: BTreeSet<_> = keys.expect("keys").keys().map(String::as_str).collect();
    assert_eq!(keys, WATCHED.iter().map(|(key, _)| *key).collect());
}

//! The policies of `deploy/ram`, compared with the calls of each source.

use std::collections::BTreeSet;
use std::fs;

use ack_simulator::{Action, Options, RetiredResponse};
use serde_json::Value;

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
            "source: {source}\n{UNLIMITED}\ndiscovery: {{regions: [cn-hangzhou, cn-shanghai, ap-southeast-1]}}"
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

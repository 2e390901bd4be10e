//! The response of `/sd` while lists have not been read, or cannot be read.

use std::collections::BTreeSet;

use ack_client::names::Region;
use ack_simulator::{Action, Fault, Rule};
use serde_json::Value;

use super::server::{Served, Setup};
use crate::client::{ClientResponse, fetch};
use crate::fleet::{UNLIMITED, yaml};

/// The clusters that the configuration names besides the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    All,
    None,
}

/// A server that finds its clusters in three regions. The lists fail by `rule`.
async fn serve(named: Named, rule: Rule) -> Served {
    let served = Setup::default().serve();
    served
        .sim
        .add_fault(rule.on(Action::DescribeClustersForRegion));
    let account =
        format!("{UNLIMITED}\ndiscovery: {{regions: [cn-hangzhou, cn-shanghai, ap-southeast-1]}}");
    let text = yaml(&served.sim, "http://simulator.example", &account, "");
    // The clusters are last.
    let heading = text.find("    clusters:\n").expect("a list of clusters");
    let kept = if named == Named::None {
        &text[..heading]
    } else {
        &text
    };
    served.write("exporter.yml", kept);
    served.service.reload().await.expect("a good configuration");
    served
}

fn targets(response: &ClientResponse) -> BTreeSet<String> {
    let groups: Vec<Value> = serde_json::from_str(&response.text()).expect("a list");
    groups
        .iter()
        .map(|group| group["targets"][0].as_str().expect("an ID").to_owned())
        .collect()
}

#[tokio::test]
async fn one_unreadable_list_does_not_hide_other_clusters_from_service_discovery() {
    for named in [Named::None, Named::All] {
        let shanghai = Region::parse("cn-shanghai").expect("a region");
        let served = serve(
            named,
            Rule::new(Fault::ProxyPage(404)).region(shanghai.clone()),
        )
        .await;
        // A scrape waits for the first lists.
        fetch(served.address, "/metrics").await;
        let response = fetch(served.address, "/sd").await;
        assert_eq!(response.status, 200, "{}", response.text());
        let world = served.sim.world();
        let known = world
            .clusters()
            .into_iter()
            .filter(|id| named == Named::All || world.region(id) != Some(shanghai.clone()));
        assert_eq!(
            targets(&response),
            known.map(|id| id.to_string()).collect(),
            "{named:?}"
        );
    }
}

#[tokio::test]
async fn service_discovery_fails_with_the_missing_lists_while_no_cluster_is_known() {
    for fault in [Fault::Hang, Fault::ProxyPage(404)] {
        let served = serve(Named::None, Rule::new(fault.clone())).await;
        if fault != Fault::Hang {
            fetch(served.address, "/metrics").await;
        }
        let response = fetch(served.address, "/sd").await;
        assert_eq!(response.status, 503, "{fault:?}: {}", response.text());
        for word in [
            "account test",
            "cn-hangzhou",
            "cn-shanghai",
            "ap-southeast-1",
        ] {
            assert!(
                response.text().contains(word),
                "{word}: {}",
                response.text()
            );
        }
    }
}

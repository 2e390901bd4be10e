//! The story that the simulated world tells through `GetUpgradeStatus` and the lists.

use std::collections::BTreeSet;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_dozen_clusters_show_at_least_four_states_from_the_first_look() {
    for seed in 0..50 {
        let client = Client::new(Options {
            seed,
            ..Options::default()
        });
        let mut seen = BTreeSet::new();
        for id in client.sim.world().clusters() {
            let body = client.status(&id).await;
            seen.insert(format!(
                "{}/{}",
                body["status"].as_str().unwrap(),
                body["upgrade_step"].as_str().unwrap()
            ));
        }
        for state in [
            "running/prechecking",
            "running/upgrading",
            "pause/pause",
            "fail/upgrading",
            "fail/prechecking",
            "success/success",
            "/not_start",
        ] {
            assert!(
                seen.contains(state),
                "seed {seed}: {state} is not in {seen:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_status_has_the_capitals_of_the_vendor() {
    let client = Client::usual();
    let id = client.first();
    for (phase, expected) in [
        (Phase::Upgrading, "running"),
        (Phase::Succeeded, "Success"),
        (Phase::Failed(Stage::Upgrade), "Failed"),
    ] {
        client.sim.world().fix(&id, phase, None);
        assert_eq!(client.status(&id).await["upgrade_task"]["status"], expected);
    }
    client.sim.world().fix(&id, Phase::NotStarted, None);
    assert_eq!(client.status(&id).await["upgrade_task"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_tells_the_same_story() {
    let (one, other) = (Client::usual(), Client::usual());
    for _ in 0..20 {
        for id in one.sim.world().clusters() {
            assert_eq!(one.status(&id).await, other.status(&id).await);
        }
        tokio::time::advance(Duration::from_secs(17)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_transitions_are_what_a_watcher_sees() {
    let client = Client::usual();
    let world = client.sim.world();
    let end = Duration::from_secs(1800);
    for id in world.clusters() {
        let mut phase = world.scripted_phase(&id, Duration::ZERO).unwrap();
        for transition in world.transitions(&id, Duration::ZERO, end) {
            let before = transition.at.saturating_sub(Duration::from_millis(1));
            assert_eq!(world.scripted_phase(&id, before), Some(phase));
            assert_eq!(
                world.scripted_phase(&id, transition.at),
                Some(transition.phase)
            );
            assert_ne!(phase, transition.phase);
            phase = transition.phase;
        }
        assert_eq!(world.scripted_phase(&id, end), Some(phase));
    }
}

#[tokio::test(start_paused = true)]
async fn every_busy_cluster_is_upgraded_within_four_minutes_and_none_fails_twice_in_a_row() {
    let client = Client::new(Options {
        clusters: 240,
        ..Options::default()
    });
    let world = client.sim.world();
    for (number, id) in world.clusters().iter().enumerate() {
        let ends: Vec<_> = world
            .transitions(id, Duration::ZERO, Duration::from_secs(7200))
            .into_iter()
            .filter(|transition| !transition.phase.is_in_progress())
            .collect();
        if number % 12 == 11 {
            assert!(ends.is_empty());
            continue;
        }
        assert!(ends.len() >= 28, "{number}: {}", ends.len());
        assert!(
            !ends
                .windows(2)
                .any(|pair| pair.iter().all(|end| end.phase != Phase::Succeeded))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_version_rises_with_each_success() {
    let client = Client::usual();
    let id = client.first();
    let (from, to) = (Duration::ZERO, Duration::from_secs(3600));
    let successes = client
        .sim
        .world()
        .transitions(&id, from, to)
        .iter()
        .filter(|change| change.phase == Phase::Succeeded)
        .count();
    let cluster = client.sim.world().find(id.as_str()).unwrap();
    let levels: Vec<_> = (0..200).map(crate::world::cluster::version).collect();
    let level = |version: &str| levels.iter().position(|level| level == version).unwrap();
    let before = level(&cluster.standing(0).version);
    assert_eq!(
        level(&cluster.standing(crate::world::clock::to_millis(to)).version),
        before + successes
    );
}

#[tokio::test(start_paused = true)]
async fn the_list_has_every_cluster_once_page_by_page() {
    let client = Client::new(Options {
        clusters: 130,
        ..Options::default()
    });
    let mut seen = BTreeSet::new();
    for page in 1..=3 {
        let body = client
            .json(
                Action::DescribeClustersV1,
                &format!("/api/v1/clusters?page_number={page}&page_size=50"),
            )
            .await;
        assert_eq!(
            body["page_info"],
            serde_json::json!({"page_number": page, "page_size": 50, "total_count": 130})
        );
        for cluster in body["clusters"].as_array().unwrap() {
            assert!(seen.insert(cluster["cluster_id"].as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(seen.len(), 130);
}

#[tokio::test(start_paused = true)]
async fn a_page_has_ten_clusters_unless_asked_and_a_hundred_at_most() {
    let client = Client::new(Options {
        clusters: 130,
        ..Options::default()
    });
    for (query, expected) in [("", 10), ("?page_size=1000", 100), ("?page_number=14", 0)] {
        let body = client
            .json(
                Action::DescribeClustersV1,
                &format!("/api/v1/clusters{query}"),
            )
            .await;
        assert_eq!(
            body["clusters"].as_array().unwrap().len(),
            expected,
            "{query}"
        );
    }
    let reply = client
        .ask(Action::DescribeClustersV1, "/api/v1/clusters?page_number=0")
        .await;
    assert_eq!(refused(&reply), (400, "InvalidParameter".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn the_filters_of_the_list_narrow_it() {
    let client = Client::new(Options {
        clusters: 300,
        ..Options::default()
    });
    let total = |body: Value| body["page_info"]["total_count"].as_u64().unwrap();
    let count = async |query: &str| {
        total(
            client
                .json(
                    Action::DescribeClustersV1,
                    &format!("/api/v1/clusters?{query}"),
                )
                .await,
        )
    };
    assert_eq!(count(&format!("cluster_id={}", client.first())).await, 1);
    assert_eq!(count("region_id=cn-shanghai").await, 100);
    assert_eq!(
        count("cluster_type=ManagedKubernetes").await + count("cluster_type=Kubernetes").await,
        300
    );
    assert_eq!(
        count("profile=Default").await + count("profile=Serverless").await,
        300
    );
    let pro = count("cluster_spec=ack.pro.small").await;
    assert!((50..250).contains(&pro), "{pro}");
    let shops = count("name=shop-").await;
    assert_eq!(shops, 25);
    let region = client
        .json(
            Action::DescribeClustersForRegion,
            "/regions/cn-hangzhou/clusters?name=shop-",
        )
        .await;
    assert!(total(region) < shops);
}

#[tokio::test(start_paused = true)]
async fn the_list_says_who_is_upgrading() {
    let client = Client::usual();
    let listed = client
        .json(Action::DescribeClustersV1, "/api/v1/clusters?page_size=100")
        .await;
    for cluster in listed["clusters"].as_array().unwrap() {
        let id = ClusterId::parse(cluster["cluster_id"].as_str().unwrap()).unwrap();
        let upgrading = client.sim.world().phase(&id).unwrap().is_in_progress();
        assert_eq!(
            cluster["state"],
            if upgrading { "upgrading" } else { "running" }
        );
    }
}

#[tokio::test(start_paused = true)]
async fn lists_lag_when_told_to() {
    let client = Client::new(Options {
        list_lag: Duration::from_secs(5),
        ..Options::default()
    });
    let id = client.first();
    client.sim.world().fix(&id, Phase::NotStarted, None);
    tokio::time::advance(Duration::from_secs(10)).await;
    client.sim.world().fix(&id, Phase::Upgrading, None);
    let path = format!("/api/v1/clusters?cluster_id={id}");
    assert_eq!(
        client
            .json(Action::DescribeClusterDetail, &format!("/clusters/{id}"))
            .await["state"],
        "upgrading"
    );
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_eq!(
        client.json(Action::DescribeClustersV1, &path).await["clusters"][0]["state"],
        "upgrading"
    );
}

#[tokio::test(start_paused = true)]
async fn clusters_come_go_and_are_renamed() {
    let client = Client::usual();
    let world = client.sim.world();
    let gone = client.first();
    world.remove(&gone);
    let reply = client
        .ask(
            Action::GetUpgradeStatus,
            &format!("/api/v2/clusters/{gone}/upgrade/status"),
        )
        .await;
    assert_eq!(refused(&reply), (404, "ErrorClusterNotFound".to_owned()));
    let region = Region::parse("cn-shanghai").unwrap();
    let new = ClusterId::parse("cnew").unwrap();
    world.add(new.clone(), region, "fresh-prod");
    world.rename(&new, "stale-prod");
    assert_eq!(client.status(&new).await["upgrade_step"], "not_start");
    let listed = client
        .json(
            Action::DescribeClustersForRegion,
            "/regions/cn-shanghai/clusters?name=stale",
        )
        .await;
    assert_eq!(listed["clusters"][0]["cluster_id"], "cnew");
    assert_eq!(
        client
            .json(Action::DescribeClustersV1, "/api/v1/clusters")
            .await["page_info"]["total_count"],
        12
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_a_test_has_set_is_sent_word_for_word() {
    let client = Client::usual();
    let id = client.first();
    client.sim.world().set(
        &id,
        Action::GetUpgradeStatus,
        Some("{\"status\":\"melting\"}"),
    );
    assert_eq!(
        client.status(&id).await,
        serde_json::json!({"status": "melting"})
    );
    client.sim.world().set(&id, Action::GetUpgradeStatus, None);
    assert_ne!(client.status(&id).await["status"], "melting");
}

#[tokio::test(start_paused = true)]
async fn a_switched_off_operation_is_gone_in_its_region_only() {
    let client = Client::usual();
    let id = client.first();
    let region = client.sim.world().region(&id).unwrap();
    let path = format!("/api/v2/clusters/{id}/upgrade/status");
    for (retired, expected) in [
        (Retired::InvalidAction, (404, "InvalidAction.NotFound")),
        (Retired::InvalidApi, (404, "InvalidApi.NotFound")),
        (Retired::UnknownCode, (400, "ErrorApiOffline")),
        (Retired::ProxyPage, (404, "")),
    ] {
        client.sim.retire(&region, Some(retired));
        let reply = client.ask(Action::GetUpgradeStatus, &path).await;
        assert_eq!(refused(&reply), (expected.0, expected.1.to_owned()));
        client
            .json(Action::DescribeClusterDetail, &format!("/clusters/{id}"))
            .await;
        client
            .json(Action::DescribeClustersV1, "/api/v1/clusters")
            .await;
    }
    client.status(&client.sim.world().clusters()[1]).await;
    client.sim.retire_everywhere(Some(Retired::InvalidAction));
    let reply = client
        .ask(Action::DescribeClustersV1, "/api/v1/clusters")
        .await;
    assert_eq!(refused(&reply), (404, "InvalidAction.NotFound".to_owned()));
    client.sim.retire_everywhere(None);
    client.status(&id).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_without_json_reads_the_status_in_xml() {
    let client = Client::usual();
    let id = client.first();
    client
        .sim
        .world()
        .fix(&id, Phase::Failed(Stage::Upgrade), Some("a < b"));
    let mut request = client.request(
        Action::GetUpgradeStatus,
        &format!("/api/v2/clusters/{id}/upgrade/status"),
        "n",
    );
    request.headers_mut().remove("accept");
    let body = text(&client.sim.handle(request).await);
    assert!(body.contains("<GetUpgradeStatusResponse>"), "{body}");
    assert!(
        body.contains("<error_message>a &lt; b</error_message>"),
        "{body}"
    );
    assert!(
        body.contains(
            "<upgrade_task><status>Failed</status><message>a &lt; b</message></upgrade_task>"
        ),
        "{body}"
    );
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_and_remembered() {
    let client = Client::new(Options {
        calls_kept: 2,
        ..Options::default()
    });
    let id = client.first();
    for _ in 0..3 {
        client.status(&id).await;
    }
    assert_eq!(client.sim.count(Action::GetUpgradeStatus), 3);
    let calls = client.sim.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[1].subject, id.as_str());
    assert_eq!(
        calls[1].access_key_id.as_deref(),
        Some(KeyPair::demo().access_key_id.as_str())
    );
    assert_ne!(calls[0].nonce, calls[1].nonce);
    client.sim.forget_calls();
    assert_eq!(
        (
            client.sim.count(Action::GetUpgradeStatus),
            client.sim.calls().len()
        ),
        (0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_still_world_has_only_so_many_upgrades() {
    let client = Client::new(Options {
        clusters: 100,
        upgrading: Upgrading::First(10),
        ..Options::default()
    });
    let world = client.sim.world();
    let idle = world.clusters().split_off(10);
    assert!(idle.iter().all(|id| {
        world
            .transitions(id, Duration::ZERO, Duration::from_secs(86_400))
            .is_empty()
    }));
    assert!(
        idle.iter()
            .any(|id| world.phase(id) == Some(Phase::Succeeded))
    );
    assert!(
        idle.iter()
            .any(|id| world.phase(id) == Some(Phase::NotStarted))
    );
}

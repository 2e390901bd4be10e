//! `GetUpgradeStatus`, the lists and the details.

use std::collections::BTreeSet;

use ack_client::names::Region;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_dozen_clusters_show_seven_states_from_the_start() {
    for seed in 0..50 {
        let client = SignedClient::new(Options {
            seed,
            ..Options::default()
        });
        let mut seen = BTreeSet::new();
        for id in client.simulator.world().clusters() {
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
async fn the_status_of_the_task_has_the_capitals_of_the_api() {
    let client = SignedClient::with_defaults();
    let id = client.first();
    for (phase, expected) in [
        (Phase::Upgrading, "running"),
        (Phase::Succeeded, "Success"),
        (Phase::Failed(UpgradeStage::Upgrade), "Failed"),
    ] {
        client.simulator.world().set_phase(&id, phase, None);
        assert_eq!(client.status(&id).await["upgrade_task"]["status"], expected);
    }
    client
        .simulator
        .world()
        .set_phase(&id, Phase::NotStarted, None);
    assert_eq!(client.status(&id).await["upgrade_task"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_states() {
    let (one, other) = (SignedClient::with_defaults(), SignedClient::with_defaults());
    for _ in 0..20 {
        for id in one.simulator.world().clusters() {
            assert_eq!(one.status(&id).await, other.status(&id).await);
        }
        tokio::time::advance(Duration::from_secs(17)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_transitions_agree_with_the_scheduled_phases() {
    let client = SignedClient::with_defaults();
    let world = client.simulator.world();
    let end = Duration::from_secs(1800);
    for id in world.clusters() {
        let mut phase = world.scheduled_phase(&id, Duration::ZERO).unwrap();
        for transition in world.transitions(&id, Duration::ZERO, end) {
            let before = transition.at.saturating_sub(Duration::from_millis(1));
            assert_eq!(world.scheduled_phase(&id, before), Some(phase));
            assert_eq!(
                world.scheduled_phase(&id, transition.at),
                Some(transition.phase)
            );
            assert_ne!(phase, transition.phase);
            phase = transition.phase;
        }
        assert_eq!(world.scheduled_phase(&id, end), Some(phase));
    }
}

#[tokio::test(start_paused = true)]
async fn every_cluster_but_one_in_a_dozen_is_upgraded_within_four_minutes_and_none_fails_twice_in_a_row()
 {
    let client = SignedClient::new(Options {
        clusters: 240,
        ..Options::default()
    });
    let world = client.simulator.world();
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
    let client = SignedClient::with_defaults();
    let id = client.first();
    let (from, to) = (Duration::ZERO, Duration::from_secs(3600));
    let successes = client
        .simulator
        .world()
        .transitions(&id, from, to)
        .iter()
        .filter(|change| change.phase == Phase::Succeeded)
        .count() as u64;
    let cluster = client.simulator.world().find(id.as_str()).unwrap();
    let state = cluster.state(crate::world::clock::to_millis(to));
    let versions = cluster.traits.versions;
    assert_eq!(state.version, versions.after(successes));
    assert_eq!(state.next_version, Some(versions.after(successes + 1)));
    assert!(state.version > cluster.state(0).version);
}

#[tokio::test(start_paused = true)]
async fn clusters_can_be_added_removed_and_renamed() {
    let client = SignedClient::with_defaults();
    let world = client.simulator.world();
    let gone = client.first();
    world.remove(&gone);
    let response = client
        .send(
            Action::GetUpgradeStatus,
            &format!("/api/v2/clusters/{gone}/upgrade/status"),
        )
        .await;
    assert_eq!(
        error_of(&response),
        (404, "ErrorClusterNotFound".to_owned())
    );
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
async fn a_body_that_a_test_has_set_is_sent_unchanged() {
    let client = SignedClient::with_defaults();
    let id = client.first();
    client.simulator.world().set_body(
        &id,
        Action::GetUpgradeStatus,
        Some("{\"status\":\"melting\"}"),
    );
    assert_eq!(
        client.status(&id).await,
        serde_json::json!({"status": "melting"})
    );
    client
        .simulator
        .world()
        .set_body(&id, Action::GetUpgradeStatus, None);
    assert_ne!(client.status(&id).await["status"], "melting");
}

#[tokio::test(start_paused = true)]
async fn an_operation_is_retired_in_its_region_only() {
    let client = SignedClient::with_defaults();
    let id = client.first();
    let region = client.simulator.world().region(&id).unwrap();
    let path = format!("/api/v2/clusters/{id}/upgrade/status");
    for (retired, expected) in [
        (
            RetiredResponse::InvalidAction,
            (404, "InvalidAction.NotFound"),
        ),
        (RetiredResponse::InvalidApi, (404, "InvalidApi.NotFound")),
        (RetiredResponse::UnknownCode, (400, "ErrorApiOffline")),
        (RetiredResponse::ProxyPage, (404, "")),
    ] {
        client.simulator.retire(&region, Some(retired));
        let response = client.send(Action::GetUpgradeStatus, &path).await;
        assert_eq!(error_of(&response), (expected.0, expected.1.to_owned()));
        client
            .json(Action::DescribeClusterDetail, &format!("/clusters/{id}"))
            .await;
        client
            .json(Action::DescribeClustersV1, "/api/v1/clusters")
            .await;
    }
    client.status(&client.simulator.world().clusters()[1]).await;
    client
        .simulator
        .retire_everywhere(Some(RetiredResponse::InvalidAction));
    let response = client
        .send(Action::DescribeClustersV1, "/api/v1/clusters")
        .await;
    assert_eq!(
        error_of(&response),
        (404, "InvalidAction.NotFound".to_owned())
    );
    client.simulator.retire_everywhere(None);
    client.status(&id).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_accept_json_gets_the_status_in_xml() {
    let client = SignedClient::with_defaults();
    let id = client.first();
    client
        .simulator
        .world()
        .set_phase(&id, Phase::Failed(UpgradeStage::Upgrade), Some("a < b"));
    let mut request = client.request(
        Action::GetUpgradeStatus,
        &format!("/api/v2/clusters/{id}/upgrade/status"),
        "n",
    );
    request.headers_mut().remove("accept");
    let body = text(&client.simulator.handle(request).await);
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
async fn calls_are_counted_and_the_last_ones_kept() {
    let client = SignedClient::new(Options {
        calls_kept: 2,
        ..Options::default()
    });
    let id = client.first();
    for _ in 0..3 {
        client.status(&id).await;
    }
    assert_eq!(client.simulator.count(Action::GetUpgradeStatus), 3);
    let calls = client.simulator.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[1].subject, id.as_str());
    assert_eq!(
        calls[1].access_key_id.as_deref(),
        Some(KeyPair::demo().access_key_id.as_str())
    );
    assert_ne!(calls[0].nonce, calls[1].nonce);
    client.simulator.forget_calls();
    assert_eq!(
        (
            client.simulator.count(Action::GetUpgradeStatus),
            client.simulator.calls().len()
        ),
        (0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn only_the_first_clusters_are_upgraded_if_the_options_say_so() {
    let client = SignedClient::new(Options {
        clusters: 100,
        upgrading: UpgradingClusters::First(10),
        ..Options::default()
    });
    let world = client.simulator.world();
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

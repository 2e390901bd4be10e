//! The built program in a terminal: `status`, `explain`, and the log.

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use ack_simulator::{Action, ErrorBody, Fault, KeyPair, Phase, Rule, UpgradeStage};
use serde_json::Value;

use crate::process::{Exporter, PROGRAM, get};
use crate::simulated_api::SimulatedApi;

fn run(api: &SimulatedApi, command: &str, arguments: &[&str]) -> Output {
    let config = format!("--config.file={}", api.config().display());
    Command::new(PROGRAM)
        .arg(command)
        .arg(config)
        .args(arguments)
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn status_is_a_table_for_people() {
    let api = SimulatedApi::new(5);
    let ids = api.sim.world().clusters();
    let fix = |place: usize, phase, message| api.sim.world().set_phase(&ids[place], phase, message);
    fix(0, Phase::Upgrading, None);
    fix(1, Phase::Paused, None);
    fix(2, Phase::Succeeded, None);
    fix(
        3,
        Phase::Failed(UpgradeStage::Precheck),
        Some("node is\n\u{1b}[31mNotReady"),
    );
    fix(4, Phase::NotStarted, None);
    let output = run(&api, "status", &[]);
    let table = text(&output.stdout);
    let words: Vec<Vec<_>> = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().skip(2).collect())
        .collect();
    // The clusters that need somebody come first.
    let expected = [
        vec![
            "fail",
            "[x..]",
            "prechecking",
            "-",
            "node",
            "is",
            "[31mNotReady",
        ],
        vec!["pause", "[#=.]", "pause", "-"],
        vec!["running", "[#>.]", "upgrading", "-"],
        vec!["success", "[###]", "success", "-"],
        vec!["none", "not_start", "-"],
    ];
    assert_eq!(words, expected, "{table}");
    assert_eq!(
        (output.status.code(), text(&output.stderr).as_str()),
        (Some(0), ""),
        "all could be read"
    );
    let one = run(&api, "status", &[ids[2].as_str()]);
    assert_eq!(
        (one.status.code(), text(&one.stdout).lines().count()),
        (Some(0), 2)
    );
    api.sim
        .add_fault(Rule::new(Fault::Forbidden).cluster(ids[2].clone()));
    let denied = run(&api, "status", &[ids[2].as_str()]);
    assert!(
        text(&denied.stdout).contains("unanswered") && text(&denied.stdout).contains("forbidden"),
        "{}",
        text(&denied.stdout)
    );
    assert_eq!(text(&denied.stderr), "", "the table has the reason");
}

#[test]
fn filters_select_by_account_region_and_status() {
    let api = all_good(6);
    let ids = api.sim.world().clusters();
    for id in &ids[..2] {
        api.sim.world().set_phase(id, Phase::Upgrading, None);
    }
    let region = api
        .sim
        .world()
        .region(&ids[0])
        .expect("a region")
        .to_string();
    let shown = |arguments: &[&str]| {
        let output = run(&api, "status", &[&["--no-headers"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        text(&output.stdout).lines().count()
    };
    let here = ids
        .iter()
        .filter(|id| {
            api.sim
                .world()
                .region(id)
                .is_some_and(|other| other.as_str() == region)
        })
        .count();
    let region = format!("--region={region}");
    assert_eq!(shown(&[]), 6);
    assert_eq!(shown(&["--account=test"]), 6);
    assert_eq!(shown(&[&region]), here);
    assert_eq!(shown(&["--status=running"]), 2);
    assert_eq!(shown(&["--status=success,running"]), 6);
    assert_eq!(shown(&["--status=fail", "--status=unanswered"]), 0);
    let calls = api.sim.calls().len();
    assert_eq!(shown(&[&region]), here);
    assert_eq!(
        api.sim.calls().len() - calls,
        here,
        "no other cluster is queried"
    );
    for (arguments, complaint) in [
        (
            &["--account=prod"][..],
            "error: --account=prod: no such account in the configuration, which has test\n",
        ),
        (
            &["--region=cn-nowhere"],
            "error: --region=cn-nowhere: no such region in the configuration, which has ",
        ),
        (
            &["--status=failed"],
            "[possible values: none, running, pause, success, fail, canceled, unknown, unanswered]",
        ),
        (&["--status=fail", "--wait"], "cannot be used with"),
    ] {
        let output = run(&api, "status", arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(complaint), "{arguments:?}: {said}");
    }
}

#[test]
fn a_cluster_that_a_filter_hides_still_counts_as_unread() {
    let api = all_good(2);
    let ids = api.sim.world().clusters();
    api.sim
        .add_fault(Rule::new(Fault::Forbidden).cluster(ids[0].clone()));
    let output = run(&api, "status", &["--status=fail"]);
    let name = api.sim.world().name(&ids[0]).expect("a name");
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(
        text(&output.stderr),
        format!("warning: could not be read, and not shown because of --status: {name}\n")
    );
}

#[test]
fn colours_are_for_terminals_and_for_those_who_want_them() {
    let api = all_good(1);
    let has_colours = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = Command::new(PROGRAM)
            .args([
                "status",
                &format!("--config.file={}", api.config().display()),
            ])
            .args(arguments)
            .env_clear()
            .envs(variables.iter().copied())
            .output()
            .expect("the program runs");
        text(&output.stdout).contains("\u{1b}[32msuccess")
    };
    assert!(!has_colours(&[], &[]));
    assert!(has_colours(&["--color=always"], &[("NO_COLOR", "1")]));
    assert!(has_colours(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!has_colours(&["--color=never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn a_large_fleet_is_queried_to_the_end() {
    let api = all_good(30);
    let limited = api.yaml(30).replace(
        "    clusters:\n",
        "    rate_limit: {requests_per_second: 10, burst: 10}\n    clusters:\n",
    );
    api.write(&format!("scrape: {{timeout: 1s}}\n{limited}"));
    let output = run(&api, "status", &["--no-headers"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert_eq!(shown.matches(" success ").count(), 60, "{shown}");
}

#[test]
fn the_exit_code_of_status_reflects_failures_and_fail_on() {
    let api = SimulatedApi::new(3);
    let ids = api.sim.world().clusters();
    api.sim
        .world()
        .set_phase(&ids[0], Phase::Failed(UpgradeStage::Upgrade), None);
    api.sim.world().set_phase(&ids[1], Phase::Upgrading, None);
    api.sim.world().set_phase(&ids[2], Phase::Succeeded, None);
    api.sim
        .add_fault(Rule::new(Fault::Forbidden).cluster(ids[2].clone()));
    let [failed, running, denied] = [0, 1, 2].map(|place| ids[place].as_str());
    for (clusters, plain, on_failed, on_unanswered, on_both) in [
        (&[running][..], 0, 0, 0, 0),
        (&[failed, running], 0, 3, 0, 3),
        (&[denied, running], 4, 4, 4, 4),
        (&[failed, denied, running], 4, 3, 4, 3),
    ] {
        let code = |more: &[&str]| {
            run(&api, "status", &[clusters, more].concat())
                .status
                .code()
        };
        assert_eq!(code(&[]), Some(plain), "{clusters:?}");
        assert_eq!(code(&["--fail-on=failed"]), Some(on_failed), "{clusters:?}");
        assert_eq!(
            code(&["--fail-on=unanswered"]),
            Some(on_unanswered),
            "{clusters:?}"
        );
        assert_eq!(
            code(&["--fail-on=failed,unanswered"]),
            Some(on_both),
            "{clusters:?}"
        );
    }
    assert_eq!(
        run(&api, "status", &["--wait", failed, running])
            .status
            .code(),
        Some(3)
    );
    assert_eq!(
        run(&api, "status", &["--wait", denied]).status.code(),
        Some(4)
    );
}

#[test]
fn a_cluster_without_a_query_counts_as_unread() {
    let api = all_good(3);
    api.write(&api.yaml(3).replace(
        "    clusters:\n",
        "    rate_limit: {requests_per_second: 0.01, burst: 1}\n    clusters:\n",
    ));
    let yaml = std::fs::read_to_string(api.config()).expect("the configuration");
    api.write(&format!("scrape: {{timeout: 1s}}\n{yaml}"));
    let output = run(&api, "status", &[]);
    assert!(
        text(&output.stdout).contains("not asked"),
        "{}",
        text(&output.stdout)
    );
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn wait_flags_require_wait_and_exclude_watch() {
    let api = all_good(1);
    for (arguments, named) in [
        (&["--target-version=1.32.1-aliyun.1"][..], "--wait"),
        (&["--since=2026-11-23T08:00:00Z"], "--wait"),
        (&["--timeout=1m"], "--wait"),
        (&["--watch", "--timeout=1m"], "--watch"),
        (&["--wait", "--watch"], "--watch"),
        (&["--wait", "--timeout=0s"], "above 0"),
        (&["--fail-on=success"], "unanswered"),
    ] {
        let output = run(&api, "status", arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(named), "{arguments:?}: {said}");
    }
    assert_eq!(api.sim.calls().len(), 0);
}

#[test]
fn waiting_ends_at_its_timeout_during_any_call() {
    let api = all_good(2);
    let ids = api.sim.world().clusters();
    api.sim.world().set_phase(&ids[0], Phase::Upgrading, None);
    let wait = |timeout: &str| run(&api, "status", &["--wait", "--interval=50ms", timeout]);
    let output = wait("--timeout=300ms");
    assert_eq!(output.status.code(), Some(5));
    let shown = text(&output.stdout);
    let name = api.sim.world().name(&ids[0]).expect("a name");
    let last = shown.lines().last().expect("a summary");
    assert!(
        last.contains(&format!(
            "--timeout is over before the end of: {name} after 0s; 2 clusters"
        )),
        "{shown}"
    );
    let long = Command::new(PROGRAM)
        .args([
            "status",
            &format!("--config.file={}", api.config().display()),
            "--wait",
            "--interval=1h",
            "--timeout=300ms",
        ])
        .output()
        .expect("the program runs");
    assert_eq!(long.status.code(), Some(5), "between two looks");
    api.sim.add_fault(Rule::new(Fault::Hang));
    assert_eq!(
        wait("--timeout=300ms").status.code(),
        Some(5),
        "in the middle of one"
    );
    api.sim.clear_faults();
    api.sim.world().set_phase(&ids[0], Phase::Succeeded, None);
    assert_eq!(wait("--timeout=1h").status.code(), Some(0));
}

#[test]
fn status_in_json_equals_the_json_of_the_server() {
    let api = SimulatedApi::new(3);
    let ids = api.sim.world().clusters();
    let name = api.sim.world().name(&ids[1]).expect("a name");
    let output = run(&api, "status", &["--output=json", &name]);
    let shown: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let clusters = shown["clusters"].as_array().expect("a list");
    assert_eq!(
        (clusters.len(), clusters[0]["id"].as_str()),
        (1, Some(ids[1].as_str())),
        "only what was asked for"
    );
    let exporter = Exporter::start(&api.config(), &[]);
    get(&format!("http://{}/metrics", exporter.address));
    let served: Value = serde_json::from_str(&get(&format!(
        "http://{}/api/v1/clusters",
        exporter.address
    )))
    .expect("JSON");
    let keys = |value: &Value| {
        value["clusters"][0]
            .as_object()
            .expect("a cluster")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(&shown), keys(&served));
}

#[test]
fn a_missing_cluster_is_reported_instead_of_awaited() {
    let api = SimulatedApi::new(2);
    let id = api.sim.world().clusters()[0].to_string();
    for arguments in [
        &["no-such-cluster"][..],
        &[&id, "no-such-cluster", "--wait"],
    ] {
        let output = run(&api, "status", arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains("no-such-cluster is not among the clusters"),
            "{said}"
        );
    }
}

#[test]
fn a_misspelled_name_gets_the_nearest_one() {
    let api = all_good(2);
    let name = api
        .sim
        .world()
        .name(&api.sim.world().clusters()[0])
        .expect("a name");
    let misspelled = format!("{name}x");
    let expected = format!("error: {misspelled} is not among the clusters, did you mean {name}?\n");
    for command in ["status", "explain"] {
        let output = run(&api, command, &[&misspelled]);
        assert_eq!(
            (output.status.code(), text(&output.stderr)),
            (Some(2), expected.clone()),
            "{command}"
        );
    }
}

#[test]
fn status_in_json_has_what_is_watched() {
    let api = all_good(2);
    let watching = api.yaml(2).replace(
        "    clusters:\n",
        "    watch: {plans: {}, versions: {}}\n    clusters:\n",
    );
    api.write(&watching);
    let output = run(&api, "status", &["--output=json"]);
    let shown: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for cluster in shown["clusters"].as_array().expect("a list") {
        assert!(cluster["plans"].is_array(), "{cluster}");
    }
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_proxy_of_the_environment_is_not_used_for_loopback() {
    let api = all_good(2);
    let config = format!("--config.file={}", api.config().display());
    let mut command = Command::new(PROGRAM);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
        // No server listens there.
        command.env(name, "http://127.0.0.1:9");
    }
    command.env("all_proxy", "socks5://user:hunter2@127.0.0.1:9");
    let output = command
        .args(["status", &config])
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let said = text(&output.stderr);
    assert!(said.contains("passed over\" variable=all_proxy"), "{said}");
    assert!(
        !said.contains("hunter2") && said.lines().count() == 1,
        "{said}"
    );
}

#[test]
fn an_unencoded_delimiter_in_a_proxy_password_is_rejected_with_advice() {
    let api = SimulatedApi::new(1);
    let config = format!("--config.file={}", api.config().display());
    let mut command = Command::new(PROGRAM);
    let output = command
        .args(["status", &config])
        .env("HTTPS_PROXY", "http://user:hunter2#@127.0.0.1:9")
        .output();
    let output = output.expect("the program runs");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("HTTPS_PROXY") && said.contains("%23") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn a_cluster_that_is_deleted_during_the_wait_exits_with_4() {
    let api = SimulatedApi::new(2);
    let ids = api.sim.world().clusters();
    api.sim.world().set_phase(&ids[0], Phase::Upgrading, None);
    api.sim.world().set_phase(&ids[1], Phase::Succeeded, None);
    let region = api.sim.world().region(&ids[0]).expect("a region");
    let yaml = api.yaml(0).replace(
        "    clusters:\n",
        &format!("    discovery: {{regions: [{region}]}}\n"),
    );
    api.write(&format!("scrape: {{idle_interval: 1m}}\n{yaml}"));
    let config = format!("--config.file={}", api.config().display());
    let waiting = [&[][..], &[ids[0].as_str()]].map(|targets| {
        let mut command = Command::new(PROGRAM);
        command
            .args(["status", &config, "--wait", "--interval=100ms"])
            .args(targets)
            .stdout(Stdio::null())
            .spawn()
            .expect("the program runs")
    });
    api.wait_for_calls(8);
    // Only the list shows that the cluster is gone.
    api.sim.add_fault(
        Rule::new(Fault::Hang)
            .on(Action::GetUpgradeStatus)
            .cluster(ids[0].clone()),
    );
    api.sim.world().remove(&ids[0]);
    for mut waiting in waiting {
        assert_eq!(waiting.wait().expect("it ends").code(), Some(4));
    }
}

#[test]
fn watching_ends_when_its_reader_closes_the_pipe() {
    let api = SimulatedApi::new(2);
    let config = format!("--config.file={}", api.config().display());
    let mut watching = Command::new(PROGRAM)
        .args(["status", &config, "--watch", "--interval=100ms"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    api.wait_for_calls(6);
    drop(watching.stdout.take());
    assert_eq!(watching.wait().expect("it ends").code(), Some(0));
}

#[test]
fn waiting_ends_with_the_upgrades_and_reports_their_results() {
    for (end, code) in [
        (Phase::Succeeded, 0),
        (Phase::Failed(UpgradeStage::Precheck), 3),
    ] {
        let api = SimulatedApi::new(2);
        let ids = api.sim.world().clusters();
        api.sim.world().set_phase(&ids[0], Phase::Upgrading, None);
        api.sim.world().set_phase(&ids[1], Phase::Succeeded, None);
        let config = format!("--config.file={}", api.config().display());
        let waiting = Command::new(PROGRAM)
            .args(["status", &config, "--wait", "--interval=100ms"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        api.wait_for_calls(6);
        api.sim.world().set_phase(&ids[0], Phase::Paused, None);
        let paused = api.sim.count(Action::GetUpgradeStatus);
        api.wait_for_calls(paused + 4);
        api.sim.world().set_phase(&ids[0], end, None);
        let output = waiting.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        let shown = text(&output.stdout);
        let word = if code == 0 { "success" } else { "fail" };
        let name = api.sim.world().name(&ids[0]).expect("a name");
        let lines: Vec<_> = shown
            .lines()
            .map(|line| line.split_once("Z ").expect("a time").1)
            .collect();
        assert_eq!(lines.len(), 5, "one line for each change: {shown}");
        assert_eq!(lines[0], "2 clusters: 1 running, 1 success");
        assert!(
            lines[1].starts_with(&format!("{name}: running, upgrading")),
            "{shown}"
        );
        assert!(lines[2].starts_with(&format!("{name}: pause")), "{shown}");
        assert!(lines[3].starts_with(&format!("{name}: {word}")), "{shown}");
        let verdict = if code == 0 {
            "all upgrades have ended well after ".to_owned()
        } else {
            format!("failed or canceled: {name} after ")
        };
        assert!(lines[4].starts_with(&verdict), "{shown}");
        assert_eq!(text(&output.stderr), "");
    }
    let api = SimulatedApi::new(2);
    api.sim
        .add_fault(Rule::new(Fault::Forbidden).cluster(api.sim.world().clusters()[1].clone()));
    assert_eq!(
        run(&api, "status", &["--wait", "--interval=100ms"])
            .status
            .code(),
        Some(4)
    );
}

const FOUND: &str = "    discovery: {regions: [cn-hangzhou, cn-shanghai, ap-southeast-1]}\n";

/// An API with one cluster that is being upgraded, and the versions before and after.
fn upgrading() -> (SimulatedApi, [String; 2]) {
    let api = SimulatedApi::new(1);
    api.sim
        .world()
        .set_phase(&api.sim.world().clusters()[0], Phase::Upgrading, None);
    let named = std::fs::read_to_string(api.config()).expect("the configuration");
    api.write(&api.yaml(0).replace("    clusters:\n", FOUND));
    let shown: Value =
        serde_json::from_slice(&run(&api, "status", &["--output=json"]).stdout).expect("JSON");
    let versions = ["version", "next_version"].map(|key| {
        shown["clusters"][0][key]
            .as_str()
            .expect("a version")
            .to_owned()
    });
    api.write(&named);
    (api, versions)
}

/// Starts `status --wait` with the flags `more` for the one cluster, whose upgrade succeeds after a
/// few queries.
fn begin_to_wait(api: &SimulatedApi, more: &[&str]) -> Child {
    let before = api.sim.count(Action::GetUpgradeStatus);
    let waiting = Command::new(PROGRAM)
        .args([
            "status",
            &format!("--config.file={}", api.config().display()),
            "--wait",
            "--interval=50ms",
        ])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    api.wait_for_calls(before + 2);
    api.sim
        .world()
        .set_phase(&api.sim.world().clusters()[0], Phase::Succeeded, None);
    waiting
}

fn wait_for_success(api: &SimulatedApi, more: &[&str]) -> Output {
    begin_to_wait(api, more)
        .wait_with_output()
        .expect("it ends")
}

/// The standard error of a wait that must not end at the success of the upgrade.
fn wait_on(api: &SimulatedApi, more: &[&str]) -> String {
    let mut waiting = begin_to_wait(api, more);
    api.wait_for_calls(api.sim.count(Action::GetUpgradeStatus) + 5);
    assert!(waiting.try_wait().expect("a child").is_none(), "{more:?}");
    waiting.kill().expect("still there");
    text(&waiting.wait_with_output().expect("a child").stderr)
}

#[test]
fn waiting_for_a_version_succeeds_only_at_that_version() {
    for is_found in [false, true] {
        let found = |api: &SimulatedApi| api.write(&api.yaml(0).replace("    clusters:\n", FOUND));
        let (api, [before, after]) = upgrading();
        if is_found {
            found(&api);
        }
        let output = wait_for_success(&api, &[&format!("--target-version={after}")]);
        let shown = text(&output.stdout);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{shown}{}",
            text(&output.stderr)
        );
        let last = shown.lines().rev().nth(1).expect("a change");
        assert!(
            last.contains("success") && last.contains(&after) && !last.contains(&before),
            "{shown}"
        );
        for other in ["99.99.99-nonsense", &before] {
            let (api, _) = upgrading();
            if is_found {
                found(&api);
            }
            let said = wait_on(&api, &[&format!("--target-version={other}")]);
            assert_eq!(
                said.matches("another version than --target-version")
                    .count(),
                1,
                "{other}: {said}"
            );
        }
    }
}

#[test]
fn an_unreadable_version_does_not_count_as_the_target_version() {
    let (api, [_, after]) = upgrading();
    api.sim
        .add_fault(Rule::new(Fault::Forbidden).on(Action::DescribeClusterDetail));
    let output = wait_for_success(&api, &[&format!("--target-version={after}")]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(
        said.contains("which version it has now cannot be read")
            && said.contains("cs:DescribeClusterDetail"),
        "{said}"
    );
    let (api, _) = upgrading();
    api.sim
        .add_fault(Rule::new(Fault::Forbidden).on(Action::DescribeClusterDetail));
    assert_eq!(
        wait_for_success(&api, &[]).status.code(),
        Some(0),
        "any version will do"
    );
}

#[test]
fn waiting_for_a_version_ends_with_the_reason_if_the_version_of_an_idle_cluster_is_unknown() {
    let api = SimulatedApi::new(1);
    let wait = || {
        run(
            &api,
            "status",
            &["--wait", "--target-version=1.32.1-aliyun.1"],
        )
    };
    let action = Action::DescribeClusterDetail;
    api.sim.add_fault(Rule::new(Fault::Forbidden).on(action));
    let output = wait();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(
        said.contains("which version it has now cannot be read")
            && said.contains("cs:DescribeClusterDetail"),
        "{said}"
    );
    api.sim.clear_faults();
    let id = api.sim.world().clusters()[0].clone();
    let without_version = format!(r#"{{"cluster_id": "{id}", "state": "running"}}"#);
    let world = api.sim.world();
    world.set_body(&id, action, Some(&without_version));
    let output = wait();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("the API does not return it"), "{said}");
}

#[test]
fn details_are_read_only_at_the_end_of_an_upgrade() {
    let (api, _) = upgrading();
    assert_eq!(wait_for_success(&api, &[]).status.code(), Some(0));
    assert_eq!(api.sim.count(Action::DescribeClusterDetail), 1);
    run(&api, "status", &["--wait"]);
    run(&api, "status", &[]);
    assert_eq!(api.sim.count(Action::DescribeClusterDetail), 1);
}

#[test]
fn waiting_goes_on_until_the_upgraded_cluster_is_running() {
    let (api, _) = upgrading();
    let id = api.sim.world().clusters()[0].clone();
    let detail = format!(
        r#"{{"cluster_id": "{id}", "state": "upgrading", "current_version": "1.32.1-aliyun.1"}}"#
    );
    api.sim
        .world()
        .set_body(&id, Action::DescribeClusterDetail, Some(&detail));
    let said = wait_on(&api, &[]);
    assert_eq!(
        said.matches("waiting until its state is running").count(),
        1,
        "{said}"
    );
    api.sim.world().set_phase(&id, Phase::Upgrading, None);
    api.sim.world().set_body(
        &id,
        Action::DescribeClusterDetail,
        Some(&detail.replace("upgrading", "running")),
    );
    assert_eq!(wait_for_success(&api, &[]).status.code(), Some(0));
}

/// An API with `clusters` clusters, each with a successful upgrade.
fn all_good(clusters: usize) -> SimulatedApi {
    let api = SimulatedApi::new(clusters);
    for id in &api.sim.world().clusters() {
        api.sim.world().set_phase(id, Phase::Succeeded, None);
    }
    api
}

#[test]
fn waiting_survives_two_failed_queries_and_ends_after_three() {
    let api = all_good(2);
    let ids = api.sim.world().clusters();
    let silent = || Rule::new(Fault::ProxyPage(404)).cluster(ids[1].clone());
    let looks = || api.sim.count(Action::GetUpgradeStatus) / 2;
    let wait = || {
        run(&api, "status", &["--wait", "--interval=100ms"])
            .status
            .code()
    };
    api.sim.add_fault(silent().times(2));
    assert_eq!((wait(), looks()), (Some(0), 3));
    api.sim.add_fault(silent());
    assert_eq!((wait(), looks()), (Some(4), 6));
}

#[test]
fn waiting_survives_missing_credentials_and_ends_at_refused_ones() {
    let api = all_good(2);
    let yaml = api.yaml(2);
    let given = format!(
        "    credentials: {{type: credentials_uri, uri: 'http://{}/credentials'}}",
        api.endpoint
    );
    let lines = yaml.lines().map(|line| {
        if line.contains("credentials:") {
            given.as_str()
        } else {
            line
        }
    });
    api.write(&lines.collect::<Vec<_>>().join("\n"));
    let wait = |fault| {
        api.sim
            .add_fault(Rule::new(fault).on(Action::CredentialsUri).times(1));
        let before = api.sim.count(Action::CredentialsUri);
        let output = run(&api, "status", &["--wait", "--interval=3s"]);
        (
            output.status.code(),
            text(&output.stdout).contains("unanswered, auth"),
            api.sim.count(Action::CredentialsUri) - before,
        )
    };
    // The credentials server is called again after five seconds.
    assert_eq!(
        wait(Fault::ServerError {
            status: 503,
            body: ErrorBody::Json
        }),
        (Some(0), true, 2)
    );
    assert_eq!(wait(Fault::Forbidden), (Some(4), true, 1));
}

#[test]
fn an_unreadable_list_exits_with_4() {
    let api = all_good(6);
    let ids = api.sim.world().clusters();
    let regions = "    discovery: {regions: [cn-hangzhou, cn-shanghai, ap-southeast-1]}\n";
    api.write(&api.yaml(0).replace("    clusters:\n", regions));
    let away = api.sim.world().region(&ids[0]).expect("a region");
    let here = ids
        .iter()
        .find(|id| api.sim.world().region(id) != Some(away.clone()))
        .expect("another region");
    api.sim.add_fault(
        Rule::new(Fault::ProxyPage(404))
            .on(Action::DescribeClustersForRegion)
            .region(away),
    );
    for more in [&[][..], &["--wait", "--interval=100ms"]] {
        assert_eq!(run(&api, "status", more).status.code(), Some(4), "{more:?}");
    }
    assert_eq!(
        run(&api, "status", &[here.as_str()]).status.code(),
        Some(0),
        "what was asked for is there"
    );
}

#[test]
fn an_empty_status_has_a_reason() {
    let api = all_good(3);
    let discovery = "    discovery: {regions: [cn-hangzhou], match: {name: zzz}}\n";
    api.write(&api.yaml(0).replace("    clusters:\n", discovery));
    let output = run(&api, "status", &[]);
    assert_eq!(output.status.code(), Some(4));
    assert!(
        text(&output.stderr).contains("no cluster found"),
        "{}",
        text(&output.stderr)
    );
    api.write(
        &api.yaml(0)
            .replace("    clusters:\n", discovery)
            .replace("scrape: {", "scrape: {timeout: 1s, "),
    );
    api.sim
        .add_fault(Rule::new(Fault::Hang).on(Action::DescribeClustersForRegion));
    let output = run(&api, "status", &[]);
    assert_eq!(output.status.code(), Some(4));
    let said = text(&output.stderr);
    assert!(
        said.contains("the cluster list could not be read in time")
            && said.contains("region cn-hangzhou"),
        "{said}"
    );
}

#[test]
fn the_message_for_a_list_that_was_never_read_mentions_no_old_list() {
    let api = all_good(3);
    api.write(&api.yaml(0).replace(
        "    clusters:\n",
        "    discovery: {regions: [cn-hangzhou]}\n",
    ));
    api.sim
        .add_fault(Rule::new(Fault::Forbidden).on(Action::DescribeClustersForRegion));
    let said = text(&run(&api, "status", &[]).stderr);
    assert!(
        said.contains("cluster list could not be read") && said.contains("region cn-hangzhou"),
        "{said}"
    );
    assert!(!said.contains("the last one stands"), "{said}");
}

#[test]
fn an_old_success_ends_neither_watch_nor_a_wait_with_a_condition() {
    let api = all_good(1);
    let config = format!("--config.file={}", api.config().display());
    for more in [
        &["--watch"][..],
        &["--wait", "--target-version=9.9.9-aliyun.1"],
        &["--wait", "--since=2100-01-01T00:00:00Z"],
    ] {
        let before = api.sim.count(Action::GetUpgradeStatus);
        let mut looking = Command::new(PROGRAM)
            .args(["status", &config, "--interval=50ms"])
            .args(more)
            .stdout(Stdio::null())
            .spawn()
            .expect("the program runs");
        api.wait_for_calls(before + 5);
        assert!(looking.try_wait().expect("a child").is_none(), "{more:?}");
        looking.kill().expect("still there");
        looking.wait().expect("a child");
    }
}

#[test]
fn the_curl_command_of_explain_works_once_and_shows_no_secret() {
    for (signature, source) in [
        ("acs3", "upgrade_status"),
        ("roa", "upgrade_status"),
        ("acs3", "tasks"),
        ("roa", "tasks"),
    ] {
        let api = SimulatedApi::new(2);
        let yaml = api.yaml(2).replace(
            "source: upgrade_status",
            &format!("source: {source}\n    signature: {signature}"),
        );
        api.write(&yaml);
        let id = api.sim.world().clusters()[1].to_string();
        let output = run(&api, "explain", &[&id]);
        let said = text(&output.stdout);
        assert_eq!(
            (output.status.code(), text(&output.stderr).as_str()),
            (Some(0), "")
        );
        assert!(
            said.contains("string to sign") && said.contains(&KeyPair::demo().access_key_id),
            "{said}"
        );
        assert_eq!(
            said.contains("canonical request"),
            signature == "acs3",
            "{said}"
        );
        assert!(!said.contains(KeyPair::demo().access_key_secret.expose()));
        assert_eq!(api.sim.calls().len(), 0, "explaining asks nobody");
        let command = &said[said.find("\ncurl --globoff").expect("a command")..];
        let curl = |more: &str| {
            let script = format!("{} {more}", command.trim());
            let output = Command::new("sh")
                .args(["-c", &script])
                .output()
                .expect("a shell");
            text(&output.stdout)
        };
        let answered = curl("--silent --noproxy '*'");
        let response: Value =
            serde_json::from_str(&answered).unwrap_or_else(|error| panic!("{error}: {answered}"));
        assert!(
            response.get("upgrade_step").is_some() || response.get("tasks").is_some(),
            "{response}"
        );
        assert!(
            curl("--silent --noproxy '*'").contains("SignatureNonceUsed"),
            "good for one call"
        );
    }
}

#[test]
fn explain_finds_discovered_clusters_and_reports_the_lists_that_it_cannot_read() {
    let api = SimulatedApi::new(6);
    let ids = api.sim.world().clusters();
    let name = api.sim.world().name(&ids[3]).expect("a name");
    let found = api.yaml(0).replace("    clusters:\n", FOUND);
    api.write(&found.replace("source: upgrade_status", "source: auto"));
    for target in [ids[3].as_str(), &name] {
        let output = run(&api, "explain", &[target]);
        let said = text(&output.stdout);
        let complaint = text(&output.stderr);
        assert_eq!(
            (output.status.code(), complaint.as_str()),
            (Some(0), ""),
            "{target}"
        );
        let places = [
            "GetUpgradeStatus, where it is still served",
            &format!("/api/v2/clusters/{}/upgrade/status", ids[3]),
            "DescribeClusterTasks, everywhere else",
            &format!("/clusters/{}/tasks", ids[3]),
        ];
        let places = places.map(|part| said.find(part));
        assert!(places.is_sorted() && places[0].is_some(), "{said}");
    }
    assert_eq!(api.sim.count(Action::GetUpgradeStatus), 0);
    let output = run(&api, "explain", &["no-such-cluster"]);
    assert_eq!(
        (output.status.code(), text(&output.stderr).as_str()),
        (
            Some(2),
            "error: no-such-cluster is not among the clusters\n"
        )
    );
    api.sim
        .add_fault(Rule::new(Fault::Forbidden).on(Action::DescribeClustersForRegion));
    let output = run(&api, "explain", &["no-such-cluster"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let permission = "RAM must allow cs:DescribeClustersForRegion";
    assert_eq!(said.matches(permission).count(), 3, "{said}");
    assert!(
        said.starts_with("error: account test, region ") && said.lines().count() == 3,
        "{said}"
    );
}

#[test]
fn explain_reads_no_list_while_it_waits_for_credentials() {
    let api = SimulatedApi::new(2);
    let id = api.sim.world().clusters()[1].clone();
    let region = api.sim.world().region(&id).expect("a region");
    let found = api.yaml(1).replace(
        "    clusters:\n",
        &format!("    discovery: {{regions: [{region}]}}\n    clusters:\n"),
    );
    api.write(&format!(
        "scrape: {{idle_interval: 1m}}\n{found}  - name: slow\n    endpoint: http://{0}\n    \
         credentials: {{type: credentials_uri, uri: \
         'http://{0}/credentials'}}\n    clusters: [{{id: {id}, region: {region}}}]\n",
        api.endpoint
    ));
    api.sim
        .add_fault(Rule::new(Fault::Slow(Duration::from_secs(1))).on(Action::CredentialsUri));
    let output = run(&api, "explain", &[id.as_str()]);
    assert_eq!(
        (output.status.code(), text(&output.stderr).as_str()),
        (Some(0), "")
    );
    assert_eq!(
        (
            api.sim.count(Action::CredentialsUri),
            api.sim.count(Action::DescribeClustersForRegion)
        ),
        (1, 0)
    );
}

/// The keys of a line of logfmt, and the value of one of them.
fn keys(line: &str) -> Vec<&str> {
    let mut quoted = false;
    let outside = |letter: char| {
        quoted ^= letter == '"';
        letter == ' ' && !quoted
    };
    line.split(outside)
        .filter_map(|pair| Some(pair.split_once('=')?.0))
        .collect()
}

#[test]
fn logs_have_the_format_of_exporters_and_one_line_for_each_change_of_a_cluster() {
    for (format, flags) in [
        ("logfmt", &["--log.format=logfmt"][..]),
        ("json", &["--log.format=json", "--log.queries"]),
    ] {
        let api = SimulatedApi::new(3);
        let ids = api.sim.world().clusters();
        let mut command = Command::new(PROGRAM);
        command
            .args([
                &format!("--config.file={}", api.config().display()),
                "--web.listen-address=127.0.0.1:0",
            ])
            .args(flags);
        let exporter = Exporter::run(&mut command);
        let metrics = format!("http://{}/metrics", exporter.address);
        let scrape = || get(&metrics);
        scrape();
        api.sim.world().set_phase(&ids[0], Phase::Upgrading, None);
        scrape();
        scrape();
        api.sim
            .add_fault(Rule::new(Fault::Forbidden).cluster(ids[0].clone()));
        scrape();
        scrape();
        api.sim.clear_faults();
        scrape();
        let log = exporter.end();
        let lines: Vec<_> = log.lines().collect();
        let of = |message: &str| lines.iter().filter(|line| line.contains(message)).count();
        assert_eq!(
            (
                of("upgrade state changed"),
                of("cluster does not answer"),
                of("cluster answers again")
            ),
            (1, 1, 1),
            "{lines:#?}"
        );
        let queries = if format == "json" { 18 } else { 0 };
        assert_eq!(
            of("query ended"),
            queries,
            "each query, where that is asked for"
        );
        for line in &lines {
            let found: Vec<String> = match format {
                "json" => serde_json::from_str::<serde_json::Map<_, _>>(line)
                    .expect("an object")
                    .keys()
                    .cloned()
                    .collect(),
                _ => keys(line).into_iter().map(str::to_owned).collect(),
            };
            assert_eq!(found[..4], ["time", "level", "source", "msg"], "{line}");
        }
        let changed = lines
            .iter()
            .find(|line| line.contains("upgrade state changed"))
            .expect("it is there");
        assert!(
            changed.contains(ids[0].as_str())
                && changed.contains("running")
                && changed.contains("upgrading"),
            "{changed}"
        );
    }
}

/// Runs `status` with these arguments in a terminal of 100 columns and 20 lines, ends it by `keys`
/// after `wait`, and returns what the terminal got.
#[cfg(target_os = "linux")]
fn in_terminal(api: &SimulatedApi, arguments: &str, until: impl FnOnce(), keys: &str) -> String {
    use std::io::Write as _;
    let command = format!(
        "stty cols 100 rows 20; {PROGRAM} status --config.file={} {arguments}",
        api.config().display()
    );
    let mut script = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script is part of every Debian");
    until();
    let mut stdin = script.stdin.take().expect("a pipe");
    stdin.write_all(keys.as_bytes()).expect("it reads");
    let output = script.wait_with_output().expect("it ends");
    drop(stdin);
    text(&output.stdout)
}

#[test]
#[cfg(target_os = "linux")]
fn a_table_in_a_terminal_has_colours_and_fits() {
    let api = all_good(3);
    let shown = in_terminal(&api, "", || {}, "");
    let plain = anstream::adapter::strip_str(&shown).to_string();
    assert!(shown.contains("\u{1b}[32msuccess"), "{shown:?}");
    assert!(
        plain.lines().all(|line| line.chars().count() <= 100),
        "{plain}"
    );
    assert!(plain.contains("3 clusters: 3 success"), "{plain}");
}

#[test]
#[cfg(target_os = "linux")]
fn watching_in_a_terminal_has_a_screen_of_its_own_and_leaves_it_at_ctrl_c() {
    let api = all_good(30);
    let calls = 30 * 3;
    let until = || api.wait_for_calls(calls);
    let shown = in_terminal(&api, "--watch --interval=50ms", until, "\u{3}");
    let (before, screen) = shown.split_once("\u{1b}[?1049h").expect("it enters");
    let (screen, after) = screen.split_once("\u{1b}[?1049l").expect("it leaves");
    assert_eq!((before.trim(), after.trim()), ("", ""), "{shown:?}");
    let frames: Vec<_> = screen.split("\u{1b}[H").skip(1).collect();
    assert!(frames.len() >= 2, "{}", frames.len());
    for frame in frames {
        let frame = anstream::adapter::strip_str(frame).to_string();
        assert!(frame.lines().count() <= 20, "{frame}");
        assert!(frame.contains("Z  30 clusters: 30 success"), "{frame}");
        assert!(frame.contains("14 more"), "{frame}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn waiting_in_a_terminal_replaces_the_lines_of_clusters_that_move() {
    let api = all_good(3);
    let id = api.sim.world().clusters()[0].clone();
    let name = api.sim.world().name(&id).expect("a name");
    api.sim.world().set_phase(&id, Phase::Upgrading, None);
    let until = || {
        api.wait_for_calls(9);
        api.sim.world().set_phase(&id, Phase::Succeeded, None);
    };
    let shown = in_terminal(&api, "--wait --interval=50ms", until, "");
    assert!(
        shown.contains("waiting for 1 of 3 clusters since 0s"),
        "{shown:?}"
    );
    // What replaced the last live lines stays.
    let rest = shown.rsplit("A\r\u{1b}[J").next().expect("a part");
    let rest = anstream::adapter::strip_str(rest).to_string();
    let [ended, summary] = rest.lines().collect::<Vec<_>>()[..] else {
        panic!("{shown:?}")
    };
    assert!(
        ended.contains(&format!("{name}  ")) && ended.contains("success"),
        "{shown:?}"
    );
    assert!(
        summary.starts_with("all upgrades have ended well after "),
        "{shown:?}"
    );
}

//! The two sources of upgrade states, and the switch-off of the first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::names::ClusterId;
use ack_client::{ResponseFuture, Transport};
use ack_simulator::{
    Action, ErrorBody, Fault, InProcess, Options, Phase, RetiredResponse, Rule, Simulator,
    UpgradeStage,
};
use ack_upgrade_exporter::snapshot::{Outcome, Snapshot};
use ack_upgrade_exporter::upgrade::SourceName;
use bytes::Bytes;
use http::{Request, Response};
use tokio::time::{Instant, advance, sleep};

use crate::fleet::{Fleet, UNLIMITED, options, reading, tally, word, words};
use crate::log::Log;

fn by(source: &str, options: Options) -> Fleet {
    Fleet::in_process(options, &format!("source: {source}\n{UNLIMITED}"), "")
}

/// Two clusters of one region.
fn neighbours(fleet: &Fleet) -> [ClusterId; 2] {
    let region = |id: &ClusterId| fleet.sim.world().region(id).expect("a region");
    let mut ids = fleet.ids();
    let first = ids.remove(0);
    let second = ids
        .into_iter()
        .find(|id| region(id) == region(&first))
        .expect("another one there");
    [first, second]
}

/// The outcome of a probe of one cluster, as a word.
async fn probe_outcome(fleet: &Fleet, id: &ClusterId) -> String {
    let deadline = Instant::now() + Duration::from_millis(9500);
    word(
        &fleet
            .collector
            .probe(id.as_str(), deadline, None)
            .await
            .expect("it is configured"),
    )
}

#[tokio::test(start_paused = true)]
async fn both_sources_report_the_same_states() {
    let (status, tasks) = (by("upgrade_status", options(40)), by("tasks", options(40)));
    for _ in 0..30 {
        assert_eq!(
            words(&status.scrape_in_time().await),
            words(&tasks.scrape_in_time().await)
        );
        advance(Duration::from_secs(17)).await;
    }
    for (fleet, source) in [(&status, "upgrade_status"), (&tasks, "tasks")] {
        let snapshot = fleet.scrape_in_time().await;
        assert_eq!(sources(&snapshot), BTreeMap::from([(source, 3)]));
    }
}

#[tokio::test(start_paused = true)]
async fn tasks_have_more_fields_than_get_upgrade_status() {
    let fleet = by("tasks", options(6));
    let id = fleet.ids()[0].clone();
    fleet.sim.world().set_phase(
        &id,
        Phase::Failed(UpgradeStage::Upgrade),
        Some("etcd is unhealthy"),
    );
    let snapshot = fleet.scrape_in_time().await;
    let reading = reading(&snapshot, &id);
    assert_eq!(word(reading), "fail/upgrading");
    let Outcome::Up(state) = &reading.outcome else {
        panic!("there is a response")
    };
    assert_eq!(state.source, SourceName::Tasks);
    assert!(state.task_id.starts_with("T-"), "{state:?}");
    assert!(state.target_version.contains("aliyun"), "{state:?}");
    assert!(
        state.started.is_some() && state.updated >= state.started,
        "{state:?}"
    );
    assert_eq!(state.error_message.as_deref(), Some("etcd is unhealthy"));
}

#[tokio::test(start_paused = true)]
async fn a_finished_task_is_read_once() {
    let fleet = by("tasks", options(3));
    for id in fleet.ids() {
        fleet.sim.world().set_phase(&id, Phase::Succeeded, None);
    }
    let first = fleet.scrape_in_time().await;
    let asked = fleet.calls(Action::DescribeTaskInfo);
    for _ in 0..5 {
        advance(Duration::from_secs(15)).await;
        assert_eq!(words(&fleet.scrape_in_time().await), words(&first));
    }
    assert_eq!(fleet.calls(Action::DescribeTaskInfo), asked);
    assert_eq!(fleet.calls(Action::GetUpgradeStatus), 0);
}

#[tokio::test(start_paused = true)]
async fn a_finished_task_is_read_again_while_its_details_disagree() {
    let fleet = by("tasks", options(3));
    for id in fleet.ids() {
        fleet
            .sim
            .world()
            .set_phase(&id, Phase::Failed(UpgradeStage::Upgrade), None);
    }
    fleet
        .sim
        .add_fault(Rule::new(Fault::UnknownValues).on(Action::DescribeTaskInfo));
    for _ in 0..2 {
        assert_eq!(
            words(&fleet.scrape_in_time().await),
            ["unknown/upgrading"; 3]
        );
        advance(Duration::from_secs(15)).await;
    }
    fleet.sim.clear_faults();
    assert_eq!(words(&fleet.scrape_in_time().await), ["fail/upgrading"; 3]);
}

#[tokio::test(start_paused = true)]
async fn auto_calls_only_get_upgrade_status_while_it_is_served() {
    let fleet = by("auto", options(30));
    fleet.scrape_in_time().await;
    fleet.scrape_in_time().await;
    assert_eq!(fleet.calls(Action::GetUpgradeStatus), 60);
    assert_eq!(fleet.sim.calls().len(), 60);
}

#[tokio::test(start_paused = true)]
async fn auto_falls_back_within_the_scrape_for_every_form_of_the_switch_off() {
    for retired in [
        RetiredResponse::InvalidAction,
        RetiredResponse::InvalidApi,
        RetiredResponse::UnknownCode,
    ] {
        let fleet = by(
            "auto",
            Options {
                retired: Some(retired),
                ..options(30)
            },
        );
        let tasks = by("tasks", options(30));
        let snapshot = fleet.scrape_in_time().await;
        assert_eq!(
            words(&snapshot),
            words(&tasks.scrape_in_time().await),
            "{retired:?}"
        );
        let regions = 3;
        let most = match retired {
            RetiredResponse::UnknownCode => 16 * regions,
            _ => regions,
        };
        assert!(
            fleet.calls(Action::GetUpgradeStatus) <= most,
            "{retired:?}: {}",
            fleet.calls(Action::GetUpgradeStatus)
        );
        let sources = &snapshot.accounts[0].sources;
        assert_eq!(sources.len(), 3, "{sources:?}");
        assert!(
            sources.iter().all(|(_, source)| *source == "tasks"),
            "{sources:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_switch_off_is_detected_in_the_same_scrape() {
    let fleet = by("auto", options(30));
    fleet.scrape_in_time().await;
    fleet
        .sim
        .retire_everywhere(Some(RetiredResponse::InvalidAction));
    assert_eq!(tally(&fleet.scrape_in_time().await).get("up"), Some(&30));
}

#[tokio::test(start_paused = true)]
async fn other_failures_do_not_count_as_the_switch_off() {
    let faults = [
        Fault::Forbidden,
        Fault::Throttled {
            status: 400,
            retry_after: None,
        },
        Fault::ProxyPage(404),
        Fault::ProxyPage(407),
        Fault::ClockSkew,
    ];
    for fault in faults {
        let fleet = by("auto", options(12));
        fleet
            .sim
            .add_fault(Rule::new(fault.clone()).on(Action::GetUpgradeStatus));
        assert_eq!(
            tally(&fleet.scrape_in_time().await).get("up"),
            None,
            "{fault:?}"
        );
        assert_eq!(fleet.calls(Action::DescribeClusterTasks), 0, "{fault:?}");
        fleet.sim.clear_faults();
        assert_eq!(
            tally(&fleet.scrape_in_time().await).get("up"),
            Some(&12),
            "{fault:?}"
        );
        assert_eq!(fleet.calls(Action::DescribeClusterTasks), 0, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_cluster_does_not_count_as_a_retired_operation() {
    for retired in [None, Some(RetiredResponse::InvalidAction)] {
        let fleet = by(
            "auto",
            Options {
                retired,
                ..options(12)
            },
        );
        let gone = fleet.ids()[0].clone();
        fleet.sim.world().remove(&gone);
        let snapshot = fleet.scrape_in_time().await;
        assert_eq!(word(reading(&snapshot, &gone)), "not_found", "{retired:?}");
        assert_eq!(tally(&snapshot).get("up"), Some(&11), "{retired:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retired_operation_is_probed_hourly_and_used_again_after_two_successes() {
    let fleet = by(
        "auto",
        Options {
            retired: Some(RetiredResponse::InvalidAction),
            ..options(12)
        },
    );
    fleet.scrape_in_time().await;
    let regions = 3;
    let at_first = fleet.calls(Action::GetUpgradeStatus);
    for _ in 0..24 {
        sleep(Duration::from_secs(600)).await;
        fleet.scrape_in_time().await;
    }
    assert!(fleet.calls(Action::GetUpgradeStatus) - at_first <= 4 * regions);
    fleet.sim.retire_everywhere(None);
    let source = |snapshot: &Arc<Snapshot>| snapshot.accounts[0].sources[0].1;
    sleep(Duration::from_secs(3700)).await;
    assert_eq!(
        source(&fleet.scrape_in_time().await),
        "tasks",
        "one success may be chance"
    );
    sleep(Duration::from_secs(3700)).await;
    fleet.scrape_in_time().await;
    assert_eq!(source(&fleet.scrape_in_time().await), "upgrade_status");
}

#[tokio::test(start_paused = true)]
async fn the_switch_off_and_its_end_have_one_line_each_in_the_log_of_a_region() {
    let log = Log::listen();
    let lines = || log.counts(["has been switched off here", "is served again"]);
    let fleet = by("auto", options(12));
    let regions = 3;
    for (retired, expected) in [
        (None, [0, 0]),
        (Some(RetiredResponse::InvalidAction), [regions, 0]),
        (None, [regions, regions]),
    ] {
        fleet.sim.retire_everywhere(retired);
        for _ in 0..4 {
            fleet.scrape_in_time().await;
            sleep(Duration::from_secs(3700)).await;
        }
        assert_eq!(lines(), expected, "{retired:?}");
    }
}

/// A list of tasks with a page token. `info` is added to the first page, and `rest` is the second
/// page.
#[derive(Debug, Clone)]
struct ListWithToken {
    info: &'static str,
    rest: &'static str,
    asked: Arc<AtomicUsize>,
}

impl Transport for ListWithToken {
    fn send(&self, request: Request<Bytes>) -> ResponseFuture<'_> {
        let query = request.uri().query().unwrap_or_default();
        let body = if request.uri().path().starts_with("/tasks/") {
            r#"{"task_id": "T-1", "task_type": "cluster_upgrade", "state": "running", "current_stage": "upgrade_master"}"#.to_owned()
        } else if query.contains("next_token=N2") {
            self.rest.to_owned()
        } else {
            let others: Vec<_> = (0..20)
                .map(|number| {
                    format!(r#"{{"task_id": "T-other-{number}", "task_type": "cluster_scaleout"}}"#)
                })
                .collect();
            format!(
                r#"{{"tasks": [{}], {} "next_token": "N2"}}"#,
                others.join(","),
                self.info
            )
        };
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::ready(Ok(Response::new(Bytes::from(body)))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_token_is_followed_and_a_repeated_one_ends_the_list() {
    let task =
        r#"{"tasks": [{"task_id": "T-1", "task_type": "cluster_upgrade", "state": "running"}]}"#;
    let again = r#"{"tasks": [{"task_id": "T-other-1", "task_type": "x"}], "next_token": "N2"}"#;
    let all = r#""page_info": {"total_count": 20},"#;
    for (info, rest, expected, calls) in [
        ("", task, "running/upgrading", 3),
        ("", r#"{"tasks": []}"#, "none/not_start", 2),
        ("", again, "none/not_start", 2),
        (all, task, "none/not_start", 1),
        (
            "",
            r#"{"tasks": [], "next_token": "N2"}"#,
            "none/not_start",
            2,
        ),
    ] {
        let (sim, asked) = (
            Arc::new(Simulator::new(options(1))),
            Arc::new(AtomicUsize::new(0)),
        );
        let ways = Arc::new(ListWithToken {
            info,
            rest,
            asked: Arc::clone(&asked),
        });
        let clock = Clock::simulated(sim.world().now());
        let fleet = Fleet::over(
            sim,
            ways,
            clock,
            "http://simulator.example",
            "source: tasks",
            "",
        );
        let snapshot = fleet.scrape_in_time().await;
        assert_eq!(
            (words(&snapshot), asked.load(Ordering::Relaxed)),
            (vec![expected.to_owned()], calls),
            "{rest}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_between_two_refusals_keeps_the_operation() {
    let fleet = by("auto", options(30));
    fleet.scrape_in_time().await;
    for id in neighbours(&fleet) {
        advance(Duration::from_secs(15)).await;
        fleet
            .sim
            .retire_everywhere(Some(RetiredResponse::UnknownCode));
        assert!(
            probe_outcome(&fleet, &id).await.contains('/'),
            "its tasks are read"
        );
        sleep(Duration::from_secs(1)).await;
        fleet.sim.retire_everywhere(None);
        assert_eq!(
            sources(&fleet.scrape_in_time().await),
            BTreeMap::from([("upgrade_status", 3)])
        );
    }
    assert_eq!(
        fleet.calls(Action::DescribeClusterDetail),
        2,
        "each was evidence until the response"
    );
}

#[tokio::test(start_paused = true)]
async fn a_response_to_an_earlier_request_does_not_undo_the_switch_off() {
    let fleet = by("auto", options(30));
    fleet.scrape_in_time().await;
    let [late, gone] = neighbours(&fleet);
    fleet.sim.add_fault(
        Rule::new(Fault::Slow(Duration::from_secs(2)))
            .on(Action::GetUpgradeStatus)
            .cluster(late.clone()),
    );
    let switch_off = async {
        sleep(Duration::from_secs(1)).await;
        fleet
            .sim
            .retire_everywhere(Some(RetiredResponse::InvalidAction));
        probe_outcome(&fleet, &gone).await
    };
    let responses = tokio::join!(probe_outcome(&fleet, &late), switch_off);
    assert!(
        responses.0.contains('/') && responses.1.contains('/'),
        "{responses:?}"
    );
    fleet.sim.clear_faults();
    fleet.sim.retire_everywhere(None);
    let region = fleet.sim.world().region(&late).expect("a region");
    let snapshot = fleet.scrape_in_time().await;
    let source = snapshot.accounts[0]
        .sources
        .iter()
        .find(|(of, _)| of == region.as_str())
        .map(|(_, source)| *source);
    assert_eq!(source, Some("tasks"), "only two probes lead back");
}

/// Clusters for which `GetUpgradeStatus` returns 400 with an unlisted code, and the number of such
/// responses.
#[derive(Debug, Clone)]
struct RefusingApi {
    sim: InProcess,
    clusters: Arc<Mutex<BTreeSet<String>>>,
    refusals: Arc<AtomicUsize>,
}

impl Transport for RefusingApi {
    fn send(&self, request: Request<Bytes>) -> ResponseFuture<'_> {
        let id = request
            .uri()
            .path()
            .strip_prefix("/api/v2/clusters/")
            .and_then(|rest| rest.strip_suffix("/upgrade/status"));
        if !id.is_some_and(|id| self.clusters.lock().expect("no panic").contains(id)) {
            return self.sim.send(request);
        }
        self.refusals.fetch_add(1, Ordering::Relaxed);
        let body = r#"{"code": "ErrorClusterProfile", "message": "not for this profile", "requestId": "R"}"#;
        Box::pin(std::future::ready(Ok(Response::builder()
            .status(400)
            .body(Bytes::from(body))
            .expect("a response"))))
    }
}

/// A fleet with `source: auto`, and the clusters that `GetUpgradeStatus` refuses. `odd` selects
/// them from the clusters of a region.
fn with_odd(
    odd: &dyn Fn(&[ClusterId]) -> Vec<ClusterId>,
    options: Options,
    account: &str,
) -> (Fleet, RefusingApi) {
    let sim = Arc::new(Simulator::new(options));
    let region = |id: &ClusterId| sim.world().region(id).expect("a region");
    let ids = sim.world().clusters();
    let mut neighbours: Vec<_> = ids
        .iter()
        .filter(|id| region(id) == region(&ids[0]))
        .cloned()
        .collect();
    neighbours.sort();
    let clusters = odd(&neighbours).iter().map(ToString::to_string).collect();
    let odd = RefusingApi {
        sim: InProcess(Arc::clone(&sim)),
        clusters: Arc::new(Mutex::new(clusters)),
        refusals: Arc::default(),
    };
    let clock = Clock::simulated(sim.world().now());
    let fleet = Fleet::over(
        sim,
        Arc::new(odd.clone()),
        clock,
        "http://simulator.example",
        &format!("source: auto\n{account}"),
        "",
    );
    (fleet, odd)
}

fn first_two(neighbours: &[ClusterId]) -> Vec<ClusterId> {
    neighbours[..2].to_vec()
}

/// The number of regions that use each source.
fn sources(snapshot: &Arc<Snapshot>) -> BTreeMap<&'static str, usize> {
    let mut sources = BTreeMap::new();
    snapshot.accounts[0]
        .sources
        .iter()
        .for_each(|(_, source)| *sources.entry(*source).or_insert(0) += 1);
    sources
}

/// The source of the last response for one cluster.
fn source_of(snapshot: &Arc<Snapshot>, id: &ClusterId) -> SourceName {
    let Outcome::Up(state) = &reading(snapshot, id).outcome else {
        panic!("there is a response")
    };
    state.source
}

#[tokio::test(start_paused = true)]
async fn two_refused_clusters_use_tasks_and_their_region_keeps_the_operation() {
    let last_two = |neighbours: &[ClusterId]| neighbours[neighbours.len() - 2..].to_vec();
    // Concurrently, and one after the other with no response between the last two.
    for (odd, account) in [
        (
            &first_two as &dyn Fn(&[ClusterId]) -> Vec<ClusterId>,
            UNLIMITED,
        ),
        (&last_two, UNLIMITED),
        (&last_two, ONE_BY_ONE),
    ] {
        let (fleet, odd) = with_odd(
            odd,
            Options {
                latency: Duration::from_millis(20),
                ..options(60)
            },
            account,
        );
        for hour in 0..3 {
            for _ in 0..3 {
                let snapshot = fleet.scrape_in_time().await;
                assert_eq!(
                    tally(&snapshot),
                    BTreeMap::from([("up".to_owned(), 60)]),
                    "{account}"
                );
                assert_eq!(
                    sources(&snapshot),
                    BTreeMap::from([("upgrade_status", 3)]),
                    "{account}"
                );
                let from_tasks = fleet
                    .ids()
                    .into_iter()
                    .filter(|id| source_of(&snapshot, id) == SourceName::Tasks);
                let odd: BTreeSet<_> = odd.clusters.lock().expect("no panic").clone();
                assert_eq!(
                    from_tasks.map(|id| id.to_string()).collect::<BTreeSet<_>>(),
                    odd,
                    "{account}"
                );
                advance(Duration::from_secs(15)).await;
            }
            assert_eq!(
                odd.refusals.load(Ordering::Relaxed),
                2 * (hour + 1),
                "once an hour each"
            );
            sleep(Duration::from_secs(3600)).await;
        }
    }
}

/// Makes one call at a time.
const ONE_BY_ONE: &str =
    "max_concurrency: 1\nrate_limit: {requests_per_second: 100000, burst: 100000}";

#[tokio::test(start_paused = true)]
async fn clusters_that_get_upgrade_status_serves_stay_up_if_tasks_are_forbidden() {
    let (fleet, odd) = with_odd(&first_two, options(60), UNLIMITED);
    fleet
        .sim
        .add_fault(Rule::new(Fault::Forbidden).on(Action::DescribeClusterTasks));
    for _ in 0..3 {
        let snapshot = fleet.scrape_in_time().await;
        assert_eq!(
            tally(&snapshot),
            BTreeMap::from([("forbidden".to_owned(), 2), ("up".to_owned(), 58)])
        );
        let id = ClusterId::parse(odd.clusters.lock().expect("no panic").first().expect("one"))
            .expect("an ID");
        let Outcome::Down(failure) = &reading(&snapshot, &id).outcome else {
            panic!("it is refused")
        };
        for part in [
            "RAM must allow cs:DescribeClusterTasks",
            "GetUpgradeStatus: HTTP 400: ErrorClusterProfile: not for this profile",
        ] {
            assert!(
                failure.message.contains(part),
                "{part}: {}",
                failure.message
            );
        }
        advance(Duration::from_secs(15)).await;
    }
    // A refusal counts only if the tasks could be read.
    odd.clusters.lock().expect("no panic").clear();
    assert_eq!(
        tally(&fleet.scrape_in_time().await),
        BTreeMap::from([("up".to_owned(), 60)])
    );
}

#[tokio::test(start_paused = true)]
async fn an_operation_retired_by_refusals_is_called_if_tasks_become_forbidden() {
    let fleet = by(
        "auto",
        Options {
            retired: Some(RetiredResponse::UnknownCode),
            ..options(30)
        },
    );
    for _ in 0..2 {
        assert_eq!(
            sources(&fleet.scrape_in_time().await),
            BTreeMap::from([("tasks", 3)])
        );
    }
    fleet
        .sim
        .add_fault(Rule::new(Fault::Forbidden).on(Action::DescribeClusterTasks));
    assert_eq!(
        tally(&fleet.scrape_in_time().await),
        BTreeMap::from([("forbidden".to_owned(), 30)])
    );
    fleet.sim.retire_everywhere(None);
    let snapshot = fleet.scrape_in_time().await;
    assert_eq!(
        tally(&snapshot),
        BTreeMap::from([("up".to_owned(), 30)]),
        "in the same scrape"
    );
    assert_eq!(sources(&snapshot), BTreeMap::from([("upgrade_status", 3)]));
}

/// The calls of `GetUpgradeStatus` in a scrape while `fault` keeps the tasks from being read. The
/// operation has been switched off before, and its server says so as `retired`.
async fn status_calls_while(fault: Fault, retired: RetiredResponse) -> u64 {
    let fleet = by(
        "auto",
        Options {
            retired: Some(retired),
            ..options(30)
        },
    );
    for _ in 0..2 {
        fleet.scrape_in_time().await;
    }
    fleet
        .sim
        .add_fault(Rule::new(fault).on(Action::DescribeClusterTasks));
    let before = fleet.calls(Action::GetUpgradeStatus);
    assert_ne!(tally(&fleet.scrape_in_time().await).get("up"), Some(&30));
    fleet.calls(Action::GetUpgradeStatus) - before
}

#[tokio::test(start_paused = true)]
async fn a_retired_operation_is_called_only_if_tasks_are_refused_and_it_may_still_be_served() {
    let passing = Fault::ServerError {
        status: 503,
        body: ErrorBody::Json,
    };
    for retired in [RetiredResponse::UnknownCode, RetiredResponse::InvalidAction] {
        assert_eq!(
            status_calls_while(passing.clone(), retired).await,
            0,
            "{retired:?}"
        );
    }
    let known_to_be_gone = RetiredResponse::InvalidAction;
    assert_eq!(
        status_calls_while(Fault::Forbidden, known_to_be_gone).await,
        0
    );
    let perhaps_served = RetiredResponse::UnknownCode;
    assert_ne!(
        status_calls_while(Fault::Forbidden, perhaps_served).await,
        0
    );
}

#[tokio::test(start_paused = true)]
async fn refusals_in_a_whole_region_retire_the_operation_there() {
    let fleet = by("auto", options(30));
    fleet.scrape_in_time().await;
    advance(Duration::from_secs(15)).await;
    fleet
        .sim
        .retire_everywhere(Some(RetiredResponse::UnknownCode));
    assert_eq!(
        tally(&fleet.scrape_in_time().await),
        BTreeMap::from([("up".to_owned(), 30)])
    );
    assert_eq!(
        sources(&fleet.scrape_in_time().await),
        BTreeMap::from([("tasks", 3)])
    );
    let asked = fleet.calls(Action::GetUpgradeStatus);
    sleep(Duration::from_secs(3700)).await;
    fleet.scrape_in_time().await;
    assert_eq!(
        fleet.calls(Action::GetUpgradeStatus),
        asked + 3,
        "one probe a region"
    );
}

#[tokio::test(start_paused = true)]
async fn refused_clusters_of_a_region_are_confirmed_two_at_once_and_not_in_a_queue() {
    let (fleet, _) = with_odd(&<[ClusterId]>::to_vec, options(60), UNLIMITED);
    fleet
        .sim
        .add_fault(Rule::new(Fault::Hang).on(Action::DescribeClusterDetail));
    let snapshot = fleet.scrape_in_time().await;
    assert_eq!(tally(&snapshot), BTreeMap::from([("up".to_owned(), 60)]));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(fleet.calls(Action::DescribeClusterDetail), 2);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_probe_delays_no_query() {
    for account in [UNLIMITED, ONE_BY_ONE] {
        let sim = Arc::new(Simulator::new(Options {
            retired: Some(RetiredResponse::InvalidAction),
            ..options(12)
        }));
        let fleet = Fleet::of(sim, &format!("source: auto\n{account}"), "");
        fleet.scrape_in_time().await;
        fleet
            .sim
            .add_fault(Rule::new(Fault::Hang).on(Action::GetUpgradeStatus));
        for _ in 0..3 {
            sleep(Duration::from_secs(3700)).await;
            let (asked, began) = (fleet.calls(Action::GetUpgradeStatus), Instant::now());
            let snapshot = fleet.scrape_in_time().await;
            assert_eq!(
                (tally(&snapshot), began.elapsed()),
                (BTreeMap::from([("up".to_owned(), 12)]), Duration::ZERO),
                "{account}"
            );
            sleep(Duration::from_secs(1)).await;
            assert!(
                fleet.calls(Action::GetUpgradeStatus) > asked,
                "it was probed"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_cluster_is_retried_outside_the_scrapes() {
    let (fleet, odd) = with_odd(
        &|neighbours| neighbours[..1].to_vec(),
        options(60),
        UNLIMITED,
    );
    let scrape = async || {
        let began = Instant::now();
        let snapshot = fleet.scrape_in_time().await;
        assert_eq!(
            (tally(&snapshot), began.elapsed()),
            (BTreeMap::from([("up".to_owned(), 60)]), Duration::ZERO)
        );
        snapshot
    };
    let mut ids: BTreeSet<_> = odd.clusters.lock().expect("no panic").clone();
    let id = ClusterId::parse(&ids.pop_first().expect("one")).expect("an ID");
    for _ in 0..3 {
        assert_eq!(source_of(&scrape().await, &id), SourceName::Tasks);
        advance(Duration::from_secs(15)).await;
    }
    // The operation is silent for the cluster, and no scrape waits for it.
    odd.clusters.lock().expect("no panic").clear();
    fleet.sim.add_fault(
        Rule::new(Fault::Hang)
            .on(Action::GetUpgradeStatus)
            .cluster(id.clone()),
    );
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(source_of(&scrape().await, &id), SourceName::Tasks);
    fleet.sim.clear_faults();
    sleep(Duration::from_secs(3600)).await;
    scrape().await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(source_of(&scrape().await, &id), SourceName::UpgradeStatus);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_probe_ends_with_its_account() {
    let fleet = by(
        "auto",
        Options {
            retired: Some(RetiredResponse::InvalidAction),
            ..options(12)
        },
    );
    fleet.scrape_in_time().await;
    fleet
        .sim
        .add_fault(Rule::new(Fault::Hang).on(Action::GetUpgradeStatus));
    sleep(Duration::from_secs(3700)).await;
    let asked = fleet.calls(Action::GetUpgradeStatus);
    fleet.scrape_in_time().await;
    tokio::task::yield_now().await;
    assert_eq!(
        fleet.calls(Action::GetUpgradeStatus),
        asked + 3,
        "it is under way"
    );
    fleet.collector.stop().await;
    let sim = Arc::clone(&fleet.sim);
    drop(fleet);
    tokio::task::yield_now().await;
    assert_eq!(Arc::strong_count(&sim), 1, "nobody asks any more");
}

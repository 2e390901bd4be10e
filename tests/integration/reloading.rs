//! The parts that a reload keeps, and those that it replaces. Time is paused.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::{ClusterId, Region};
use ack_simulator::{
    Action, Fault, KeyPair, Options, Phase, RetiredResponse, Rule, Simulator, UpgradingClusters,
};
use ack_upgrade_exporter::collect::Collector;
use ack_upgrade_exporter::config::Config;
use ack_upgrade_exporter::metrics::ExporterMetrics;
use ack_upgrade_exporter::reload::{ActiveConfig, ConfigManager, ConfigSource};
use ack_upgrade_exporter::snapshot::Snapshot;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use exporter_toolkit::exposition::{Format, Page};
use exporter_toolkit::process::ProcessMetrics;
use futures_util::FutureExt as _;
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::time::{Instant, advance, sleep, timeout};

use crate::exposition::{Dialect, Exposition};
use crate::fleet::{dependencies, options, reading, tally};
use crate::log::Log;

/// A configuration manager with a simulated account, and the file that it reads.
struct Fixture {
    sim: Arc<Simulator>,
    service: Arc<ConfigManager>,
    own: Arc<ExporterMetrics>,
    folder: TempDir,
}

impl Fixture {
    fn new(options: Options, account: &str) -> Self {
        let sim = Arc::new(Simulator::new(options));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("exporter.yml");
        std::fs::write(&path, yaml("a", account)).expect("writes the configuration");
        let own = Arc::new(ExporterMetrics::new(ProcessMetrics::Hidden));
        let service = ConfigManager::start(
            ConfigSource::File(path),
            dependencies(&sim, &own),
            Arc::clone(&own),
        )
        .expect("a good file");
        Self {
            sim,
            service: Arc::new(service),
            own,
            folder,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("exporter.yml")
    }

    async fn reload(&self, yaml: &str) {
        std::fs::write(self.path(), yaml).expect("writes the configuration");
        self.service.reload().await.expect("a good file");
    }

    fn running(&self) -> Arc<ActiveConfig> {
        Arc::clone(&self.service.running().borrow())
    }

    async fn scrape(&self) -> Arc<Snapshot> {
        self.running()
            .collector
            .collect(Instant::now() + Duration::from_millis(9500))
            .await
    }

    /// True if the metrics show that the last reload succeeded.
    fn is_successful(&self) -> bool {
        let mut page = Page::with_capacity(Format::Text, 0);
        self.own.write(&mut page);
        let page = Exposition::read(&page.finish(), Dialect::Text).expect("a legal page");
        page.samples("cs_exporter_config_last_reload_successful")
            .all(|sample| sample.value > 0.5)
    }

    fn lists_read(&self) -> u64 {
        self.sim.count(Action::DescribeClustersForRegion)
    }
}

/// A configuration with one account called `name`.
fn yaml(name: &str, account: &str) -> String {
    let pair = KeyPair::demo();
    let mut yaml = format!(
        "accounts:\n  - name: {name}\n    endpoint: http://simulator.example\n    \
         credentials: {{type: access_key, access_key_id: {}, \
         access_key_secret: {}}}\n",
        pair.access_key_id,
        pair.access_key_secret.expose()
    );
    for line in account.lines() {
        writeln!(yaml, "    {line}").expect("a String takes every write");
    }
    yaml
}

/// Twelve clusters without upgrades.
fn still() -> Options {
    Options {
        upgrading: UpgradingClusters::First(0),
        ..options(12)
    }
}

const FOUND: &str = "source: upgrade_status\n\
                     discovery: {regions: [cn-hangzhou, cn-shanghai, ap-southeast-1], \
                     refresh_interval: 5m}";
const MORE: &str = "\nclusters: [{id: cmore, region: cn-hangzhou}]";

/// A burst of 15, for three lists and twelve clusters. Later calls wait.
const NARROW: &str = "\nrate_limit: {requests_per_second: 0.001, burst: 15}";

#[tokio::test(start_paused = true)]
async fn an_account_with_unchanged_access_keeps_its_rate_limit() {
    let fixture = Fixture::new(still(), &format!("{FOUND}{NARROW}"));
    assert_eq!(tally(&fixture.scrape().await)["up"], 12);
    fixture
        .reload(&yaml("a", &format!("{FOUND}{NARROW}{MORE}")))
        .await;
    let snapshot = fixture.scrape().await;
    assert_eq!(snapshot.clusters.len(), 13);
    assert_eq!(fixture.sim.calls().len(), 15, "there is no second burst");
}

#[tokio::test(start_paused = true)]
async fn the_rate_limit_is_logged_at_the_start_and_after_a_change_of_the_access() {
    let log = Log::listen();
    let sim = Arc::new(Simulator::new(still()));
    let own = Arc::new(ExporterMetrics::new(ProcessMetrics::Hidden));
    let dependencies = dependencies(&sim, &own);
    let config = |account| Config::parse(&yaml("a", account), Path::new("")).expect("a good file");
    let first = Collector::new(&config(FOUND), &dependencies);
    let second = Collector::after(&first, &config(FOUND), &dependencies);
    assert_eq!(log.counts(["rate limit of the account"]), [1]);
    let changed = config(&format!("{FOUND}{NARROW}"));
    let _third = Collector::after(&second, &changed, &dependencies);
    assert_eq!(log.counts(["rate limit of the account"]), [2]);
}

#[tokio::test(start_paused = true)]
async fn an_account_with_changed_access_starts_anew() {
    let fixture = Fixture::new(still(), &format!("{FOUND}{NARROW}"));
    fixture.scrape().await;
    fixture
        .reload(&yaml("a", &format!("{FOUND}{NARROW}\nsignature: roa")))
        .await;
    assert_eq!(tally(&fixture.scrape().await)["up"], 12);
    assert_eq!(fixture.sim.calls().len(), 30);
    fixture
        .reload(&yaml("b", &format!("{FOUND}{NARROW}\nsignature: roa")))
        .await;
    assert_eq!(tally(&fixture.scrape().await)["up"], 12);
    assert_eq!(
        fixture.sim.calls().len(),
        45,
        "an account of another name is another account"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failing_list_stays_known_if_the_new_filter_matches_nothing() {
    let fixture = Fixture::new(still(), FOUND);
    fixture.scrape().await;
    fixture
        .sim
        .add_fault(Rule::new(Fault::ProxyPage(404)).on(Action::DescribeClustersForRegion));
    sleep(Duration::from_secs(400)).await;
    let nowhere = FOUND.replace("5m}", "5m, match: {tags: {env: nowhere}}}");
    fixture.reload(&yaml("a", &nowhere)).await;
    assert_eq!(
        fixture
            .running()
            .collector
            .clusters()
            .map(|clusters| clusters.len()),
        Some(0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_reload_keeps_the_lists_and_their_age() {
    let fixture = Fixture::new(still(), FOUND);
    fixture.scrape().await;
    assert_eq!(fixture.lists_read(), 3);
    sleep(Duration::from_secs(150)).await;
    fixture.reload(&yaml("a", &format!("{FOUND}{MORE}"))).await;
    let known = fixture
        .running()
        .collector
        .clusters()
        .expect("the clusters are known at once");
    assert_eq!(known.len(), 13);
    assert!(
        known
            .iter()
            .filter(|cluster| cluster.id.as_str() != "cmore")
            .all(|cluster| cluster.version.contains("aliyun"))
    );
    fixture.scrape().await;
    assert_eq!(fixture.lists_read(), 3);
    sleep(Duration::from_secs(185)).await;
    assert_eq!(
        fixture.lists_read(),
        6,
        "half an interval later they are as old as they may be"
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_reading_was_interrupted_is_read_again() {
    let fixture = Fixture::new(
        Options {
            latency: Duration::from_secs(5),
            ..still()
        },
        &FOUND.replace("5m", "1m"),
    );
    fixture.scrape().await;
    fixture.sim.world().add(
        ClusterId::parse("cnew").expect("an ID"),
        Region::parse("cn-hangzhou").expect("a region"),
        "new",
    );
    while fixture.lists_read() < 4 {
        sleep(Duration::from_secs(1)).await;
    }
    fixture
        .reload(&yaml("a", &format!("{}{MORE}", FOUND.replace("5m", "1m"))))
        .await;
    sleep(Duration::from_secs(20)).await;
    let known = fixture
        .running()
        .collector
        .clusters()
        .expect("the clusters are known");
    assert!(known.iter().any(|cluster| cluster.id.as_str() == "cnew"));
}

#[tokio::test(start_paused = true)]
async fn a_kept_list_is_filtered_anew() {
    let fixture = Fixture::new(still(), FOUND);
    let all = fixture.scrape().await;
    let named = all.clusters[0].cluster.clone();
    let region = named.region.as_ref().expect("a region");
    let mine = format!(
        "\nclusters: [{{id: {}, region: {region}, labels: {{team: payments}}}}]",
        named.id
    );
    fixture.reload(&yaml("a", &format!("{FOUND}{mine}"))).await;
    let snapshot = fixture.scrape().await;
    let info = &reading(&snapshot, &named.id).cluster;
    assert_eq!(
        (info.labels["team"].as_str(), &info.version, &info.name),
        ("payments", &named.version, &named.name)
    );
    fixture.reload(&yaml("a", FOUND)).await;
    let snapshot = fixture.scrape().await;
    assert_eq!(
        (
            snapshot.clusters.len(),
            reading(&snapshot, &named.id).cluster.labels.len()
        ),
        (12, 0),
        "no longer named, it is found"
    );
    fixture
        .reload(&yaml(
            "a",
            &FOUND.replace(
                "refresh_interval: 5m",
                &format!("match: {{name: {}}}", named.name),
            ),
        ))
        .await;
    assert_eq!(fixture.scrape().await.clusters.len(), 1);
    fixture
        .reload(&yaml(
            "a",
            "source: upgrade_status\ndiscovery: {regions: [cn-shanghai]}",
        ))
        .await;
    let snapshot = fixture.scrape().await;
    assert!(snapshot.clusters.iter().all(|reading| {
        reading
            .cluster
            .region
            .as_ref()
            .is_some_and(|region| region.as_str() == "cn-shanghai")
    }));
    assert_eq!(
        fixture.lists_read(),
        3,
        "and nobody was asked for any of it"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reload_keeps_the_source_in_use() {
    let fixture = Fixture::new(
        Options {
            retired: Some(RetiredResponse::InvalidAction),
            ..still()
        },
        &FOUND.replace("source: upgrade_status\n", ""),
    );
    assert_eq!(tally(&fixture.scrape().await)["up"], 12);
    let asked = fixture.sim.count(Action::GetUpgradeStatus);
    fixture
        .reload(&yaml(
            "a",
            &FOUND.replace("upgrade_status", "auto").replace("5m", "6m"),
        ))
        .await;
    let snapshot = fixture.scrape().await;
    assert_eq!(tally(&snapshot)["up"], 12);
    assert_eq!(
        fixture.sim.count(Action::GetUpgradeStatus),
        asked,
        "nobody asks for what is gone again"
    );
    assert!(
        snapshot.accounts[0]
            .sources
            .iter()
            .all(|(_, source)| *source == "tasks")
    );
}

#[tokio::test(start_paused = true)]
async fn the_results_of_a_cluster_survive_any_change_of_its_account() {
    let fixture = Fixture::new(still(), FOUND);
    let first = fixture.scrape().await;
    let id = first.clusters[3].cluster.id.clone();
    advance(Duration::from_secs(60)).await;
    fixture
        .reload(&yaml("a", &format!("{FOUND}\nsignature: roa")))
        .await;
    assert_eq!(
        fixture.running().collector.latest(),
        Some(Arc::clone(&first)),
        "the page is not empty until the next scrape"
    );
    let second = fixture.scrape().await;
    assert_eq!(reading(&second, &id).since, reading(&first, &id).since);
    assert!(reading(&second, &id).since.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_scrape_in_progress_keeps_its_configuration() {
    let fixture = Fixture::new(
        Options {
            latency: Duration::from_secs(2),
            ..still()
        },
        FOUND,
    );
    let running = fixture.running();
    let scrape = running
        .collector
        .collect(Instant::now() + Duration::from_secs(9));
    let reload = async {
        sleep(Duration::from_secs(3)).await;
        fixture
            .reload(&yaml("a", &FOUND.replace("cn-hangzhou, ", "")))
            .await;
        fixture.scrape().await
    };
    let (before, after) = tokio::join!(scrape, reload);
    assert_eq!((tally(&before)["up"], before.clusters.len()), (12, 12));
    assert!(after.clusters.len() < 12);
}

#[tokio::test(start_paused = true)]
async fn a_bad_file_changes_nothing() {
    let fixture = Fixture::new(still(), FOUND);
    fixture.scrape().await;
    let before = fixture.running();
    for bad in [
        "",
        "accounts: [",
        "accounts: []",
        &yaml("a", "source: gossip"),
        &yaml("a", ""),
    ] {
        std::fs::write(fixture.path(), bad).expect("writes the configuration");
        assert!(fixture.service.reload().await.is_err(), "{bad}");
        assert!(Arc::ptr_eq(&before, &fixture.running()), "{bad}");
    }
    std::fs::remove_file(fixture.path()).expect("removes the configuration");
    assert!(fixture.service.reload().await.is_err());
    assert_eq!(tally(&fixture.scrape().await)["up"], 12);
}

#[tokio::test(start_paused = true)]
async fn polling_reports_a_bad_file_once() {
    let fixture = Fixture::new(still(), FOUND);
    let look_twice = async || {
        let looking = fixture.service.keep_current(Duration::from_secs(10));
        timeout(Duration::from_secs(25), looking)
            .await
            .expect_err("it looks for ever");
    };
    assert!(fixture.is_successful());
    std::fs::write(fixture.path(), "accounts: [").expect("writes the configuration");
    look_twice().await;
    assert!(!fixture.is_successful());
    // A second complaint would take this back.
    fixture.own.reload_succeeded(Timestamp::UNIX_EPOCH);
    look_twice().await;
    assert!(fixture.is_successful());
    std::fs::write(fixture.path(), "accounts: []").expect("writes the configuration");
    look_twice().await;
    assert!(!fixture.is_successful(), "another mistake is news");
}

#[tokio::test(start_paused = true)]
async fn results_survive_a_reload_until_the_lists_no_longer_have_the_cluster() {
    let discovery =
        "discovery: {regions: [cn-hangzhou, cn-shanghai, ap-southeast-1], refresh_interval: 1m}";
    let fixture = Fixture::new(
        Options {
            upgrading: UpgradingClusters::First(0),
            ..options(12)
        },
        discovery,
    );
    let world = fixture.sim.world();
    let (gone, stays) = (world.clusters()[0].clone(), world.clusters()[1].clone());
    let region = world.region(&gone).expect("a region");
    world.set_phase(&gone, Phase::NotStarted, None);
    fixture.scrape().await;
    sleep(Duration::from_secs(1)).await;
    let reloaded = world.now();
    world.remove(&gone);
    // Asked in another way, so that no list is kept.
    fixture
        .reload(&yaml("a", &format!("{discovery}\nmax_concurrency: 3")))
        .await;
    sleep(Duration::from_secs(5)).await;
    let snapshot = fixture.scrape().await;
    assert_eq!(snapshot.clusters.len(), 11);
    assert!(
        reading(&snapshot, &stays).since < Some(reloaded),
        "what is still there is still known"
    );
    world.add(gone.clone(), region, "again");
    sleep(Duration::from_secs(90)).await;
    let snapshot = fixture.scrape().await;
    assert!(
        reading(&snapshot, &gone).since > Some(reloaded),
        "and what has come back is new"
    );
}

/// A PEM file with `text` in place of a certificate, which these tests do not decode.
fn pem(text: &str) -> String {
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        BASE64_STANDARD.encode(text)
    )
}

#[tokio::test(start_paused = true)]
async fn authorities_that_change_during_a_reload_are_read_again() {
    let fixture = Fixture::new(options(1), MORE);
    let authorities = || {
        fixture.running().config.accounts[0]
            .access()
            .connections
            .authorities
            .iter()
            .map(|der| der.to_vec())
            .collect::<Vec<_>>()
    };
    let (ca, next) = (
        fixture.folder.path().join("ca.crt"),
        fixture.folder.path().join("next.crt"),
    );
    std::fs::write(&next, pem("new")).expect("written");
    assert!(
        std::process::Command::new("mkfifo")
            .args(["-m", "700"])
            .arg(&ca)
            .status()
            .expect("a program")
            .success(),
        "a pipe with a name"
    );
    let swap = std::thread::spawn({
        let ca = ca.clone();
        move || {
            // There is somebody who reads the old one once it is open, and nobody else will.
            let mut old = std::fs::File::options()
                .write(true)
                .open(&ca)
                .expect("it is being read");
            std::fs::rename(next, ca).expect("swapped");
            old.write_all(pem("old").as_bytes()).expect("written");
        }
    });
    fixture
        .reload(&yaml("a", &format!("ca_file: ca.crt{MORE}")))
        .await;
    swap.join().expect("swapped");
    assert_eq!(authorities(), [b"old"]);
    let polling = fixture.service.keep_current(Duration::from_secs(1));
    assert!(
        timeout(Duration::from_secs(3), polling).await.is_err(),
        "it goes on"
    );
    assert_eq!(authorities(), [b"new"]);
}

#[tokio::test(start_paused = true)]
async fn polling_watches_the_authorities_of_a_rejected_file() {
    let fixture = Fixture::new(options(1), MORE);
    let before = fixture.running();
    let ca = fixture.folder.path().join("ca.crt");
    let poll = async || {
        let polling = fixture.service.keep_current(Duration::from_secs(1));
        timeout(Duration::from_secs(3), polling)
            .await
            .expect_err("it goes on");
    };
    std::fs::write(fixture.path(), yaml("a", &format!("ca_file: ca.crt{MORE}")))
        .expect("writes the configuration");
    poll().await;
    assert!(!fixture.is_successful(), "there is no such file");
    std::fs::write(&ca, "not yet").expect("written");
    poll().await;
    assert!(
        !fixture.is_successful() && Arc::ptr_eq(&before, &fixture.running()),
        "it is none"
    );
    std::fs::write(&ca, pem("good")).expect("written");
    poll().await;
    assert!(fixture.is_successful());
    assert_eq!(
        fixture.running().config.accounts[0]
            .access()
            .connections
            .authorities,
        [b"good".to_vec().into()]
    );
}

#[tokio::test(start_paused = true)]
async fn reverting_a_bad_file_keeps_the_active_configuration() {
    let fixture = Fixture::new(options(1), MORE);
    let (good, before) = (
        std::fs::read_to_string(fixture.path()).expect("it is there"),
        fixture.running(),
    );
    std::fs::write(
        fixture.path(),
        yaml("a", &format!("ca_file: absent.crt{MORE}")),
    )
    .expect("writes the configuration");
    fixture
        .service
        .reload()
        .await
        .expect_err("the file is missing");
    std::fs::write(fixture.path(), good).expect("writes the configuration");
    fixture.service.reload().await.expect("it is good again");
    assert!(fixture.is_successful() && Arc::ptr_eq(&before, &fixture.running()));
}

#[tokio::test(start_paused = true)]
async fn concurrent_and_cancelled_reloads_activate_the_newest_file() {
    let fixture = Fixture::new(options(1), MORE);
    let mut running = fixture.service.running();
    running.mark_unchanged();
    std::fs::remove_file(fixture.path()).expect("removed");
    assert!(
        std::process::Command::new("mkfifo")
            .args(["-m", "700"])
            .arg(fixture.path())
            .status()
            .expect("a program")
            .success(),
        "a pipe with a name"
    );
    for _ in 0..600 {
        assert!(
            fixture.service.reload().now_or_never().is_none(),
            "it hangs"
        );
        // tokio lets a task take so many locks in a row.
        tokio::task::yield_now().await;
    }
    let (say, hear) = std::sync::mpsc::channel();
    tokio::task::spawn_blocking(move || say.send(()));
    let is_room = hear.recv_timeout(Duration::from_secs(10)).is_ok();
    let mut pipe = std::fs::File::options()
        .write(true)
        .open(fixture.path())
        .expect("it is being read");
    // Whoever asks now wants what is there now, not what the reading before has found.
    std::fs::remove_file(fixture.path()).expect("removed");
    std::fs::write(fixture.path(), yaml("c", MORE)).expect("writes the configuration");
    let mut next = std::pin::pin!(fixture.service.reload());
    assert!(
        next.as_mut().now_or_never().is_none(),
        "it waits for its turn"
    );
    pipe.write_all(yaml("b", MORE).as_bytes()).expect("written");
    drop(pipe);
    assert!(is_room, "there is a thread left");
    let name = |running: &ActiveConfig| running.config.accounts[0].name.to_string();
    running.changed().await.expect("the service runs");
    assert_eq!(
        name(&running.borrow_and_update()),
        "b",
        "though nobody has waited for it"
    );
    next.await.expect("a good file");
    assert_eq!(name(&fixture.running()), "c");
}

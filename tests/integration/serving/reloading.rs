//! Reloads of a running server: over HTTP and by polling.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::server::{Served, Setup};
use crate::client::{fetch, get, send};
use crate::exposition::{Dialect, Exposition};

async fn reload(served: &Served, method: &str) -> (u16, String) {
    let response = send(
        served.address,
        get("/-/reload", "").replacen("GET", method, 1),
    )
    .await
    .expect("a response");
    (response.status, response.text())
}

async fn page(served: &Served) -> Exposition {
    Exposition::read(&fetch(served.address, "/metrics").await.body, Dialect::Text)
        .expect("a legal page")
}

async fn value(served: &Served, name: &str) -> f64 {
    page(served)
        .await
        .samples(name)
        .next()
        .unwrap_or_else(|| panic!("{name} is there"))
        .value
}

async fn clusters(served: &Served) -> usize {
    page(served).await.samples("cs_up").count()
}

/// The configuration without its last cluster.
fn shorter(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[..lines.len() - 1].join("\n") + "\n"
}

const SUCCESSFUL: &str = "cs_exporter_config_last_reload_successful";
const SUCCESS_TIME: &str = "cs_exporter_config_last_reload_success_timestamp_seconds";

#[tokio::test]
#[expect(clippy::float_cmp, reason = "0 or 1 to the bit")]
async fn post_and_put_reload_and_return_the_result() {
    let served = Setup::default().serve();
    let good = served.read("exporter.yml");
    assert_eq!(clusters(&served).await, 6);
    served.write("exporter.yml", &shorter(&good));
    assert_eq!(
        reload(&served, "POST").await,
        (200, "reloaded\n".to_owned())
    );
    assert_eq!(
        (clusters(&served).await, value(&served, SUCCESSFUL).await),
        (5, 1.0)
    );
    let succeeded_at = value(&served, SUCCESS_TIME).await;

    served.write(
        "exporter.yml",
        &good
            .replace("accounts:", "account:")
            .replace("name: test", "name: [test]"),
    );
    let (status, said) = reload(&served, "PUT").await;
    assert_eq!(status, 500);
    assert!(
        said.contains("account: unknown key") && said.contains("accounts: "),
        "every mistake: {said}"
    );
    assert!(!said.contains("Secret0"), "and no secret: {said}");
    assert_eq!(
        (clusters(&served).await, value(&served, SUCCESSFUL).await),
        (5, 0.0)
    );
    assert_eq!(value(&served, SUCCESS_TIME).await, succeeded_at);

    std::fs::remove_file(served.path("exporter.yml")).expect("removed");
    assert_eq!(reload(&served, "POST").await.0, 500);
    served.write("exporter.yml", &good);
    assert_eq!(reload(&served, "POST").await.0, 200);
    assert_eq!(
        (clusters(&served).await, value(&served, SUCCESSFUL).await),
        (6, 1.0)
    );
}

#[tokio::test]
async fn a_reload_takes_the_good_file_and_reports_the_bad_one() {
    let served = Setup {
        web: Some("http_server_config: {headers: {X-Frame-Options: deny}}"),
        ..Setup::default()
    }
    .serve();
    let good = served.read("exporter.yml");
    served.write("exporter.yml", &shorter(&good));
    served.write("web.yml", "basic_auth_users: {alice: not-a-hash}");
    let (status, said) = reload(&served, "POST").await;
    assert_eq!(status, 500);
    assert!(
        said.contains("web configuration: ") && !said.contains("\nconfiguration: "),
        "{said}"
    );
    assert_eq!(
        clusters(&served).await,
        5,
        "nobody is locked out, and the clusters are new"
    );
    assert_eq!(
        fetch(served.address, "/").await.header("x-frame-options"),
        "deny"
    );
}

/// Updates a mounted `ConfigMap` like the kubelet: the files stay links, and the folder behind them
/// is replaced.
fn swap(mount: &Path, version: &str, content: &str) {
    let folder = mount.join(format!("..{version}"));
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("exporter.yml"), content).expect("written");
    symlink(format!("..{version}"), mount.join("..data_tmp")).expect("a link");
    std::fs::rename(mount.join("..data_tmp"), mount.join("..data")).expect("swapped");
}

#[tokio::test]
#[expect(clippy::float_cmp, reason = "0 or 1 to the bit")]
async fn polling_detects_an_update_of_a_mounted_config_map() {
    let served = Setup::default().serve();
    let good = served.read("exporter.yml");
    let mount = served.path("").join("mount");
    std::fs::create_dir(&mount).expect("a folder");
    swap(&mount, "2026_01", &good);
    std::fs::remove_file(served.path("exporter.yml")).expect("removed");
    symlink("mount/..data/exporter.yml", served.path("exporter.yml")).expect("a link");
    let service = Arc::clone(&served.service);
    let polling =
        tokio::spawn(async move { service.keep_current(Duration::from_millis(20)).await });
    let reloaded = |wanted: usize| {
        let mut running = served.service.running();
        async move {
            let reloaded = running
                .wait_for(|running| running.config.accounts[0].clusters.len() == wanted)
                .await
                .map(drop);
            reloaded.expect("the service runs");
        }
    };
    swap(&mount, "2026_02", &shorter(&good));
    tokio::time::timeout(Duration::from_secs(30), reloaded(5))
        .await
        .expect("the swap is seen");
    swap(&mount, "2026_03", "accounts: [half a fi");
    while value(&served, SUCCESSFUL).await != 0.0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(clusters(&served).await, 5, "the old one stays");
    swap(&mount, "2026_04", &good);
    tokio::time::timeout(Duration::from_secs(30), reloaded(6))
        .await
        .expect("the mended file is seen");
    // The new configuration is active a moment before the log line.
    while value(&served, SUCCESSFUL).await != 1.0 {
        tokio::task::yield_now().await;
    }
    polling.abort();
}

#[tokio::test]
async fn frequent_reloads_of_good_and_bad_files_cost_no_scrape() {
    let served = Setup {
        world: crate::fleet::options(40),
        ..Setup::default()
    }
    .serve();
    let good = served.read("exporter.yml");
    let scrapes = async {
        let mut scrapes = 0;
        while scrapes < 100 {
            let up = page(&served).await;
            assert!(
                up.samples("cs_up").count() >= 39
                    && up.samples("cs_up").all(|sample| sample.value > 0.5)
            );
            scrapes += 1;
        }
    };
    let storm = async {
        for number in 0..100 {
            let is_good = number % 2 == 0;
            let text = match number % 4 {
                0 => good.clone(),
                2 => shorter(&good),
                _ => format!("{good}oops: {number}"),
            };
            served.write("exporter.yml", &text);
            assert_eq!(
                reload(&served, "POST").await.0,
                if is_good { 200 } else { 500 }
            );
        }
    };
    tokio::join!(scrapes, storm);
}

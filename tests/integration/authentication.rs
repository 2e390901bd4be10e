//! Each type of credentials with STS, the metadata service and the credentials URI of the
//! simulator, while keys expire.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ack_client::HttpTransport;
use ack_client::clock::Clock;
use ack_client::credentials::Context;
use ack_client::lookup::Lookup;
use ack_client::proxy::Proxies;
use ack_client::trust;
use ack_simulator::{Action, KeyPair, MetadataVersions, Options, Simulator};
use ack_upgrade_exporter::USER_AGENT;
use ack_upgrade_exporter::collect::{Collector, Dependencies, ScrapeMetrics};
use ack_upgrade_exporter::config::Config;
use ack_upgrade_exporter::metrics::ExporterMetrics;
use ack_upgrade_exporter::shard::Shard;
use exporter_toolkit::process::ProcessMetrics;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::Barrier;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::fleet::tally;

const ROLE: &str = "acs:ram::1000000000000001:role/ack-upgrade-exporter";

async fn served() -> (Arc<Simulator>, SocketAddr) {
    let sim = Arc::new(Simulator::new(Options {
        clusters: 6,
        start: Timestamp::now(),
        ..Options::default()
    }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(Arc::clone(&sim).serve(listener, CancellationToken::new()));
    (sim, address)
}

fn collector(
    sim: &Simulator,
    address: SocketAddr,
    credentials: &str,
    folder: &Path,
) -> Arc<Collector> {
    let mut yaml = format!(
        "accounts:\n  - name: a\n    endpoint: http://{address}\n    \
         credentials: {credentials}\n    clusters:\n"
    );
    for id in sim.world().clusters() {
        writeln!(yaml, "      - {{id: {id}}}").expect("a String takes every write");
    }
    let config =
        Config::parse(&yaml, folder).unwrap_or_else(|problems| panic!("{problems}\n{yaml}"));
    let tls = trust::client_config(&[]);
    let dependencies = Dependencies {
        clock: Clock::System,
        transports: Arc::new(HttpTransport::new(tls.clone(), Lookup::system())),
        shard: Shard::default(),
        credentials: Context::system(&tls, &Lookup::system(), &Proxies::default(), USER_AGENT)
            .expect("a client"),
        metrics: Arc::new(ExporterMetrics::new(ProcessMetrics::Hidden)) as Arc<dyn ScrapeMetrics>,
    };
    Collector::new(&config, &dependencies)
}

/// Scrapes six times; half-way all temporary keys are taken away, once for all kinds. No cluster is
/// ever lost.
async fn scrapes_without_a_loss(
    sim: &Simulator,
    together: &Barrier,
    collector: &Arc<Collector>,
    what: &str,
) {
    for scrape in 0..6 {
        if scrape == 3 {
            together.wait().await;
            // Credentials are not renewed within the first few seconds.
            tokio::time::sleep(Duration::from_millis(5200)).await;
            if together.wait().await.is_leader() {
                sim.expire_temporary_keys();
            }
            together.wait().await;
        }
        let snapshot = collector
            .collect(Instant::now() + Duration::from_secs(8))
            .await;
        assert_eq!(
            tally(&snapshot).get("up"),
            Some(&6),
            "{what}, scrape {scrape}: {:?}",
            snapshot.clusters[0].outcome
        );
    }
}

#[tokio::test]
async fn every_type_of_credentials_works_and_renews_expired_keys() {
    let (sim, address) = served().await;
    let folder = tempfile::tempdir().expect("a folder");
    let pair = KeyPair::demo();
    let (id, secret) = (pair.access_key_id, pair.access_key_secret);
    std::fs::write(folder.path().join("secret"), secret.expose()).expect("writes the secret");
    let mut token = String::new();
    sim.change_identities(|identities| token.clone_from(&identities.oidc_token));
    std::fs::write(folder.path().join("token"), token).expect("writes the token");
    let kinds = [
        (
            "access_key",
            format!("{{type: access_key, access_key_id: {id}, access_key_secret_file: secret}}"),
        ),
        (
            "ram_role_arn",
            format!(
                "{{type: ram_role_arn, role_arn: '{ROLE}', sts_endpoint: 'http://{address}', \
                    access_key_id: {id}, access_key_secret_file: secret}}"
            ),
        ),
        (
            "oidc_role_arn",
            format!(
                "{{type: oidc_role_arn, role_arn: '{ROLE}', oidc_provider_arn: \
                 'acs:ram::1000000000000001:oidc-provider/ack-rrsa-c1', \
                 oidc_token_file: token, sts_endpoint: 'http://{address}'}}"
            ),
        ),
        (
            "ecs_ram_role",
            format!("{{type: ecs_ram_role, metadata_endpoint: 'http://{address}'}}"),
        ),
        (
            "credentials_uri",
            format!("{{type: credentials_uri, uri: 'http://{address}/credentials'}}"),
        ),
    ];
    // Together, so that the pause is one.
    let together = Arc::new(Barrier::new(kinds.len()));
    let mut running = tokio::task::JoinSet::new();
    for (what, credentials) in kinds {
        let collector = collector(&sim, address, &credentials, folder.path());
        let (sim, together) = (Arc::clone(&sim), Arc::clone(&together));
        running
            .spawn(async move { scrapes_without_a_loss(&sim, &together, &collector, what).await });
    }
    while let Some(ended) = running.join_next().await {
        ended.expect("no cluster is lost");
    }
    assert!(
        sim.count(Action::GetUpgradeStatus) > 5 * 6 * 6,
        "refused calls were made again"
    );
}

#[tokio::test]
async fn an_old_metadata_service_is_read_without_a_session_token() {
    let (sim, address) = served().await;
    sim.change_identities(|identities| identities.metadata = MetadataVersions::OnlyV1);
    let folder = tempfile::tempdir().expect("a folder");
    let kind = format!("{{type: ecs_ram_role, metadata_endpoint: 'http://{address}'}}");
    let snapshot = collector(&sim, address, &kind, folder.path())
        .collect(Instant::now() + Duration::from_secs(8))
        .await;
    assert_eq!(tally(&snapshot).get("up"), Some(&6));
    assert_eq!(
        snapshot.accounts[0].provider.as_deref(),
        Some("ecs_ram_role")
    );
    assert!(snapshot.accounts[0].credentials_expiry.is_some());
}

#[tokio::test]
async fn a_role_that_may_not_be_assumed_is_an_auth_failure_with_its_name() {
    let (sim, address) = served().await;
    let folder = tempfile::tempdir().expect("a folder");
    let pair = KeyPair::demo();
    std::fs::write(
        folder.path().join("secret"),
        pair.access_key_secret.expose(),
    )
    .expect("writes the secret");
    let kind = format!(
        "{{type: ram_role_arn, role_arn: 'acs:ram::1000000000000001:role/other', sts_endpoint: \
            'http://{address}', access_key_id: {}, access_key_secret_file: secret}}",
        pair.access_key_id
    );
    let snapshot = collector(&sim, address, &kind, folder.path())
        .collect(Instant::now() + Duration::from_secs(8))
        .await;
    assert_eq!(tally(&snapshot).get("auth"), Some(&6));
    let said = format!("{:?}", snapshot.clusters[0].outcome);
    assert!(
        said.contains("ram_role_arn") && !said.contains(pair.access_key_secret.expose()),
        "{said}"
    );
}

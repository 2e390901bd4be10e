//! Failures outside the cluster API: STS, the metadata service, files, host names, proxies, the
//! clock.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::credentials::{Context, Http, HttpError, Route};
use ack_client::lookup::Lookup;
use ack_client::proxy::Proxies;
use ack_client::trust;
use ack_client::{HttpTransport, Network, Transport as _, TransportError};
use ack_simulator::{Action, Fault, InProcess, KeyPair, RepeatIn, Rule, Simulator};
use ack_upgrade_exporter::USER_AGENT;
use ack_upgrade_exporter::collect::Dependencies;
use ack_upgrade_exporter::metrics::ExporterMetrics;
use ack_upgrade_exporter::reload::{ConfigManager, ConfigSource};
use ack_upgrade_exporter::snapshot::Snapshot;
use bytes::Bytes;
use exporter_toolkit::process::ProcessMetrics;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use rustls::ClientConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::fault_matrix::{self, faults};
use crate::fleet::{Fleet, UNLIMITED, dependencies, options, start, tally, word, yaml};

const ROLE: &str = "acs:ram::1000000000000001:role/ack-upgrade-exporter";
const OIDC_TOKEN: &str = "MARKED+oidc/token==";
const GOOD: &str = "running/upgrading";

/// STS and the metadata service of a simulator, without a socket.
#[derive(Debug)]
struct Identity(InProcess);

impl Http for Identity {
    fn send(
        &self,
        route: Route,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>> {
        Box::pin(async move {
            // The timeout of the real transport.
            let limit = if route == Route::Metadata {
                Duration::from_secs(1)
            } else {
                Duration::from_secs(10)
            };
            match timeout(limit, self.0.send(request)).await {
                Err(_) => Err(HttpError::Timeout),
                Ok(Ok(response)) => Ok(response),
                Ok(Err(TransportError::TooLarge)) => Err(HttpError::TooLarge),
                Ok(Err(error)) => Err(HttpError::Broken(error.to_string())),
            }
        })
    }
}

fn simulated() -> Arc<Simulator> {
    let sim = Arc::new(Simulator::new(options(2)));
    fault_matrix::upgrading(&sim);
    sim.change_identities(|identities| OIDC_TOKEN.clone_into(&mut identities.oidc_token));
    sim
}

/// A fleet that gets its keys from the same simulator by `credentials`. Paths start at `folder`.
fn logging_in(sim: &Arc<Simulator>, credentials: &str, folder: &Path, clock: Clock) -> Fleet {
    let context = Context {
        http: Arc::new(Identity(InProcess(Arc::clone(sim)))),
        ..Context::offline(clock)
    };
    logging_in_through(sim, credentials, folder, context)
}

/// The same with the keys of another context.
fn logging_in_through(
    sim: &Arc<Simulator>,
    credentials: &str,
    folder: &Path,
    context: Context,
) -> Fleet {
    let keyed = yaml(
        sim,
        "http://simulator.example",
        &format!("source: upgrade_status\n{UNLIMITED}"),
        "",
    );
    let (begin, rest) = keyed
        .split_once("    credentials:")
        .expect("there are credentials");
    let text = format!(
        "{begin}    credentials: {credentials}\n{}",
        rest.split_once('\n').expect("another line").1
    );
    Fleet::surrounded(
        Arc::clone(sim),
        &text.replace("FOLDER", &folder.display().to_string()),
        context,
    )
}

/// The credentials servers, the calls that can fail, and the timeout of each.
const SERVERS: [(&str, &[Action]); 4] = [
    (
        "{type: ram_role_arn, role_arn: 'ROLE', sts_endpoint: 'http://sts.example', \
            access_key_id: ID, access_key_secret: SECRET}",
        &[Action::AssumeRole],
    ),
    (
        "{type: oidc_role_arn, role_arn: 'ROLE', oidc_provider_arn: \
         'acs:ram::1000000000000001:oidc-provider/ack-rrsa-c1', \
         oidc_token_file: 'FOLDER/token', sts_endpoint: 'http://sts.example'}",
        &[Action::AssumeRoleWithOidc],
    ),
    (
        "{type: ecs_ram_role, metadata_endpoint: 'http://100.100.100.200'}",
        &[
            Action::MetadataToken,
            Action::MetadataRole,
            Action::MetadataCredentials,
        ],
    ),
    (
        "{type: credentials_uri, uri: 'http://uri.example/credentials'}",
        &[Action::CredentialsUri],
    ),
];

fn filled_in(credentials: &str) -> String {
    let pair = KeyPair::demo();
    credentials
        .replace("ROLE", ROLE)
        .replace(": ID", &format!(": {}", pair.access_key_id))
        .replace(
            ": SECRET",
            &format!(": {}", pair.access_key_secret.expose()),
        )
}

/// The expected outcome of the clusters while `fault` is injected into `action`.
fn expected(action: Action, fault: &Fault) -> &'static [&'static str] {
    let is_plain_text = matches!(action, Action::MetadataToken | Action::MetadataRole);
    match fault {
        // Without a session token the older protocol is used. A wrong token fails at its first use.
        _ if action == Action::MetadataToken => &[GOOD, "auth"],
        Fault::Slow(time) if *time < Duration::from_secs(1) => &[GOOD],
        // These faults do not change the responses.
        Fault::XmlResponse | Fault::UnknownValues | Fault::Repeat(RepeatIn::Response) => &[GOOD],
        Fault::WrongTypes if is_plain_text => &[GOOD],
        Fault::Drip(_) if is_plain_text => &["auth"],
        Fault::Hang | Fault::Slow(_) | Fault::Drip(_)
            if !action.as_str().starts_with("Metadata") =>
        {
            &["timeout"]
        }
        _ => &["auth"],
    }
}

fn assert_shown(snapshot: &Arc<Snapshot>, expected: &[&str], what: &str) {
    for reading in &snapshot.clusters {
        let shown = word(reading);
        assert!(
            expected.contains(&shown.as_str()),
            "{what}: {shown} and not {expected:?}; {:?}",
            reading.outcome
        );
    }
    let seen = format!("{snapshot:?}");
    for secret in [
        KeyPair::demo().access_key_secret.expose(),
        OIDC_TOKEN,
        "MARKED%2Boidc%2Ftoken",
    ] {
        assert!(!seen.contains(secret), "{what} shows {secret}: {seen}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_fault_of_a_credentials_server_has_a_reason_in_time_and_the_next_scrape_recovers() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("token"), OIDC_TOKEN).expect("writes the token");
    for (credentials, actions) in SERVERS {
        for action in actions {
            for (fault, _) in faults() {
                let what = format!("{fault:?} of {}", action.as_str());
                let sim = simulated();
                let clock = Clock::simulated(start());
                let fleet = logging_in(&sim, &filled_in(credentials), folder.path(), clock);
                sim.add_fault(Rule::new(fault.clone()).on(*action));
                let began = Instant::now();
                let snapshot = fleet.scrape_in_time().await;
                assert!(
                    began.elapsed() <= Duration::from_millis(9501),
                    "{what}: {:?}",
                    began.elapsed()
                );
                assert_shown(&snapshot, expected(*action, &fault), &what);
                fleet.page(&snapshot);
                sim.clear_faults();
                // The pause between two calls of a credentials server is five seconds.
                sleep(Duration::from_secs(15)).await;
                assert_shown(
                    &fleet.scrape_in_time().await,
                    &[GOOD],
                    &format!("after {what}"),
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn refused_temporary_keys_are_renewed_before_they_expire() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("token"), OIDC_TOKEN).expect("writes the token");
    for (credentials, _) in SERVERS {
        let sim = simulated();
        let fleet = logging_in(
            &sim,
            &filled_in(credentials),
            folder.path(),
            Clock::simulated(start()),
        );
        assert_shown(&fleet.scrape_in_time().await, &[GOOD], credentials);
        sleep(Duration::from_secs(15)).await;
        sim.change_tokens();
        // The refused call is repeated at once, as with an expired token.
        assert_shown(
            &fleet.scrape_in_time().await,
            &[GOOD],
            &format!("{credentials} with tokens that do not fit"),
        );
        sleep(Duration::from_secs(15)).await;
        sim.revoke_temporary_keys();
        // Calls after the refusal wait for the new key.
        assert_shown(
            &fleet.scrape_in_time().await,
            &[GOOD, "auth"],
            &format!("{credentials} without keys"),
        );
        assert_shown(
            &fleet.scrape_in_time().await,
            &[GOOD],
            &format!("{credentials} after the first refusal"),
        );
    }
}

thread_local! {
    /// The instant at which the clock shows [`start`], and the minutes that it is ahead.
    static JUMPING_CLOCK: Cell<(Instant, i64)> = Cell::new((Instant::now(), 0));
}

/// A clock that runs with tokio's clock, and can be set as the system's can.
fn jumping_clock() -> Timestamp {
    let (origin, ahead) = JUMPING_CLOCK.get();
    start() + origin.elapsed() + SignedDuration::from_mins(ahead)
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_is_reported_and_correcting_it_recovers() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("token"), OIDC_TOKEN).expect("writes the token");
    let key = "{type: access_key, access_key_id: ID, access_key_secret: SECRET}";
    for credentials in SERVERS
        .iter()
        .map(|(credentials, _)| *credentials)
        .chain([key])
    {
        for (ahead, expected) in [
            (5, GOOD),
            (-5, GOOD),
            (60, "auth"),
            (-60, "auth"),
            (48 * 60, "auth"),
            (-48 * 60, "auth"),
            (-60 * 365 * 24 * 60, "auth"),
        ] {
            let what = format!("{ahead} min ahead with {credentials}");
            let sim = simulated();
            let origin = Instant::now();
            JUMPING_CLOCK.set((origin, 0));
            let clock = Clock::Function(jumping_clock);
            let fleet = logging_in(&sim, &filled_in(credentials), folder.path(), clock);
            assert_shown(&fleet.scrape_in_time().await, &[GOOD], &what);
            JUMPING_CLOCK.set((origin, ahead));
            for _ in 0..2 {
                sleep(Duration::from_secs(15)).await;
                let snapshot = fleet.scrape_in_time().await;
                assert_shown(&snapshot, &[expected], &what);
                fleet.page(&snapshot);
                let said = format!("{:?}", snapshot.clusters[0].outcome).to_lowercase();
                assert!(
                    expected == GOOD || said.contains("clock") || said.contains("expired"),
                    "{what}: {said}"
                );
            }
            JUMPING_CLOCK.set((origin, 0));
            sleep(Duration::from_secs(15)).await;
            assert_shown(
                &fleet.scrape_in_time().await,
                &[GOOD],
                &format!("after {what}"),
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unusable_secret_file_keeps_the_old_credentials_and_a_restored_one_recovers() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    let key = KeyPair::demo().access_key_secret;
    for (credentials, secret) in [
        (
            "{type: access_key, access_key_id: ID, access_key_secret_file: FOLDER/token}",
            key.expose(),
        ),
        (SERVERS[1].0, OIDC_TOKEN),
    ] {
        // Contents without a usable secret, at the start.
        for content in [
            None,
            Some(""),
            Some("\n \n"),
            Some(&secret[..10]),
            Some("\u{0}\u{7}"),
            Some("two words"),
        ] {
            let what = format!("{content:?} for {credentials}");
            let sim = simulated();
            let fleet = logging_in(
                &sim,
                &filled_in(credentials),
                folder.path(),
                Clock::simulated(start()),
            );
            put(&file, content);
            assert_shown(&fleet.scrape_in_time().await, &["auth"], &what);
            put(&file, Some(secret));
            sleep(Duration::from_secs(15)).await;
            assert_shown(
                &fleet.scrape_in_time().await,
                &[GOOD],
                &format!("written after {what}"),
            );
            put(&file, content);
            sleep(Duration::from_secs(15)).await;
            // Content that cannot be a key is ignored. Half a key cannot be distinguished from a
            // key.
            let half = content == Some(&secret[..10]);
            assert_shown(
                &fleet.scrape_in_time().await,
                if half { &[GOOD, "auth"] } else { &[GOOD] },
                &format!("again {what}"),
            );
            put(&file, Some(secret));
            sleep(Duration::from_secs(15)).await;
            assert_shown(
                &fleet.scrape_in_time().await,
                &[GOOD],
                &format!("rewritten after {what}"),
            );
        }
    }
}

fn put(file: &Path, content: Option<&str>) {
    match content {
        Some(content) => fs::write(file, content).expect("writes the file"),
        None => drop(fs::remove_file(file)),
    }
}

/// A name that is no host name, so that no resolver is asked and the test needs no network.
pub const NO_NAME: &str = "a.name.whose.label.is.longer.than.sixty.three.characters.which.no.resolver.lets.pass.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid";

#[tokio::test]
async fn a_host_name_that_does_not_resolve_is_a_network_failure_of_one_account() {
    let sim = Arc::new(Simulator::new(options(2)));
    let fleet = Fleet::over(
        Arc::clone(&sim),
        Arc::new(HttpTransport::new(
            trust::client_config(&[]),
            Lookup::system(),
        )),
        Clock::System,
        &format!("http://{NO_NAME}"),
        fault_matrix::account("auto").as_str(),
        "",
    );
    let snapshot = fleet.scrape(Duration::from_secs(20)).await;
    assert_eq!(
        tally(&snapshot).get("network"),
        Some(&2),
        "{:?}",
        snapshot.clusters[0].outcome
    );
}

#[tokio::test]
async fn a_credentials_server_whose_name_does_not_resolve_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("token"), OIDC_TOKEN).expect("writes the token");
    let online = Context::system(
        &trust::client_config(&[]),
        &Lookup::system(),
        &Proxies::default(),
        USER_AGENT,
    )
    .expect("a client");
    for (credentials, _) in SERVERS {
        let credentials = [
            "http://sts.example",
            "http://100.100.100.200",
            "http://uri.example",
        ]
        .iter()
        .fold(filled_in(credentials), |text, server| {
            text.replace(server, &format!("http://{NO_NAME}"))
        });
        let sim = simulated();
        let fleet = logging_in_through(&sim, &credentials, folder.path(), online.clone());
        let snapshot = fleet.scrape(Duration::from_secs(20)).await;
        assert_shown(&snapshot, &["auth"], &credentials);
        let said = format!("{:?}", snapshot.clusters[0].outcome);
        assert!(said.contains("does not answer"), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_name_server_is_asked_once_for_each_name_and_named_in_every_error() {
    let trust = trust::client_config(&[]);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let lookup = {
        let asked = Arc::clone(&asked);
        Lookup::from_fn(move |host| {
            asked.lock().expect("nobody panics with it").push(host);
            Box::pin(std::future::pending())
        })
    };
    // Without and with more clusters than permits.
    for (clusters, seconds, told) in [(12, 12, 12), (40, 9, 16)] {
        for (endpoint, proxy, host) in [
            ("http://silent.invalid", "", "silent.invalid"),
            (
                "https://cs.invalid",
                "proxy: http://proxy.invalid:3128",
                "proxy.invalid",
            ),
        ] {
            let ways = Arc::new(Network::new(
                trust.clone(),
                lookup.clone(),
                Proxies::default(),
            ));
            let account = format!("{}\n{proxy}", fault_matrix::account("upgrade_status"));
            let fleet = Fleet::over(
                Arc::new(Simulator::new(options(clusters))),
                ways,
                Clock::System,
                endpoint,
                &account,
                "",
            );
            let snapshot = fleet.scrape(Duration::from_secs(seconds)).await;
            assert_eq!(
                tally(&snapshot).get("timeout"),
                Some(&clusters),
                "{:?}",
                tally(&snapshot)
            );
            let named = format!("no name server answers for {host}");
            let said: Vec<_> = snapshot
                .clusters
                .iter()
                .map(|reading| format!("{:?}", reading.outcome))
                .collect();
            assert!(
                said.iter().filter(|said| said.contains(&named)).count() >= told,
                "{said:#?}"
            );
        }
    }
    let sim = simulated();
    let online =
        Context::system(&trust, &lookup, &Proxies::default(), USER_AGENT).expect("a client");
    let fleet = logging_in_through(
        &sim,
        &filled_in(SERVERS[0].0),
        Path::new("/nonexistent"),
        online,
    );
    let snapshot = fleet.scrape_in_time().await;
    assert_shown(
        &snapshot,
        &["auth", "timeout"],
        "STS behind a silent name server",
    );
    let said = format!("{:?}", snapshot.clusters[0].outcome);
    assert!(
        said.contains("no name server answers for sts.example"),
        "{said}"
    );
    assert_eq!(
        *asked.lock().expect("nobody panics with it"),
        ["silent.invalid", "proxy.invalid", "sts.example"]
    );
}

#[tokio::test]
async fn a_reload_looks_names_up_again_even_if_the_file_has_not_changed() {
    let sim = Arc::new(Simulator::new(options(2)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(Arc::clone(&sim).serve(listener, CancellationToken::new()));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let lookup = Lookup::from_fn(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move { Ok(vec![address]) })
    });
    let own = Arc::new(ExporterMetrics::new(ProcessMetrics::Hidden));
    let dependencies = Dependencies {
        transports: Arc::new(Network::new(
            trust::client_config(&[]),
            lookup,
            Proxies::default(),
        )),
        ..dependencies(&sim, &own)
    };
    // One call at a time, so that there is one connection.
    let account = format!("source: upgrade_status\n{UNLIMITED}\nmax_concurrency: 1");
    let text = yaml(
        &sim,
        &format!("http://api.example:{}", address.port()),
        &account,
        "",
    );
    let service = Arc::new(
        ConfigManager::start(ConfigSource::Text(text), dependencies, own)
            .expect("a good configuration"),
    );
    for expected in [1, 1] {
        scrape(&service).await;
        assert_eq!(asked.load(Ordering::Relaxed), expected);
    }
    service.reload().await.expect("a good configuration");
    scrape(&service).await;
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

async fn scrape(service: &ConfigManager) {
    let running = Arc::clone(&service.running().borrow());
    let snapshot = running
        .collector
        .collect(Instant::now() + Duration::from_secs(20))
        .await;
    assert_eq!(
        tally(&snapshot).get("up"),
        Some(&2),
        "{:?}",
        snapshot.clusters[0].outcome
    );
}

/// The bytes that a broken proxy sends, and the expected outcomes with an `http` endpoint and with
/// an `https` endpoint, which needs a tunnel.
const PROXIES: [(&str, Option<&str>, [&str; 2]); 8] = [
    ("ends every connection", None, ["network", "network"]),
    ("answers nothing", Some(""), ["timeout", "timeout"]),
    (
        "speaks something else",
        Some("220 mail.example ESMTP\r\n\r\n"),
        ["network", "network"],
    ),
    (
        "speaks no end of a head",
        Some("HTTP/1.1 200 OK\r\nx: y"),
        ["timeout", "timeout"],
    ),
    (
        "has lost its upstream",
        Some(
            "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n\
             <html></html>",
        ),
        ["server", "network"],
    ),
    (
        "wants a password",
        Some("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"),
        ["other", "network"],
    ),
    (
        "blocks the way",
        Some("HTTP/1.1 403 Forbidden\r\ncontent-length: 13\r\n\r\n<html></html>"),
        ["other", "network"],
    ),
    (
        "sends elsewhere",
        Some(
            "HTTP/1.1 302 Found\r\nlocation: http://elsewhere.invalid/\r\n\
             content-length: 0\r\n\r\n",
        ),
        ["other", "network"],
    ),
];

#[tokio::test]
async fn each_failure_of_a_proxy_has_a_reason_and_hides_the_password() {
    let trust = trust::client_config(&[]);
    // All rows run at once, because most of them wait.
    let mut rows = JoinSet::new();
    for (what, says, expected) in PROXIES {
        rows.spawn(a_proxy_breaks(trust.clone(), what, says, expected));
    }
    while let Some(row) = rows.join_next().await {
        row.expect("the row holds");
    }
}

/// Runs one row with both schemes.
async fn a_proxy_breaks(
    trust: ClientConfig,
    what: &'static str,
    says: Option<&'static str>,
    expected: [&'static str; 2],
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let proxy = tokio::spawn(async move {
        let mut conversations = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let Some(says) = says else { continue };
            conversations.spawn(async move {
                let mut request = [0; 4096];
                while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                    if stream.write_all(says.as_bytes()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    for (scheme, expected) in ["http", "https"].into_iter().zip(expected) {
        let sim = Arc::new(Simulator::new(options(2)));
        let ways = Arc::new(Network::new(
            trust.clone(),
            Lookup::system(),
            Proxies::default(),
        ));
        // Not `auto`, in which the second cluster waits for the response to the first.
        let account = format!(
            "{}\nproxy: http://user:MARKED-password@{address}",
            fault_matrix::account("upgrade_status")
        );
        let fleet = Fleet::over(
            Arc::clone(&sim),
            ways,
            Clock::System,
            &format!("{scheme}://nowhere.invalid"),
            &account,
            "",
        );
        // Silent proxies use the whole budget, and the others need time on a busy machine.
        let budget = Duration::from_secs(if expected == "timeout" { 2 } else { 20 });
        let snapshot = fleet.scrape(budget).await;
        assert_eq!(
            tally(&snapshot).get(expected),
            Some(&2),
            "{scheme}, a proxy that {what}: {:?}",
            snapshot.clusters[0].outcome
        );
        assert!(
            !format!("{snapshot:?} {:?} {}", fleet.config, fleet.config.to_yaml())
                .contains("MARKED-password"),
            "{what}"
        );
    }
    proxy.abort();
}

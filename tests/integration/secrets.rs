//! Searches all output for marked secrets while everything fails: the log in both formats at its
//! lowest level, every page, and the output of every command.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use ack_client::clock::Clock;
use ack_client::{ResponseFuture, Transport};
use ack_simulator::{Action, Fault, KeyPair, Options, RepeatIn, Rule, Simulator};
use ack_upgrade_exporter::shard::Shard;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::client::{get, send};
use crate::fault_matrix;
use crate::fleet::{Fleet, ones, options, tally, yaml};
use crate::process::{Exporter, PROGRAM};

const ROLE: &str = "acs:ram::1000000000000001:role/ack-upgrade-exporter";
const PASSWORD: &str = "MARKED-password";
const WRONG_PASSWORD: &str = "MARKED-wrong-password";

/// Accounts with their `credentials`, in which `ADDRESS` is that of the simulator. Some never work.
const ACCOUNTS: [(&str, &str); 11] = [
    (
        "key",
        "credentials: {type: access_key, access_key_id: LTAI5tGood, access_key_secret: \
         MARKED-key-secret}",
    ),
    (
        "roa",
        "signature: roa\n    \
         credentials: {type: access_key, access_key_id: LTAI5tGood, access_key_secret: \
         MARKED-key-secret}",
    ),
    (
        "wrong",
        "credentials: {type: access_key, access_key_id: LTAI5tGood, access_key_secret: \
         MARKED-wrong-secret}",
    ),
    (
        "token",
        "credentials: {type: access_key, access_key_id: LTAI5tGood, access_key_secret: \
            MARKED-key-secret, security_token: MARKED+static/token==}",
    ),
    (
        "file",
        "credentials: {type: access_key, access_key_id: LTAI5tGood, access_key_secret_file: \
            secret, security_token_file: token}",
    ),
    (
        "role",
        "credentials: {type: ram_role_arn, role_arn: 'ROLE', sts_endpoint: 'http://ADDRESS', \
            access_key_id: LTAI5tGood, access_key_secret: MARKED-key-secret}",
    ),
    (
        "oidc",
        "credentials: {type: oidc_role_arn, role_arn: 'ROLE', oidc_provider_arn: \
            'acs:ram::1:oidc-provider/p', oidc_token_file: oidc, sts_endpoint: 'http://ADDRESS'}",
    ),
    (
        "machine",
        "credentials: {type: ecs_ram_role, metadata_endpoint: 'http://ADDRESS'}",
    ),
    (
        "uri",
        "credentials: {type: credentials_uri, uri: \
         'http://ADDRESS/credentials?key=MARKED-uri-key'}",
    ),
    (
        "no_uri",
        "credentials: {type: credentials_uri, uri: 'http://ADDRESS/MARKED-uri-path'}",
    ),
    (
        "proxied",
        "proxy: 'http://user:MARKED-proxy-password@127.0.0.1:1'\n    \
         credentials: {type: access_key, access_key_id: LTAI5tGood, access_key_secret: \
         MARKED-key-secret}",
    ),
];

/// The account with a valid security token. Its clusters have every fault.
const FAULTY: &str = "role";

struct Fixture {
    sim: Arc<Simulator>,
    folder: TempDir,
    config: String,
    hash: String,
}

impl Fixture {
    async fn new() -> Self {
        let clusters = fault_matrix::faults().len() + ACCOUNTS.len();
        let sim = Arc::new(Simulator::new(Options {
            clusters,
            start: Timestamp::now(),
            ..Options::default()
        }));
        sim.add_key(&KeyPair::new("LTAI5tGood", "MARKED-key-secret"));
        sim.change_identities(|identities| {
            "MARKED.oidc+token/==".clone_into(&mut identities.oidc_token);
        });
        fault_matrix::upgrading(&sim);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(Arc::clone(&sim).serve(listener, CancellationToken::new()));
        let folder = tempfile::tempdir().expect("a folder");
        let hash = bcrypt::hash(PASSWORD, 4).expect("a hash");
        for (file, content) in [
            ("secret", "MARKED-key-secret".to_owned()),
            ("token", "MARKED+static/token==".to_owned()),
            ("oidc", "MARKED.oidc+token/==".to_owned()),
            (
                "web.yaml",
                format!("basic_auth_users: {{alice: '{hash}'}}\n"),
            ),
        ] {
            fs::write(folder.path().join(file), content).expect("writes a file");
        }
        let config = config(&sim, address);
        fs::write(folder.path().join("config.yaml"), &config).expect("writes the configuration");
        Self {
            sim,
            folder,
            config,
            hash,
        }
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Panics if `text` has a secret of the test or one that the simulator has issued.
    fn assert_none(&self, text: &str, what: &str) {
        let basic = |password: &str| BASE64_STANDARD.encode(format!("alice:{password}"));
        for secret in [
            "MARKED",
            "CAISDemo",
            &self.hash,
            &basic(PASSWORD),
            &basic(WRONG_PASSWORD),
        ] {
            if let Some(at) = text.find(secret) {
                let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
                panic!(
                    "{what} shows {secret}: {}",
                    text[line..].lines().next().unwrap_or_default()
                );
            }
        }
        // The IDs of the simulator's keys begin alike, but continue with other letters.
        let issued = |rest: &str| {
            rest.len() >= 8 && rest.bytes().take(8).all(|byte| byte.is_ascii_hexdigit())
        };
        assert!(
            !text.split("DemoOnly").skip(1).any(issued),
            "{what} shows a secret that STS has issued"
        );
    }

    /// Runs a command and returns its output.
    fn command(&self, arguments: &[&str]) -> String {
        let output = Command::new(PROGRAM)
            .args(arguments)
            .args(["--log.level=debug"])
            .current_dir(self.folder.path())
            .env_clear()
            .output();
        let output = output.expect("it runs");
        format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    }
}

/// A configuration in which each account has one cluster, and the faulty one has one for each
/// fault.
fn config(sim: &Simulator, address: SocketAddr) -> String {
    let mut ids = sim.world().clusters().into_iter();
    let mut text = "scrape: {timeout: 4s}\naccounts:\n".to_owned();
    for (name, credentials) in ACCOUNTS {
        let credentials = credentials
            .replace("ADDRESS", &address.to_string())
            .replace("ROLE", ROLE);
        writeln!(
            text,
            "  - name: {name}\n    endpoint: http://{address}\n    \
                        source: upgrade_status\n    max_concurrency: 64\n    {credentials}\n    \
                        clusters:"
        )
        .expect("a String takes every write");
        let count = if name == FAULTY {
            fault_matrix::faults().len()
        } else {
            1
        };
        for (place, id) in ids.by_ref().take(count).enumerate() {
            writeln!(text, "      - {{id: {id}, name: {name}-{place}}}")
                .expect("a String takes every write");
            if name == FAULTY {
                sim.add_fault(Rule::new(fault_matrix::faults()[place].0.clone()).cluster(id));
            }
        }
    }
    text
}

/// Faults of credentials servers, one for each run, with the format of the log.
fn runs() -> Vec<(Option<Fault>, &'static str)> {
    vec![
        (None, "logfmt"),
        (Some(Fault::Repeat(RepeatIn::Error)), "logfmt"),
        (Some(Fault::Malformed), "json"),
        (Some(Fault::WrongTypes), "logfmt"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one world, every way to fail in it")]
async fn no_failure_shows_a_secret_in_logs_pages_or_commands() {
    let fixture = Arc::new(Fixture::new().await);
    let basic = |password: &str| {
        format!(
            "authorization: Basic {}\r\n",
            BASE64_STANDARD.encode(format!("alice:{password}"))
        )
    };
    for (fault, format) in runs() {
        for action in [
            Action::AssumeRole,
            Action::AssumeRoleWithOidc,
            Action::MetadataCredentials,
            Action::CredentialsUri,
        ] {
            if let Some(fault) = &fault {
                fixture.sim.add_fault(Rule::new(fault.clone()).on(action));
            }
        }
        fs::write(fixture.file("config.yaml"), &fixture.config).expect("writes the configuration");
        let web = format!("--web.config.file={}", fixture.file("web.yaml").display());
        let format = format!("--log.format={format}");
        let exporter = Exporter::confined(
            &fixture.file("config.yaml"),
            "",
            &[
                &web,
                &format,
                "--web.enable-lifecycle",
                "--log.queries",
                "--web.max-requests=0",
            ],
        );
        let address = exporter.address.parse().expect("an address");
        let page = send(address, get("/metrics", &basic(PASSWORD)))
            .await
            .expect("a page")
            .whole();
        if fault.is_none() {
            assert!(
                ones(&page, "cs_up{") >= 6,
                "some of each kind are up: {page}"
            );
        }
        assert!(
            page.contains("reason=\"auth\"") && page.contains("reason=\"network\""),
            "and some do not"
        );
        fixture.assert_none(&page, "/metrics");
        let mut pages = vec![
            "/metrics".to_owned(),
            "/config".to_owned(),
            "/".to_owned(),
            "/sd".to_owned(),
            "/api/v1/clusters".to_owned(),
        ];
        for (name, _) in ACCOUNTS {
            pages.push(format!("/probe?target={name}-0"));
            pages.push(format!("/probe?target={name}-0&debug=true"));
        }
        // Only faults with a response: a silent server cannot repeat a secret.
        for place in 4..fault_matrix::faults().len() {
            pages.push(format!("/probe?target={FAULTY}-{place}&debug=true"));
        }
        let mut asked = JoinSet::new();
        for path in pages {
            let fixture = Arc::clone(&fixture);
            let head = format!(
                "{}accept: application/openmetrics-text\r\n\
                 x-prometheus-scrape-timeout-seconds: 2\r\n",
                basic(PASSWORD)
            );
            asked.spawn(async move {
                let response = send(address, get(&path, &head))
                    .await
                    .unwrap_or_else(|| panic!("no response from {path}"));
                assert_eq!(response.status, 200, "{path}: {}", response.whole());
                fixture.assert_none(&response.whole(), &path);
            });
        }
        while let Some(ended) = asked.join_next().await {
            ended.expect("no page shows a secret");
        }
        for head in [
            basic(WRONG_PASSWORD),
            String::new(),
            "authorization: Basic MARKED\r\n".to_owned(),
        ] {
            let response = send(address, get("/metrics", &head))
                .await
                .expect("a response");
            assert_eq!(response.status, 401);
            fixture.assert_none(&response.whole(), "a refusal");
        }
        for (what, text) in mistakes(&fixture.config) {
            fs::write(fixture.file("config.yaml"), text).expect("writes the configuration");
            let reload = get("/-/reload", &basic(PASSWORD)).replacen("GET", "POST", 1);
            let response = send(address, reload).await.expect("a response");
            assert_eq!(response.status, 500, "{what}: {}", response.whole());
            fixture.assert_none(&response.whole(), what);
        }
        let log = exporter.end();
        assert!(
            log.lines().count() > 40,
            "there is something to search: {log}"
        );
        assert!(!log.contains("panicked"), "{log}");
        fixture.assert_none(&log, "the log");
    }
}

/// Files with a mistake at, before or behind a secret.
fn mistakes(config: &str) -> Vec<(&'static str, String)> {
    let with = |from: &str, to: &str| config.replacen(from, to, 1);
    vec![
        (
            "a secret with an unknown key",
            with("access_key_secret: MARKED", "acess_key_secret: MARKED"),
        ),
        (
            "a secret that is a list",
            with(
                "access_key_secret: MARKED-key-secret",
                "access_key_secret: [MARKED-key-secret]",
            ),
        ),
        (
            "a secret that is a mapping",
            with(
                "access_key_secret: MARKED-key-secret",
                "access_key_secret: {MARKED-key-secret: MARKED}",
            ),
        ),
        (
            "a secret twice",
            with(
                "access_key_secret: MARKED-key-secret",
                "access_key_secret: MARKED, access_key_secret_file: x",
            ),
        ),
        (
            "a key twice",
            with(
                "access_key_secret: MARKED-key-secret",
                "access_key_secret: MARKED, access_key_secret: MARKED",
            ),
        ),
        (
            "a secret behind an open quote",
            with(
                "access_key_secret: MARKED-key-secret",
                "access_key_secret: 'MARKED-key-secret",
            ),
        ),
        (
            "a secret with a tab before it",
            with(
                "access_key_secret: MARKED-key-secret",
                "access_key_secret:\t@MARKED-key-secret",
            ),
        ),
        (
            "a secret that is an alias",
            with(
                "access_key_secret: MARKED-key-secret",
                "access_key_secret: *MARKED-key-secret",
            ),
        ),
        (
            "a secret that is tagged",
            with(
                "access_key_secret: MARKED-key-secret",
                "access_key_secret: !MARKED MARKED",
            ),
        ),
        (
            "a secret where the type belongs",
            with("type: access_key", "type: MARKED-key-secret"),
        ),
        (
            "a proxy that is none",
            with(
                "http://user:MARKED-proxy-password@",
                "ftp://user:MARKED-proxy-password@",
            ),
        ),
        (
            "a proxy with a space",
            with(
                "http://user:MARKED-proxy-password@",
                "http://user:MARKED proxy-password@ ",
            ),
        ),
        (
            "a URI that is none",
            with("http://", "htp:// ").replacen(
                "/credentials?key=MARKED",
                "/ credentials?key=MARKED",
                1,
            ),
        ),
        (
            "an endpoint with a password",
            with(
                "    endpoint: http://",
                "    endpoint: http://user:MARKED-password@",
            ),
        ),
    ]
}

#[test]
fn no_command_shows_a_secret() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let fixture = runtime.block_on(Fixture::new());
    let said = fixture.command(&["--config.file=config.yaml", "--config.check"]);
    assert!(
        said.contains("configuration accepted: config.yaml"),
        "{said}"
    );
    fixture.assert_none(&said, "--config.check");
    let said = fixture.command(&["status", "--config.file=config.yaml"]);
    assert!(said.contains("key-0") && said.contains("auth"), "{said}");
    fixture.assert_none(&said, "status");
    for (name, _) in ACCOUNTS {
        let said = fixture.command(&["explain", &format!("{name}-0"), "--config.file=config.yaml"]);
        assert!(said.contains("curl") || name == "no_uri", "{name}: {said}");
        fixture.assert_none(&said, &format!("explain {name}-0"));
    }
    for (what, text) in mistakes(&fixture.config) {
        fs::write(fixture.file("bad.yaml"), text).expect("writes the configuration");
        let said = fixture.command(&["--config.file=bad.yaml", "--config.check"]);
        assert!(!said.contains("configuration accepted"), "{what}: {said}");
        fixture.assert_none(&said, what);
    }
    for (what, text) in web_mistakes(fixture.folder.path(), &fixture.hash) {
        fs::write(fixture.file("bad-web.yaml"), text).expect("writes the web configuration");
        let said = fixture.command(&[
            "--config.file=config.yaml",
            "--web.config.file=bad-web.yaml",
            "--web.listen-address=127.0.0.1:0",
        ]);
        assert!(
            said.contains("error: ") && said.contains("web"),
            "{what}: {said}"
        );
        fixture.assert_none(&said, what);
    }
}

/// Web configurations with a mistake at a secret.
fn web_mistakes(folder: &Path, hash: &str) -> Vec<(&'static str, String)> {
    let key = "-----BEGIN PRIVATE KEY-----\nMARKEDprivatekeyMARKED\n-----END PRIVATE KEY-----\n";
    fs::write(folder.join("key.pem"), key).expect("writes the key");
    vec![
        (
            "a password in place of its hash",
            "basic_auth_users: {alice: MARKED-password}".to_owned(),
        ),
        (
            "a hash that is cut off",
            format!("basic_auth_users: {{alice: '{}MARKED'}}", &hash[..50]),
        ),
        (
            "a hash of another type",
            "basic_auth_users: {alice: [MARKED]}".to_owned(),
        ),
        (
            "a hash in an unknown place",
            format!("basic_auth_user: {{alice: '{hash}'}}"),
        ),
        (
            "a hash behind an open quote",
            format!("basic_auth_users: {{alice: '{hash}}}"),
        ),
        (
            "a private key that is none",
            "tls_server_config: {cert_file: key.pem, key_file: key.pem}".to_owned(),
        ),
        (
            "a private key in the file",
            "tls_server_config: {cert: MARKED-certificate, key: MARKED-private-key}".to_owned(),
        ),
        (
            "a private key as a file's name",
            "tls_server_config: {cert_file: key.pem, key: |\n  MARKED\n}".to_owned(),
        ),
    ]
}

/// A transport that panics with the whole request in its message.
#[derive(Debug, Clone)]
struct Panicking;

impl Transport for Panicking {
    fn send(&self, request: Request<Bytes>) -> ResponseFuture<'_> {
        panic!("PANIC {request:?}")
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_shows_no_secret_and_is_a_failure_of_one_cluster() {
    static WORDS: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.to_string();
        // The other tests of this process have their own to say.
        if said.contains("PANIC") {
            WORDS.lock().expect("nobody panics with it").push(said);
        } else {
            usual(panic);
        }
    }));
    for signature in ["acs3", "roa"] {
        let sim = Arc::new(Simulator::new(options(3)));
        let text = yaml(
            &sim,
            "http://simulator.example",
            &format!("source: upgrade_status\nsignature: {signature}"),
            "",
        );
        let (begin, rest) = text
            .split_once("credentials: {")
            .expect("there are credentials");
        let keys = "type: access_key, access_key_id: id, access_key_secret: MARKED-key-secret, \
            security_token: MARKED+static/token==}";
        let text = format!(
            "{begin}credentials: {{{keys}{}",
            rest.split_once('}').expect("an end").1
        );
        let fleet = Fleet::build(
            sim,
            Arc::new(Panicking),
            Clock::System,
            &text,
            Shard::default(),
        );
        let snapshot = fleet.scrape_in_time().await;
        assert_eq!(
            tally(&snapshot).get("other"),
            Some(&3),
            "{:?}",
            tally(&snapshot)
        );
        fleet.page(&snapshot);
        let words = std::mem::take(&mut *WORDS.lock().expect("nobody panics with it"));
        assert_eq!(words.len(), 3);
        for seen in words.iter().chain([&format!(
            "{:?} {:?} {snapshot:?}",
            fleet.config, fleet.collector
        )]) {
            assert!(!seen.contains("MARKED"), "{seen}");
        }
        assert!(
            words[0].contains("x-acs-security-token") && words[0].contains("authorization"),
            "{}",
            words[0]
        );
    }
}

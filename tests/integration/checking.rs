//! The exact messages about a configuration in the terminal: of --config.check, at the start, and
//! about flags.

use std::fs;
use std::process::Command;

use crate::process::{PROGRAM, run};

#[test]
fn a_good_file_is_accepted_with_a_summary() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("exporter.yaml"),
        "accounts:\n- name: one\n  discovery: {regions: [cn-hangzhou]}\n- name: two\n  \
         rate_limit: {requests_per_second: 1, burst: 5}\n  clusters:\n  \
         - {id: c106f377e16f34eb1808d6b9362c9abcd, region: cn-hangzhou}\n",
    )
    .expect("written");
    let (said, complained, code) = run(
        folder.path(),
        &["--config.file=exporter.yaml", "--config.check"],
    );
    assert_eq!(
        said,
        "account one: cluster discovery in 1 region; the rate limit allows 240 calls in a scrape \
         of 10s
  calls an hour, if Prometheus scrapes every minute:
    upgrades: 60 for each cluster, and 60 more for each cluster while it is upgraded
    cluster lists: 12, and 12 for each further 50 clusters of a region
account two: 1 cluster named; the rate limit allows 15 calls in a scrape of 10s
  calls an hour, if Prometheus scrapes every minute:
    upgrades: 60, and 60 more for each cluster while it is upgraded
configuration accepted: exporter.yaml
"
    );
    assert_eq!((complained.as_str(), code), ("", Some(0)));
}

#[test]
fn the_calls_of_each_query_are_said_with_those_of_each_cluster_where_their_number_is_not_known() {
    const WATCH: &str = "plans: {}, versions: {}, node_pools: {}, addons: {}, prechecks: {}, \
                         maintenance: {interval: 1h}";
    let folder = tempfile::tempdir().expect("a folder");
    let check = |account: &str| {
        let text = format!("scrape: {{idle_interval: 1h}}\naccounts:\n- {{name: a, {account}}}\n");
        fs::write(folder.path().join("exporter.yaml"), text).expect("written");
        run(
            folder.path(),
            &["--config.file=exporter.yaml", "--config.check"],
        )
    };
    let regions = "discovery: {regions: [cn-hangzhou, cn-shanghai]}";
    let (said, complained, _) = check(&format!("{regions}, watch: {{{WATCH}}}"));
    assert_eq!(
        said,
        "account a: cluster discovery in 2 regions; the rate limit allows 240 calls in a scrape of \
         10s
  calls an hour, if Prometheus scrapes every minute:
    upgrades: 1 for each cluster, and 119 more for each cluster while it is upgraded
    cluster lists: 120, and 60 for each further 50 clusters of a region
    plans: 8
    versions: 0.17 for each cluster type in a region
    node_pools: 2.08 for each cluster
    addons: 0.17 for each cluster, and 0.17 for each region, type, spec, profile and version of \
    clusters
    prechecks: 0.17 for each cluster
    maintenance: 1 for each cluster
configuration accepted: exporter.yaml
"
    );
    assert_eq!(complained, "");

    let cluster = "id: c106f377e16f34eb1808d6b9362c9abcd, region: cn-hangzhou";
    let (said, complained, _) = check(&format!(
        "source: upgrade_status, rate_limit: {{requests_per_second: 0.001, burst: 1}}, \
            clusters: [{{{cluster}}}], watch: {{node_pools: {{interval: 10m}}}}"
    ));
    let costs = "    upgrades: 1, and 59 more for each cluster while it is upgraded\n    \
        cluster lists: 60, and 60 for each further 50 clusters of a region\n    node_pools: 6.25\n";
    assert!(said.contains(costs), "{said}");
    assert_eq!(
        complained,
        "warning: exporter.yaml:3: accounts[0]: what is watched takes at least 6.25 calls an hour, \
            but the rate limit leaves 0 for it if Prometheus scrapes every minute\n"
    );
}

#[test]
fn a_doubtful_file_is_accepted_with_warnings() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("exporter.yaml"),
        "scrape: {timeout: 1s}\naccounts:\n- name: one\n  \
         rate_limit: {requests_per_second: 1, burst: 1}\n  clusters:\n  \
         - {id: c106f377e16f34eb1808d6b9362c9abcd, region: cn-hangzou}\n  \
         - {id: shop, region: cn-hangzhou}\n  \
         - {id: c206f377e16f34eb1808d6b9362c9abcd, region: cn-hangzhou}\n",
    )
    .expect("written");
    let (said, complained, code) = run(
        folder.path(),
        &["--config.file=exporter.yaml", "--config.check"],
    );
    assert!(
        said.ends_with("configuration accepted: exporter.yaml\n"),
        "{said}"
    );
    assert_eq!(
        complained,
        "warning: exporter.yaml:3: accounts[0]: 3 clusters are named, but the rate limit allows 2 \
         calls in a scrape of 1s; it takes several scrapes to query them all\n\
         warning: exporter.yaml:6: accounts[0].clusters[0].region: region cn-hangzou is not known, \
         did you mean cn-hangzhou?\n\
         warning: exporter.yaml:7: accounts[0].clusters[1].id: \"shop\" does not look like a \
         cluster ID, which is c and 32 hexadecimal digits\n"
    );
    assert_eq!(code, Some(0));
}

#[test]
fn every_command_reports_a_mistake_with_the_same_prefix_and_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "accounts:\n- name: one\n  \
                discovery: {regoins: [cn-hangzhou], regions: [cn-hangzhou]}\n  \
                credentials: {type: access_key, access_key_id: id, access_key_secret_file: key}\n";
    fs::write(folder.path().join("exporter.yaml"), text).expect("written");
    let unknown = "error: exporter.yaml:3: accounts[0].discovery.regoins: unknown key, did you \
                   mean regions?\n";
    let file = "--config.file=exporter.yaml";
    for arguments in [&[file][..], &["status", file], &["explain", "c1", file]] {
        assert_eq!(
            run(folder.path(), arguments),
            (String::new(), unknown.to_owned(), Some(2)),
            "{arguments:?}"
        );
    }
    let (_, complained, code) = run(folder.path(), &[file, "--config.check"]);
    let secret = format!(
        "error: exporter.yaml:4: accounts[0].credentials.access_key_secret_file: cannot read {}: \
         No such file or directory\n",
        folder.path().join("key").display()
    );
    assert_eq!((complained, code), (format!("{unknown}{secret}"), Some(2)));
    let (_, complained, code) = run(
        folder.path(),
        &["--config.file=nope.yaml", "--config.check"],
    );
    assert_eq!(
        (complained.as_str(), code),
        (
            "error: cannot read nope.yaml: No such file or directory\n",
            Some(2)
        )
    );
}

#[test]
fn a_mistake_in_the_web_configuration_has_the_same_form() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("web.yaml"),
        "http_server_config:\n  http3: true\n",
    )
    .expect("written");
    let flags = [
        "--region=cn-hangzhou",
        "--web.listen-address=127.0.0.1:0",
        "--log.level=error",
    ];
    let (_, complained, code) = run(
        folder.path(),
        &[flags[0], flags[1], flags[2], "--web.config.file=web.yaml"],
    );
    assert_eq!(
        (complained.as_str(), code),
        (
            "error: web.yaml:2: http_server_config.http3: unknown key, did you mean http2?\n",
            Some(2)
        )
    );
    let (_, complained, code) = run(
        folder.path(),
        &[flags[0], flags[1], flags[2], "--web.config.file=nope.yaml"],
    );
    assert_eq!(
        (complained.as_str(), code),
        (
            "error: cannot read nope.yaml: No such file or directory\n",
            Some(2)
        )
    );
}

#[test]
fn a_check_also_reads_the_web_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("exporter.yaml"),
        "accounts: [{name: a, clusters: [{id: c106f377e16f34eb1808d6b9362c9abcd, region: \
         cn-hangzhou}]}]",
    )
    .expect("written");
    let check = |web: &str| {
        fs::write(folder.path().join("web.yaml"), web).expect("written");
        run(
            folder.path(),
            &[
                "--config.file=exporter.yaml",
                "--web.config.file=web.yaml",
                "--config.check",
            ],
        )
    };
    let (_, complained, code) = check("basic_auth_users: {alice: wonderland}");
    assert!(
        complained.starts_with("error: web.yaml:1: basic_auth_users.alice: is not a bcrypt hash"),
        "{complained}"
    );
    assert_eq!(code, Some(2));
    let (said, complained, code) = check("rate_limit: {burst: 5}");
    assert!(
        said.ends_with("configuration accepted: exporter.yaml\nconfiguration accepted: web.yaml\n"),
        "{said}"
    );
    assert_eq!(
        (complained.as_str(), code),
        (
            "warning: web.yaml:1: rate_limit.burst: limits nothing without interval\n",
            Some(0)
        )
    );
}

#[test]
fn only_regular_files_of_a_bounded_size_are_read() {
    const PIPE: &str = "it is a pipe, a socket or a device; only regular files are read";
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let pipe = Command::new("mkfifo").arg(path("pipe")).status();
    assert!(pipe.expect("a program").success(), "a pipe with a name");
    let large = |name: &str, length: u64| {
        let file = fs::File::create(path(name)).expect("a file");
        file.set_len(length).expect("no space is taken");
    };
    large("config", (32 << 20) + 1);
    large("small", (1 << 20) + 1);
    let account = |keys: &str| {
        format!("accounts:\n- name: a\n  clusters: [{{id: c1, region: cn-hangzhou}}]\n  {keys}\n")
    };
    for (name, text) in [
        ("authority.yaml", account("ca_file: pipe")),
        ("authorities.yaml", account("ca_file: small")),
        (
            "secret.yaml",
            account(
                "credentials: {type: access_key, access_key_id: x, access_key_secret_file: pipe}",
            ),
        ),
        (
            "profile.yaml",
            account("credentials: {type: profile, config_file: /dev/zero}"),
        ),
        (
            "web.yaml",
            "tls_server_config: {cert_file: pipe, key_file: small}".to_owned(),
        ),
    ] {
        fs::write(path(name), text).expect("written");
    }
    let place = folder.path().display();
    for (flags, expected) in [
        (
            &["--config.file=pipe"][..],
            format!("cannot read pipe: {PIPE}"),
        ),
        (
            &["--config.file=/dev/zero"],
            format!("cannot read /dev/zero: {PIPE}"),
        ),
        (
            &["--config.file=config"],
            "cannot read config: it is larger than 32 MiB".to_owned(),
        ),
        (
            &["--config.file=authority.yaml"],
            format!("authority.yaml:4: accounts[0].ca_file: cannot read {place}/pipe: {PIPE}"),
        ),
        (
            &["--config.file=authorities.yaml"],
            format!(
                "authorities.yaml:4: accounts[0].ca_file: cannot read {place}/small: it is larger \
                 than 1 MiB"
            ),
        ),
        (
            &["--config.file=secret.yaml", "--config.check"],
            format!(
                "secret.yaml:4: accounts[0].credentials.access_key_secret_file: cannot read \
                 {place}/pipe: {PIPE}"
            ),
        ),
        (
            &["--config.file=profile.yaml", "--config.check"],
            format!(
                "profile.yaml:4: accounts[0].credentials.config_file: cannot read /dev/zero: {PIPE}"
            ),
        ),
        (
            &[
                "--region=cn-hangzhou",
                "--log.level=error",
                "--web.config.file=pipe",
            ],
            format!("cannot read pipe: {PIPE}"),
        ),
        (
            &[
                "--region=cn-hangzhou",
                "--log.level=error",
                "--web.config.file=web.yaml",
            ],
            format!(
                "web.yaml:1: tls_server_config.cert_file: cannot read pipe: {PIPE}\n\
                 error: web.yaml:1: tls_server_config.key_file: cannot read small: it is larger \
                 than 1 MiB"
            ),
        ),
    ] {
        assert_eq!(
            run(folder.path(), flags),
            (String::new(), format!("error: {expected}\n"), Some(2)),
            "{flags:?}"
        );
    }
}

#[test]
fn a_pipe_as_the_ca_store_hangs_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("a program").success(), "a pipe with a name");
    let output = Command::new(PROGRAM)
        .args(["explain", "c1", "--cluster=c1@cn-hangzhou"])
        .env_clear()
        .env("SSL_CERT_FILE", pipe)
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", "id")
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret")
        .output()
        .expect("it runs");
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(
        log.contains("SSL_CERT_FILE is not read; Mozilla's authorities are used"),
        "{log}"
    );
}

#[test]
fn the_terminal_obeys_no_character_of_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "\"\\e[2J\\u202e\": 1\naccounts:\n- name: \"a\\u200b\"\n  \
                clusters: [{id: c1, region: cn-hangzhou}]\n";
    fs::write(folder.path().join("exporter.yaml"), text).expect("written");
    let (_, complained, code) = run(folder.path(), &["--config.file=exporter.yaml"]);
    assert_eq!(
        (complained.as_str(), code),
        (
            "error: exporter.yaml:1: \\u{1b}[2J\\u{202e}: unknown key; here it may be scrape, \
             metrics or accounts\n\
             error: exporter.yaml:3: accounts[0].name: has U+200B, a character that cannot be \
             seen\n",
            Some(2)
        )
    );
}

/// This took many minutes when each mistake was searched for among all others.
#[test]
fn a_hundred_of_many_mistakes_are_shown() {
    use std::fmt::Write as _;

    let folder = tempfile::tempdir().expect("a folder");
    let mut text = "accounts:\n- name: a\n  clusters: [{id: c1, region: cn-hangzhou}]\n  \
                    credentials:\n    type: profile\n"
        .to_owned();
    for number in 0..20_000 {
        writeln!(text, "    key_{number}: 1").expect("a String takes every write");
    }
    fs::write(folder.path().join("exporter.yaml"), text).expect("written");
    let (_, complained, code) = run(folder.path(), &["--config.file=exporter.yaml"]);
    assert_eq!((complained.lines().count(), code), (101, Some(2)));
    assert!(
        complained.ends_with("\nerror: and 19900 more\n"),
        "{complained}"
    );
}

#[test]
fn mistakes_in_flags_name_the_flag() {
    let folder = tempfile::tempdir().expect("a folder");
    for (flags, expected) in [
        (
            &["--cluster=c1"][..],
            "error: --cluster=c1: its region is missing; add --region=REGION or write \
             --cluster=ID@REGION\n",
        ),
        (
            &[
                "--region=CN",
                "--cluster=a/b@cn-hangzhou",
                "--cluster=c1",
                "--cluster=c1@cn-beijing",
            ],
            "error: --region=CN: \"CN\" is not a region: 1 to 64 of a-z 0-9 -, such as \
             cn-hangzhou\n\
             error: --cluster=a/b@cn-hangzhou: \"a/b\" is not a cluster ID: 1 to 64 of A-Z a-z 0-9 \
             _ -\n\
             error: --cluster=c1@cn-beijing: this cluster is there twice\n",
        ),
        (
            &["--region=cn-hangzhou", "--region=cn-hangzhou"],
            "error: --region=cn-hangzhou: this region is there twice\n",
        ),
        (
            &["status"],
            "error: no configuration: name a file with --config.file, a region with --region, or \
             try the demo\n",
        ),
    ] {
        assert_eq!(
            run(folder.path(), flags),
            (String::new(), expected.to_owned(), Some(2)),
            "{flags:?}"
        );
    }
}

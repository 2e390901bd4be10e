//! The whole file: every key arrives, and every mistake is told with its path.

mod messages;
mod shown;

use std::num::NonZeroU32;

use ack_client::credentials::{Provider, SecretSource};
use ack_client::{RateLimit, Signature};

use super::*;

const WHOLE: &str = r"
scrape: {timeout: 20s, timeout_offset: 250ms, cache_ttl: 5s, max_age: 10m, idle_interval: 0s}
metrics: {cluster_label: ack_cluster, error_message: false, state_sets: active}
accounts:
  - name: prod
    credentials: {type: access_key, access_key_id: LTAI-test, access_key_secret: hunter2}
    source: upgrade_status
    signature: roa
    network: vpc
    rate_limit: {requests_per_second: 5, burst: 10}
    max_concurrency: 4
    clusters:
      - {id: c106f377e16f34eb1808d6b9362c9abcd, region: cn-hangzhou, name: shop, labels: {team: payments}}
  - name: private
    endpoint: http://127.0.0.1:8080
    clusters: [{id: c2}]
";

fn parse(text: &str) -> Result<Config, Vec<String>> {
    Config::parse(text, FilePath::new("/etc/exporter"))
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn problems(text: &str) -> Vec<String> {
    parse(text).expect_err("the file has mistakes")
}

#[test]
fn every_key_arrives() {
    let config = parse(WHOLE).expect("a good file");
    assert_eq!(config.scrape.timeout, Duration::from_secs(20));
    assert_eq!(config.scrape.timeout_offset, Duration::from_millis(250));
    assert_eq!(config.scrape.cache_ttl, Duration::from_secs(5));
    assert_eq!(config.scrape.max_age, Duration::from_secs(600));
    assert_eq!(config.metrics.cluster_label, "ack_cluster");
    assert_eq!(config.metrics.error_message, ErrorMessages::Hidden);
    assert_eq!(config.metrics.state_sets, StateSets::Active);
    let [prod, private] = config.accounts.as_slice() else {
        panic!("two accounts")
    };
    assert_eq!(prod.name.as_str(), "prod");
    assert_eq!(prod.access().signature, Signature::Roa);
    assert_eq!(
        prod.access().rate_limit,
        RateLimit {
            requests_per_second: 5.0,
            burst: NonZeroU32::new(10).expect("not zero")
        }
    );
    assert_eq!(prod.access().max_concurrency.get(), 4);
    assert_eq!(
        prod.endpoint(prod.clusters[0].region.as_ref()).to_string(),
        "https://cs-anony-vpc.cn-hangzhou.aliyuncs.com"
    );
    assert_eq!(prod.clusters[0].labels["team"], "payments");
    assert_eq!(private.access().signature, Signature::Acs3);
    assert_eq!(private.access().rate_limit, RateLimit::default());
    assert_eq!(private.access().max_concurrency.get(), 16);
    assert_eq!(private.endpoint(None).to_string(), "http://127.0.0.1:8080");
    assert_eq!(private.clusters[0].region, None);
}

#[test]
fn the_debug_form_shows_no_secret() {
    assert!(!format!("{:?}", parse(WHOLE)).contains("hunter2"));
}

#[test]
fn the_cluster_label_takes_the_name_of_no_other_label() {
    for label in ["account", "target"] {
        let found = problems(&format!("metrics: {{cluster_label: {label}}}"));
        let expected = format!("metrics.cluster_label: {label:?} is a label of the exporter's own");
        assert_eq!(found[0], expected);
    }
}

#[test]
fn every_mistake_is_found_at_once_with_its_path() {
    let found = problems(
        r#"
scrap: {}
scrape: {timeout: soon, timeout: 3s, cache_ttl: -1s}
metrics: {cluster_label: status, state_sets: some, error_message: "yes"}
accounts:
  - name: a
    colour: blue
    credentials: {type: access_key, access_key_id: x, access_key_secret: 12345}
    signature: rsa
    rate_limit: {requests_per_second: 0, burst: 0}
    max_concurrency: 0
    clusters:
      - {id: "../../etc", region: CN}
      - 7
      - {region: cn-hangzhou, labels: {reason: x, 9lives: y, team: 4}}
  - name: a
    endpoint: ftp://x
    clusters: [{id: c1, region: cn-hangzhou}, {id: c1, region: cn-hangzhou}]
  -
"#,
    );
    let expected = [
        "scrape.timeout: this key is there twice",
        "scrap: unknown key, did you mean scrape?",
        "scrape.timeout: \"soon\" is not a duration such as 500ms, 10s, 5m or 1h30m",
        "scrape.cache_ttl: \"-1s\" is negative",
        "metrics.state_sets: must be full or active",
        "metrics.error_message: must be true or false",
        "accounts[0].colour: unknown key; here it may be name, credentials, source, task_types, \
            signature, network, endpoint, proxy, ca_file, rate_limit, max_concurrency, watch, \
            discovery \
            or clusters",
        "accounts[0].credentials.access_key_secret: a secret must be a string; put it in quotes",
        "accounts[0].signature: must be acs3 or roa",
        "accounts[0].clusters[1]: must be a mapping, such as {key: value}",
        "accounts[0].clusters[2].labels.team: must be text; put it in quotes",
        "metrics.cluster_label: \"status\" is a label of the exporter's own",
        "accounts[0].rate_limit.requests_per_second: must be a number above 0",
        "accounts[0].max_concurrency: must be a whole number from 1 to 4294967295",
        "accounts[0].clusters[0].id: \"../../etc\" is not a cluster ID",
        "accounts[0].clusters[0].region: \"CN\" is not a region",
        "accounts[0].clusters[2].id: is missing",
        "accounts[0].clusters[2].labels.reason: \"reason\" is a label of the exporter's own",
        "accounts[0].clusters[2].labels.9lives: \"9lives\" is not a label name",
        "accounts[1].name: accounts[0] has this name already",
        "accounts[1].endpoint: ",
        "accounts[1].clusters[1].id: accounts[1].clusters[0] is this cluster already",
        "accounts[2]: is empty",
    ];
    for expected in expected {
        assert!(
            found.iter().any(|found| found.starts_with(expected)),
            "{expected}\nis not among\n{}",
            found.join("\n")
        );
    }
    assert!(
        !found.iter().any(|found| found.contains("12345")),
        "{found:?}"
    );
}

#[test]
fn a_file_without_accounts_or_with_broken_yaml_is_refused() {
    assert_eq!(
        problems(""),
        ["accounts: there must be at least one account"]
    );
    assert!(
        problems("accounts: [")
            .iter()
            .any(|found| found.starts_with("the file: not YAML"))
    );
    assert_eq!(
        problems("- 1"),
        ["the file: must be a mapping, such as {key: value}"]
    );
    assert_eq!(
        problems("\u{feff}- 1"),
        problems("- 1"),
        "an editor's byte-order mark"
    );
    assert_eq!(
        problems("\u{feff}---\nscrape: {}\nmetrics: {}\n"),
        problems("")
    );
    assert_eq!(
        problems("scrape: [10s]\naccounts: {}"),
        [
            "scrape: must be a mapping, such as {key: value}",
            "accounts: must be a list, such as [a, b]"
        ]
    );
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    for text in [
        "accounts: [{credentials: hunter2}]",
        "accounts: hunter2",
        "accounts: [{max_concurrency: hunter2}]",
        "accounts: [{signature: hunter2}]",
    ] {
        assert!(!problems(text).join("\n").contains("hunter2"), "{text}");
    }
}

#[test]
fn a_file_of_authorities_that_is_none_is_named_and_not_quoted() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "accounts: [{name: a, ca_file: ca.crt, clusters: [{id: c1, region: cn-hangzhou}]}]";
    let problems = || match Config::parse(text, folder.path()) {
        Ok(_) => panic!("the file has mistakes"),
        Err(problems) => problems.to_string(),
    };
    let file = folder.path().join("ca.crt");
    let file = file.display();
    assert_eq!(
        problems(),
        format!("accounts[0].ca_file: cannot read {file}: No such file or directory")
    );
    for (content, complaint) in [
        (
            "-----BEGIN PRIVATE KEY----- hunter2",
            "is not PEM: a section is cut off or not base64",
        ),
        (
            "-----BEGIN CERTIFICATE-----\nhunter2\n",
            "is not PEM: a section is cut off or not base64",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n",
            "has no certificate (-----BEGIN CERTIFICATE-----)",
        ),
        (
            "hunter2",
            "has no certificate (-----BEGIN CERTIFICATE-----)",
        ),
    ] {
        std::fs::write(folder.path().join("ca.crt"), content).expect("written");
        assert_eq!(
            problems(),
            format!("accounts[0].ca_file: {file} {complaint}")
        );
    }
}

#[test]
fn a_cluster_needs_a_region_where_the_endpoint_does() {
    let found = problems("accounts: [{name: a, clusters: [{id: c1}]}]");
    assert_eq!(
        found,
        [
            "accounts[0].clusters[0].region: is missing, and the endpoint \
                https://cs.{region}.aliyuncs.com depends on it"
        ]
    );
}

#[test]
fn a_key_pair_is_whole_or_refused() {
    let account = |credentials: &str| {
        format!(
            "accounts: [{{name: a, clusters: [{{id: c1, region: cn-hangzhou}}], credentials: \
                {{type: access_key{credentials}}}}}]"
        )
    };
    assert_eq!(
        problems(&account("")),
        [
            "accounts[0].credentials.access_key_id: is missing",
            "accounts[0].credentials.access_key_secret: is missing, and so is \
             access_key_secret_file",
        ]
    );
    let both = problems(&account(
        ", access_key_id: x, access_key_secret: y, access_key_secret_file: z",
    ));
    assert_eq!(
        both,
        [
            "accounts[0].credentials.access_key_secret: is there beside access_key_secret_file; \
             one of them must go"
        ]
    );
    let config = parse(&account(
        ", access_key_id: x, access_key_secret_file: secret",
    ))
    .expect("a good file");
    let Provider::AccessKey {
        access_key_secret: SecretSource::File(file),
        ..
    } = config.accounts[0].access().credentials
    else {
        panic!("a key pair")
    };
    assert_eq!(file, FilePath::new("/etc/exporter/secret"));
}

#[test]
fn a_file_with_a_secret_is_looked_into_only_by_a_check() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "accounts:\n- name: a\n  clusters: [{id: c1, region: cn-hangzhou}]\n  \
                credentials: {type: access_key, access_key_id: x, access_key_secret_file: key}";
    let check = || {
        Config::check(text, folder.path())
            .config
            .map_or_else(|problems| problems.to_string(), |_| String::new())
    };
    assert!(Config::parse(text, folder.path()).is_ok());
    let file = folder.path().join("key");
    let place = "accounts[0].credentials.access_key_secret_file";
    assert_eq!(
        check(),
        format!(
            "{place}: cannot read {}: No such file or directory",
            file.display()
        )
    );
    std::fs::write(&file, " \n").expect("written");
    assert_eq!(check(), format!("{place}: {} is empty", file.display()));
    std::fs::write(&file, "hunter2\n").expect("written");
    assert_eq!(check(), "");
}

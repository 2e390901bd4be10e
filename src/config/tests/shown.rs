//! The configuration as `/config` shows it.

use proptest::prelude::*;

use std::path::Path;

use safe_input::text::is_misleading;
use serde_json::json;

use crate::config::Config;

const SECRETS: &[&str] = &["s3cret", "t0ken", "hunter2"];

/// One of every kind, with secrets wherever there may be one.
const WHOLE: &str = r#"
scrape: {timeout: 20s, timeout_offset: 250ms, cache_ttl: 1500ms, max_age: 90s}
metrics: {cluster_label: ack_cluster, error_message: false, state_sets: active}
accounts:
  - name: key
    credentials: {type: access_key, access_key_id: LTAI-test, access_key_secret: s3cret, security_token: t0ken}
    source: tasks
    task_types: [cluster_upgrade, "yes"]
    signature: roa
    network: vpc
    rate_limit: {requests_per_second: 0.5, burst: 10}
    max_concurrency: 4
    clusters:
      - {id: c1, region: cn-hangzhou, name: "null", labels: {team: "7", note: "a: b # c"}}
      - {id: c2, region: cn-beijing}
  - name: files
    endpoint: http://127.0.0.1:8080
    credentials: {type: access_key, access_key_id: "123", access_key_secret_file: /run/key, security_token_file: /run/token}
    clusters: [{id: c3}]
  - name: role
    credentials:
      type: ram_role_arn
      role_arn: acs:ram::1:role/r
      duration: 90m
      policy: '{"Statement": []}'
      external_id: x
      sts_endpoint: sts.example
      source: {type: ram_role_arn, role_arn: 'acs:ram::2:role/q', access_key_id: id, access_key_secret: s3cret}
    clusters: [{id: c4, region: cn-hangzhou}]
  - name: oidc
    credentials: {type: oidc_role_arn, role_arn: 'acs:ram::1:role/r', oidc_token_file: /run/oidc, role_session_name: me}
    clusters: [{id: c5, region: cn-hangzhou}]
  - name: machine
    credentials: {type: ecs_ram_role, role_name: r, disable_imds_v1: true, metadata_endpoint: '127.0.0.1:1'}
    clusters: [{id: c6, region: cn-hangzhou}]
  - name: uri
    credentials: {type: credentials_uri, uri: 'http://127.0.0.1:8080/hunter2?q=hunter2'}
    clusters: [{id: c7, region: cn-hangzhou}]
  - name: profile
    credentials: {type: profile, profile: prod, config_file: /etc/cli.json}
    clusters: [{id: c8, region: cn-hangzhou}]
  - name: rest
    clusters: [{id: c9, region: cn-hangzhou}]
"#;

fn parse(text: &str) -> Config {
    Config::parse(text, Path::new("")).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

#[test]
fn what_is_shown_is_the_same_configuration_without_its_secrets() {
    let config = parse(WHOLE);
    let shown = config.to_yaml();
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{shown}");
    }
    let read = parse(&shown);
    // Secrets print alike, so that this compares all but them.
    assert_eq!(format!("{read:?}"), format!("{config:?}"));
    assert_eq!(read.to_yaml(), shown);
}

#[test]
fn defaults_are_shown() {
    let shown = parse("accounts: [{name: a, clusters: [{id: c1, region: cn-hangzhou}]}]").to_yaml();
    for line in [
        "timeout: 10s",
        "max_age: 5m",
        "type: default",
        "requests_per_second: 20.0",
        "max_concurrency: 16",
        "source: auto",
    ] {
        assert!(shown.contains(line), "no {line} in\n{shown}");
    }
}

proptest! {
    #[test]
    fn no_secret_is_ever_shown(secret in "[a-zA-Z0-9]{12,40}", name in any::<String>()) {
        let text = serde_json::to_string(&json!({"accounts": [{
            "name": "a",
            "credentials": {"type": "access_key", "access_key_id": "id", "access_key_secret": secret, "security_token": secret},
            "clusters": [{"id": "c1", "region": "cn-hangzhou", "name": name.replace(is_misleading, "")}],
        }]}))
        .expect("JSON");
        let config = parse(&text);
        let shown = config.to_yaml();
        prop_assert!(name.contains(&secret) || !shown.contains(&secret));
        prop_assert_eq!(&parse(&shown).accounts[0].clusters[0].name, &config.accounts[0].clusters[0].name);
    }
}

//! The configuration as YAML, secrets masked.
//!
//! What is shown is what is in force, defaults included, and reads as a configuration again, but
//! for the secrets.

use std::path::Path;

use ack_client::Signature;
use ack_client::credentials::{
    DefaultChain, ImdsV1, Provider, RamRoleArn, RoleSession, SecretSource,
};
use exporter_toolkit::yaml::duration;
use serde_json::{Map, Value, json};

use super::discovery::whole_name;
use super::{Account, Cluster, Config, Discovery, ErrorMessages, Source, StateSets};

impl Config {
    /// The configuration in force as YAML; each secret is `<secret>`.
    pub fn to_yaml(&self) -> String {
        let scrape = json!({
            "timeout": duration::format(self.scrape.timeout),
            "timeout_offset": duration::format(self.scrape.timeout_offset),
            "cache_ttl": duration::format(self.scrape.cache_ttl),
            "max_age": duration::format(self.scrape.max_age),
            "idle_interval": duration::format(self.scrape.idle_interval),
        });
        let metrics = json!({
            "cluster_label": self.metrics.cluster_label,
            "error_message": self.metrics.error_message == ErrorMessages::Shown,
            "state_sets": match self.metrics.state_sets {
                StateSets::Full => "full",
                StateSets::Active => "active",
            },
        });
        let accounts: Vec<_> = self.accounts.iter().map(account).collect();
        let whole = json!({ "scrape": scrape, "metrics": metrics, "accounts": accounts });
        yaml_serde::to_string(&whole).unwrap_or_else(|error| format!("# {error}\n"))
    }
}

fn account(account: &Account) -> Value {
    let source = match account.access.source {
        Source::Auto => "auto",
        Source::UpgradeStatus => "upgrade_status",
        Source::Tasks => "tasks",
    };
    let signature = match account.access.signature {
        Signature::Acs3 => "acs3",
        Signature::Roa => "roa",
    };
    let mut shown = Map::new();
    add(&mut shown, "name", Some(account.name.as_str()));
    add(
        &mut shown,
        "credentials",
        Some(credentials(&account.access.credentials)),
    );
    add(&mut shown, "source", Some(source));
    add(
        &mut shown,
        "task_types",
        Some(account.access.task_types.clone()),
    );
    add(&mut shown, "signature", Some(signature));
    add(
        &mut shown,
        "endpoint",
        Some(account.access.endpoint.to_string()),
    );
    add(
        &mut shown,
        "proxy",
        account
            .access
            .connections
            .proxy
            .as_ref()
            .map(|_| "<secret>"),
    );
    add(
        &mut shown,
        "ca_file",
        account
            .access
            .ca_file
            .as_ref()
            .map(|file| file.display().to_string()),
    );
    let limit = account.access.rate_limit;
    add(
        &mut shown,
        "rate_limit",
        Some(json!({"requests_per_second": limit.requests_per_second, "burst": limit.burst})),
    );
    add(
        &mut shown,
        "max_concurrency",
        Some(account.access.max_concurrency.get()),
    );
    add(
        &mut shown,
        "discovery",
        account.discovery.as_ref().map(discovery),
    );
    let clusters: Vec<_> = account.clusters.iter().map(cluster).collect();
    add(
        &mut shown,
        "clusters",
        Some(clusters).filter(|clusters| !clusters.is_empty()),
    );
    shown.into()
}

fn discovery(discovery: &Discovery) -> Value {
    let regions: Vec<_> = discovery
        .regions
        .iter()
        .map(|place| place.region.as_str())
        .collect();
    let mut wanted = Map::new();
    add(
        &mut wanted,
        "name",
        discovery
            .wanted
            .name
            .as_ref()
            .map(|pattern| whole_name(pattern.as_str())),
    );
    add(
        &mut wanted,
        "tags",
        Some(json!(discovery.wanted.tags)).filter(|_| !discovery.wanted.tags.is_empty()),
    );
    let types = &discovery.wanted.cluster_types;
    add(
        &mut wanted,
        "cluster_type",
        Some(types.clone()).filter(|types| !types.is_empty()),
    );
    json!({ "regions": regions, "refresh_interval": duration::format(discovery.refresh_interval), "match": wanted })
}

fn cluster(cluster: &Cluster) -> Value {
    let mut shown = Map::new();
    shown.insert("id".to_owned(), cluster.id.as_str().into());
    add(
        &mut shown,
        "region",
        cluster.region.as_ref().map(ToString::to_string),
    );
    add(
        &mut shown,
        "name",
        Some(cluster.name.clone()).filter(|name| !name.is_empty()),
    );
    if !cluster.labels.is_empty() {
        shown.insert("labels".to_owned(), json!(cluster.labels));
    }
    shown.into()
}

fn credentials(credentials: &Provider) -> Value {
    let mut shown = Map::new();
    match credentials {
        Provider::Default(DefaultChain {
            sts_endpoint,
            metadata_endpoint,
        }) => {
            add(&mut shown, "type", Some("default"));
            add(
                &mut shown,
                "sts_endpoint",
                sts_endpoint.as_ref().map(ToString::to_string),
            );
            add(
                &mut shown,
                "metadata_endpoint",
                metadata_endpoint.as_ref().map(ToString::to_string),
            );
        }
        Provider::AccessKey {
            access_key_id,
            access_key_secret,
            security_token,
        } => {
            add(&mut shown, "type", Some("access_key"));
            add(&mut shown, "access_key_id", Some(access_key_id.as_str()));
            add_secret(&mut shown, "access_key_secret", Some(access_key_secret));
            add_secret(&mut shown, "security_token", security_token.as_ref());
        }
        Provider::RamRoleArn(role) => add_role(&mut shown, role),
        Provider::OidcRoleArn(role) => {
            add(&mut shown, "type", Some("oidc_role_arn"));
            add(&mut shown, "role_arn", role.role_arn.as_deref());
            add(
                &mut shown,
                "oidc_provider_arn",
                role.oidc_provider_arn.as_deref(),
            );
            add(
                &mut shown,
                "oidc_token_file",
                role.oidc_token_file.as_deref().map(text),
            );
            add_session(&mut shown, &role.session);
            add(
                &mut shown,
                "sts_endpoint",
                role.sts_endpoint.as_ref().map(ToString::to_string),
            );
        }
        Provider::EcsRamRole(role) => {
            add(&mut shown, "type", Some("ecs_ram_role"));
            add(&mut shown, "role_name", role.role_name.as_deref());
            add(
                &mut shown,
                "metadata_endpoint",
                role.metadata_endpoint.as_ref().map(ToString::to_string),
            );
            add(
                &mut shown,
                "disable_imds_v1",
                Some(role.imds_v1 == ImdsV1::Disabled),
            );
        }
        Provider::CredentialsUri(uri) => {
            add(&mut shown, "type", Some("credentials_uri"));
            // What follows the host may be a secret; in this form it still reads as an address.
            add(
                &mut shown,
                "uri",
                Some(format!(
                    "{}://{}/%3Csecret%3E",
                    uri.expose().scheme_str().unwrap_or("http"),
                    uri.authority()
                )),
            );
        }
        Provider::Profile(profile) => {
            add(&mut shown, "type", Some("profile"));
            add(&mut shown, "profile", profile.name.as_deref());
            add(
                &mut shown,
                "config_file",
                profile.config_file.as_deref().map(text),
            );
        }
    }
    shown.into()
}

fn add_role(shown: &mut Map<String, Value>, role: &RamRoleArn) {
    add(shown, "type", Some("ram_role_arn"));
    add(shown, "role_arn", Some(role.role_arn.as_str()));
    add_session(shown, &role.session);
    add(shown, "external_id", role.external_id.as_deref());
    add(
        shown,
        "sts_endpoint",
        role.sts_endpoint.as_ref().map(ToString::to_string),
    );
    add(shown, "source", Some(credentials(&role.source)));
}

fn add_session(shown: &mut Map<String, Value>, session: &RoleSession) {
    add(shown, "role_session_name", session.name.as_deref());
    add(shown, "duration", session.duration.map(duration::format));
    add(shown, "policy", session.policy.as_deref());
}

fn add_secret(shown: &mut Map<String, Value>, key: &str, secret: Option<&SecretSource>) {
    match secret {
        None => {}
        Some(SecretSource::Inline(secret)) => add(shown, key, Some(secret.to_string())),
        Some(SecretSource::File(path)) => add(shown, &format!("{key}_file"), Some(text(path))),
    }
}

fn add(shown: &mut Map<String, Value>, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        shown.insert(key.to_owned(), value.into());
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        let shown =
            parse("accounts: [{name: a, clusters: [{id: c1, region: cn-hangzhou}]}]").to_yaml();
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
                "clusters": [{"id": "c1", "region": "cn-hangzhou", "name": name}],
            }]}))
            .expect("JSON");
            let config = parse(&text);
            let shown = config.to_yaml();
            prop_assert!(name.contains(&secret) || !shown.contains(&secret));
            prop_assert_eq!(&parse(&shown).accounts[0].clusters[0].name, &config.accounts[0].clusters[0].name);
        }
    }
}

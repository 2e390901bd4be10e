//! Every type as it is written, and every mistake with its path.

use std::path::Path as FilePath;

use ack_client::credentials::{ImdsV1, Provider, SecretSource};

use super::Kind;
use crate::config::Config;

/// The credentials of a file in which `yaml` stands under `credentials`, or its mistakes.
fn parse(yaml: &str) -> Result<Provider, String> {
    let text = format!(
        "accounts:\n- name: a\n  clusters: [{{id: c1, region: cn-hangzhou}}]\n  credentials:\n    \
         {}\n",
        yaml.trim().replace('\n', "\n    ")
    );
    let config = Config::parse(&text, FilePath::new("/etc/exporter"))
        .map_err(|problems| problems.to_string())?;
    Ok(config
        .accounts
        .into_iter()
        .next()
        .expect("one account")
        .access()
        .credentials)
}

#[test]
fn every_type_reads_its_own_keys() {
    let shown = |yaml: &str| {
        format!(
            "{:?}",
            parse(yaml).unwrap_or_else(|problems| panic!("{yaml}: {problems}"))
        )
    };
    for (yaml, parts) in [
        (
            "",
            &["Default(", "sts_endpoint: None", "metadata_endpoint: None"][..],
        ),
        ("type: default", &["Default("]),
        ("type:", &["Default("]),
        (
            "{sts_endpoint: sts.example, metadata_endpoint: 127.0.0.1:1}",
            &[
                "Default(",
                "scheme: \"https\"",
                "sts.example",
                "127.0.0.1:1",
            ],
        ),
        (
            "{type: access_key, access_key_id: id, access_key_secret: s3cret}",
            &["AccessKey", "\"id\"", "Inline(<secret>)"],
        ),
        (
            "{type: access_key, access_key_id: id, access_key_secret_file: key, \
             security_token_file: /run/token}",
            &["File(\"/etc/exporter/key\")", "File(\"/run/token\")"],
        ),
        (
            "{type: oidc_role_arn, role_arn: 'acs:ram::1:role/r', oidc_token_file: token, \
                duration: 30m, role_session_name: me}",
            &[
                "OidcRoleArn",
                "acs:ram::1:role/r",
                "/etc/exporter/token",
                "1800s",
                "\"me\"",
            ],
        ),
        (
            "{type: oidc_role_arn}",
            &[
                "OidcRoleArn",
                "role_arn: None",
                "oidc_provider_arn: None",
                "oidc_token_file: None",
            ],
        ),
        (
            "{type: ecs_ram_role, role_name: r, disable_imds_v1: true}",
            &["EcsRamRole", "\"r\"", "Disabled"],
        ),
        (
            "{type: credentials_uri, uri: 'http://127.0.0.1:8080/hunter2?q=hunter2'}",
            &["CredentialsUri(http://127.0.0.1:8080/…)"],
        ),
        (
            "{type: profile, profile: prod, config_file: cli.json}",
            &["Profile", "\"prod\"", "/etc/exporter/cli.json"],
        ),
    ] {
        let shown = shown(yaml);
        for part in parts {
            assert!(shown.contains(part), "{yaml}: no {part} in {shown}");
        }
        assert!(
            !shown.contains("s3cret") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}

#[test]
fn a_role_names_its_source_beside_it_or_nested_or_not_at_all() {
    let source = |yaml: &str| match parse(yaml) {
        Ok(Provider::RamRoleArn(role)) => *role.source,
        other => panic!("{yaml}: {other:?}"),
    };
    let role = "type: ram_role_arn\nrole_arn: acs:ram::1:role/r\n";
    assert!(matches!(
        source(&format!(
            "{role}access_key_id: id\naccess_key_secret_file: key"
        )),
        Provider::AccessKey {
            access_key_secret: SecretSource::File(_),
            ..
        }
    ));
    assert!(matches!(
        source(&format!("{role}source: {{type: ecs_ram_role}}")),
        Provider::EcsRamRole(role) if role.imds_v1 == ImdsV1::Allowed
    ));
    assert!(matches!(source(role), Provider::Default(_)));
    let nested = source(&format!(
        "{role}sts_endpoint: sts.example\n\
         source: {{type: ram_role_arn, role_arn: 'acs:ram::2:role/q'}}"
    ));
    let Provider::RamRoleArn(nested) = nested else {
        panic!("{nested:?}")
    };
    let Provider::Default(chain) = *nested.source else {
        panic!("{nested:?}")
    };
    assert_eq!(
        chain
            .sts_endpoint
            .map(|endpoint| endpoint.to_string())
            .as_deref(),
        Some("https://sts.example")
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_mistake_is_named_with_its_path() {
    for (yaml, expected) in [
        (
            "[a]",
            &["accounts[0].credentials: must be a mapping, such as {key: value}"][..],
        ),
        (
            "type: keys",
            &["accounts[0].credentials.type: must be default, access_key, ram_role_arn"],
        ),
        ("type: 5", &["accounts[0].credentials.type: "]),
        (
            "role_name: r",
            &["accounts[0].credentials: type is missing; role_name belongs to type: ecs_ram_role"],
        ),
        (
            "{type: ecs_ram_role, access_key_id: id}",
            &["accounts[0].credentials.access_key_id: unknown key; here it may be role_name, "],
        ),
        (
            "type: access_key",
            &[
                "accounts[0].credentials.access_key_id: is missing",
                "accounts[0].credentials.access_key_secret: is missing, and so is \
                 access_key_secret_file",
            ],
        ),
        (
            "{type: profile, colour: blue}",
            &["accounts[0].credentials.colour: unknown key; here it may be profile or config_file"],
        ),
        (
            "{type: access_key, access_key_id: id, access_key_secret: hunter2, source: {colour: \
             blue}}",
            &["accounts[0].credentials.source: unknown key; here it may be access_key_id, "],
        ),
        (
            "{colour: blue}",
            &["accounts[0].credentials.colour: unknown key; here it may be sts_endpoint or "],
        ),
        (
            "{type: access_key, access_key_id: '', access_key_secret: 123456}",
            &[
                "access_key_id: is empty",
                "access_key_secret: a secret must be a string; put it in quotes",
            ],
        ),
        (
            "{type: access_key, access_key_id: id, access_key_secret: hunter2, \
                access_key_secret_file: f, security_token: ' '}",
            &[
                "access_key_secret: is there beside access_key_secret_file; one of them must go",
                "security_token: is empty",
            ],
        ),
        (
            "{type: access_key, access_key_id: id, access_key_secret_file: ''}",
            &["access_key_secret_file: is empty"],
        ),
        (
            "{type: ram_role_arn, duration: 14m, role_session_name: a b, policy: '[]', \
             sts_endpoint: 'ftp://x'}",
            &[
                "credentials.role_arn: is missing",
                "credentials.duration: must be between 15m and 12h",
                "credentials.role_session_name: must be 2 to 64 of",
                "credentials.policy: must be a RAM policy in JSON",
                "credentials.sts_endpoint: the scheme is neither http nor https",
            ],
        ),
        (
            "{type: ram_role_arn, role_arn: r}",
            &["credentials.role_arn: must look like acs:ram::1234567890123456:role/name"],
        ),
        (
            "{type: ram_role_arn, role_arn: 'acs:ram::1:role/r', access_key_id: id, source: {type: \
             default}}",
            &["credentials.source: is there beside an access key; one of them must go"],
        ),
        (
            "{type: ram_role_arn, role_arn: 'acs:ram::1:role/r', source: {type: access_key, \
                access_key_id: id, uri: x}}",
            &[
                "credentials.source.uri: unknown key",
                "credentials.source.access_key_secret: is missing",
            ],
        ),
        (
            "{type: oidc_role_arn, oidc_provider_arn: 'acs:ram::1:role/r', duration: 13h}",
            &[
                "oidc_provider_arn: must look like acs:ram::1234567890123456:oidc-provider/name",
                "duration: must be between",
            ],
        ),
        ("type: credentials_uri", &["credentials.uri: is missing"]),
        (
            "{type: credentials_uri, uri: 'ftp://hunter2'}",
            &["credentials.uri: must be http:// or https://, a host"],
        ),
        (
            "{type: credentials_uri, uri: 'http://u:hunter2@h/'}",
            &["credentials.uri: must be http:// or https://, a host"],
        ),
        (
            "{type: credentials_uri, uri: hunter2}",
            &["credentials.uri: must be http:// or https://, a host"],
        ),
        (
            "{type: profile, profile: [a]}",
            &["credentials.profile: must be text; put it in quotes"],
        ),
        (
            "{type: default, type: profile}",
            &["credentials.type: this key is there twice"],
        ),
    ] {
        let problems = parse(yaml).expect_err(yaml);
        for part in expected {
            assert!(
                problems.contains(part),
                "{yaml}: no {part:?} in {problems:?}"
            );
        }
        assert_eq!(
            problems.lines().count(),
            expected.len(),
            "{yaml}: {problems}"
        );
        assert!(
            !problems.contains("hunter2") && !problems.contains("123456,"),
            "{problems}"
        );
    }
}

#[test]
fn every_type_has_the_name_that_is_written() {
    for kind in Kind::ALL {
        assert!(
            serde_json::from_value::<Kind>(kind.name().into()).is_ok_and(|read| read == kind),
            "{}",
            kind.name()
        );
    }
}

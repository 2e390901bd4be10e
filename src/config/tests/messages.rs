//! The messages about a file, each with its line and path.

use super::*;

/// The mistakes and the warnings of a file, a line each.
fn told(text: &str) -> (String, String) {
    let Reading {
        config, warnings, ..
    } = Config::check(text, FilePath::new("/nowhere"));
    let file = FilePath::new("exporter.yaml");
    (
        config.map_or_else(
            |problems| problems.in_file(file).to_string(),
            |_| String::new(),
        ),
        warnings.in_file(file).to_string(),
    )
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_mistake_is_one_line_with_the_file_the_line_and_the_path() {
    let good = "clusters: [{id: c106f377e16f34eb1808d6b9362c9abcd, region: cn-hangzhou}]";
    for (text, expected) in [
        (
            "acounts: []",
            &[
                "exporter.yaml:1: acounts: unknown key, did you mean accounts?",
                "exporter.yaml: accounts: there must be at least one account",
            ][..],
        ),
        (
            "accounts:\n- name: a\n  discovery:\n    regoins: [cn-hangzhou]\n    \
             refresh_interval: 1m",
            &[
                "exporter.yaml:3: accounts[0].discovery.regions: there must be at least one region",
                "exporter.yaml:4: accounts[0].discovery.regoins: unknown key, did you mean \
                 regions?",
            ],
        ),
        (
            "accounts:\n  - name: a\n    colour: blue\n    clusters: []",
            &[
                "exporter.yaml:3: accounts[0].colour: unknown key; here it may be name, \
                 credentials, source, task_types, signature, network, \
             endpoint, proxy, ca_file, rate_limit, max_concurrency, watch, discovery or clusters",
                "exporter.yaml:4: accounts[0].clusters: the account has neither clusters nor \
                 discovery",
            ],
        ),
        (
            &format!(
                "accounts:\n- name: a\n  {good}\n  max_concurrency: many\n  \
                 rate_limit: {{burst: -1,\n    requests_per_second: x}}"
            ),
            &[
                "exporter.yaml:4: accounts[0].max_concurrency: must be a whole number from 1 to \
                 4294967295",
                "exporter.yaml:5: accounts[0].rate_limit.burst: must be a whole number from 1 to \
                 4294967295",
                "exporter.yaml:6: accounts[0].rate_limit.requests_per_second: must be a number \
                 above 0",
            ],
        ),
        (
            &format!("accounts:\n- name: a\n  {good}\n  network: private\n  metrics: {{}}\n"),
            &[
                "exporter.yaml:4: accounts[0].network: must be public or vpc",
                "exporter.yaml:5: accounts[0].metrics: unknown key; here it may be name, \
                 credentials, source, task_types, signature, network, \
             endpoint, proxy, ca_file, rate_limit, max_concurrency, watch, discovery or clusters",
            ],
        ),
        (
            &format!("metrics: {{error_message: shown}}\naccounts:\n- name: 7\n  {good}"),
            &[
                "exporter.yaml:1: metrics.error_message: must be true or false",
                "exporter.yaml:3: accounts[0].name: must be text; put it in quotes",
            ],
        ),
        (
            &format!(
                "accounts:\n- name: a\n  {good}\n  endpoint: https://cs.{{regoin}}.example.com"
            ),
            &[
                "exporter.yaml:4: accounts[0].endpoint: {regoin} is not a placeholder; the only \
                 one is {region}",
            ],
        ),
        (
            &format!("accounts:\n- name: a\n  {good}\n  name: b\n"),
            &["exporter.yaml:4: accounts[0].name: this key is there twice"],
        ),
        (
            &format!(
                "accounts:\n- name: a\n  {good}\n  credentials:\n    access_key_id: x\n    \
                 access_key_secret: hunter2"
            ),
            &[
                "exporter.yaml:4: accounts[0].credentials: type is missing; access_key_id belongs \
                 to type: access_key",
            ],
        ),
        (
            &format!("accounts:\n- name: a\n  {good}\n  credentials: {{role_arn: x}}"),
            &[
                "exporter.yaml:4: accounts[0].credentials: type is missing; role_arn belongs to \
                    type: ram_role_arn or oidc_role_arn",
            ],
        ),
        (
            &format!(
                "accounts:\n- name: a\n  {good}\n  credentials: {{tpye: profile, profile: x}}"
            ),
            &["exporter.yaml:4: accounts[0].credentials.tpye: unknown key, did you mean type?"],
        ),
        (
            &format!(
                "accounts:\n- name: a\n  {good}\n  credentials: {{type: profile, porfile: x}}"
            ),
            &[
                "exporter.yaml:4: accounts[0].credentials.porfile: unknown key, did you mean \
                 profile?",
            ],
        ),
        (
            &format!(
                "accounts:\n- name: a\n  {good}\n  credentials:\n    type: access_key\n    \
                 access_key_id: x\n    access_key_secret_file: sec"
            ),
            &[
                "exporter.yaml:7: accounts[0].credentials.access_key_secret_file: cannot read \
                    /nowhere/sec: No such file or directory",
            ],
        ),
        (
            "scrape:\n\ttimeout: 1s",
            &[
                "exporter.yaml:2: not YAML: found character that cannot start any token at line 2 \
                    column 1, while scanning for the next token; indent with spaces, not \
                    with tabs",
            ],
        ),
        (
            "- 1",
            &["exporter.yaml: must be a mapping, such as {key: value}"],
        ),
    ] {
        let (problems, _) = told(text);
        assert_eq!(problems.lines().collect::<Vec<_>>(), expected, "{text}");
    }
}

#[test]
fn what_cannot_be_meant_is_a_warning_with_its_place() {
    let (problems, warnings) = told(
        "accounts:\n- name: a\n  discovery:\n    regions:\n    - cn-hangzou\n    - cn-beijing\n  \
         clusters:\n  - id: shop\n    region: cn-shanghai\n  \
         - id: C106F377E16F34EB1808D6B9362C9ABCD\n    region: mars\n- name: private\n  \
         endpoint: https://cs.{region}.example.com\n  \
         clusters: [{id: c106f377e16f34eb1808d6b9362c9abcd, region: cn-town-env17-d01}]",
    );
    assert_eq!(problems, "");
    assert_eq!(
        warnings.lines().collect::<Vec<_>>(),
        [
            "exporter.yaml:5: accounts[0].discovery.regions[0]: region cn-hangzou is not known, \
                did you mean cn-hangzhou?",
            "exporter.yaml:8: accounts[0].clusters[0].id: \"shop\" does not look like a cluster \
             ID, which is c and 32 hexadecimal digits",
            "exporter.yaml:10: accounts[0].clusters[1].id: \"C106F377E16F34EB1808D6B9362C9ABCD\" \
             does not look like a cluster ID, which is c and 32 hexadecimal digits",
            "exporter.yaml:11: accounts[0].clusters[1].region: region mars is not known",
        ]
    );
}

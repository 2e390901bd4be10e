//! The mistakes of newcomers, and the message that each gets.

use std::fmt::Write as _;
use std::fs;

use crate::process::run;

/// The beginning of an account that is complete.
const ACCOUNT: &str = "accounts:\n  - name: prod\n    discovery: {regions: [cn-hangzhou]}\n";

/// The keys that an account needs beside its name.
const DISCOVERY: &str = "    discovery: {regions: [cn-hangzhou]}\n";

/// Configurations, each with the lines that `--config.check` prints about it. `{account}` stands
/// for a good account, `{discovery}` for a good discovery.
pub const CONFIGURATIONS: [(&str, &[&str]); 40] = [
    ("", &[": accounts: there must be at least one account"]),
    ("- prod\n", &[": must be a mapping, such as {key: value}"]),
    (
        "acounts: []\n",
        &[
            ":1: acounts: unknown key, did you mean accounts?",
            ": accounts: there must be at least one account",
        ],
    ),
    (
        "accounts: []\n",
        &[":1: accounts: there must be at least one account"],
    ),
    (
        "global:\n  scrape_interval: 15s\n{account}",
        &[":1: global: unknown key; here it may be scrape, metrics or accounts"],
    ),
    (
        "accounts:\n  - {discovery: {regions: [cn-hangzhou]}}\n",
        &[":2: accounts[0].name: is missing"],
    ),
    (
        "accounts:\n  - name: prod\n",
        &[":2: accounts[0].clusters: the account has neither clusters nor discovery"],
    ),
    (
        "accounts:\n\t- name: prod\n",
        &[
            ":2: not YAML: found character that cannot start any token at line 2 column 1, while \
             scanning for the next token; indent with spaces, not with tabs",
        ],
    ),
    (
        "accounts:\n  - name: prod\n   discovery: {regions: [cn-hangzhou]}\n",
        &[
            ":3: not YAML: did not find expected '-' indicator at line 3 column 4, while parsing a \
             block collection at line 2 column 3; check the indentation",
        ],
    ),
    (
        "accounts：\n  - name: prod\n",
        &[
            ":2: not YAML: mapping values are not allowed in this context at line 2 column 9; \
             write : in place of ：",
        ],
    ),
    (
        "accounts:\n  - name: prod\n    name: payments\n{discovery}",
        &[":3: accounts[0].name: this key is there twice"],
    ),
    (
        "{account}  - name: prod\n{discovery}",
        &[":4: accounts[1].name: accounts[0] has this name already"],
    ),
    (
        "accounts:\n  - name: prod\n    discovery: {regions: cn-hangzhou}\n",
        &[":3: accounts[0].discovery.regions: must be a list, such as [a, b]"],
    ),
    (
        "accounts:\n  - name: prod\n    \
         discovery: {regoins: [cn-hangzhou], regions: [cn-beijing]}\n",
        &[":3: accounts[0].discovery.regoins: unknown key, did you mean regions?"],
    ),
    (
        "accounts:\n  - name: prod\n    discovery: {region: cn-hangzhou}\n",
        &[
            ":3: accounts[0].discovery.region: unknown key, did you mean regions?",
            ":3: accounts[0].discovery.regions: there must be at least one region",
        ],
    ),
    (
        "accounts:\n  - name: prod\n    discovery: {regions: [Hangzhou]}\n",
        &[
            ":3: accounts[0].discovery.regions[0]: \"Hangzhou\" is not a region: 1 to 64 of a-z \
             0-9 -, such as cn-hangzhou",
        ],
    ),
    (
        "accounts:\n  - name: prod\n    discovery: {regions: [“cn-hangzhou”]}\n",
        &[
            ":3: accounts[0].discovery.regions[0]: \"“cn-hangzhou”\" is not a region: 1 to 64 of \
             a-z 0-9 -, such as cn-hangzhou",
        ],
    ),
    (
        "accounts:\n  - name: prod\n    discovery: {regions: [cn-hangzhou, cn-hangzhou]}\n",
        &[":3: accounts[0].discovery.regions[1]: this region is there twice"],
    ),
    (
        "accounts:\n  - name: prod\n    \
         discovery: {regions: [cn-hangzhou], match: {name: \"prod-(\"}}\n",
        &[
            ":3: accounts[0].discovery.match.name: is not a regular expression: found open group \
             without closing ')'",
        ],
    ),
    (
        "scrape: {timeout: 10}\n{account}",
        &[":1: scrape.timeout: 10 is not a duration such as 500ms, 10s, 5m or 1h30m"],
    ),
    (
        "scrape: {interval: 30s}\n{account}",
        &[
            ":1: scrape.interval: unknown key; here it may be timeout, timeout_offset, cache_ttl, \
             max_age or idle_interval",
        ],
    ),
    (
        "metrics: {state_sets: compact}\n{account}",
        &[":1: metrics.state_sets: must be full or active"],
    ),
    (
        "metrics: {error_message: \"yes\"}\n{account}",
        &[":1: metrics.error_message: must be true or false"],
    ),
    (
        "{account}    credentials: {access_key_id: a, access_key_secret: b}\n",
        &[
            ":4: accounts[0].credentials: type is missing; access_key_id belongs to type: \
             access_key",
        ],
    ),
    (
        "{account}    credentials: {type: accesskey, access_key_id: a, access_key_secret: b}\n",
        &[
            ":4: accounts[0].credentials.type: must be default, access_key, ram_role_arn, \
             oidc_role_arn, ecs_ram_role, credentials_uri or profile",
        ],
    ),
    (
        "{account}    credentials: {type: access_key, access_key_id: a, accessKeySecret: b}\n",
        &[
            ":4: accounts[0].credentials.accessKeySecret: unknown key, did you mean \
             access_key_secret?",
            ":4: accounts[0].credentials.access_key_secret: is missing, and so is \
             access_key_secret_file",
        ],
    ),
    (
        "{account}    credentials: {type: access_key, access_key_id: a}\n",
        &[
            ":4: accounts[0].credentials.access_key_secret: is missing, and so is \
             access_key_secret_file",
        ],
    ),
    (
        "{account}    credentials: {type: access_key, access_key_id: a, access_key_secret_file: \
         /nope/key}\n",
        &[
            ":4: accounts[0].credentials.access_key_secret_file: cannot read /nope/key: No such \
             file or directory",
        ],
    ),
    (
        "{account}    access_key_id: a\n",
        &[
            ":4: accounts[0].access_key_id: unknown key; here it may be name, credentials, source, \
             task_types, signature, network, endpoint, proxy, ca_file, rate_limit, \
             max_concurrency, watch, discovery or clusters",
        ],
    ),
    (
        "accounts:\n  - name: prod\n    clusters: [{id: c106f377e16f34eb1808d6b9362c9abcd}]\n",
        &[
            ":3: accounts[0].clusters[0].region: is missing, and the endpoint \
             https://cs.{region}.aliyuncs.com depends on it",
        ],
    ),
    (
        "accounts:\n  - name: prod\n    clusters: [c106f377e16f34eb1808d6b9362c9abcd]\n",
        &[":3: accounts[0].clusters[0]: must be a mapping, such as {key: value}"],
    ),
    (
        "accounts:\n  - name: prod\n    \
         clusters: [{id: c1, region: cn-hangzhou}, {id: c1, region: cn-hangzhou}]\n",
        &[":3: accounts[0].clusters[1].id: accounts[0].clusters[0] is this cluster already"],
    ),
    (
        "accounts:\n  - name: prod\n    \
         clusters: [{id: c1, region: cn-hangzhou, labels: {my-team: a}}]\n",
        &[
            ":3: accounts[0].clusters[0].labels.my-team: \"my-team\" is not a label name: \
             [a-zA-Z_][a-zA-Z0-9_]*, not starting with __",
        ],
    ),
    (
        "accounts:\n  - name: prod\n    \
         clusters: [{id: c1, region: cn-hangzhou, labels: {region: a}}]\n",
        &[":3: accounts[0].clusters[0].labels.region: \"region\" is a label of the exporter's own"],
    ),
    (
        "{account}    source: task\n",
        &[":4: accounts[0].source: must be auto, upgrade_status or tasks"],
    ),
    (
        "{account}    endpoint: cs.cn-hangzhou.aliyuncs.com\n",
        &[
            ":4: accounts[0].endpoint: no scheme; an endpoint is http:// or https://, a host and \
             perhaps a port",
        ],
    ),
    (
        "{account}    proxy: proxy.example.com:3128\n",
        &[":4: accounts[0].proxy: must begin with http:// or https:// and a host"],
    ),
    (
        "{account}    ca_file: /nope/ca.pem\n",
        &[":4: accounts[0].ca_file: cannot read /nope/ca.pem: No such file or directory"],
    ),
    (
        "{account}    rate_limit: {requests_per_second: 0}\n",
        &[":4: accounts[0].rate_limit.requests_per_second: must be a number above 0"],
    ),
    (
        "{account}    watch: [plans]\n",
        &[":4: accounts[0].watch: must be a mapping, such as {key: value}"],
    ),
];

/// Command lines beside a good `exporter.yaml`, each with the lines of the message. The usage is
/// left out.
pub const COMMAND_LINES: [(&[&str], &[&str]); 25] = [
    (
        &[],
        &[
            "error: no configuration: name a file with --config.file, a region with --region, or \
             try the demo",
        ],
    ),
    (
        &["status"],
        &[
            "error: no configuration: name a file with --config.file, a region with --region, or \
             try the demo",
        ],
    ),
    (
        &["--config.file=nope.yaml"],
        &["error: cannot read nope.yaml: No such file or directory"],
    ),
    (
        &["--config.file=."],
        &["error: cannot read .: Is a directory"],
    ),
    (
        &["exporter.yaml"],
        &[
            "error: unrecognized subcommand 'exporter.yaml'",
            "  tip: to name the configuration file, use '--config.file=exporter.yaml'",
        ],
    ),
    (
        &["--config-file=exporter.yaml"],
        &[
            "error: unexpected argument '--config-file' found",
            "  tip: a similar argument exists: '--config.file'",
        ],
    ),
    (
        &["-config.file=exporter.yaml"],
        &[
            "error: unexpected argument '-c' found",
            "  tip: flags begin with two hyphens: '--config.file=exporter.yaml'",
        ],
    ),
    (
        &["--config.check"],
        &[
            "error: the following required arguments were not provided:",
            "  --config.file <FILE>",
        ],
    ),
    (
        &["staus"],
        &[
            "error: unrecognized subcommand 'staus'",
            "  tip: a similar subcommand exists: 'status'",
        ],
    ),
    (
        &["--config.file=exporter.yaml", "--region=cn-hangzhou"],
        &["error: --region cannot be used with --config.file: write the region into the file"],
    ),
    (
        &["--config.file=exporter.yaml", "--cluster=c1"],
        &[
            "error: the argument '--config.file <FILE>' cannot be used with '--cluster \
             <ID[@REGION]>'",
        ],
    ),
    (
        &["--cluster=c1"],
        &[
            "error: --cluster=c1: its region is missing; add --region=REGION or write \
             --cluster=ID@REGION",
        ],
    ),
    (
        &["--config.file=exporter.yaml", "--web.listen-address=10525"],
        &[
            "error: invalid value '10525' for '--web.listen-address <ADDRESS>': \"10525\" is not \
             an address to listen on, such as :10525, 127.0.0.1:10525 or [::1]:10525",
        ],
    ),
    (
        &[
            "--config.file=exporter.yaml",
            "--config.auto-reload-interval=30",
        ],
        &[
            "error: invalid value '30' for '--config.auto-reload-interval <DURATION>': \"30\" is \
             not a duration such as 500ms, 10s, 5m or 1h30m",
        ],
    ),
    (
        &["--config.file=exporter.yaml", "--shard.total=3"],
        &["error: --shard.total needs --shard.ordinal or --shard.ordinal-from-hostname"],
    ),
    (
        &["--config.file=exporter.yaml", "--web.config.file=nope.yaml"],
        &["error: cannot read nope.yaml: No such file or directory"],
    ),
    (
        &["status", "--config.file=exporter.yaml", "--wait", "--watch"],
        &["error: the argument '--wait' cannot be used with '--watch'"],
    ),
    (
        &[
            "status",
            "--config.file=exporter.yaml",
            "--target-version=1.32.1-aliyun.1",
        ],
        &[
            "error: the following required arguments were not provided:",
            "  --wait",
        ],
    ),
    (
        &["status", "--config.file=exporter.yaml", "--output=yaml"],
        &[
            "error: invalid value 'yaml' for '--output <FORMAT>'",
            "  [possible values: table, json]",
        ],
    ),
    (
        &["status", "--config.file=exporter.yaml", "--status=failed"],
        &[
            "error: invalid value 'failed' for '--status <STATUS>'",
            "  [possible values: none, running, pause, success, fail, canceled, unknown, \
             unanswered]",
            "  tip: a similar value exists: 'fail'",
        ],
    ),
    (
        &["status", "--config.file=exporter.yaml", "--account=prd"],
        &["error: --account=prd: no such account in the configuration, which has prod"],
    ),
    (
        &[
            "status",
            "--config.file=exporter.yaml",
            "--wait",
            "--since=yesterday",
        ],
        &[
            "error: invalid value 'yesterday' for '--since <TIME>': must be a time with its \
             offset, such as 2026-11-23T08:00:00Z",
        ],
    ),
    (
        &["explain", "--config.file=exporter.yaml"],
        &[
            "error: the following required arguments were not provided:",
            "  <CLUSTER>",
        ],
    ),
    (
        &["completion", "tcsh"],
        &[
            "error: invalid value 'tcsh' for '<SHELL>'",
            "  [possible values: bash, elvish, fish, powershell, zsh]",
            "  tip: a similar value exists: 'zsh'",
        ],
    ),
    (
        &["man", "serve"],
        &["error: serve is not a command; there are demo, status, explain, completion, man"],
    ),
];

#[test]
fn every_mistake_in_a_configuration_is_named_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    for (text, lines) in CONFIGURATIONS {
        let text = text
            .replace("{account}", ACCOUNT)
            .replace("{discovery}", DISCOVERY);
        fs::write(folder.path().join("exporter.yaml"), &text).expect("written");
        let mut expected = String::new();
        for line in lines {
            writeln!(expected, "error: exporter.yaml{line}").expect("a String takes every write");
        }
        let arguments = ["--config.file=exporter.yaml", "--config.check"];
        assert_eq!(
            run(folder.path(), &arguments),
            (String::new(), expected, Some(2)),
            "{text}"
        );
    }
}

#[test]
fn every_mistake_on_the_command_line_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("exporter.yaml"), ACCOUNT).expect("written");
    for (arguments, expected) in COMMAND_LINES {
        let (output, text, code) = run(folder.path(), arguments);
        let others = [
            "time=",
            "Usage: ",
            "       ack-upgrade-exporter ",
            "For more ",
        ];
        let lines = text.lines().filter(|line| {
            !line.trim().is_empty() && !others.iter().any(|other| line.starts_with(other))
        });
        assert_eq!(
            (output.as_str(), lines.collect::<Vec<_>>().as_slice(), code),
            ("", expected, Some(2)),
            "{arguments:?}: {text}"
        );
    }
}

//! The messages in the README's section about troubleshooting, and those of the program.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;

use ack_simulator::{Action, KeyPair};

use crate::certificates::{Authority, Identity};
use crate::mistakes::{COMMAND_LINES, CONFIGURATIONS};
use crate::process::{Exporter, get, run};
use crate::simulated_api::SimulatedApi;

/// The output and the pages of the exporter about mistakes that only show when it runs.
fn messages_at_run_time() -> Vec<String> {
    let api = SimulatedApi::new(2);
    let good = api.yaml(2);
    let ids = api.sim.world().clusters();
    let pair = KeyPair::demo();
    let status = |yaml: &str| {
        api.write(yaml);
        let arguments = ["status", "--config.file=exporter.yml"];
        let (output, messages, code) = run(api.folder.path(), &arguments);
        assert_eq!(code, Some(4), "{output}{messages}");
        output + &messages
    };
    let missing = "c106f377e16f34eb1808d6b9362c9abcd";
    let mut messages = vec![
        status(&good.replace(pair.access_key_secret.expose(), "wrong")),
        status(&good.replace(&pair.access_key_id, "LTAI5tNobody")),
        status(&good.replace(ids[0].as_str(), missing)),
        status(&good.replace(&api.endpoint.to_string(), "127.0.0.1:1")),
        status(&without_credentials(&good)),
    ];
    api.sim.deny(Action::DescribeClusterTasks);
    messages.push(status(&good.replace("upgrade_status", "tasks")));
    api.write(&good);
    messages.push(status_of_an_untrusted_server(&api));
    messages.push(address_in_use(&api));
    messages.push(page_beyond_the_rate_limit(&api));
    messages
}

/// The configuration with the default chain, on a machine where it finds nothing.
fn without_credentials(yaml: &str) -> String {
    let lines = yaml.lines().map(|line| {
        if line.contains("credentials:") {
            "    credentials: {type: default, metadata_endpoint: 'http://127.0.0.1:1'}"
        } else {
            line
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn status_of_an_untrusted_server(api: &SimulatedApi) -> String {
    let folder = api.folder.path();
    let Identity { certificate, key } = Authority::new().server();
    fs::write(folder.join("server.crt"), certificate).expect("written");
    fs::write(folder.join("server.key"), key).expect("written");
    let web = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n";
    fs::write(folder.join("web.yml"), web).expect("written");
    let flag = format!("--web.config.file={}", folder.join("web.yml").display());
    let server = Exporter::start(&api.config(), &[&flag]);
    let plain = format!("http://{}", api.endpoint);
    let yaml = api
        .yaml(2)
        .replace(&plain, &format!("https://{}", server.address));
    fs::write(folder.join("untrusted.yml"), yaml).expect("written");
    let (output, messages, code) = run(folder, &["status", "--config.file=untrusted.yml"]);
    assert_eq!(code, Some(4), "{output}{messages}");
    output + &messages
}

fn address_in_use(api: &SimulatedApi) -> String {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let flag = format!("--web.listen-address={address}");
    let (_, messages, code) = run(api.folder.path(), &["--config.file=exporter.yml", &flag]);
    assert_eq!(code, Some(1), "{messages}");
    messages
}

/// The JSON of clusters that the rate limit does not allow to query again.
fn page_beyond_the_rate_limit(api: &SimulatedApi) -> String {
    let limited = api.yaml(2).replace(
        "    clusters:\n",
        "    rate_limit: {requests_per_second: 0.001, burst: 2}\n    clusters:\n",
    );
    api.write(&format!("scrape: {{timeout: 1s, max_age: 0s}}\n{limited}"));
    let exporter = Exporter::start(&api.config(), &[]);
    for _ in 0..2 {
        get(&format!("http://{}/metrics", exporter.address));
    }
    get(&format!("http://{}/api/v1/clusters", exporter.address))
}

#[test]
fn the_messages_of_the_troubleshooting_are_those_of_the_program() {
    let of_files = CONFIGURATIONS.iter().flat_map(|(_, lines)| *lines);
    let of_flags = COMMAND_LINES.iter().flat_map(|(_, lines)| *lines);
    let mut known: Vec<_> = of_files
        .chain(of_flags)
        .map(|line| (*line).to_owned())
        .collect();
    known.extend(messages_at_run_time());
    let readme = fs::read_to_string("README.md").expect("the README");
    let (_, section) = readme
        .split_once("\n## Troubleshooting\n")
        .expect("the section");
    let rows = section.lines().skip_while(|line| !line.starts_with("|---"));
    let rows = rows.skip(1).take_while(|line| line.starts_with('|'));
    let messages: BTreeSet<_> = rows
        .filter_map(|row| row.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    assert!(messages.len() >= 10, "{messages:?}");
    for message in messages {
        assert!(
            known.iter().any(|text| text.contains(message)),
            "{message}: {known:#?}"
        );
    }
}

//! Everything in README and docs that a person can copy: commands, configurations, paths.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use ack_simulator::{Action, Phase};

use crate::markdown::{Document, present_documents};
use crate::process::{Exporter, PROGRAM, get};
use crate::simulated_api::SimulatedApi;

/// The English documents; a test of the documents compares their code with the Chinese ones.
fn documents() -> Vec<String> {
    let mut documents = vec![fs::read_to_string("README.md").expect("the README")];
    for entry in fs::read_dir("docs").expect("the documents") {
        let path = entry.expect("a document").path();
        if !path.display().to_string().ends_with(".zh-CN.md") {
            documents.push(fs::read_to_string(path).expect("a document"));
        }
    }
    documents
}

/// The commands of the program in the documents, without its name.
fn commands() -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    for document in documents() {
        for line in Document::parse(&document).indented() {
            if let Some(command) = line.strip_prefix("    ack-upgrade-exporter ") {
                commands.push(command.split_whitespace().map(str::to_owned).collect());
            }
        }
    }
    commands
}

/// The blocks of YAML in the documents that begin with one of `keys`.
fn blocks(keys: &[&str]) -> Vec<String> {
    let mut blocks = Vec::new();
    for document in documents() {
        blocks.extend(Document::parse(&document).in_language("yaml"));
    }
    blocks.retain(|block| keys.iter().any(|key| block.starts_with(key)));
    blocks
}

/// An API whose cluster `shop` has been upgraded to the version of the examples, with a
/// configuration of the name in the examples.
fn example() -> SimulatedApi {
    let api = SimulatedApi::new(2);
    let world = api.sim.world();
    let ids = world.clusters();
    for id in &ids {
        world.set_phase(id, Phase::Succeeded, None);
    }
    let detail = format!(
        r#"{{"cluster_id": "{}", "state": "running", "current_version": "1.32.1-aliyun.1"}}"#,
        ids[0]
    );
    world.set_body(&ids[0], Action::DescribeClusterDetail, Some(&detail));
    let name = world.name(&ids[0]).expect("a name");
    let yaml = api.yaml(2).replace(&format!("name: {name}"), "name: shop");
    fs::write(api.folder.path().join("exporter.yaml"), yaml).expect("written");
    api
}

#[test]
fn every_command_of_the_documents_works() {
    let api = example();
    let commands = commands();
    assert!(commands.len() >= 6, "{commands:?}");
    for arguments in commands {
        let mut command = Command::new(PROGRAM);
        command.args(&arguments).current_dir(api.folder.path());
        let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
        if has("--watch") {
            watch(&mut command);
        } else if arguments.iter().all(|argument| argument.starts_with("--"))
            && !has("--config.check")
        {
            let exporter = Exporter::run(command.arg("--web.listen-address=127.0.0.1:0"));
            get(&format!("http://{}/metrics", exporter.address));
        } else {
            let output = command.output().expect("it runs");
            assert!(output.status.success(), "{arguments:?}: {output:?}");
            assert!(!output.stdout.is_empty(), "{arguments:?}");
        }
    }
}

/// Runs a command until it has printed something.
fn watch(command: &mut Command) {
    use std::io::Read as _;
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it runs");
    let mut stdout = child.stdout.take().expect("a pipe");
    let mut first = [0; 1];
    stdout.read_exact(&mut first).expect("it prints");
    child.kill().expect("it still runs");
    child.wait().expect("a child");
}

#[test]
fn every_configuration_of_the_documents_passes_the_check() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = "tests/data/web-config/pki/client-ca.crt";
    fs::copy(authority, folder.path().join("private-ca.pem")).expect("copied");
    let blocks = blocks(&["accounts:", "scrape:", "metrics:"]);
    assert!(blocks.len() >= 2, "{blocks:?}");
    for block in blocks {
        fs::write(folder.path().join("exporter.yaml"), &block).expect("written");
        let output = Command::new(PROGRAM)
            .args(["--config.file=exporter.yaml", "--config.check"])
            .current_dir(folder.path())
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            (output.status.code(), said.as_str()),
            (Some(0), ""),
            "{block}"
        );
    }
}

#[test]
fn every_path_of_the_documents_is_served() {
    let api = example();
    let config = api.folder.path().join("exporter.yaml");
    let exporter = Exporter::start(&config, &["--web.enable-lifecycle"]);
    let paths = paths();
    assert!(paths.len() >= 10, "{paths:?}");
    for path in paths {
        let url = format!("http://{}{path}", exporter.address);
        let url = url.replace("ID-or-name", "shop");
        match path.split('?').collect::<Vec<_>>()[..] {
            ["/-/reload"] => curl(&format!("curl --request POST {url}")),
            ["/probe", query] if !query.contains("target=") => get(&format!("{url}&target=shop")),
            ["/probe"] => get(&format!("{url}?target=shop")),
            _ => get(&url),
        };
    }
}

/// The paths that a span of code in any document names, files of the system apart.
fn paths() -> BTreeSet<String> {
    const FILES: [&str; 4] = ["/dev/", "/etc/", "/proc/", "/tmp/"];
    // A page of Prometheus, and an example of --web.route-prefix.
    const OTHERS: [&str; 2] = ["/alerts", "/ack"];
    let mut paths = BTreeSet::new();
    for (_, text) in present_documents() {
        for span in Document::parse(&text).spans() {
            let is_file = FILES.iter().any(|folder| span.starts_with(folder));
            if span.starts_with('/') && !is_file && !OTHERS.contains(&span) {
                paths.insert(span.to_owned());
            }
        }
    }
    paths
}

#[test]
fn every_curl_of_the_documents_is_answered() {
    let api = example();
    let config = api.folder.path().join("exporter.yaml");
    let exporter = Exporter::start(&config, &[]);
    let mut commands = 0;
    for (_, text) in present_documents() {
        for line in Document::parse(&text).code() {
            if line.starts_with("curl ") && line.contains("//ack-upgrade-exporter:10525/") {
                commands += 1;
                curl(&line.replace("ack-upgrade-exporter:10525", &exporter.address));
            }
        }
    }
    assert!(commands >= 4, "{commands}");
}

/// Runs a command of curl about the cluster `shop`.
fn curl(command: &str) -> String {
    let output = Command::new("sh")
        .args(["-c", &format!("{command} --silent --show-error --fail")])
        .env("CLUSTER", "shop")
        .output()
        .expect("a shell");
    assert!(output.status.success(), "{command}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

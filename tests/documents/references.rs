//! Everything in the documents that a reader may follow: files, links, commands, flags.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use ack_upgrade_exporter::cli::Cli;
use clap::CommandFactory as _;
use clap::error::ErrorKind;
use http::Uri;

use super::all_flags;
use super::markdown::{Document, present_documents};

/// Hosts that the documents may link.
const HOSTS: [&str; 9] = [
    "cs.console.aliyun.com",
    "github.com",
    "help.aliyun.com",
    "kubernetes.io",
    "prometheus.io",
    "quotas.console.aliyun.com",
    "ram.console.aliyun.com",
    "status.alibabacloud.com",
    "www.alibabacloud.com",
];

#[test]
fn every_file_named_in_a_document_exists() {
    let mut files = 0;
    for (document, text) in present_documents() {
        let folder = Path::new(&document).parent().unwrap_or(Path::new(""));
        let folders = ["", "src", "crates/ack-client/src"].map(Path::new);
        for file in Document::parse(&text).spans().into_iter().filter_map(file) {
            files += 1;
            let exists = |base: &Path| base.join(file).exists();
            assert!(
                exists(folder) || folders.into_iter().any(exists),
                "{document}: {file}"
            );
        }
    }
    assert!(files > 200, "{files}");
}

/// The file or folder that a span of code names, such as `deploy/ram/auto.json`, or a script with
/// its arguments.
fn file(span: &str) -> Option<&str> {
    let word = span.split_whitespace().next()?;
    let is_path = word
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let is_relative = word.contains('/') && !word.starts_with('/');
    let is_annotation = word == "prometheus.io/scrape";
    let is_module = Path::new(word)
        .extension()
        .is_some_and(|extension| extension == "rs");
    (is_path && (is_relative || is_module) && !is_annotation).then_some(word)
}

/// The addresses are not called: tests reach loopback only. A page that has moved is not seen here.
#[test]
fn every_link_to_the_web_is_https_and_leads_to_a_known_host() {
    let mut links = 0;
    for (document, text) in present_documents() {
        for link in Document::parse(&text).links() {
            if !link.contains(':') {
                continue;
            }
            links += 1;
            let uri: Uri = link
                .parse()
                .unwrap_or_else(|error| panic!("{document}: {link}: {error}"));
            assert_eq!(uri.scheme_str(), Some("https"), "{document}: {link}");
            let host = uri.host().unwrap_or_default();
            assert!(HOSTS.contains(&host), "{document}: {link}");
        }
    }
    assert!(links > 50, "{links}");
}

#[test]
fn every_block_of_shell_parses() {
    let mut blocks = 0;
    for (document, text) in present_documents() {
        for script in scripts(&Document::parse(&text)) {
            blocks += 1;
            let mut bash = Command::new("bash")
                .arg("-n")
                .stdin(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("bash");
            let mut stdin = bash.stdin.take().expect("a pipe");
            stdin.write_all(script.as_bytes()).expect("it reads");
            drop(stdin);
            let output = bash.wait_with_output().expect("it ends");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success() && said.is_empty(),
                "{document}: {said}{script}"
            );
        }
    }
    assert!(blocks > 60, "{blocks}");
}

fn scripts(document: &Document<'_>) -> Vec<String> {
    let languages = ["sh", "bash", "console"];
    let blocks = languages.map(|language| document.in_language(language));
    blocks.concat()
}

#[test]
fn every_command_of_the_program_has_subcommands_and_flags_that_it_knows() {
    let mut commands = 0;
    for (document, text) in present_documents() {
        for arguments in commands_of(&Document::parse(&text)) {
            commands += 1;
            let parsed = Cli::command().try_get_matches_from(&arguments);
            if let Err(error) = parsed {
                let is_help = matches!(
                    error.kind(),
                    ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
                );
                assert!(is_help, "{document}: {arguments:?}: {error}");
            }
        }
    }
    assert!(commands > 40, "{commands}");
}

/// The commands of the program in blocks and in the text, each with the program's name first.
fn commands_of(document: &Document<'_>) -> Vec<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    for script in scripts(document) {
        let script = script.replace("\\\n", " ");
        lines.extend(script.lines().map(str::to_owned));
    }
    lines.extend(document.indented().map(str::to_owned));
    lines.extend(document.spans().into_iter().map(str::to_owned));
    lines.iter().filter_map(|line| command(line)).collect()
}

/// The command of the program in a line, after that of a shell in a container, of cargo, or alone.
fn command(line: &str) -> Option<Vec<String>> {
    let words: Vec<&str> = line
        .split_whitespace()
        .take_while(|word| !["|", ">", ">>", "&&", "#"].contains(word))
        .map(|word| word.trim_matches(['"', '\'']))
        .collect();
    let after = |name| Some(words.iter().position(|word| *word == name)? + 1);
    let start = match words[..] {
        ["ack-upgrade-exporter", ..] => 1,
        ["cargo", "run", ..] => after("--")?,
        [first, _, ..] if Cli::command().find_subcommand(first).is_some() => 0,
        _ => after("/ack-upgrade-exporter")?,
    };
    let arguments = words[start..].iter().map(|word| (*word).to_owned());
    let program = "ack-upgrade-exporter".to_owned();
    Some([program].into_iter().chain(arguments).collect())
}

/// Flags with a dot are those of Prometheus and its exporters.
#[test]
fn every_flag_with_a_dot_exists() {
    let flags = all_flags();
    for (document, text) in present_documents() {
        let document_parts = Document::parse(&text);
        let spans = document_parts.spans();
        let words = spans.iter().flat_map(|span| span.split_whitespace());
        for flag in words.filter_map(|word| word.strip_prefix("--")) {
            let flag = flag.split('=').next().unwrap_or_default();
            let is_known = flags.contains(flag) || flag == "alertmanager.url";
            assert!(!flag.contains('.') || is_known, "{document}: --{flag}");
        }
    }
}

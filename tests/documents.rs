//! The documents say what the code does.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ack_upgrade_exporter::config::Config;
use ack_upgrade_exporter::metrics::catalog::{ALL, Kind};

const BEGIN: &str = "<!-- metrics: written by `UPDATE=1 cargo test --test documents` -->\n";
const END: &str = "<!-- /metrics -->";

fn table() -> String {
    let mut table = String::from("| metric | type | labels | meaning |\n|---|---|---|---|\n");
    for metric in ALL {
        let kind = match metric.kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        };
        let labels = metric.labels.join(", ");
        writeln!(table, "| `{}` | {kind} | {labels} | {} |", metric.name, metric.help.replace('|', "\\|"))
            .expect("a String takes every write");
    }
    table
}

#[test]
fn the_readme_lists_every_metric_as_the_catalogue_has_it() {
    let readme = fs::read_to_string("README.md").expect("README.md");
    let (before, rest) = readme.split_once(BEGIN).expect("the beginning of the table");
    let (written, after) = rest.split_once(END).expect("the end of the table");
    if std::env::var_os("UPDATE").is_some() {
        fs::write("README.md", format!("{before}{BEGIN}{}{END}{after}", table())).expect("writes README.md");
    } else {
        assert_eq!(written, table(), "UPDATE=1 cargo test --test documents");
    }
}

#[test]
fn the_configuration_in_the_readme_is_one() {
    let readme = fs::read_to_string("README.md").expect("README.md");
    let (_, rest) = readme.split_once("```yaml\naccounts:").expect("a configuration");
    let (accounts, _) = rest.split_once("```").expect("its end");
    let config = Config::parse(&format!("accounts:{accounts}"), Path::new("")).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.accounts.len(), 2);
}

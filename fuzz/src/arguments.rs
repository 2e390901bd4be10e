//! The command line and the types of its values.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ack_simulator::{InProcess, KeyPair, Options, Rule, Simulator};
use ack_upgrade_exporter::cli::{AccountArgs, Cli, Command, WebArgs, command_first};
use ack_upgrade_exporter::collect::Collector;
use ack_upgrade_exporter::config::Config;
use ack_upgrade_exporter::metrics::ExporterMetrics;
use clap::Parser as _;
use exporter_toolkit::process::ProcessMetrics;
use tokio::time::Instant;

use super::fake_api::{FakeApi, start};
use super::{outputs, paused};

/// Parses arguments, one a line. They are rejected with a message or accepted. Accepted clusters
/// and regions are those that were named, a prefix is a legal start of a path, and faults can be
/// injected.
pub fn arguments(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let words = std::iter::once("ack-upgrade-exporter").chain(text.split('\n'));
    let cli = match Cli::try_parse_from(command_first(words.map(OsString::from))) {
        Ok(cli) => cli,
        Err(error) => {
            assert!(matches!(error.exit_code(), 0 | 2) && !error.to_string().trim().is_empty());
            return;
        }
    };
    match cli.command {
        None => {
            accounts(&cli.serve.accounts);
            web(&cli.serve.web);
        }
        Some(Command::Status(args)) => accounts(&args.accounts),
        Some(Command::Explain(args)) => accounts(&args.accounts),
        Some(Command::Completion(_) | Command::Man(_)) => {}
        Some(Command::Demo(args)) => {
            web(&args.web);
            scrape_with_faults(args.faults.map(|faults| faults.0).unwrap_or_default());
        }
    }
}

fn accounts(args: &AccountArgs) {
    let config = match Config::parse(&args.as_config(), Path::new("/nonexistent")) {
        Ok(config) => config,
        Err(problems) => {
            assert!(!problems.to_string().trim().is_empty());
            return;
        }
    };
    let [account] = &config.accounts[..] else {
        panic!("one account: {config:?}")
    };
    if args.clusters.is_empty() {
        let regions: Vec<_> = account
            .discovery
            .as_ref()
            .expect("regions to look in")
            .regions
            .iter()
            .map(ack_client::names::Region::as_str)
            .collect();
        assert_eq!(regions, args.regions);
    } else {
        let named: Vec<_> = account
            .clusters
            .iter()
            .map(|cluster| cluster.id.as_str())
            .collect();
        let asked: Vec<_> = args
            .clusters
            .iter()
            .map(|cluster| cluster.split('@').next().unwrap_or_default())
            .collect();
        assert_eq!(named, asked);
    }
}

fn web(args: &WebArgs) {
    for prefix in [args.route_prefix(), args.link_prefix()] {
        assert!(
            prefix.is_empty() || (prefix.starts_with('/') && !prefix.ends_with('/')),
            "{prefix}"
        );
    }
    assert!(args.telemetry_path.starts_with('/'));
}

/// Scrapes a simulator with these faults.
fn scrape_with_faults(faults: Vec<Rule>) {
    let sim = Arc::new(Simulator::new(Options {
        clusters: 2,
        start: start(),
        faults,
        ..Options::default()
    }));
    let pair = KeyPair::demo();
    let text = format!(
        "accounts: [{{name: a, endpoint: 'http://simulator.example', credentials: {{type: access_key, access_key_id: {}, access_key_secret: {}}}, \
         discovery: {{regions: [cn-hangzhou]}}}}]",
        pair.access_key_id,
        pair.access_key_secret.expose()
    );
    let config = Config::parse(&text, Path::new("/nonexistent")).expect("a good one");
    paused().block_on(async {
        let own = ExporterMetrics::new(ProcessMetrics::Hidden);
        let mut dependencies = FakeApi::silent().dependencies(&own);
        dependencies.transports = Arc::new(InProcess(sim));
        let collector = Collector::new(&config, &dependencies);
        for _ in 0..2 {
            let snapshot = collector
                .collect(Instant::now() + Duration::from_secs(3))
                .await;
            outputs::check(&snapshot, &own, &config.metrics);
        }
        collector.stop().await;
    });
}

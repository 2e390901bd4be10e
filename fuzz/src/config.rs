//! The configuration file.

use std::path::Path;
use std::time::Duration;

use ack_client::credentials::{Provider, SecretSource};
use ack_upgrade_exporter::collect::Collector;
use ack_upgrade_exporter::config::{Account, Config};
use ack_upgrade_exporter::metrics::ExporterMetrics;
use exporter_toolkit::process::ProcessMetrics;
use tokio::time::Instant;

use super::fake_api::FakeApi;
use super::{SECRETS, outputs, paused, with_secrets};

/// Parses a file. It is rejected with a path or accepted. An accepted configuration is shown
/// without secrets, reads as the same configuration again, and can be scraped.
pub fn config(input: &[u8]) {
    let text = String::from_utf8_lossy(&with_secrets(input)).into_owned();
    let config = match Config::parse(&text, Path::new("/nonexistent")) {
        Ok(config) => config,
        Err(problems) => {
            assert!(!problems.is_empty() && !problems.to_string().trim().is_empty());
            return;
        }
    };
    let shown = config.to_yaml();
    for secret in config
        .accounts
        .iter()
        .flat_map(|account| secrets(&account.access().credentials))
    {
        // A short one may be part of a name.
        assert!(
            secret.len() < 16 || !shown.contains(&secret) || text.matches(&secret).count() > 1,
            "{secret} in {shown}"
        );
    }
    if config.accounts.iter().all(is_shown_whole) {
        let again = Config::parse(&shown, Path::new("/nonexistent"))
            .unwrap_or_else(|problems| panic!("{problems}\n{shown}"));
        assert_eq!(again.to_yaml(), shown);
    }
    // A secret in the place of a name is shown, like any name.
    if SECRETS.iter().any(|secret| shown.contains(secret)) {
        return;
    }
    paused().block_on(async {
        let own = ExporterMetrics::new(ProcessMetrics::Hidden);
        let collector = Collector::new(&config, &FakeApi::read(b"200\n\n{}").dependencies(&own));
        for _ in 0..2 {
            let snapshot = collector
                .collect(Instant::now() + config.scrape.timeout.min(Duration::from_secs(3)))
                .await;
            outputs::check(&snapshot, &own, &config.metrics);
        }
        collector.stop().await;
    });
}

/// Removes proxies, which are masked as a whole, and files, which are read again.
fn is_shown_whole(account: &Account) -> bool {
    let connections = account.access().connections;
    connections.proxy.is_none() && connections.authorities.is_empty()
}

fn secrets(credentials: &Provider) -> Vec<String> {
    let inline = |source: &SecretSource| match source {
        SecretSource::Inline(secret) => Some(secret.expose().to_owned()),
        SecretSource::File(_) => None,
    };
    match credentials {
        Provider::AccessKey {
            access_key_secret,
            security_token,
            ..
        } => [Some(access_key_secret), security_token.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(inline)
            .collect(),
        Provider::RamRoleArn(role) => secrets(&role.source),
        _ => Vec::new(),
    }
}

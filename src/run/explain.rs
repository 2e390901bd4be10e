//! `explain`: the request that a query of one cluster sends.

use std::time::Duration;

use ack_client::ExplainedRequest;

use super::accounts::{RegionFlag, load};
use super::serve::build;
use super::{RunError, print};
use crate::cli::ExplainArgs;
use crate::config::{Config, Source};
use crate::shard::Shard;
use crate::upgrade::SourceName;

/// Prints the request of a query of one cluster, and a command that sends it. Does not call the
/// cluster API; the credentials may come from STS, the metadata service or another server.
pub(super) async fn explain(args: &ExplainArgs) -> Result<(), RunError> {
    let config = without_background_reads(load(&args.accounts, RegionFlag::Refused)?);
    let source = source(&config, &args.cluster);
    let (collector, _) = build(&config, Shard::default())?;
    let explained = collector.explain(&args.cluster, source).await.ok_or_else(|| {
        RunError::Usage(format!(
            "{} is not among the clusters of the configuration; one that is only discovered is not known here",
            args.cluster
        ))
    })?;
    print(&text(
        &explained.map_err(|error| RunError::Runtime(error.to_string()))?,
    ));
    collector.stop().await;
    Ok(())
}

/// The same configuration without discovery and without queries between scrapes.
fn without_background_reads(mut config: Config) -> Config {
    config.scrape.idle_interval = Duration::ZERO;
    for account in &mut config.accounts {
        account.discovery = None;
    }
    config
}

/// The source of the account that names the cluster. `auto` begins with `GetUpgradeStatus`.
fn source(config: &Config, target: &str) -> SourceName {
    let names = |cluster: &crate::config::Cluster| cluster.id.is_meant(&cluster.name, target);
    match config
        .accounts
        .iter()
        .find(|account| account.clusters.iter().any(names))
        .map(|account| account.source)
    {
        Some(Source::Tasks) => SourceName::Tasks,
        Some(Source::Auto | Source::UpgradeStatus) | None => SourceName::UpgradeStatus,
    }
}

fn text(explained: &ExplainedRequest) -> String {
    let mut parts = Vec::new();
    if let Some(canonical) = &explained.canonical_request {
        parts.push(format!("canonical request\n\n{}", indented(canonical)));
    }
    parts.push(format!(
        "string to sign\n\n{}",
        indented(&explained.string_to_sign)
    ));
    let headers: Vec<_> = explained
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    parts.push(format!("headers\n\n{}", indented(&headers.join("\n"))));
    parts.push(format!(
        "curl, good for 15 minutes and one call\n\n{}",
        curl(explained)
    ));
    parts.join("\n\n")
}

pub(super) fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A command for a POSIX shell. The token, where there is one, comes from the environment.
fn curl(explained: &ExplainedRequest) -> String {
    let mut command = format!("curl --globoff {}", quoted(&explained.url));
    for (name, value) in &explained.headers {
        let header = if value == "<secret>" {
            format!("\"{name}: $ALIBABA_CLOUD_SECURITY_TOKEN\"")
        } else {
            quoted(&format!("{name}: {value}"))
        };
        command.push_str(" \\\n  -H ");
        command.push_str(&header);
    }
    command
}

/// `text` in single quotes, for a POSIX shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

//! `explain`: the request that a query of one cluster sends.

use std::sync::Arc;
use std::time::Duration;

use ack_client::ExplainedRequest;

use super::accounts::{RegionFlag, load};
use super::missing::{missing_cluster, unread_lists};
use super::serve::build;
use super::{RunError, print};
use crate::cli::ExplainArgs;
use crate::cluster::ClusterInfo;
use crate::collect::Collector;
use crate::config::{Config, Source, Watch};
use crate::shard::Shard;
use crate::upgrade::SourceName;

/// Prints the requests of a query of one cluster, and commands that send them. Calls the cluster
/// API only for the lists, if the configuration does not name the cluster; the credentials may come
/// from STS, the metadata service or another server.
pub(super) async fn explain(args: &ExplainArgs) -> Result<(), RunError> {
    let config = without_queries(load(&args.accounts, RegionFlag::Refused)?);
    let (collector, cluster) = find(&config, &args.cluster).await?;
    let text = requests(&collector, &cluster, &config).await;
    collector.stop().await;
    print(&text?);
    Ok(())
}

/// The same configuration without queries between scrapes.
fn without_queries(mut config: Config) -> Config {
    config.scrape.idle_interval = Duration::ZERO;
    for account in &mut config.accounts {
        account.watch = Watch::default();
    }
    config
}

/// The cluster that `target` means, of the configuration or else of the lists.
async fn find(
    config: &Config,
    target: &str,
) -> Result<(Arc<Collector>, Arc<ClusterInfo>), RunError> {
    let (collector, _) = build(&without_lists(config.clone()), Shard::default())?;
    if let Some(cluster) = collector.cluster(target) {
        return Ok((collector, cluster));
    }
    let (collector, _) = build(config, Shard::default())?;
    collector.wait_for_lists(config.scrape.timeout).await;
    let unread = unread_lists(&collector);
    match collector.cluster(target) {
        Some(cluster) => Ok((collector, cluster)),
        None if unread.is_empty() => {
            let clusters = collector.clusters().unwrap_or_default();
            let names: Vec<_> = clusters
                .iter()
                .map(|cluster| cluster.name.clone())
                .collect();
            Err(RunError::Usage(missing_cluster(target, &names)))
        }
        None => Err(RunError::Runtime(unread.join("\n"))),
    }
}

fn without_lists(mut config: Config) -> Config {
    for account in &mut config.accounts {
        account.discovery = None;
    }
    config
}

/// The requests for one cluster, each with its operation.
async fn requests(
    collector: &Collector,
    cluster: &ClusterInfo,
    config: &Config,
) -> Result<String, RunError> {
    let mut parts = Vec::new();
    for (source, title) in sources(config, cluster) {
        let explained = collector.explain(cluster.id.as_str(), *source).await;
        let gone = || RunError::Runtime(format!("{} has left the list", cluster.id));
        let explained = explained
            .ok_or_else(gone)?
            .map_err(|error| RunError::Runtime(error.to_string()))?;
        parts.push(format!("{title}\n\n{}", text(&explained)));
    }
    Ok(parts.join("\n\n\n"))
}

/// The sources that the account of `cluster` may query, each with a title.
fn sources(config: &Config, cluster: &ClusterInfo) -> &'static [(SourceName, &'static str)] {
    let mut accounts = config.accounts.iter();
    let account = accounts.find(|account| account.name == cluster.account);
    match account.map(|account| account.source) {
        Some(Source::UpgradeStatus) => &[(SourceName::UpgradeStatus, "GetUpgradeStatus")],
        Some(Source::Tasks) => &[(SourceName::Tasks, "DescribeClusterTasks")],
        Some(Source::Auto) | None => &[
            (
                SourceName::UpgradeStatus,
                "GetUpgradeStatus, where it is still served",
            ),
            (SourceName::Tasks, "DescribeClusterTasks, everywhere else"),
        ],
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

#[cfg(test)]
mod tests {
    use ack_client::ExplainedRequest;

    use super::text;

    /// The same on every terminal: commands are copied whole.
    #[test]
    fn a_request_is_explained_from_its_canonical_form_to_a_command() {
        let headers = [
            ("host", "cs.cn-hangzhou.aliyuncs.com"),
            ("x-acs-security-token", "<secret>"),
            (
                "authorization",
                "ACS3-HMAC-SHA256 Credential=LTAI5t,Signature=8b79",
            ),
        ];
        let explained = ExplainedRequest {
            url: "https://cs.cn-hangzhou.aliyuncs.com/clusters/c1/tasks?page_number=1".to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            canonical_request: Some("GET\n/clusters/c1/tasks\npage_number=1".to_owned()),
            string_to_sign: "ACS3-HMAC-SHA256\nfc44".to_owned(),
        };
        insta::assert_snapshot!(text(&explained));
    }
}

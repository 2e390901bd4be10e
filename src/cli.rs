//! The command line. Flags are dotted, as in the Prometheus family.

#[cfg(feature = "demo")]
mod demo;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use exporter_toolkit::log::{LogFormat, LogLevel};
use exporter_toolkit::web::socket::ListenAddress;
use exporter_toolkit::yaml::duration;
use http::Uri;
use http::uri::PathAndQuery;
use jiff::Timestamp;

#[cfg(feature = "demo")]
pub use self::demo::{DemoArgs, FaultRules};

/// Prometheus exporter for the upgrade state of Kubernetes clusters on Alibaba Cloud ACK.
#[derive(Debug, Parser)]
#[command(
    name = "ack-upgrade-exporter",
    version,
    about,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    /// Another job than serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve.
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// Jobs other than serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a simulated account: no credentials, no file, no network
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// Look at the clusters once, or until their upgrades have ended
    Status(StatusArgs),
    /// Show what would be sent for one cluster
    Explain(ExplainArgs),
}

/// Serving real accounts.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Whose clusters.
    #[command(flatten)]
    pub accounts: AccountArgs,
    /// Which part of them.
    #[command(flatten)]
    pub shard: ShardArgs,
    /// Check the configuration file, list every mistake, and exit
    #[arg(long = "config.check", requires = "config_file")]
    pub config_check: bool,
    /// Look this often whether the content of the configuration file has changed, and reload it
    /// then
    #[arg(long = "config.auto-reload-interval", value_name = "DURATION", requires = "config_file", value_parser = interval)]
    pub auto_reload_interval: Option<Duration>,
    /// Where and how to listen.
    #[command(flatten)]
    pub web: WebArgs,
    /// What to log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Whose clusters.
#[derive(Debug, Args)]
pub struct AccountArgs {
    /// The configuration file
    #[arg(long = "config.file", value_name = "FILE", conflicts_with_all = ["regions", "clusters"])]
    pub config_file: Option<PathBuf>,
    /// Without a file: region to look for clusters in, with the credentials of the default chain;
    /// repeatable
    #[arg(long = "region", value_name = "REGION")]
    pub regions: Vec<String>,
    /// Without a file: cluster to ask about, in the first --region unless it names its own;
    /// repeatable
    #[arg(long = "cluster", value_name = "ID[@REGION]")]
    pub clusters: Vec<String>,
}

impl AccountArgs {
    /// What somebody would write in place of the flags: the clusters named, those without a region
    /// in the first one given; or, without clusters, whatever is found in the regions.
    pub fn as_config(&self) -> String {
        let mut yaml = "accounts:\n  - name: default\n".to_owned();
        if self.clusters.is_empty() {
            writeln!(
                yaml,
                "    discovery: {{regions: {}}}",
                serde_json::json!(self.regions)
            )
            .expect("a String takes every write");
        } else {
            yaml.push_str("    clusters:\n");
            for cluster in &self.clusters {
                let (id, region) = cluster.split_once('@').map_or(
                    (cluster.as_str(), self.regions.first().cloned()),
                    |(id, region)| (id, Some(region.to_owned())),
                );
                writeln!(
                    yaml,
                    "      - {}",
                    serde_json::json!({"id": id, "region": region})
                )
                .expect("a String takes every write");
            }
        }
        yaml
    }
}

/// Which part of the clusters.
#[derive(Debug, Args)]
pub struct ShardArgs {
    /// This instance's part of the clusters, counted from 0
    #[arg(
        long = "shard.ordinal",
        value_name = "NUMBER",
        conflicts_with = "ordinal_from_hostname"
    )]
    pub ordinal: Option<u32>,
    /// How many parts there are
    #[arg(long = "shard.total", value_name = "NUMBER", default_value_t = 1)]
    pub total: u32,
    /// Take the part from the number at the end of the host name, as the pods of a `StatefulSet`
    /// have one
    #[arg(long = "shard.ordinal-from-hostname")]
    pub ordinal_from_hostname: bool,
}

/// The exit codes of `status`, as its help has them.
const STATUS_CODES: &str = "Exit codes:
  0  All could be read; with --wait, the upgrades have ended well
  1  Something failed while running
  2  The command line or the configuration is wrong
  3  An upgrade failed or was canceled (with --wait or --fail-on=failed)
  4  A cluster or a cluster list could not be read
  5  The time of --timeout is over";

/// A look from the terminal.
#[derive(Debug, Args)]
#[command(after_help = STATUS_CODES)]
pub struct StatusArgs {
    /// IDs or names of the clusters to look at; all of them if there are none
    #[arg(value_name = "CLUSTER")]
    pub targets: Vec<String>,
    /// Whose clusters.
    #[command(flatten)]
    pub accounts: AccountArgs,
    /// How to show them
    #[arg(long, value_enum, default_value = "table")]
    pub output: Output,
    /// Clusters that change the exit code: failed ones (upgrade failed or canceled: 3), unanswered
    /// ones (4, which they are without this as well)
    #[arg(long, value_name = "STATES", value_enum, value_delimiter = ',')]
    pub fail_on: Vec<FailOn>,
    /// Look again and again
    #[arg(long, conflicts_with = "wait")]
    pub watch: bool,
    /// Look until the upgrades have ended, with the exit codes of --fail-on=failed,unanswered. A
    /// cluster that does not answer is given up after three looks in a row, at once where it is
    /// refused or missing
    #[arg(long)]
    pub wait: bool,
    // Clap asks for no argument that conflicts with one that is there, so the three exclude --watch
    // themselves.
    /// With --wait: only an upgrade to this version counts
    #[arg(
        long,
        value_name = "VERSION",
        requires = "wait",
        conflicts_with = "watch"
    )]
    pub target_version: Option<String>,
    /// With --wait: only what has ended since then counts, such as 2026-11-23T08:00:00Z
    #[arg(long, value_name = "TIME", requires = "wait", conflicts_with = "watch", value_parser = time)]
    pub since: Option<Timestamp>,
    /// With --wait: give up after this long
    #[arg(long, value_name = "DURATION", requires = "wait", conflicts_with = "watch", value_parser = interval)]
    pub timeout: Option<Duration>,
    /// How long to wait between two looks
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = interval)]
    pub interval: Duration,
    /// What to log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// A state of clusters that makes an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// The upgrade failed or was canceled.
    Failed,
    /// The cluster could not be read.
    Unanswered,
}

/// How a look is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For programs, as `/api/v1/clusters` has it.
    Json,
}

/// What would be sent.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// ID or name of a configured cluster
    #[arg(value_name = "CLUSTER")]
    pub cluster: String,
    /// Whose clusters.
    #[command(flatten)]
    pub accounts: AccountArgs,
    /// What to log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Where and how to listen.
#[derive(Debug, Args)]
pub struct WebArgs {
    /// Address to listen on; repeatable
    #[arg(
        long = "web.listen-address",
        value_name = "ADDRESS",
        default_value = ":10525"
    )]
    pub listen_addresses: Vec<ListenAddress>,
    /// Listen on the sockets that systemd hands over, in place of --web.listen-address
    #[arg(long = "web.systemd-socket")]
    pub systemd_socket: bool,
    /// File with TLS, passwords, headers and rate limit, as every exporter of the Prometheus family
    /// takes it
    #[arg(id = "web_config_file", long = "web.config.file", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// Requests worked on at once; more are answered with 503. 0 is no limit
    #[arg(long = "web.max-requests", value_name = "COUNT", default_value_t = 40)]
    pub max_requests: u32,
    /// The URL under which clients reach the exporter, if there is a proxy before it
    #[arg(long = "web.external-url", value_name = "URL", value_parser = external_path)]
    pub external_url: Option<String>,
    /// Prefix of all paths here [default: the path of --web.external-url]
    #[arg(long = "web.route-prefix", value_name = "PATH", value_parser = prefix)]
    pub route_prefix: Option<String>,
    /// Reload on POST or PUT to /-/reload
    #[arg(long = "web.enable-lifecycle")]
    pub enable_lifecycle: bool,
    /// Path of the metrics
    #[arg(long = "web.telemetry-path", value_name = "PATH", default_value = "/metrics", value_parser = absolute_path)]
    pub telemetry_path: String,
    /// Leave the process_* metrics out
    #[arg(long = "web.disable-exporter-metrics")]
    pub disable_exporter_metrics: bool,
}

impl WebArgs {
    /// Before every path of a request.
    pub fn route_prefix(&self) -> &str {
        self.route_prefix
            .as_ref()
            .or(self.external_url.as_ref())
            .map_or("", |prefix| prefix)
    }

    /// Before every path of a link.
    pub fn link_prefix(&self) -> &str {
        self.external_url
            .as_ref()
            .or(self.route_prefix.as_ref())
            .map_or("", |prefix| prefix)
    }
}

/// What to log.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// The lowest level that is logged [default: info where it serves, warn where it answers on the
    /// terminal]
    #[arg(long = "log.level", value_name = "LEVEL", value_enum)]
    pub level: Option<LogLevel>,
    /// The shape of a line
    #[arg(
        long = "log.format",
        value_name = "FORMAT",
        value_enum,
        default_value = "logfmt"
    )]
    pub format: LogFormat,
    /// Log each query of a cluster, whatever the level
    #[arg(long = "log.queries")]
    pub queries: bool,
}

/// Where the metrics cannot be, beside what begins with `/-/`.
const OTHER_PAGES: [&str; 4] = ["/probe", "/sd", "/config", "/api/v1/clusters"];

fn absolute_path(text: &str) -> Result<String, String> {
    if OTHER_PAGES.contains(&text) || text.starts_with("/-/") {
        Err("is where another page is".to_owned())
    } else if !text.starts_with('/') || text.len() == 1 || text.ends_with('/') {
        Err("must start with a slash and not end in one".to_owned())
    } else if !is_path(text) {
        Err("has what no path of a URL can have; write it as %XX".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// Whether a client can ask for it as it stands.
fn is_path(text: &str) -> bool {
    text.is_ascii()
        && text
            .parse::<PathAndQuery>()
            .is_ok_and(|parsed| parsed.path() == text)
}

/// A path in the form in which it stands before others: starting with a slash and not ending in
/// one, or empty.
fn prefix(text: &str) -> Result<String, String> {
    let inner = text.trim_matches('/');
    let path = if inner.is_empty() {
        String::new()
    } else {
        format!("/{inner}")
    };
    if is_path(&format!("{path}/")) {
        Ok(path)
    } else {
        Err("must be the path of a URL, such as /ack".to_owned())
    }
}

/// The path of the URL, which is all of it that matters here.
fn external_path(text: &str) -> Result<String, String> {
    const COMPLAINT: &str = "must be http:// or https://, a host, and perhaps a path";
    let url: Uri = text.parse().map_err(|_| COMPLAINT)?;
    if !matches!(url.scheme_str(), Some("http" | "https"))
        || url.query().is_some()
        || text.contains('#')
    {
        return Err(COMPLAINT.to_owned());
    }
    prefix(url.path())
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    text.parse()
        .map_err(|_| "must be a time with its offset, such as 2026-11-23T08:00:00Z")
}

fn interval(text: &str) -> Result<Duration, String> {
    match duration::parse(text)? {
        Duration::ZERO => Err("must be above 0".to_owned()),
        interval => Ok(interval),
    }
}

/// The exit codes that scripts may rely on.
pub mod exit {
    use super::ExitCode;

    /// Ended well, or drained.
    pub const OK: ExitCode = ExitCode::SUCCESS;

    /// Failed while running.
    pub fn runtime() -> ExitCode {
        ExitCode::from(1)
    }

    /// An upgrade failed or was canceled, and somebody wants to know.
    pub fn failed_upgrade() -> ExitCode {
        ExitCode::from(3)
    }

    /// A cluster or a list could not be read.
    pub fn not_queried() -> ExitCode {
        ExitCode::from(4)
    }

    /// Upgrades still go on when the time for them is over.
    pub fn timed_out() -> ExitCode {
        ExitCode::from(5)
    }

    /// The command line or the configuration is wrong.
    pub fn usage() -> ExitCode {
        ExitCode::from(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web(flags: &[&str]) -> Result<WebArgs, clap::Error> {
        Cli::try_parse_from([&["ack-upgrade-exporter"], flags].concat()).map(|cli| cli.serve.web)
    }

    #[test]
    fn the_route_prefix_is_the_path_of_the_external_url_unless_it_is_given() {
        for (flags, route, link) in [
            (&[][..], "", ""),
            (&["--web.route-prefix=/"], "", ""),
            (&["--web.route-prefix=ack/"], "/ack", "/ack"),
            (&["--web.external-url=https://example.com"], "", ""),
            (
                &["--web.external-url=https://example.com/a/b/"],
                "/a/b",
                "/a/b",
            ),
            (
                &[
                    "--web.external-url=https://example.com/a",
                    "--web.route-prefix=/",
                ],
                "",
                "/a",
            ),
        ] {
            let web = web(flags).expect("good flags");
            assert_eq!(
                (web.route_prefix(), web.link_prefix()),
                (route, link),
                "{flags:?}"
            );
        }
    }

    #[test]
    fn the_flags_agree_with_each_other() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
        assert!(Cli::try_parse_from(["x", "--config.file=f", "--region=cn-hangzhou"]).is_err());
        assert!(
            Cli::try_parse_from([
                "x",
                "--region=cn-hangzhou",
                "--cluster=c1",
                "--cluster=c2@cn-shanghai"
            ])
            .is_ok()
        );
        assert!(
            Cli::try_parse_from(["x", "--shard.ordinal=1", "--shard.ordinal-from-hostname"])
                .is_err()
        );
    }

    #[test]
    fn a_time_that_is_none_is_told_how_one_is_written() {
        let since =
            |text: &str| Cli::try_parse_from(["x", "status", "--wait", &format!("--since={text}")]);
        assert!(since("2026-11-23T08:00:00+08:00").is_ok());
        for bad in ["yesterday", "2026-11-23", "08:00"] {
            let said = since(bad).expect_err(bad).to_string();
            assert!(
                said.contains("must be a time with its offset, such as 2026-11-23T08:00:00Z")
                    && !said.contains("digit"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_bad_flag_is_refused() {
        for flag in [
            "--web.route-prefix=/a b",
            "--web.route-prefix=/a?b",
            "--web.route-prefix=/a#b",
            "--web.external-url=/a",
            "--web.external-url=ftp://example.com/",
            "--web.external-url=https://example.com/?a",
            "--web.listen-address=10525",
            "--web.max-requests=-1",
            "--web.telemetry-path=metrics",
            "--web.telemetry-path=/probe",
            "--web.telemetry-path=/-/healthy",
            "--web.telemetry-path=/m?x=1",
            "--web.telemetry-path=/a#b",
            "--web.telemetry-path=/a b",
            "--web.telemetry-path=/é",
            "--web.external-url=http://h/ä",
            "--config.auto-reload-interval=30s",
        ] {
            assert_eq!(web(&[flag]).expect_err(flag).exit_code(), 2, "{flag}");
        }
        assert!(web(&["--config.file=x", "--config.auto-reload-interval=0"]).is_err());
    }
}

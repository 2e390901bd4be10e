//! The arguments of the web server.

use std::path::PathBuf;

use clap::Args;
use exporter_toolkit::web::socket::ListenAddress;
use http::Uri;
use http::uri::PathAndQuery;

/// Arguments of the web server.
#[derive(Debug, Args)]
#[command(next_help_heading = "Web server")]
pub struct WebArgs {
    /// Address to listen on; repeatable
    #[arg(
        long = "web.listen-address",
        value_name = "ADDRESS",
        default_value = ":10525"
    )]
    pub listen_addresses: Vec<ListenAddress>,
    /// Listen on the sockets that systemd passes, in place of --web.listen-address
    #[arg(long = "web.systemd-socket")]
    pub systemd_socket: bool,
    /// File with TLS, passwords, headers and rate limit, in the format of the Prometheus exporters
    #[arg(id = "web_config_file", long = "web.config.file", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// Maximum number of concurrent requests; further ones get status 503. 0 is no limit
    #[arg(long = "web.max-requests", value_name = "COUNT", default_value_t = 40)]
    pub max_requests: u32,
    /// URL under which clients reach the exporter through a proxy
    #[arg(long = "web.external-url", value_name = "URL", value_parser = external_path)]
    pub external_url: Option<String>,
    /// Prefix of all paths [default: the path of --web.external-url]
    #[arg(long = "web.route-prefix", value_name = "PATH", value_parser = prefix)]
    pub route_prefix: Option<String>,
    /// Reload on POST or PUT to /-/reload
    #[arg(long = "web.enable-lifecycle")]
    pub enable_lifecycle: bool,
    /// Path of the metrics
    #[arg(long = "web.telemetry-path", value_name = "PATH", default_value = "/metrics", value_parser = absolute_path)]
    pub telemetry_path: String,
    /// Hide the process_* metrics
    #[arg(long = "web.disable-exporter-metrics")]
    pub disable_exporter_metrics: bool,
}

impl WebArgs {
    /// The prefix of the paths of requests.
    pub fn route_prefix(&self) -> &str {
        self.route_prefix
            .as_ref()
            .or(self.external_url.as_ref())
            .map_or("", |prefix| prefix)
    }

    /// The prefix of the paths in links.
    pub fn link_prefix(&self) -> &str {
        self.external_url
            .as_ref()
            .or(self.route_prefix.as_ref())
            .map_or("", |prefix| prefix)
    }
}

/// The paths of other pages, which the metrics cannot have; those under `/-/` are taken as well.
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

/// Returns whether a client can request this path without encoding it.
fn is_path(text: &str) -> bool {
    text.is_ascii()
        && text
            .parse::<PathAndQuery>()
            .is_ok_and(|parsed| parsed.path() == text)
}

/// Parses a prefix of paths, which starts with a slash and does not end in one, or is empty.
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

/// Returns the path of a URL.
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::WebArgs;
    use crate::cli::Cli;

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

//! Serving until a signal says stop.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ack_client::Network;
use ack_client::clock::Clock;
use ack_client::credentials;
use ack_client::lookup::Lookup;
use ack_client::proxy::Proxies;
use ack_client::trust;
use exporter_toolkit::blocking::run_blocking;
use exporter_toolkit::process::ProcessMetrics;
use exporter_toolkit::web::config::WebConfigError;
use exporter_toolkit::web::guard::{Transport, WebGuard};
use exporter_toolkit::web::socket::{self, ListenAddress};
use exporter_toolkit::web::{Limits, RenderPool, Server, connections};
use listenfd::ListenFd;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::signals::Signals;
use super::{Failure, accounts, say, warn};
use crate::cli::{ServeArgs, WebArgs};
use crate::collect::{self, Collector, Dependencies, ScrapeMetrics};
use crate::config::{self, Config};
use crate::metrics::ExporterMetrics;
use crate::reload::{ConfigManager, ConfigSource, ReloadError};
use crate::shard::Shard;
use crate::web::{AppState, Lifecycle, Paths};

/// Serves the accounts that the command line names.
pub(super) async fn serve(args: ServeArgs, handed_over: ListenFd) -> Result<(), Failure> {
    let origin = accounts::origin(&args.accounts)?;
    let shard = accounts::shard(&args.shard)?;
    Job {
        origin,
        auto_reload_interval: args.auto_reload_interval,
        shard,
        web: &args.web,
        handed_over,
    }
    .run(|_| {})
    .await
}

/// Checks the configuration file and says what it would do.
pub(super) fn check(args: &ServeArgs) -> Result<(), Failure> {
    let (config, mut warnings) = accounts::origin(&args.accounts)?
        .check()
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let shard = accounts::shard(&args.shard)?;
    let length = collect::budget(None, &config.scrape);
    for (index, account) in config.accounts.iter().enumerate() {
        let covered = account
            .access()
            .rate_limit
            .calls_within(length, shard.total());
        let named = account
            .clusters
            .iter()
            .filter(|cluster| shard.owns(&cluster.id))
            .count();
        let clusters = match &account.discovery {
            None => format!("{} named", count(named, "cluster")),
            Some(discovery) if named == 0 => format!(
                "clusters looked for in {}",
                count(discovery.regions.len(), "region")
            ),
            Some(discovery) => {
                format!(
                    "{} named, others looked for in {}",
                    count(named, "cluster"),
                    count(discovery.regions.len(), "region")
                )
            }
        };
        say(&format!(
            "account {}: {clusters}; the rate limit allows {covered:.0} calls in a scrape of {length:?}",
            account.name
        ));
        if covered < u32::try_from(named).map_or(f64::INFINITY, f64::from) {
            let message = format!(
                "{named} clusters are named, but the rate limit allows {covered:.0} calls in a scrape of {length:?}; it takes several scrapes to ask them all"
            );
            warnings.note(config::Path::root().key("accounts").index(index), message);
        }
    }
    warn(&warnings.to_string());
    if let Some(file) = &args.accounts.config_file {
        say(&format!("configuration accepted: {}", file.display()));
    }
    Ok(())
}

/// `1 region`, `2 regions`.
fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A collector for `config` and the clock it goes by, for a look from the terminal.
pub(super) fn build(config: &Config, shard: Shard) -> Result<(Arc<Collector>, Clock), Failure> {
    let dependencies = dependencies(
        &Arc::new(ExporterMetrics::new(ProcessMetrics::Hidden)),
        shard,
    )?;
    Ok((Collector::new(config, &dependencies), dependencies.clock))
}

/// Serving: what, where, and how.
pub(super) struct Job<'a> {
    /// Where the configuration comes from.
    pub(super) origin: ConfigSource,
    /// How often its content is compared, if at all.
    pub(super) auto_reload_interval: Option<Duration>,
    /// The part of the clusters that is this instance's.
    pub(super) shard: Shard,
    /// Where and how to listen.
    pub(super) web: &'a WebArgs,
    /// What systemd handed over.
    pub(super) handed_over: ListenFd,
}

impl Job<'_> {
    /// Serves until a signal; `started` learns the URL, without a slash at its end.
    pub(super) async fn run(self, started: impl FnOnce(&str)) -> Result<(), Failure> {
        let mut signals = Signals::listen().map_err(runtime)?;
        let own = Arc::new(ExporterMetrics::new(if self.web.disable_exporter_metrics {
            ProcessMetrics::Hidden
        } else {
            ProcessMetrics::Shown
        }));
        let dependencies = dependencies(&own, self.shard)?;
        // Both before either is complained of, and before anything is bound.
        let (web_config, origin, metrics) =
            (self.web.config_file.clone(), self.origin, Arc::clone(&own));
        let read = run_blocking(move || {
            (
                load_guard(web_config.as_deref()),
                ConfigManager::start(origin, dependencies, metrics),
            )
        });
        let Some(read) = signals.ends.unless_one_comes(read).await else {
            tracing::info!("stopped before the configuration was read");
            return Ok(());
        };
        let (guard, service) = match read.map_err(runtime)? {
            (Ok(guard), Ok(service)) => (Arc::new(guard), Arc::new(service)),
            (guard, service) => return Err(usage(guard.err(), service.err())),
        };
        let Some(listeners) = signals
            .ends
            .unless_one_comes(listen(self.web, self.handed_over))
            .await
        else {
            tracing::info!("stopped before it listened");
            return Ok(());
        };
        let server = Server::new(listeners?, Arc::clone(&guard), limits(self.web));
        let lifecycle = Arc::new(Lifecycle::new(Arc::clone(&service), Arc::clone(&guard)));
        let stop = CancellationToken::new();
        let state = AppState {
            running: service.running(),
            own,
            paths: Paths {
                prefix: self.web.link_prefix().to_owned(),
                telemetry: self.web.telemetry_path.clone(),
            },
            prefix: self.web.route_prefix().to_owned(),
            lifecycle: self.web.enable_lifecycle.then(|| Arc::clone(&lifecycle)),
            clock: Clock::System,
            render_pool: RenderPool::default(),
            stop: stop.clone(),
        };
        let addresses = server.addresses();
        for address in &addresses {
            tracing::info!(%address, tls = guard.transport() == Transport::Tls, "listening");
        }
        if let Some(address) = addresses.first() {
            started(&url(*address, guard.transport(), self.web.route_prefix()));
        }
        let chores = async {
            tokio::join!(
                signals.obey(&lifecycle, &stop),
                guard.keep_current(),
                async {
                    if let Some(interval) = self.auto_reload_interval {
                        service.keep_current(interval).await;
                    }
                }
            )
        };
        tokio::select! {
            () = server.serve(Arc::new(state), stop.clone()) => {}
            _ = chores => {}
        }
        service.stop().await;
        tracing::info!("stopped");
        Ok(())
    }
}

fn dependencies(own: &Arc<ExporterMetrics>, shard: Shard) -> Result<Dependencies, Failure> {
    let tls = trust::client_config(&[]);
    let lookup = Lookup::system();
    let proxies =
        Proxies::from_environment(|name| std::env::var_os(name)).map_err(Failure::Usage)?;
    let credentials = credentials::Context::system(&tls, &lookup, &proxies, crate::USER_AGENT)
        .map_err(runtime)?
        .with_session_name(crate::ROLE_SESSION_NAME);
    let transports = Arc::new(Network::new(tls, lookup, proxies));
    Ok(Dependencies {
        clock: Clock::System,
        transports,
        shard,
        credentials,
        metrics: Arc::clone(own) as Arc<dyn ScrapeMetrics>,
    })
}

fn load_guard(config: Option<&Path>) -> Result<WebGuard, WebConfigError> {
    config.map_or_else(WebGuard::without_file, WebGuard::load)
}

fn usage(web: Option<WebConfigError>, service: Option<ReloadError>) -> Failure {
    let web = web.map(|error| match error {
        // These name the file.
        WebConfigError::Mistakes { .. } | WebConfigError::Unreadable { .. } => error.to_string(),
        error => format!("web configuration rejected: {error}"),
    });
    Failure::Usage(
        service
            .map(|error| error.to_string())
            .into_iter()
            .chain(web)
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

/// Listens on a blocking thread, since a name server that is asked for a host may be silent.
async fn listen(web: &WebArgs, handed_over: ListenFd) -> Result<Vec<TcpListener>, Failure> {
    let (of_systemd, addresses) = (web.systemd_socket, web.listen_addresses.clone());
    let listen = move || {
        if of_systemd {
            socket::take_over(handed_over)
        } else {
            addresses.iter().map(ListenAddress::listen).collect()
        }
    };
    run_blocking(listen)
        .await
        .map_err(runtime)?
        .map_err(runtime)
}

fn limits(web: &WebArgs) -> Limits {
    // The soft limit is low for programs that cannot live with more; those that do not ask have the
    // default cap.
    let descriptors = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    Limits {
        connections: connections(descriptors),
        requests: web.max_requests,
        ..Limits::default()
    }
}

fn url(address: SocketAddr, transport: Transport, prefix: &str) -> String {
    let scheme = if transport == Transport::Tls {
        "https"
    } else {
        "http"
    };
    let host = if address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    };
    format!("{scheme}://{host}{prefix}")
}

fn runtime(error: impl std::fmt::Display) -> Failure {
    Failure::Runtime(error.to_string())
}

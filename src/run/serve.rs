//! The server of the metrics.

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
use exporter_toolkit::web::{Limits, Server, connections};
use listenfd::ListenFd;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::signals::Signals;
use super::{RunError, accounts};
use crate::cli::{ServeArgs, WebArgs};
use crate::collect::{self, Collector, Dependencies, ScrapeMetrics};
use crate::config::Config;
use crate::metrics::ExporterMetrics;
use crate::reload::{ActiveConfig, ConfigManager, ConfigSource, ReloadError};
use crate::shard::Shard;
use crate::web::{AppState, Lifecycle, Pages, Paths};

/// Serves the accounts that the command line names.
pub(super) async fn serve(args: ServeArgs, systemd_sockets: ListenFd) -> Result<(), RunError> {
    let source = accounts::source(&args.accounts)?;
    let shard = accounts::shard(&args.shard)?;
    ServeJob {
        source,
        auto_reload_interval: args.config.auto_reload_interval,
        scrape_interval: None,
        shard,
        web: &args.web,
        systemd_sockets,
    }
    .run(|_| {})
    .await
}

/// A collector for `config` and its clock, for commands that end by themselves.
pub(super) fn build(config: &Config, shard: Shard) -> Result<(Arc<Collector>, Clock), RunError> {
    let dependencies = dependencies(
        &Arc::new(ExporterMetrics::new(ProcessMetrics::Hidden)),
        shard,
    )?;
    Ok((Collector::new(config, &dependencies), dependencies.clock))
}

/// The configuration and the addresses of a server.
pub(super) struct ServeJob<'a> {
    pub(super) source: ConfigSource,
    /// The interval of the check for changes of the configuration; None for no check.
    pub(super) auto_reload_interval: Option<Duration>,
    /// The interval at which the exporter scrapes itself; None if only its clients scrape it.
    pub(super) scrape_interval: Option<Duration>,
    pub(super) shard: Shard,
    pub(super) web: &'a WebArgs,
    /// The sockets that systemd has passed.
    pub(super) systemd_sockets: ListenFd,
}

impl ServeJob<'_> {
    /// Serves until a signal; calls `started` with the URL, without a slash at its end.
    pub(super) async fn run(self, started: impl FnOnce(&str)) -> Result<(), RunError> {
        let mut signals = Signals::listen().map_err(runtime)?;
        let process_metrics = if self.web.disable_exporter_metrics {
            ProcessMetrics::Hidden
        } else {
            ProcessMetrics::Shown
        };
        let exporter_metrics = Arc::new(ExporterMetrics::new(process_metrics));
        let dependencies = dependencies(&exporter_metrics, self.shard)?;
        let transports = Arc::clone(&dependencies.transports);
        let metrics = Arc::clone(&exporter_metrics);
        let read = read(self.web, self.source, dependencies, metrics);
        let Some(read) = signals.stop.interrupt(read).await else {
            tracing::info!("stopped before the configuration was read");
            return Ok(());
        };
        let (guard, config_manager) = read?;
        let Some(listeners) = signals
            .stop
            .interrupt(listen(self.web, self.systemd_sockets))
            .await
        else {
            tracing::info!("stopped before it listened");
            return Ok(());
        };
        let server = Server::new(listeners?, Arc::clone(&guard), limits(self.web));
        let lifecycle = Arc::new(Lifecycle::new(
            Arc::clone(&config_manager),
            Arc::clone(&guard),
        ));
        let stop = CancellationToken::new();
        let state = AppState {
            running: config_manager.running(),
            exporter_metrics,
            paths: Paths {
                prefix: self.web.link_prefix().to_owned(),
                telemetry: self.web.telemetry_path.clone(),
            },
            prefix: self.web.route_prefix().to_owned(),
            lifecycle: self.web.enable_lifecycle.then(|| Arc::clone(&lifecycle)),
            clock: Clock::System,
            pages: Pages::default(),
            transports,
            stop: stop.clone(),
        };
        let addresses = server.addresses();
        for address in &addresses {
            tracing::info!(%address, tls = guard.transport() == Transport::Tls, "listening");
        }
        if let Some(address) = addresses.first() {
            started(&url(*address, guard.transport(), self.web.route_prefix()));
        }
        let background = async {
            tokio::join!(
                signals.handle(&lifecycle, &stop),
                guard.keep_current(),
                async {
                    if let Some(interval) = self.auto_reload_interval {
                        config_manager.keep_current(interval).await;
                    }
                },
                scrape_regularly(config_manager.running(), self.scrape_interval)
            )
        };
        tokio::select! {
            () = server.serve(Arc::new(state), stop.clone()) => {}
            _ = background => {}
        }
        config_manager.stop().await;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Reads the web configuration and the configuration. Both are read before a socket is bound, so
/// that all mistakes are reported at once.
async fn read(
    web: &WebArgs,
    source: ConfigSource,
    dependencies: Dependencies,
    metrics: Arc<ExporterMetrics>,
) -> Result<(Arc<WebGuard>, Arc<ConfigManager>), RunError> {
    let web_config = web.config_file.clone();
    let read = run_blocking(move || {
        (
            load_guard(web_config.as_deref()),
            ConfigManager::start(source, dependencies, metrics),
        )
    });
    match read.await.map_err(runtime)? {
        (Ok(guard), Ok(config_manager)) => Ok((Arc::new(guard), Arc::new(config_manager))),
        (guard, config) => Err(usage(guard.err(), config.err())),
    }
}

/// Collects every `interval`, for ever, as a scrape does. Returns if there is no interval.
async fn scrape_regularly(running: watch::Receiver<Arc<ActiveConfig>>, interval: Option<Duration>) {
    let Some(interval) = interval else { return };
    let mut interval = tokio::time::interval(interval);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let active = Arc::clone(&running.borrow());
        let deadline = Instant::now() + collect::budget(None, &active.config.scrape);
        active.collector.collect(deadline).await;
    }
}

fn dependencies(
    exporter_metrics: &Arc<ExporterMetrics>,
    shard: Shard,
) -> Result<Dependencies, RunError> {
    let tls = trust::client_config(&[]);
    let lookup = Lookup::system();
    let proxies =
        Proxies::from_environment(|name| std::env::var_os(name)).map_err(RunError::Usage)?;
    let credentials = credentials::Context::system(&tls, &lookup, &proxies, crate::USER_AGENT)
        .map_err(runtime)?
        .with_session_name(crate::ROLE_SESSION_NAME);
    let transports = Arc::new(Network::new(tls, lookup, proxies));
    Ok(Dependencies {
        clock: Clock::System,
        transports,
        shard,
        credentials,
        metrics: Arc::clone(exporter_metrics) as Arc<dyn ScrapeMetrics>,
    })
}

fn load_guard(config: Option<&Path>) -> Result<WebGuard, WebConfigError> {
    config.map_or_else(WebGuard::without_file, WebGuard::load)
}

/// The error of a configuration and of a web configuration that were refused.
pub(super) fn usage(web: Option<WebConfigError>, config: Option<ReloadError>) -> RunError {
    let web = web.map(|error| match error {
        // Their messages name the file.
        WebConfigError::Mistakes { .. } | WebConfigError::Unreadable { .. } => error.to_string(),
        error => format!("web configuration rejected: {error}"),
    });
    RunError::Usage(
        config
            .map(|error| error.to_string())
            .into_iter()
            .chain(web)
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

/// Listens on a blocking thread, since the lookup of a host name may hang.
async fn listen(web: &WebArgs, systemd_sockets: ListenFd) -> Result<Vec<TcpListener>, RunError> {
    let (from_systemd, addresses) = (web.systemd_socket, web.listen_addresses.clone());
    let listen = move || {
        if from_systemd {
            socket::take_over(systemd_sockets)
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
    // The soft limit is low by default, for programs that use `select`. Where it cannot be raised,
    // 1024 is assumed.
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

fn runtime(error: impl std::fmt::Display) -> RunError {
    RunError::Runtime(error.to_string())
}

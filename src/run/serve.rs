//! Serving until a signal says stop.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use listenfd::ListenFd;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::signals::Signals;
use super::{Failure, accounts, say};
use crate::apart::apart;
use crate::api::Network;
use crate::cli::{ServeArgs, WebArgs};
use crate::clock::Clock;
use crate::collect::{self, Audience, Collector, Surroundings};
use crate::config::Config;
use crate::credentials;
use crate::lookup::Lookup;
use crate::metrics::{Own, ProcessMetrics};
use crate::outgoing::Proxies;
use crate::service::{Origin, ReloadError, Service};
use crate::shard::Shard;
use crate::trust;
use crate::web::config::WebConfigError;
use crate::web::door::{Door, Transport};
use crate::web::socket::{self, ListenAddress};
use crate::web::{Lifecycle, Limits, Paths, Server, Site, Writers, connections};

/// Serves the accounts that the command line names.
pub(super) async fn serve(args: ServeArgs, handed_over: ListenFd) -> Result<(), Failure> {
    let origin = accounts::origin(&args.accounts)?;
    let shard = accounts::shard(&args.shard)?;
    Job { origin, auto_reload_interval: args.auto_reload_interval, shard, web: &args.web, handed_over }.run(|_| {}).await
}

/// Checks the configuration file and says what it would do.
pub(super) fn check(args: &ServeArgs) -> Result<(), Failure> {
    let config = accounts::load(&args.accounts)?;
    let shard = accounts::shard(&args.shard)?;
    let length = collect::budget(None, &config.scrape);
    for account in &config.accounts {
        let covered = account.access.rate_limit.calls_within(length, shard.total());
        let named = account.clusters.iter().filter(|cluster| shard.owns(&cluster.id)).count();
        let found = account
            .discovery
            .as_ref()
            .map_or_else(String::new, |discovery| format!(" and those found in {} regions", discovery.regions.len()));
        say(&format!(
            "account {}: {named} clusters named{found}; the rate limit covers {covered:.0} calls in a scrape of {length:?}",
            account.name
        ));
    }
    say("the configuration is good");
    Ok(())
}

/// A collector for `config` and the clock it goes by, for a look from the terminal.
pub(super) fn build(config: &Config, shard: Shard) -> Result<(Arc<Collector>, Clock), Failure> {
    let surroundings = surroundings(&Arc::new(Own::new(ProcessMetrics::Hidden)), shard)?;
    Ok((Collector::new(config, &surroundings), surroundings.clock))
}

/// Serving: what, where, and how.
pub(super) struct Job<'a> {
    /// Where the configuration comes from.
    pub(super) origin: Origin,
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
        let own = Arc::new(Own::new(if self.web.disable_exporter_metrics { ProcessMetrics::Hidden } else { ProcessMetrics::Shown }));
        let surroundings = surroundings(&own, self.shard)?;
        // Both before either is complained of, and before anything is bound.
        let (web_config, origin, audience) = (self.web.config_file.clone(), self.origin, Arc::clone(&own));
        let read = apart(move || (open_door(web_config.as_deref()), Service::start(origin, surroundings, audience)));
        let Some(read) = signals.ends.unless_one_comes(read).await else {
            tracing::info!("stopped before the configuration was read");
            return Ok(());
        };
        let (door, service) = match read.map_err(runtime)? {
            (Ok(door), Ok(service)) => (Arc::new(door), Arc::new(service)),
            (door, service) => return Err(usage(door.err(), service.err())),
        };
        let Some(listeners) = signals.ends.unless_one_comes(listen(self.web, self.handed_over)).await else {
            tracing::info!("stopped before it listened");
            return Ok(());
        };
        let server = Server::new(listeners?, Arc::clone(&door), limits(self.web));
        let lifecycle = Arc::new(Lifecycle::new(Arc::clone(&service), Arc::clone(&door)));
        let stop = CancellationToken::new();
        let site = Site {
            running: service.running(),
            own,
            paths: Paths { prefix: self.web.link_prefix().to_owned(), telemetry: self.web.telemetry_path.clone() },
            prefix: self.web.route_prefix().to_owned(),
            lifecycle: self.web.enable_lifecycle.then(|| Arc::clone(&lifecycle)),
            clock: Clock::System,
            writers: Writers::default(),
            stop: stop.clone(),
        };
        let addresses = server.addresses();
        for address in &addresses {
            tracing::info!(%address, tls = door.transport() == Transport::Tls, "listening");
        }
        if let Some(address) = addresses.first() {
            started(&url(*address, door.transport(), self.web.route_prefix()));
        }
        let chores = async {
            tokio::join!(signals.obey(&lifecycle, &stop), door.keep_current(), async {
                if let Some(interval) = self.auto_reload_interval {
                    service.keep_current(interval).await;
                }
            })
        };
        tokio::select! {
            () = server.serve(Arc::new(site)) => {}
            _ = chores => {}
        }
        service.stop().await;
        tracing::info!("stopped");
        Ok(())
    }
}

fn surroundings(own: &Arc<Own>, shard: Shard) -> Result<Surroundings, Failure> {
    let tls = trust::client_config(&[]);
    let lookup = Lookup::system();
    let proxies = Proxies::from_environment(|name| std::env::var_os(name)).map_err(Failure::Usage)?;
    let credentials = credentials::Context::system(&tls, &lookup, &proxies).map_err(runtime)?;
    let ways = Arc::new(Network::new(tls, lookup, proxies));
    Ok(Surroundings { clock: Clock::System, ways, shard, credentials, audience: Arc::clone(own) as Arc<dyn Audience> })
}

fn open_door(config: Option<&Path>) -> Result<Door, WebConfigError> {
    config.map_or_else(Door::unguarded, Door::open)
}

fn usage(web: Option<WebConfigError>, service: Option<ReloadError>) -> Failure {
    let web = web.map(|error| format!("the web configuration is not one\n{error}"));
    let service = service.map(|error| format!("the configuration is not one\n{error}"));
    Failure::Usage(service.into_iter().chain(web).collect::<Vec<_>>().join("\n"))
}

/// Listens, apart, since a name server that is asked for a host may be silent.
async fn listen(web: &WebArgs, handed_over: ListenFd) -> Result<Vec<TcpListener>, Failure> {
    let (of_systemd, addresses) = (web.systemd_socket, web.listen_addresses.clone());
    let listen = move || if of_systemd { socket::take_over(handed_over) } else { addresses.iter().map(ListenAddress::listen).collect() };
    apart(listen).await.map_err(runtime)?.map_err(runtime)
}

fn limits(web: &WebArgs) -> Limits {
    // The soft limit is low for programs that cannot live with more; those that do not ask have the default cap.
    let descriptors = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    Limits { connections: connections(descriptors), requests: web.max_requests, ..Limits::default() }
}

fn url(address: SocketAddr, transport: Transport, prefix: &str) -> String {
    let scheme = if transport == Transport::Tls { "https" } else { "http" };
    let host = if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() };
    format!("{scheme}://{host}{prefix}")
}

fn runtime(error: impl std::fmt::Display) -> Failure {
    Failure::Runtime(error.to_string())
}

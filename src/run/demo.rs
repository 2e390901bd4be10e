//! `demo`: the exporter with a simulated account.

mod announcement;
mod config;

use std::net::SocketAddr;
use std::sync::Arc;

use ack_simulator::{Identities, Options, RetiredResponse, Simulator};
use listenfd::ListenFd;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::serve::ServeJob;
use super::{RunError, print};
use crate::cli::DemoArgs;
use crate::reload::ConfigSource;
use crate::shard::Shard;
use crate::upgrade::SourceName;
use announcement::Announcement;

/// Starts a simulator and serves its metrics until a signal.
pub(super) async fn demo(args: DemoArgs, systemd_sockets: ListenFd) -> Result<(), RunError> {
    let simulator = Arc::new(simulator(&args));
    let (listener, api) = listen(args.api_listen_address).await?;
    let source = if args.classic {
        SourceName::UpgradeStatus
    } else {
        SourceName::Tasks
    };
    let for_terminal = config::for_terminal(&simulator, api, source);
    if let Some(file) = &args.write_config {
        config::write(file, &for_terminal).map_err(RunError::Runtime)?;
    }
    let job = ServeJob {
        source: ConfigSource::Text(config::for_server(&simulator, api)),
        auto_reload_interval: None,
        scrape_interval: Some(args.scrape_interval).filter(|interval| !interval.is_zero()),
        shard: Shard::default(),
        web: &args.web,
        systemd_sockets,
    };
    let stop = CancellationToken::new();
    let served = tokio::spawn(Arc::clone(&simulator).serve(listener, stop.clone()));
    let result = job
        .run(|web| {
            let announcement = Announcement {
                web,
                telemetry_path: &args.web.telemetry_path,
                api,
                config: &for_terminal,
                written_config: args.write_config.as_deref(),
                cluster: first_cluster(&simulator),
            };
            // The demo goes on if standard output is closed.
            print(&announcement.text());
        })
        .await;
    stop.cancel();
    drop(served.await);
    result
}

fn simulator(args: &DemoArgs) -> Simulator {
    let faults = args.faults.as_ref().map(|rules| rules.0.clone());
    Simulator::new(Options {
        seed: args.seed,
        clusters: args.clusters as usize,
        ephemeral_clusters: args.ephemeral_clusters as usize,
        identities: Identities {
            key_lifetime: args.key_lifetime,
            ..Identities::default()
        },
        retired: (!args.classic).then_some(RetiredResponse::InvalidAction),
        faults: faults.unwrap_or_default(),
        ..Options::default()
    })
}

/// The socket of the simulated API, and its address.
async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), RunError> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| RunError::Runtime(format!("cannot listen on {address}: {error}")))?;
    let bound = listener
        .local_addr()
        .map_err(|error| RunError::Runtime(error.to_string()))?;
    Ok((listener, bound))
}

/// The name of a cluster for the commands that are printed.
fn first_cluster(simulator: &Simulator) -> Option<String> {
    let world = simulator.world();
    world.clusters().first().and_then(|id| world.name(id))
}

//! `demo`: the exporter with a simulated account.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use ack_simulator::{Identities, KeyPair, Options, RetiredResponse, Simulator};
use listenfd::ListenFd;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::serve::ServeJob;
use super::{RunError, print};
use crate::cli::DemoArgs;
use crate::reload::ConfigSource;
use crate::shard::Shard;

/// Starts a simulator and serves its metrics until a signal.
pub(super) async fn demo(args: DemoArgs, systemd_sockets: ListenFd) -> Result<(), RunError> {
    let simulator = Arc::new(Simulator::new(Options {
        seed: args.seed,
        clusters: args.clusters as usize,
        ephemeral_clusters: args.ephemeral_clusters as usize,
        identities: Identities {
            key_lifetime: args.key_lifetime,
            ..Identities::default()
        },
        retired: args.retired.then_some(RetiredResponse::InvalidAction),
        faults: args.faults.map(|rules| rules.0).unwrap_or_default(),
        ..Options::default()
    }));
    let listener = TcpListener::bind(args.api_listen_address)
        .await
        .map_err(|error| {
            RunError::Runtime(format!(
                "cannot listen on {}: {error}",
                args.api_listen_address
            ))
        })?;
    let api = listener
        .local_addr()
        .map_err(|error| RunError::Runtime(error.to_string()))?;
    let stop = CancellationToken::new();
    let served = tokio::spawn(Arc::clone(&simulator).serve(listener, stop.clone()));
    let job = ServeJob {
        source: ConfigSource::Text(config(&simulator, api)),
        auto_reload_interval: None,
        shard: Shard::default(),
        web: &args.web,
        systemd_sockets,
    };
    let result = job
        .run(|web| announce(web, &args.web.telemetry_path, api, &KeyPair::demo()))
        .await;
    stop.cancel();
    drop(served.await);
    result
}

/// The teams that own the simulated clusters, in rotation.
const TEAMS: [&str; 4] = ["payments", "storefront", "search", "platform"];

/// A typical configuration for the simulated account: discovery of all clusters, and a list with the
/// names and owners of the permanent ones.
fn config(simulator: &Simulator, api: SocketAddr) -> String {
    let pair = KeyPair::demo();
    let regions: Vec<_> = simulator
        .regions()
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut yaml = format!(
        "accounts:\n  - name: demo\n    endpoint: http://{api}\n    credentials: {{type: access_key, access_key_id: {}, access_key_secret: {}}}\n    \
         rate_limit: {{requests_per_second: 1000, burst: 10000}}\n    discovery: {{regions: [{}], refresh_interval: 15s}}\n    clusters:\n",
        pair.access_key_id,
        pair.access_key_secret.expose(),
        regions.join(", "),
    );
    let world = simulator.world();
    for (id, team) in world
        .clusters()
        .into_iter()
        .filter(|id| !world.is_ephemeral(id))
        .zip(TEAMS.iter().cycle())
    {
        if let (Some(region), Some(name)) = (world.region(&id), world.name(&id)) {
            writeln!(
                yaml,
                "      - {{id: {id}, region: {region}, name: {name}, labels: {{team: {team}}}}}"
            )
            .expect("a String takes every write");
        }
    }
    yaml
}

/// Prints the addresses and the key of the demo. It goes on if standard output is closed.
fn announce(web: &str, telemetry: &str, api: SocketAddr, pair: &KeyPair) {
    print(&format!(
        "A simulated account with upgrades in accelerated time.

  page      {web}/
  metrics   {web}{telemetry}

The simulated API accepts any client of Alibaba Cloud:

  endpoint  http://{api}
  key       {}
  secret    {}

Press Ctrl-C to end it.",
        pair.access_key_id,
        pair.access_key_secret.expose(),
    ));
}

//! The exporter over a simulated account.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use ack_simulator::{Identities, KeyPair, Options, Retired, Sim};
use listenfd::ListenFd;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::serve::Job;
use super::{Failure, say};
use crate::cli::DemoArgs;
use crate::reload::ConfigSource;
use crate::shard::Shard;

/// Plays a world and serves it.
pub(super) async fn demo(args: DemoArgs, handed_over: ListenFd) -> Result<(), Failure> {
    let sim = Arc::new(Sim::new(Options {
        seed: args.seed,
        clusters: args.clusters as usize,
        guests: args.guests as usize,
        identities: Identities {
            key_lifetime: args.key_lifetime,
            ..Identities::default()
        },
        retired: args.retired.then_some(Retired::InvalidAction),
        faults: args.faults.map(|rules| rules.0).unwrap_or_default(),
        ..Options::default()
    }));
    let listener = TcpListener::bind(args.api_listen_address)
        .await
        .map_err(|error| {
            Failure::Runtime(format!(
                "cannot listen on {}: {error}",
                args.api_listen_address
            ))
        })?;
    let api = listener
        .local_addr()
        .map_err(|error| Failure::Runtime(error.to_string()))?;
    let stop = CancellationToken::new();
    let played = tokio::spawn(Arc::clone(&sim).serve(listener, stop.clone()));
    let job = Job {
        origin: ConfigSource::Text(config(&sim, api)),
        auto_reload_interval: None,
        shard: Shard::default(),
        web: &args.web,
        handed_over,
    };
    let result = job
        .run(|web| announce(web, &args.web.telemetry_path, api, &KeyPair::demo()))
        .await;
    stop.cancel();
    drop(played.await);
    result
}

/// The teams that own the simulated clusters, in turn.
const TEAMS: [&str; 4] = ["payments", "storefront", "search", "platform"];

/// The configuration that somebody would write for the simulated account: every cluster found, and
/// named with its owner.
fn config(sim: &Sim, api: SocketAddr) -> String {
    let pair = KeyPair::demo();
    let regions: Vec<_> = sim.regions().iter().map(ToString::to_string).collect();
    let mut yaml = format!(
        "accounts:\n  - name: demo\n    endpoint: http://{api}\n    credentials: {{type: access_key, access_key_id: {}, access_key_secret: {}}}\n    \
         rate_limit: {{requests_per_second: 1000, burst: 10000}}\n    discovery: {{regions: [{}], refresh_interval: 15s}}\n    clusters:\n",
        pair.access_key_id,
        pair.access_key_secret.expose(),
        regions.join(", "),
    );
    let world = sim.world();
    for (id, team) in world
        .clusters()
        .into_iter()
        .filter(|id| !world.is_guest(id))
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

/// Tells the person at the terminal what to open; one who has stopped reading does not end the
/// demo.
fn announce(web: &str, telemetry: &str, api: SocketAddr, pair: &KeyPair) {
    say(&format!(
        "A simulated account with upgrades in accelerated time.

  page      {web}/
  metrics   {web}{telemetry}

The stand-in for the vendor's API takes any client of the vendor:

  endpoint  http://{api}
  key       {}
  secret    {}

Ctrl-C ends it.",
        pair.access_key_id,
        pair.access_key_secret.expose(),
    ));
}

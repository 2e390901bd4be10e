//! The exporter over a simulated account.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use listenfd::ListenFd;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::serve::Job;
use super::{Failure, say};
use crate::cli::DemoArgs;
use crate::service::Origin;
use crate::sim::{KeyPair, Options, Sim};

/// Plays a world and serves it.
pub(super) async fn demo(args: DemoArgs, handed_over: ListenFd) -> Result<(), Failure> {
    let sim = Arc::new(Sim::new(Options { seed: args.seed, clusters: args.clusters as usize, ..Options::default() }));
    let listener = TcpListener::bind(args.api_listen_address)
        .await
        .map_err(|error| Failure::Runtime(format!("cannot listen on {}: {error}", args.api_listen_address)))?;
    let api = listener.local_addr().map_err(|error| Failure::Runtime(error.to_string()))?;
    let stop = CancellationToken::new();
    let played = tokio::spawn(Arc::clone(&sim).serve(listener, stop.clone()));
    let job = Job { origin: Origin::Text(config(&sim, api)), auto_reload_interval: None, web: &args.web, handed_over };
    let result = job.run(|web| announce(web, &args.web.telemetry_path, api, &KeyPair::demo())).await;
    stop.cancel();
    drop(played.await);
    result
}

/// The configuration that somebody would write for the simulated account.
fn config(sim: &Sim, api: SocketAddr) -> String {
    let pair = KeyPair::demo();
    let mut yaml = format!(
        "accounts:\n  - name: demo\n    endpoint: http://{api}\n    credentials: {{type: access_key, access_key_id: {}, access_key_secret: {}}}\n    \
         rate_limit: {{requests_per_second: 1000, burst: 10000}}\n    clusters:\n",
        pair.access_key_id,
        pair.access_key_secret.expose(),
    );
    let world = sim.world();
    for id in world.clusters() {
        if let (Some(region), Some(name)) = (world.region(&id), world.name(&id)) {
            writeln!(yaml, "      - {{id: {id}, region: {region}, name: {name}}}").expect("a String takes every write");
        }
    }
    yaml
}

/// Tells the person at the terminal what to open; one who has stopped reading does not end the demo.
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

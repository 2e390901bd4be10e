//! Configurations for the simulated account: of the demo itself, and of the terminal commands.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use ack_simulator::{KeyPair, Simulator};
use safe_input::file as input;

use crate::upgrade::SourceName;

/// First line of a written configuration. The demo overwrites no file that begins with another one.
const HEADER: &str = "# Written by `ack-upgrade-exporter demo`, and valid as long as it runs.\n";

/// The teams that own the simulated clusters, in rotation.
const TEAMS: [&str; 4] = ["payments", "storefront", "search", "platform"];

/// Number of clusters that the configuration of the terminal commands names. The others are
/// discovered.
const NAMED_FOR_TERMINAL: usize = 3;

/// The intervals of the other queries. An hour in the simulated world is about a minute.
const WATCH: &str = "{plans: {interval: 5s}, versions: {interval: 1m}, node_pools: {interval: \
                     10s}, \
    addons: {interval: 1m}, prechecks: {interval: 10s}, maintenance: {interval: 1m}}";

/// A typical configuration for the simulated account: discovery of all clusters, and a list with
/// the names and owners of the permanent ones.
pub(super) fn for_server(simulator: &Simulator, api: SocketAddr) -> String {
    let account = account(simulator, api);
    let clusters = clusters(simulator, usize::MAX);
    format!("{account}    watch: {WATCH}\n{clusters}")
}

/// A configuration for `status` and `explain`. It names a source, because `explain` shows the
/// request of the first one, which today's API does not serve.
pub(super) fn for_terminal(simulator: &Simulator, api: SocketAddr, source: SourceName) -> String {
    let account = account(simulator, api);
    let clusters = clusters(simulator, NAMED_FOR_TERMINAL);
    format!(
        "{HEADER}{account}    source: {}\n{clusters}",
        source.as_str()
    )
}

/// The beginning of a configuration, up to the discovery of the account.
fn account(simulator: &Simulator, api: SocketAddr) -> String {
    let pair = KeyPair::demo();
    let regions: Vec<_> = simulator
        .regions()
        .iter()
        .map(ToString::to_string)
        .collect();
    format!(
        "accounts:
  - name: demo
    endpoint: http://{api}
    credentials:
      type: access_key
      access_key_id: {}
      access_key_secret: {}
    rate_limit: {{requests_per_second: 1000, burst: 10000}}
    discovery: {{regions: [{}], refresh_interval: 15s}}
",
        pair.access_key_id,
        pair.access_key_secret.expose(),
        regions.join(", "),
    )
}

/// The first permanent clusters, with names and owners.
fn clusters(simulator: &Simulator, limit: usize) -> String {
    let world = simulator.world();
    let mut yaml = "    clusters:\n".to_owned();
    for (id, team) in world
        .clusters()
        .into_iter()
        .filter(|id| !world.is_ephemeral(id))
        .zip(TEAMS.iter().cycle())
        .take(limit)
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

/// Writes a configuration, in place of an earlier one only if a demo has written that too.
pub(super) fn write(file: &Path, text: &str) -> Result<(), String> {
    match input::read(file, input::MAX_CONFIGURATION) {
        Ok(earlier) if !earlier.starts_with(HEADER.as_bytes()) => {
            return Err(format!(
                "{} exists, and no demo has written it; name another file in --write-config",
                file.display()
            ));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(format!("cannot read {}: {error}", file.display())),
    }
    fs::write(file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use ack_simulator::Options;

    use super::*;
    use crate::reload::ConfigSource;

    fn address() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 10_526))
    }

    #[tokio::test]
    async fn both_configurations_are_accepted_with_and_without_clusters() {
        for clusters in [0, 2, 12] {
            let simulator = Simulator::new(Options {
                clusters,
                ..Options::default()
            });
            for (text, named) in [
                (for_server(&simulator, address()), clusters),
                (
                    for_terminal(&simulator, address(), SourceName::Tasks),
                    clusters.min(3),
                ),
            ] {
                let (config, _) = ConfigSource::Text(text).check().expect("a configuration");
                assert_eq!(config.accounts[0].clusters.len(), named);
            }
        }
    }

    #[test]
    fn a_file_of_somebody_else_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("exporter.yaml");
        let text = format!("{HEADER}accounts: []\n");
        write(&file, &text).expect("a new file");
        write(&file, &text).expect("a file of an earlier demo");
        fs::write(&file, "accounts: [{name: prod}]\n").expect("written");
        let error = write(&file, &text).expect_err("a file of somebody else");
        assert!(error.contains("no demo has written it"), "{error}");
        let kept = fs::read_to_string(&file).expect("read");
        assert_eq!(kept, "accounts: [{name: prod}]\n");
    }

    #[test]
    fn a_device_is_not_read_to_its_end() {
        let error = write("/dev/zero".as_ref(), "").expect_err("a device");
        assert!(
            error.contains("it is a pipe, a socket or a device"),
            "{error}"
        );
    }
}

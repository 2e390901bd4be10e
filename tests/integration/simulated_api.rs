//! The simulated API for tests of the built program.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ack_simulator::{Action, KeyPair, Options, Simulator, UpgradingClusters};
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// A simulator on a socket, and a folder with a configuration for it.
pub struct SimulatedApi {
    pub sim: Arc<Simulator>,
    pub folder: TempDir,
    pub endpoint: SocketAddr,
    _runtime: Runtime,
}

impl SimulatedApi {
    /// An API with `clusters` clusters without upgrades.
    pub fn new(clusters: usize) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let sim = Arc::new(Simulator::new(Options {
            clusters,
            upgrading: UpgradingClusters::First(0),
            start: Timestamp::now(),
            ..Options::default()
        }));
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let endpoint = listener.local_addr().expect("an address");
        runtime.spawn(Arc::clone(&sim).serve(listener, CancellationToken::new()));
        let api = Self {
            sim,
            folder: tempfile::tempdir().expect("a folder"),
            endpoint,
            _runtime: runtime,
        };
        api.write(&api.yaml(clusters));
        api
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("exporter.yml")
    }

    /// Replaces the configuration.
    pub fn write(&self, yaml: &str) {
        std::fs::write(self.config(), yaml).expect("writes the configuration");
    }

    /// The configuration of the first `clusters`.
    pub fn yaml(&self, clusters: usize) -> String {
        let pair = KeyPair::demo();
        let mut yaml = format!(
            "accounts:\n  - name: test\n    source: upgrade_status\n    endpoint: http://{}\n    \
             credentials: {{type: access_key, \
             access_key_id: {}, access_key_secret: {}}}\n    clusters:\n",
            self.endpoint,
            pair.access_key_id,
            pair.access_key_secret.expose()
        );
        for id in self.sim.world().clusters().iter().take(clusters) {
            let (region, name) = (
                self.sim.world().region(id).expect("a region"),
                self.sim.world().name(id).expect("a name"),
            );
            writeln!(yaml, "      - {{id: {id}, region: {region}, name: {name}}}")
                .expect("a String takes every write");
        }
        yaml
    }

    /// Waits until `GetUpgradeStatus` was called `count` times since the start.
    pub fn wait_for_calls(&self, count: u64) {
        let end = Instant::now() + Duration::from_secs(60);
        while self.sim.count(Action::GetUpgradeStatus) < count {
            assert!(Instant::now() < end, "the API is not called");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

//! The server of the program with a simulated account, and its files in a temporary folder.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ack_simulator::{Options, Simulator};
use ack_upgrade_exporter::metrics::ExporterMetrics;
use ack_upgrade_exporter::reload::{ConfigManager, ConfigSource};
use ack_upgrade_exporter::web::{AppState, Lifecycle, Pages, Paths};
use exporter_toolkit::process::ProcessMetrics;
use exporter_toolkit::web::guard::WebGuard;
use exporter_toolkit::web::socket::ListenAddress;
use exporter_toolkit::web::{Limits, Server};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fleet::{UNLIMITED, dependencies, options, yaml};

/// The settings of a server.
pub struct Setup<'a> {
    pub world: Options,
    pub limits: Limits,
    /// The web configuration file, if there is one.
    pub web: Option<&'a str>,
    pub lifecycle: bool,
    pub addresses: &'a [&'a str],
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self {
            world: options(6),
            limits: Limits::default(),
            web: None,
            lifecycle: true,
            addresses: &["127.0.0.1:0"],
        }
    }
}

/// A running server; ends with the value.
pub struct Served {
    pub address: SocketAddr,
    pub addresses: Vec<SocketAddr>,
    pub sim: Arc<Simulator>,
    pub service: Arc<ConfigManager>,
    pub guard: Arc<WebGuard>,
    /// Stops the server.
    pub stop: CancellationToken,
    /// Ends once the server has.
    pub ended: JoinHandle<()>,
    folder: TempDir,
}

impl Setup<'_> {
    /// Serves in a folder with what `prepare` puts there.
    pub fn serve_in(self, folder: TempDir) -> Served {
        let sim = Arc::new(Simulator::new(self.world));
        let (config, web) = (
            folder.path().join("exporter.yml"),
            folder.path().join("web.yml"),
        );
        std::fs::write(
            &config,
            yaml(&sim, "http://simulator.example", UNLIMITED, ""),
        )
        .expect("writes the configuration");
        let exporter_metrics = Arc::new(ExporterMetrics::new(ProcessMetrics::Hidden));
        let dependencies = dependencies(&sim, &exporter_metrics);
        let (clock, transports) = (dependencies.clock, Arc::clone(&dependencies.transports));
        let service = Arc::new(
            ConfigManager::start(
                ConfigSource::File(config),
                dependencies,
                Arc::clone(&exporter_metrics),
            )
            .expect("a good configuration"),
        );
        let guard = match self.web {
            Some(text) => {
                std::fs::write(&web, text).expect("writes the web configuration");
                WebGuard::load(&web)
            }
            None => WebGuard::without_file(),
        };
        let guard = Arc::new(guard.expect("a good web configuration"));
        let lifecycle = Arc::new(Lifecycle::new(Arc::clone(&service), Arc::clone(&guard)));
        let listen = |address: &&str| {
            address
                .parse::<ListenAddress>()
                .and_then(|address| address.listen())
                .expect("a free port")
        };
        let server = Server::new(
            self.addresses.iter().map(listen).collect(),
            Arc::clone(&guard),
            self.limits,
        );
        let addresses = server.addresses();
        let stop = CancellationToken::new();
        let state = AppState {
            running: service.running(),
            exporter_metrics,
            paths: Paths {
                prefix: String::new(),
                telemetry: "/metrics".to_owned(),
            },
            prefix: String::new(),
            lifecycle: self.lifecycle.then_some(lifecycle),
            clock,
            pages: Pages::default(),
            transports,
            stop: stop.clone(),
        };
        let ended = tokio::spawn(server.serve(Arc::new(state), stop.clone()));
        Served {
            address: addresses[0],
            addresses,
            sim,
            service,
            guard,
            stop,
            ended,
            folder,
        }
    }

    /// Serves in an empty folder.
    pub fn serve(self) -> Served {
        self.serve_in(tempfile::tempdir().expect("a folder"))
    }
}

impl Served {
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).expect("written");
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("readable")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.ended.abort();
    }
}

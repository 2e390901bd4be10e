//! Serving until a signal says stop.

use std::path::Path;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Failure, say};
use crate::api::Direct;
use crate::cli::{ServeArgs, WebArgs};
use crate::clock::Clock;
use crate::collect::Surroundings;
use crate::config::Config;
use crate::credentials;
use crate::metrics::{Own, ProcessMetrics};
use crate::service::Service;
use crate::trust;
use crate::web::{Paths, Server, Site};

/// Serves the accounts of the configuration file.
pub(super) async fn serve(args: ServeArgs) -> Result<(), Failure> {
    let config = load(args.config_file.as_deref())?;
    serve_config(config, &args.web, |_| {}).await
}

/// Checks the configuration file and says what it would do.
pub(super) fn check(args: &ServeArgs) -> Result<(), Failure> {
    let config = load(args.config_file.as_deref())?;
    for account in &config.accounts {
        let clusters = account.clusters.len();
        let covered =
            account.rate_limit.requests_per_second * config.scrape.timeout.as_secs_f64() + f64::from(account.rate_limit.burst.get());
        println!(
            "account {}: {clusters} clusters; the rate limit covers {covered:.0} in a scrape of {:?}",
            account.name, config.scrape.timeout
        );
    }
    say("the configuration is good");
    Ok(())
}

fn load(file: Option<&Path>) -> Result<Config, Failure> {
    let Some(file) = file else {
        return Err(Failure::Usage("nothing to serve: name a file with --config.file, or try the demo".to_owned()));
    };
    Config::load(file).map_err(|error| Failure::Usage(format!("{} is not a configuration\n{error}", file.display())))
}

/// Serves `config` until a signal; `started` learns the first address.
pub(super) async fn serve_config(config: Config, web: &WebArgs, started: impl FnOnce(std::net::SocketAddr)) -> Result<(), Failure> {
    let process = if web.disable_exporter_metrics { ProcessMetrics::Hidden } else { ProcessMetrics::Shown };
    let own = Arc::new(Own::new(process));
    let clock = Clock::System;
    let tls = trust::client_config(&[]);
    let credentials = credentials::Context::system(&tls).map_err(|error| Failure::Runtime(error.to_string()))?;
    let surroundings = Surroundings {
        clock,
        transport: Arc::new(Direct::new(tls)),
        credentials,
        audience: Arc::clone(&own) as Arc<dyn crate::collect::Audience>,
    };
    let server = Server::bind(&web.listen_addresses).await.map_err(|error| Failure::Runtime(error.to_string()))?;
    let service = Service::start(config, &surroundings);
    own.reload_succeeded(clock.now());
    let stop = CancellationToken::new();
    let site = Arc::new(Site {
        running: service.running(),
        own,
        paths: Paths { prefix: String::new(), telemetry: web.telemetry_path.clone() },
        clock,
        stop: stop.clone(),
    });
    for address in server.addresses() {
        tracing::info!(%address, "listening");
    }
    if let Some(address) = server.addresses().first() {
        started(*address);
    }
    let signals = tokio::spawn(stop_on_signal(stop.clone()));
    server.serve(site, stop).await;
    service.stop().await;
    signals.abort();
    tracing::info!("stopped");
    Ok(())
}

/// The first SIGTERM or SIGINT lets requests in flight finish; the second ends the program.
async fn stop_on_signal(stop: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        tracing::error!("signals cannot be listened for");
        return;
    };
    for first in [true, false] {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if first {
            tracing::info!("stopping: requests in flight may finish");
            stop.cancel();
        }
    }
    std::process::exit(1);
}

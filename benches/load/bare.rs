//! The baseline: hyper's pooled client, which sends the same GETs and drops the responses.

use std::io::{BufRead as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::task::JoinSet;

use crate::exporter::cluster_id;

/// Sends one GET for each cluster when a line arrives, and prints a line at the end.
pub(crate) fn run(
    api: SocketAddr,
    clusters: usize,
    concurrency: usize,
    threads: usize,
) -> anyhow::Result<()> {
    let runtime = match threads {
        1 => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?,
        threads => tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()?,
    };
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .build(connector);
    let targets: Arc<Vec<http::Uri>> = Arc::new(
        (0..clusters)
            .map(|index| {
                format!(
                    "http://{api}/api/v2/clusters/{}/upgrade/status",
                    cluster_id(index)
                )
                .parse()
            })
            .collect::<Result<_, _>>()?,
    );
    for line in std::io::stdin().lock().lines() {
        line?;
        let next = Arc::new(AtomicUsize::new(0));
        runtime.block_on(async {
            let mut workers = JoinSet::new();
            for _ in 0..concurrency.min(clusters) {
                let (client, targets, next) =
                    (client.clone(), Arc::clone(&targets), Arc::clone(&next));
                workers.spawn(async move {
                    while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let response = client.get(target.clone()).await.expect("the API responds");
                        response
                            .into_body()
                            .collect()
                            .await
                            .expect("the whole response");
                    }
                });
            }
            workers.join_all().await;
        });
        println!("done");
        std::io::stdout().flush()?;
    }
    Ok(())
}

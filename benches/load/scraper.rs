//! A client that scrapes like Prometheus: one keep-alive connection, and one GET for each scrape.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// A client that scrapes the exporter.
pub(crate) struct Scraper {
    runtime: Runtime,
    sender: SendRequest<Empty<Bytes>>,
    address: SocketAddr,
    encoding: String,
}

/// One scrape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scrape {
    /// From the first byte sent to the last received.
    pub(crate) wall: Duration,
    /// Bytes of the page as sent.
    pub(crate) bytes: usize,
}

impl Scraper {
    pub(crate) fn connect(address: SocketAddr, encoding: &str) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let sender = runtime.block_on(async {
            let stream = TcpStream::connect(address).await?;
            let (sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            anyhow::Ok(sender)
        })?;
        Ok(Self {
            runtime,
            sender,
            address,
            encoding: encoding.to_owned(),
        })
    }

    /// Scrapes once.
    pub(crate) fn scrape(&mut self) -> anyhow::Result<Scrape> {
        let request = Request::get("/metrics")
            .header("host", self.address.to_string())
            .header("accept", "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
            .header("accept-encoding", &self.encoding)
            .header("x-prometheus-scrape-timeout-seconds", "60")
            .body(Empty::new())?;
        let began = Instant::now();
        let bytes = self.runtime.block_on(async {
            self.sender.ready().await?;
            let response = self.sender.send_request(request).await?;
            anyhow::ensure!(
                response.status().is_success(),
                "the exporter responds with {}",
                response.status()
            );
            anyhow::Ok(response.into_body().collect().await?.to_bytes().len())
        })?;
        Ok(Scrape {
            wall: began.elapsed(),
            bytes,
        })
    }
}

//! A fake API with fixed responses to `GetUpgradeStatus`, which cost as little as possible.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// The responses. Most clusters are idle; some are upgrading, and some have failed.
const RESPONSES: [&str; 4] = [
    r#"{"status":"success","error_message":"","precheck_report_id":"be4c8eb72de94d459ea7ace7c811d119","upgrade_step":"success","upgrade_task":{"status":"Success","message":""}}"#,
    r#"{"status":"","upgrade_step":"not_start"}"#,
    r#"{"status":"running","error_message":"","precheck_report_id":"be4c8eb72de94d459ea7ace7c811d119","upgrade_step":"upgrading","upgrade_task":{"status":"running","message":"upgrading node 3 of 12"}}"#,
    r#"{"status":"fail","error_message":"etcd member etcd-1 did not become healthy in 600 seconds","precheck_report_id":"be4c8eb72de94d459ea7ace7c811d119","upgrade_step":"upgrading","upgrade_task":{"status":"Failed","message":"etcd member etcd-1 did not become healthy in 600 seconds"}}"#,
];

/// Prints the address, and serves until the process is killed.
pub(crate) fn run(latency: Duration) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            println!("{}", listener.local_addr()?);
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let service =
                    service_fn(move |request: Request<Incoming>| respond(request, latency));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        })
}

async fn respond(
    request: Request<Incoming>,
    latency: Duration,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let ends = request.uri().path().bytes().map(usize::from).sum::<usize>();
    let body = RESPONSES[if ends % 10 == 0 {
        2 + ends / 10 % 2
    } else {
        ends % 2
    }];
    Ok(Response::builder()
        .header("content-type", "application/json;charset=utf-8")
        .header("x-acs-request-id", "687C5BAA-D103-4993-884B-C35E4314A1E1")
        .body(Full::new(Bytes::from_static(body.as_bytes())))
        .expect("static headers"))
}

//! The vendor's side: canned replies of `GetUpgradeStatus`, as cheap as they can be made.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Most clusters are at rest; some are in the middle of something, and some have failed.
const REPLIES: [&str; 4] = [
    r#"{"status":"success","error_message":"","precheck_report_id":"be4c8eb72de94d459ea7ace7c811d119","upgrade_step":"success","upgrade_task":{"status":"Success","message":""}}"#,
    r#"{"status":"","upgrade_step":"not_start"}"#,
    r#"{"status":"running","error_message":"","precheck_report_id":"be4c8eb72de94d459ea7ace7c811d119","upgrade_step":"upgrading","upgrade_task":{"status":"running","message":"upgrading node 3 of 12"}}"#,
    r#"{"status":"fail","error_message":"etcd member etcd-1 did not become healthy in 600 seconds","precheck_report_id":"be4c8eb72de94d459ea7ace7c811d119","upgrade_step":"upgrading","upgrade_task":{"status":"Failed","message":"etcd member etcd-1 did not become healthy in 600 seconds"}}"#,
];

/// Serves until it is killed; prints the address first.
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
                let answer = service_fn(move |request: Request<Incoming>| answer(request, latency));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), answer),
                );
            }
        })
}

async fn answer(
    request: Request<Incoming>,
    latency: Duration,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let ends = request.uri().path().bytes().map(usize::from).sum::<usize>();
    let reply = REPLIES[if ends % 10 == 0 {
        2 + ends / 10 % 2
    } else {
        ends % 2
    }];
    Ok(Response::builder()
        .header("content-type", "application/json;charset=utf-8")
        .header("x-acs-request-id", "687C5BAA-D103-4993-884B-C35E4314A1E1")
        .body(Full::new(Bytes::from_static(reply.as_bytes())))
        .expect("static headers"))
}

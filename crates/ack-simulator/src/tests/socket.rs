//! Deliveries over a real socket, read as raw bytes.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::*;

/// A connection to a simulator, and a signed request for it.
struct Connected {
    simulator: Arc<Simulator>,
    request: Vec<u8>,
    stream: TcpStream,
    stop: CancellationToken,
    server: tokio::task::JoinHandle<()>,
}

async fn connect(fault: Option<Fault>) -> Connected {
    let client = SignedClient::with_defaults();
    if let Some(fault) = fault {
        client.simulator.add_fault(Rule::new(fault).times(1));
    }
    let request = wire(&client.request(
        Action::GetUpgradeStatus,
        &format!("/api/v2/clusters/{}/upgrade/status", client.first()),
        "n",
    ));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (simulator, stop) = (Arc::new(client.simulator), CancellationToken::new());
    let server = tokio::spawn(Arc::clone(&simulator).serve(listener, stop.clone()));
    Connected {
        simulator,
        request,
        stream,
        stop,
        server,
    }
}

fn wire(request: &Request<Bytes>) -> Vec<u8> {
    let mut out = format!(
        "{} {} HTTP/1.1\r\n",
        request.method(),
        request.uri().path_and_query().unwrap()
    );
    for (name, value) in request.headers() {
        out = format!("{out}{name}: {}\r\n", value.to_str().unwrap());
    }
    (out + "\r\n").into_bytes()
}

/// The bytes until the connection ends or there are `enough` of them.
async fn receive(stream: &mut TcpStream, enough: usize) -> (String, std::io::Result<()>) {
    let mut bytes = vec![0; 1 << 16];
    let mut seen = Vec::new();
    while seen.len() < enough {
        match stream.read(&mut bytes).await {
            Ok(0) => break,
            Ok(length) => seen.extend_from_slice(&bytes[..length]),
            Err(error) => return (String::from_utf8_lossy(&seen).into_owned(), Err(error)),
        }
    }
    (String::from_utf8_lossy(&seen).into_owned(), Ok(()))
}

async fn read_with(fault: Fault, enough: usize) -> (String, std::io::Result<()>) {
    let mut connected = connect(Some(fault)).await;
    connected
        .stream
        .write_all(&connected.request)
        .await
        .unwrap();
    receive(&mut connected.stream, enough).await
}

#[tokio::test]
async fn a_connection_serves_several_calls_until_the_stop() {
    let mut connected = connect(None).await;
    for expected in ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 400 Bad Request\r\n"] {
        connected
            .stream
            .write_all(&connected.request)
            .await
            .unwrap();
        let (response, end) = receive(&mut connected.stream, 1).await;
        end.unwrap();
        assert!(response.starts_with(expected), "{response}");
        assert!(response.contains("x-acs-request-id: "));
    }
    assert_eq!(connected.simulator.count(Action::GetUpgradeStatus), 2);
    connected.stop.cancel();
    connected.server.await.unwrap();
    assert_eq!(connected.stream.read(&mut [0]).await.unwrap_or_default(), 0);
}

#[tokio::test]
async fn a_reset_resets_the_connection() {
    let (response, end) = read_with(Fault::Reset, usize::MAX).await;
    assert_eq!(response, "");
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_truncated_body_ends_before_its_length() {
    let (response, _) = read_with(Fault::Truncated, usize::MAX).await;
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let length: usize = head
        .split("content-length: ")
        .nth(1)
        .unwrap()
        .split("\r\n")
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(!body.is_empty() && body.len() < length, "{response}");
}

#[tokio::test]
async fn a_huge_body_does_not_end() {
    let (response, _) = read_with(Fault::Huge(Framing::Length), 3 << 20).await;
    assert!(
        response.contains("content-length: 8589934592\r\n"),
        "{}",
        &response[..400]
    );
    let (response, _) = read_with(Fault::Huge(Framing::Chunked), 3 << 20).await;
    assert!(
        response.contains("transfer-encoding: chunked\r\n"),
        "{}",
        &response[..400]
    );
}

#[tokio::test]
async fn a_dripping_body_starts_before_it_is_complete() {
    let (response, _) = read_with(Fault::Drip(std::time::Duration::from_micros(50)), 1).await;
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(response.len() < 400, "{response}");
}

#[tokio::test]
async fn a_hanging_call_keeps_its_connection_until_the_stop() {
    let mut connected = connect(Some(Fault::Hang)).await;
    connected
        .stream
        .write_all(&connected.request)
        .await
        .unwrap();
    while connected.simulator.count(Action::GetUpgradeStatus) == 0 {
        tokio::task::yield_now().await;
    }
    connected.stop.cancel();
    connected.server.await.unwrap();
    assert_eq!(receive(&mut connected.stream, 1).await.0, "");
}

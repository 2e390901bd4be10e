//! Over a real socket, with a client that is nothing but bytes.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::*;

/// A client and a connection to its stand-in.
struct Connected {
    sim: Arc<Sim>,
    request: Vec<u8>,
    stream: TcpStream,
    stop: CancellationToken,
    server: tokio::task::JoinHandle<()>,
}

async fn connect(fault: Option<Fault>) -> Connected {
    let client = Client::usual();
    if let Some(fault) = fault {
        client.sim.add_fault(Rule::new(fault).times(1));
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
    let (sim, stop) = (Arc::new(client.sim), CancellationToken::new());
    let server = tokio::spawn(Arc::clone(&sim).serve(listener, stop.clone()));
    Connected {
        sim,
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

/// What arrives until the connection ends or `enough` bytes are there.
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

async fn played(fault: Fault, enough: usize) -> (String, std::io::Result<()>) {
    let mut connected = connect(Some(fault)).await;
    connected
        .stream
        .write_all(&connected.request)
        .await
        .unwrap();
    receive(&mut connected.stream, enough).await
}

#[tokio::test]
async fn a_connection_serves_one_call_after_the_other_until_the_stop() {
    let mut connected = connect(None).await;
    for expected in ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 400 Bad Request\r\n"] {
        connected
            .stream
            .write_all(&connected.request)
            .await
            .unwrap();
        let (reply, end) = receive(&mut connected.stream, 1).await;
        end.unwrap();
        assert!(reply.starts_with(expected), "{reply}");
        assert!(reply.contains("x-acs-request-id: "));
    }
    assert_eq!(connected.sim.count(Action::GetUpgradeStatus), 2);
    connected.stop.cancel();
    connected.server.await.unwrap();
    assert_eq!(connected.stream.read(&mut [0]).await.unwrap_or_default(), 0);
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    let (reply, end) = played(Fault::Reset, usize::MAX).await;
    assert_eq!(reply, "");
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_truncated_body_ends_before_its_length() {
    let (reply, _) = played(Fault::Truncated, usize::MAX).await;
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    let length: usize = head
        .split("content-length: ")
        .nth(1)
        .unwrap()
        .split("\r\n")
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(!body.is_empty() && body.len() < length, "{reply}");
}

#[tokio::test]
async fn a_huge_body_goes_on_and_on() {
    let (reply, _) = played(Fault::Huge(Framing::Length), 3 << 20).await;
    assert!(
        reply.contains("content-length: 8589934592\r\n"),
        "{}",
        &reply[..400]
    );
    let (reply, _) = played(Fault::Huge(Framing::Chunked), 3 << 20).await;
    assert!(
        reply.contains("transfer-encoding: chunked\r\n"),
        "{}",
        &reply[..400]
    );
}

#[tokio::test]
async fn a_dripping_body_arrives_whole_in_the_end() {
    let (reply, _) = played(Fault::Drip(std::time::Duration::from_micros(50)), 1).await;
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(reply.len() < 400, "{reply}");
}

#[tokio::test]
async fn a_hanging_call_keeps_its_connection_and_ends_with_the_stop() {
    let mut connected = connect(Some(Fault::Hang)).await;
    connected
        .stream
        .write_all(&connected.request)
        .await
        .unwrap();
    while connected.sim.count(Action::GetUpgradeStatus) == 0 {
        tokio::task::yield_now().await;
    }
    connected.stop.cancel();
    connected.server.await.unwrap();
    assert_eq!(receive(&mut connected.stream, 1).await.0, "");
}

//! The transport, with raw sockets as the server.

mod bodies;
mod limits;
mod proxies;

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;
use crate::proxy::Proxy;
use crate::secret::Secret;
use crate::trust;

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

struct Server {
    listener: TcpListener,
    transport: HttpTransport,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            listener,
            transport: HttpTransport::new(
                crate::trust::client_config(&[]),
                crate::lookup::Lookup::system(),
            ),
        }
    }

    /// Another server for the same client.
    async fn with_same_client(&self) -> Self {
        Self {
            transport: self.transport.clone(),
            ..Self::start().await
        }
    }

    /// Sends one request to the server.
    fn send(&self) -> tokio::task::JoinHandle<Result<Response<Bytes>, TransportError>> {
        let (transport, address) = (self.transport.clone(), self.listener.local_addr().unwrap());
        tokio::spawn(async move {
            let request =
                Request::get(format!("http://{address}/x?y=z")).header("host", address.to_string());
            transport.send(request.body(Bytes::new()).unwrap()).await
        })
    }

    async fn accept(&self) -> TcpStream {
        // Long enough for a busy machine. A failure reuses a connection instead.
        timeout(Duration::from_secs(30), self.listener.accept())
            .await
            .expect("a new connection")
            .unwrap()
            .0
    }

    async fn expect_no_connection(&self) {
        let waited = tokio::time::timeout(Duration::from_millis(50), self.listener.accept()).await;
        assert!(waited.is_err(), "a second connection");
    }
}

/// Sends one request on a new connection and responds to it.
async fn exchange(server: &Server) -> TcpStream {
    let call = server.send();
    let mut stream = server.accept().await;
    head(&mut stream).await;
    stream.write_all(RESPONSE).await.unwrap();
    assert_eq!(call.await.unwrap().unwrap().body(), "{}");
    stream
}

/// Opens connections by as many requests at once, and responds to all of them.
async fn open_idle_connections(server: &Server, number: usize) -> Vec<TcpStream> {
    let calls: Vec<_> = (0..number).map(|_| server.send()).collect();
    let mut streams = Vec::new();
    for _ in 0..number {
        streams.push(server.accept().await);
    }
    for stream in &mut streams {
        head(stream).await;
        stream.write_all(RESPONSE).await.unwrap();
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(server.transport.pool.open(), number);
    streams
}

/// Advances the paused clock, which sockets do not notice.
async fn advance(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Reads one head. Returns an empty text if the client has closed the connection.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn a_connection_serves_several_requests() {
    let server = Server::start().await;
    let mut stream = exchange(&server).await;
    let second = server.send();
    assert!(
        head(&mut stream)
            .await
            .starts_with("GET /x?y=z HTTP/1.1\r\n")
    );
    stream.write_all(RESPONSE).await.unwrap();
    assert_eq!(second.await.unwrap().unwrap().body(), "{}");
    server.expect_no_connection().await;
}

#[tokio::test]
async fn a_connection_that_the_server_has_closed_fails_no_request() {
    let server = Server::start().await;
    for _ in 0..3 {
        drop(exchange(&server).await);
        while server.transport.pool.open() > 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_fails_its_request_and_is_not_reused() {
    let server = Server::start().await;
    let call = server.send();
    let mut stream = server.accept().await;
    head(&mut stream).await;
    stream.write_all(&RESPONSE[..30]).await.unwrap();
    drop(stream);
    assert!(matches!(
        call.await.unwrap(),
        Err(TransportError::Broken(_))
    ));
    exchange(&server).await;
}

#[tokio::test]
async fn a_dropped_request_closes_its_connection() {
    let server = Server::start().await;
    let call = server.send();
    let mut stream = server.accept().await;
    head(&mut stream).await;
    call.abort();
    // The end of the stream, since the client has closed it.
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    exchange(&server).await;
}

#[tokio::test]
async fn a_connection_is_not_reused_after_connection_close() {
    let server = Server::start().await;
    for _ in 0..2 {
        let call = server.send();
        let mut stream = server.accept().await;
        head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}")
            .await
            .unwrap();
        assert!(call.await.unwrap().is_ok());
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let left = Server::start().await;
    let mut stream = exchange(&left).await;
    advance(Duration::from_secs(100)).await;
    let _other = exchange(&left.with_same_client().await).await;
    let end = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0; 8])).await;
    assert_eq!(end.expect("the client closes it").unwrap(), 0);
}

#[tokio::test]
async fn one_reset_closes_all_idle_connections() {
    let server = Server::start().await;
    for mut stream in open_idle_connections(&server, 16).await {
        tokio::spawn(async move {
            head(&mut stream).await;
            // A reset rather than an end.
            socket2::SockRef::from(&stream)
                .set_linger(Some(Duration::ZERO))
                .unwrap();
        });
    }
    let Err(TransportError::Broken(said)) = server.send().await.unwrap() else {
        panic!("not broken")
    };
    let address = server.listener.local_addr().unwrap();
    assert!(
        said.starts_with(&format!("the connection to {address} broke: ")),
        "{said}"
    );
    exchange(&server).await;
}

#[tokio::test]
async fn a_request_that_is_dropped_without_a_response_closes_the_other_silent_connections() {
    let server = Server::start().await;
    let mut silent = open_idle_connections(&server, 4).await;
    let call = server.send();
    head_on_any(&mut silent).await;
    call.abort();
    assert!(call.await.is_err_and(|error| error.is_cancelled()));
    exchange(&server).await;
}

#[tokio::test]
async fn a_slow_cluster_does_not_close_connections_that_have_responded_meanwhile() {
    let server = Server::start().await;
    let mut streams = open_idle_connections(&server, 2).await;
    let slow = server.send();
    let slow_one = head_on_any(&mut streams).await;
    let mut other = streams.swap_remove(1 - slow_one);
    for _ in 0..2 {
        let call = server.send();
        head(&mut other).await;
        other.write_all(RESPONSE).await.unwrap();
        call.await.unwrap().unwrap();
        slow.abort();
        tokio::task::yield_now().await;
    }
    server.expect_no_connection().await;
}

/// Reads the head of a request on the connection that it comes on; returns which one that is.
async fn head_on_any(streams: &mut [TcpStream]) -> usize {
    let heads = streams
        .iter_mut()
        .map(|stream| Box::pin(async move { assert!(!head(stream).await.is_empty()) }));
    futures_util::future::select_all(heads).await.1
}

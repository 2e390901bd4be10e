//! What becomes of connections between calls, against raw sockets.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

struct Server {
    listener: TcpListener,
    direct: Direct,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener, direct: Direct::new(crate::trust::client_config(&[]), crate::lookup::Lookup::system()) }
    }

    /// Another server that the same client asks.
    async fn beside(&self) -> Self {
        Self { direct: self.direct.clone(), ..Self::start().await }
    }

    /// Sends one request to it.
    fn send(&self) -> tokio::task::JoinHandle<Result<Response<Bytes>, TransportError>> {
        let (direct, address) = (self.direct.clone(), self.listener.local_addr().unwrap());
        tokio::spawn(async move {
            let request = Request::get(format!("http://{address}/x?y=z")).header("host", address.to_string());
            direct.send(request.body(Bytes::new()).unwrap()).await
        })
    }

    async fn accept(&self) -> TcpStream {
        self.listener.accept().await.unwrap().0
    }

    async fn nobody_connects(&self) {
        let waited = tokio::time::timeout(Duration::from_millis(50), self.listener.accept()).await;
        assert!(waited.is_err(), "a second connection");
    }
}

/// One call that is answered, on a connection of its own.
async fn a_call_goes_well(server: &Server) -> TcpStream {
    let call = server.send();
    let mut stream = server.accept().await;
    head(&mut stream).await;
    stream.write_all(REPLY).await.unwrap();
    assert_eq!(call.await.unwrap().unwrap().body(), "{}");
    stream
}

/// Reads one head; the empty string where the client has closed the connection.
async fn head(stream: &mut TcpStream) -> String {
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
async fn a_connection_serves_one_call_after_another() {
    let server = Server::start().await;
    let mut stream = a_call_goes_well(&server).await;
    let second = server.send();
    assert!(head(&mut stream).await.starts_with("GET /x?y=z HTTP/1.1\r\n"));
    stream.write_all(REPLY).await.unwrap();
    assert_eq!(second.await.unwrap().unwrap().body(), "{}");
    server.nobody_connects().await;
}

#[tokio::test]
async fn a_connection_that_the_server_closed_meanwhile_costs_no_call() {
    let server = Server::start().await;
    for _ in 0..3 {
        drop(a_call_goes_well(&server).await);
        while server.direct.idle.open() > 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_under_a_call_fails_it_and_is_not_used_again() {
    let server = Server::start().await;
    let call = server.send();
    let mut stream = server.accept().await;
    head(&mut stream).await;
    stream.write_all(&REPLY[..30]).await.unwrap();
    drop(stream);
    assert!(matches!(call.await.unwrap(), Err(TransportError::Broken(_))));
    a_call_goes_well(&server).await;
}

#[tokio::test]
async fn a_call_that_is_dropped_takes_its_connection_along() {
    let server = Server::start().await;
    let call = server.send();
    let mut stream = server.accept().await;
    head(&mut stream).await;
    call.abort();
    // The end of the stream, since the client has closed it.
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    a_call_goes_well(&server).await;
}

#[tokio::test]
async fn a_server_that_asks_to_close_is_taken_at_its_word() {
    let server = Server::start().await;
    for _ in 0..2 {
        let call = server.send();
        let mut stream = server.accept().await;
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
        assert!(call.await.unwrap().is_ok());
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_server_that_is_asked_no_more_keeps_no_connection() {
    let left = Server::start().await;
    let mut stream = a_call_goes_well(&left).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(100)).await;
    tokio::time::resume();
    let _other = a_call_goes_well(&left.beside().await).await;
    let end = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0; 8])).await;
    assert_eq!(end.expect("the client closes it").unwrap(), 0);
}

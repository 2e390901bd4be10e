//! Connections over the loopback.

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::web::guard::Auth;

struct Pong;

impl Application for Pong {
    async fn respond(&self, _: &Parts) -> Response<Bytes> {
        Response::new(Bytes::from_static(b"pong"))
    }

    fn auth(&self, _: &str) -> Auth {
        Auth::None
    }

    fn is_reload(&self, _: &str) -> bool {
        false
    }
}

#[tokio::test]
async fn a_request_that_comes_with_its_connection_is_read_before_a_flood_closes_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let mut clients = Vec::new();
    for _ in 0..40 {
        let mut client = TcpStream::connect(address).await.expect("it listens");
        client
            .write_all(b"GET / HTTP/1.1\r\nHost: e\r\n\r\n")
            .await
            .expect("sent");
        clients.push(client);
    }

    // All of them wait to be accepted, ten times as many as may be open.
    let limits = Limits {
        connections: 4,
        ..Limits::default()
    };
    let guard = Arc::new(WebGuard::without_file().expect("no file"));
    let server = Server::new(vec![listener], guard, limits);
    let stop = CancellationToken::new();
    let serving = tokio::spawn(server.serve(Arc::new(Pong), stop.clone()));

    for mut client in clients {
        let mut status = [0; 12];
        let read = timeout(Duration::from_secs(30), client.read_exact(&mut status));
        read.await.expect("in time").expect("a response");
        assert_eq!(&status, b"HTTP/1.1 200");
    }
    stop.cancel();
    serving.await.expect("no panic");
}

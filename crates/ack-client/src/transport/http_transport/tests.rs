//! What becomes of connections between calls, against raw sockets.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;
use crate::proxy::Proxy;
use crate::secret::Secret;
use crate::trust;

const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

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

    /// Another server that the same client asks.
    async fn beside(&self) -> Self {
        Self {
            transport: self.transport.clone(),
            ..Self::start().await
        }
    }

    /// Sends one request to it.
    fn send(&self) -> tokio::task::JoinHandle<Result<Response<Bytes>, TransportError>> {
        let (transport, address) = (self.transport.clone(), self.listener.local_addr().unwrap());
        tokio::spawn(async move {
            let request =
                Request::get(format!("http://{address}/x?y=z")).header("host", address.to_string());
            transport.send(request.body(Bytes::new()).unwrap()).await
        })
    }

    async fn accept(&self) -> TcpStream {
        // Long enough for a busy machine; what fails takes a connection that was there.
        timeout(Duration::from_secs(30), self.listener.accept())
            .await
            .expect("a new connection")
            .unwrap()
            .0
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

/// As many calls at once as there are to be connections, all answered.
async fn kept_connections(server: &Server, number: usize) -> Vec<TcpStream> {
    let calls: Vec<_> = (0..number).map(|_| server.send()).collect();
    let mut streams = Vec::new();
    for _ in 0..number {
        streams.push(server.accept().await);
    }
    for stream in &mut streams {
        head(stream).await;
        stream.write_all(REPLY).await.unwrap();
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(server.transport.pool.open(), number);
    streams
}

/// Moves paused time, which the sockets do not notice.
async fn advance(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Reads one head; the empty string where the client has closed the connection.
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
async fn a_connection_serves_one_call_after_another() {
    let server = Server::start().await;
    let mut stream = a_call_goes_well(&server).await;
    let second = server.send();
    assert!(
        head(&mut stream)
            .await
            .starts_with("GET /x?y=z HTTP/1.1\r\n")
    );
    stream.write_all(REPLY).await.unwrap();
    assert_eq!(second.await.unwrap().unwrap().body(), "{}");
    server.nobody_connects().await;
}

#[tokio::test]
async fn a_connection_that_the_server_closed_meanwhile_costs_no_call() {
    let server = Server::start().await;
    for _ in 0..3 {
        drop(a_call_goes_well(&server).await);
        while server.transport.pool.open() > 0 {
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
    assert!(matches!(
        call.await.unwrap(),
        Err(TransportError::Broken(_))
    ));
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
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}")
            .await
            .unwrap();
        assert!(call.await.unwrap().is_ok());
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_server_that_is_asked_no_more_keeps_no_connection() {
    let left = Server::start().await;
    let mut stream = a_call_goes_well(&left).await;
    advance(Duration::from_secs(100)).await;
    let _other = a_call_goes_well(&left.beside().await).await;
    let end = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0; 8])).await;
    assert_eq!(end.expect("the client closes it").unwrap(), 0);
}

#[tokio::test]
async fn one_reset_is_enough_to_tell_that_all_kept_connections_are_dead() {
    let server = Server::start().await;
    for mut stream in kept_connections(&server, 16).await {
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
    a_call_goes_well(&server).await;
}

#[tokio::test]
async fn a_call_that_is_given_up_on_a_silent_connection_takes_the_silent_others_along() {
    let server = Server::start().await;
    let mut silent = kept_connections(&server, 4).await;
    let call = server.send();
    head_on_any(&mut silent).await;
    call.abort();
    assert!(call.await.is_err_and(|error| error.is_cancelled()));
    a_call_goes_well(&server).await;
}

#[tokio::test]
async fn a_slow_cluster_does_not_cost_the_connections_that_have_answered_meanwhile() {
    let server = Server::start().await;
    let mut streams = kept_connections(&server, 2).await;
    let slow = server.send();
    let slow_one = head_on_any(&mut streams).await;
    let mut other = streams.swap_remove(1 - slow_one);
    for _ in 0..2 {
        let call = server.send();
        head(&mut other).await;
        other.write_all(REPLY).await.unwrap();
        call.await.unwrap().unwrap();
        slow.abort();
        tokio::task::yield_now().await;
    }
    server.nobody_connects().await;
}

/// Reads the head of a request on the connection that it comes on; returns which one that is.
async fn head_on_any(streams: &mut [TcpStream]) -> usize {
    let heads = streams
        .iter_mut()
        .map(|stream| Box::pin(async move { assert!(!head(stream).await.is_empty()) }));
    futures_util::future::select_all(heads).await.1
}

#[tokio::test]
async fn names_are_looked_up_again_after_five_minutes_however_busy_a_connection_is() {
    let server = Server::start().await;
    let mut stream = a_call_goes_well(&server).await;
    for _ in 0..4 {
        advance(Duration::from_secs(60)).await;
        let call = server.send();
        head(&mut stream).await;
        stream.write_all(REPLY).await.unwrap();
        call.await.unwrap().unwrap();
    }
    advance(Duration::from_secs(61)).await;
    a_call_goes_well(&server).await;
}

#[tokio::test]
async fn a_connection_of_before_a_reload_serves_no_call_after_it() {
    let generation = Generation::default();
    let mut server = Server::start().await;
    server.transport = HttpTransport::with_proxies(
        Proxies::default(),
        trust::client_config(&[]),
        Lookup::system(),
        generation.clone(),
    );
    let mut stream = a_call_goes_well(&server).await;
    generation.advance();
    let mut another = a_call_goes_well(&server).await;
    assert_eq!(head(&mut stream).await, "", "the client has closed it");
    let call = server.send();
    head(&mut another).await;
    generation.advance();
    another.write_all(REPLY).await.unwrap();
    call.await.unwrap().unwrap();
    a_call_goes_well(&server).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_kernel_asks_whether_a_quiet_connection_is_there_and_gives_an_unheard_request_up() {
    use rustix::net::sockopt;
    let server = Server::start().await;
    let uri: Uri = format!("http://{}", server.listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let stream = server
        .transport
        .connector
        .tcp(&uri, "the server")
        .await
        .unwrap();
    assert!(sockopt::socket_keepalive(&stream).unwrap());
    assert_eq!(
        sockopt::tcp_keepidle(&stream).unwrap(),
        Duration::from_secs(15)
    );
    assert_eq!(
        sockopt::tcp_keepintvl(&stream).unwrap(),
        Duration::from_secs(15)
    );
    assert_eq!(sockopt::tcp_keepcnt(&stream).unwrap(), 3);
    assert_eq!(sockopt::tcp_user_timeout(&stream).unwrap(), 3000);
}

#[tokio::test]
async fn interim_responses_without_an_end_end_the_call() {
    for interim in [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n",
    ] {
        let server = Server::start().await;
        // On a connection that was kept and on a new one.
        for kept in [Some(a_call_goes_well(&server).await), None] {
            let call = server.send();
            let mut stream = match kept {
                Some(stream) => stream,
                None => server.accept().await,
            };
            head(&mut stream).await;
            let mut sent = 0;
            while stream.write_all(interim.as_bytes()).await.is_ok() {
                sent += interim.len();
                assert!(sent < 64 << 20, "the client reads on and on");
            }
            let Err(TransportError::Broken(said)) = call.await.unwrap() else {
                panic!("not broken")
            };
            assert!(
                said.ends_with("sends interim responses (1xx) without an end"),
                "{said}"
            );
        }
    }
}

#[tokio::test]
async fn a_few_interim_responses_are_passed_over() {
    let server = Server::start().await;
    let mut stream = a_call_goes_well(&server).await;
    for _ in 0..3 {
        let call = server.send();
        head(&mut stream).await;
        stream
            .write_all(&b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(8))
            .await
            .unwrap();
        stream.write_all(REPLY).await.unwrap();
        assert_eq!(call.await.unwrap().unwrap().body(), "{}");
    }
    server.nobody_connects().await;
}

/// A client whose calls go through `proxy`.
fn through(proxy: &str, tls: ClientConfig) -> HttpTransport {
    let proxy = Proxy::parse(Secret::new(proxy)).expect("a proxy");
    HttpTransport::with_proxies(
        Proxies::all(proxy),
        tls,
        Lookup::system(),
        Generation::default(),
    )
}

fn get(uri: &str) -> Request<Bytes> {
    Request::get(uri)
        .header("host", "localhost")
        .body(Bytes::new())
        .unwrap()
}

#[tokio::test]
async fn a_failure_to_connect_names_the_server_and_the_port_or_the_proxy_without_its_password() {
    // Taken, but nobody listens on it.
    let port = tokio::net::TcpSocket::new_v4().unwrap();
    port.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = port.local_addr().unwrap();
    let nowhere =
        Lookup::from_fn(|_| Box::pin(async { Err(std::io::Error::other("no such host")) }));
    let tls = || trust::client_config(&[]);
    for (transport, uri, expected) in [
        (
            HttpTransport::new(tls(), Lookup::system()),
            format!("http://{closed}/x?y=z"),
            format!("cannot connect to {closed}: Connection refused"),
        ),
        (
            HttpTransport::new(tls(), nowhere.clone()),
            "https://cs.cn-hangzou.aliyuncs.com/x".to_owned(),
            "cannot connect to cs.cn-hangzou.aliyuncs.com:443: no such host".to_owned(),
        ),
        (
            HttpTransport::new(tls(), nowhere),
            "http://cs.example/x".to_owned(),
            "cannot connect to cs.example:80: no such host".to_owned(),
        ),
        (
            through(&format!("http://user:hunter2@{closed}"), tls()),
            "https://cs.example/x".to_owned(),
            format!("cannot connect to the proxy {closed}: Connection refused"),
        ),
    ] {
        let said = transport
            .send(get(&uri))
            .await
            .expect_err("nobody there")
            .to_string();
        assert!(
            said.starts_with(&expected) && !said.contains("hunter2"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_server_without_tls_and_a_certificate_that_is_refused_are_told_in_words() {
    let server = Server::start().await;
    let address = server.listener.local_addr().unwrap();
    let call = {
        let transport = server.transport.clone();
        tokio::spawn(async move { transport.send(get(&format!("https://{address}/x"))).await })
    };
    let mut stream = server.accept().await;
    stream
        .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        .await
        .unwrap();
    let said = call.await.unwrap().expect_err("no TLS").to_string();
    assert_eq!(
        said,
        format!("cannot connect to {address}: it answers without TLS; is the endpoint http://?")
    );
}

#[tokio::test]
async fn a_tunnel_that_a_proxy_refuses_names_the_proxy_and_the_status() {
    for (reply, expected) in [
        (
            "HTTP/1.1 403 Forbidden\r\ncontent-length: 3\r\n\r\nno!",
            "HTTP 403 Forbidden",
        ),
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n",
            "HTTP 407 Proxy Authentication Required",
        ),
        ("HTTP/1.0 502 Bad Gateway\r\n\r\n", "HTTP 502 Bad Gateway"),
    ] {
        let server = Server::start().await;
        let address = server.listener.local_addr().unwrap();
        let transport = through(
            &format!("http://user:hunter2@{address}"),
            trust::client_config(&[]),
        );
        let call = tokio::spawn(async move { transport.send(get("https://cs.example/x")).await });
        let mut stream = server.accept().await;
        head(&mut stream).await;
        stream.write_all(reply.as_bytes()).await.unwrap();
        let said = call.await.unwrap().expect_err("no tunnel").to_string();
        assert_eq!(
            said,
            format!(
                "cannot connect to cs.example:443: the proxy {address} refused the tunnel: {expected}"
            )
        );
    }
}

#[tokio::test]
async fn a_call_goes_through_the_tunnel_of_a_proxy_and_the_next_one_through_the_same() {
    let server = Server::start().await;
    let (tls, acceptor) = trust::tests::trusted_server();
    let transport = through(
        &format!(
            "http://us%40er:hunter%232@{}",
            server.listener.local_addr().unwrap()
        ),
        tls,
    );
    let client = tokio::spawn(async move {
        for _ in 0..2 {
            assert_eq!(
                transport
                    .send(get("https://localhost/x"))
                    .await
                    .unwrap()
                    .body(),
                "{}"
            );
        }
    });
    let mut stream = server.accept().await;
    let asked = head(&mut stream).await;
    assert!(
        asked.starts_with("CONNECT localhost:443 HTTP/1.1\r\n"),
        "{asked}"
    );
    // us@er:hunter#2
    assert!(
        asked
            .to_lowercase()
            .contains("proxy-authorization: basic dxnazxi6ahvudgvyizi=\r\n"),
        "{asked}"
    );
    stream
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await
        .unwrap();
    let mut stream = acceptor.accept(stream).await.unwrap();
    for _ in 0..2 {
        let asked = head(&mut stream).await;
        assert!(
            asked.starts_with("GET /x HTTP/1.1\r\n")
                && !asked.to_lowercase().contains("proxy-authorization"),
            "{asked}"
        );
        stream.write_all(REPLY).await.unwrap();
    }
    client.await.unwrap();
}

#[tokio::test]
async fn a_proxy_gets_the_whole_address_and_its_own_password_where_no_tunnel_is_needed() {
    let server = Server::start().await;
    let transport = through(
        &format!(
            "http://user:hunter2@{}",
            server.listener.local_addr().unwrap()
        ),
        trust::client_config(&[]),
    );
    let call = tokio::spawn(async move { transport.send(get("http://cs.example/x?y=z")).await });
    let mut stream = server.accept().await;
    let asked = head(&mut stream).await;
    assert!(
        asked.starts_with("GET http://cs.example/x?y=z HTTP/1.1\r\n"),
        "{asked}"
    );
    assert!(
        asked.contains("proxy-authorization: Basic dXNlcjpodW50ZXIy\r\n"),
        "{asked}"
    );
    stream.write_all(REPLY).await.unwrap();
    call.await.unwrap().unwrap();
}

#[tokio::test]
async fn no_proxy_is_heeded_by_calls_of_the_cluster_api() {
    let server = Server::start().await;
    let port = server.listener.local_addr().unwrap().port();
    for (no_proxy, is_exempt) in [
        (format!("*.example:{port}"), true),
        ("*.example:1".to_owned(), false),
    ] {
        let environment = |name: &str| match name {
            "http_proxy" => Some("http://user:hunter2@proxy.invalid:3128".into()),
            "NO_PROXY" => Some(no_proxy.clone().into()),
            _ => None,
        };
        let lookup = Lookup::from_fn(|host| {
            Box::pin(async move {
                if host == "cs.example" {
                    Ok(vec![([127, 0, 0, 1], 0).into()])
                } else {
                    Err(std::io::Error::other("no such host"))
                }
            })
        });
        let proxies = Proxies::from_environment(environment).unwrap();
        let transport = HttpTransport::with_proxies(
            proxies,
            trust::client_config(&[]),
            lookup,
            Generation::default(),
        );
        let call = tokio::spawn(async move {
            transport
                .send(get(&format!("http://cs.example:{port}/x")))
                .await
        });
        if is_exempt {
            let mut stream = server.accept().await;
            assert!(head(&mut stream).await.starts_with("GET /x HTTP/1.1\r\n"));
            stream.write_all(REPLY).await.unwrap();
            call.await.unwrap().unwrap();
        } else {
            let said = call.await.unwrap().expect_err("no proxy there").to_string();
            assert_eq!(
                said,
                "cannot connect to the proxy proxy.invalid:3128: no such host"
            );
        }
    }
}

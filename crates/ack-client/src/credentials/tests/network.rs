//! The network client, with misbehaving servers.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::Instant;

use crate::credentials::{Http as _, HttpClient, HttpError, Route};
use crate::lookup::Lookup;
use crate::proxy::Proxies;
use crate::trust;

const AGENT: HeaderValue = HeaderValue::from_static("a-test/1");

fn online() -> HttpClient {
    HttpClient::new(
        &trust::client_config(&[]),
        &Lookup::system(),
        &Proxies::default(),
        AGENT,
    )
    .expect("a client")
}

fn get(uri: &str) -> Request<Bytes> {
    Request::get(uri).body(Bytes::new()).expect("a request")
}

/// The address of a server that answers the first request with `reply` and gives it back.
async fn server(reply: Vec<u8>) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let served = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a client");
        let mut request = vec![0; 4096];
        let length = socket.read(&mut request).await.expect("a request");
        // A client that has had enough hangs up.
        _ = socket.write_all(&reply).await;
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    (address, served)
}

#[tokio::test]
async fn a_request_goes_out_as_it_is_and_the_reply_comes_back_whole() {
    let (address, served) = server(
        b"HTTP/1.1 404 Not Found\r\nx-acs-request-id: R\r\ncontent-length: 2\r\n\r\n{}".to_vec(),
    )
    .await;
    let mut request = Request::put(format!("{address}/a?b=c%2F"))
        .body(Bytes::from_static(b"d=e"))
        .expect("a request");
    request
        .headers_mut()
        .insert("x-token", "t".parse().expect("a value"));
    let response = online().send(Route::Local, request).await.expect("a reply");
    assert_eq!(
        (response.status(), &**response.body()),
        (StatusCode::NOT_FOUND, &b"{}"[..])
    );
    assert_eq!(response.headers()["x-acs-request-id"], "R");
    let sent = served.await.expect("no panic");
    assert!(
        sent.starts_with("PUT /a?b=c%2F HTTP/1.1\r\n") && sent.ends_with("\r\n\r\nd=e"),
        "{sent}"
    );
    assert!(
        sent.contains("x-token: t\r\n") && sent.contains("user-agent: a-test/1"),
        "{sent}"
    );
}

#[tokio::test]
async fn a_redirect_is_a_reply() {
    let (address, _) = server(
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
            .to_vec(),
    )
    .await;
    let response = online()
        .send(Route::Local, get(&address))
        .await
        .expect("a reply");
    assert_eq!(response.status(), StatusCode::FOUND);
}

#[tokio::test]
async fn a_reply_without_end_is_cut_off() {
    let mut reply = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    reply.resize(2 << 20, b'x');
    let (address, _) = server(reply).await;
    assert_eq!(
        online()
            .send(Route::Local, get(&address))
            .await
            .expect_err("endless"),
        HttpError::TooLarge
    );
}

#[tokio::test]
async fn a_broken_reply_is_told_from_a_dead_server_and_neither_repeats_the_address() {
    let (address, _) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()).await;
    let broken = online()
        .send(Route::Local, get(&format!("{address}/hunter2")))
        .await
        .expect_err("broken");
    assert!(matches!(broken, HttpError::Broken(_)), "{broken:?}");
    // Taken, but nobody listens on it.
    let port = TcpSocket::new_v4().expect("a socket");
    port.bind("127.0.0.1:0".parse().expect("an address"))
        .expect("a port");
    let closed = format!("http://{}/hunter2", port.local_addr().expect("an address"));
    let dead = online()
        .send(Route::Local, get(&closed))
        .await
        .expect_err("dead");
    assert!(matches!(dead, HttpError::Connect(_)), "{dead:?}");
    assert!(
        !format!("{broken:?} {dead:?}").contains("hunter2"),
        "{broken:?} {dead:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_metadata_service_is_given_a_second() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let started = Instant::now();
    let error = online()
        .send(Route::Metadata, get(&address))
        .await
        .expect_err("silence");
    // Paused time may pass before the kernel has made the connection.
    assert!(
        matches!(error, HttpError::Timeout | HttpError::Connect(_)),
        "{error:?}"
    );
    assert!(
        started.elapsed() <= Duration::from_millis(1_010),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn no_connection_is_kept_for_a_call_that_is_minutes_away() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let served = tokio::spawn(async move {
        let mut connections = Vec::new();
        for _ in 0..2 {
            let (mut socket, _) = listener.accept().await.expect("a client");
            _ = socket.read(&mut [0; 4096]).await.expect("a request");
            socket
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
                .await
                .expect("a reader");
            connections.push(socket);
        }
    });
    let online = online();
    for _ in 0..2 {
        // A second request on the first connection has nobody who reads it.
        let sending = tokio::time::timeout(
            Duration::from_secs(5),
            online.send(Route::Local, get(&address)),
        );
        assert_eq!(
            sending.await.expect("an answer").expect("a reply").body(),
            "{}"
        );
    }
    served.await.expect("no panic");
}

#[tokio::test]
async fn no_proxy_is_heeded_and_a_failure_names_server_and_proxy_without_the_password() {
    let environment = |name: &str| match name {
        "https_proxy" | "http_proxy" => Some("http://user:hunter2@proxy.invalid:3128".into()),
        "NO_PROXY" => Some("*.aliyuncs.com:443".into()),
        _ => None,
    };
    let lookup =
        Lookup::from_fn(|_| Box::pin(async { Err(std::io::Error::other("no such host")) }));
    let proxies = Proxies::from_environment(environment).expect("proxies");
    let online =
        HttpClient::new(&trust::client_config(&[]), &lookup, &proxies, AGENT).expect("a client");
    for (uri, expected) in [
        (
            "https://sts.aliyuncs.com/x",
            "cannot connect to sts.aliyuncs.com:443: no such host",
        ),
        (
            "https://sts.example/x",
            "cannot connect to sts.example:443 through the proxy proxy.invalid:3128: no such host",
        ),
        (
            "http://sts.aliyuncs.com/x",
            "cannot connect to sts.aliyuncs.com:80 through the proxy proxy.invalid:3128: no such \
             host",
        ),
    ] {
        assert_eq!(
            online
                .send(Route::Internet, get(uri))
                .await
                .expect_err("nobody there")
                .to_string(),
            expected
        );
    }
}

#[tokio::test]
async fn a_tunnel_that_a_proxy_refuses_names_the_proxy() {
    let (address, served) =
        server(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    let environment = |name: &str| {
        (name == "HTTPS_PROXY").then(|| {
            address
                .replace("http://", "http://us%40er:hunter%232@")
                .into()
        })
    };
    let proxies = Proxies::from_environment(environment).expect("proxies");
    let online = HttpClient::new(
        &trust::client_config(&[]),
        &Lookup::system(),
        &proxies,
        AGENT,
    )
    .expect("a client");
    let error = online
        .send(Route::Internet, get("https://sts.example/x"))
        .await
        .expect_err("no tunnel")
        .to_string();
    let proxy = address.trim_start_matches("http://");
    assert_eq!(
        error,
        format!(
            "cannot connect to sts.example:443 through the proxy {proxy}: no tunnel, unsuccessful"
        )
    );
    let asked = served.await.expect("no panic").to_lowercase();
    assert!(
        asked.contains("proxy-authorization: basic dxnazxi6ahvudgvyizi=\r\n"),
        "{asked}"
    );
}

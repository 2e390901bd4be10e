//! Requests through proxies, and connections that fail.

use super::*;

/// A client whose calls go through `proxy`.
fn through(proxy: &str, tls: ClientConfig) -> HttpTransport {
    let proxy = Proxy::parse(Secret::new(proxy)).expect("a proxy");
    HttpTransport::with_proxies(Proxies::all(proxy), tls, Lookup::system(), Pools::default())
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
async fn tls_failures_have_a_message_in_plain_words() {
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
                "cannot connect to cs.example:443: the proxy {address} refused the tunnel: \
                 {expected}"
            )
        );
    }
}

#[tokio::test]
async fn requests_share_the_tunnel_of_a_proxy() {
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
        stream.write_all(RESPONSE).await.unwrap();
    }
    client.await.unwrap();
}

#[tokio::test]
async fn a_forwarding_proxy_gets_the_whole_uri_and_its_own_password() {
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
    stream.write_all(RESPONSE).await.unwrap();
    call.await.unwrap().unwrap();
}

#[tokio::test]
async fn no_proxy_applies_to_the_cluster_api() {
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
            Pools::default(),
        );
        let call = tokio::spawn(async move {
            transport
                .send(get(&format!("http://cs.example:{port}/x")))
                .await
        });
        if is_exempt {
            let mut stream = server.accept().await;
            assert!(head(&mut stream).await.starts_with("GET /x HTTP/1.1\r\n"));
            stream.write_all(RESPONSE).await.unwrap();
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

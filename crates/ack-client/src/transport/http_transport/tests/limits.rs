//! Interim responses, and connections that are not used again.

use super::*;

#[tokio::test]
async fn names_are_resolved_again_after_five_minutes_even_on_a_busy_connection() {
    let server = Server::start().await;
    let mut stream = exchange(&server).await;
    for _ in 0..4 {
        advance(Duration::from_secs(60)).await;
        let call = server.send();
        head(&mut stream).await;
        stream.write_all(RESPONSE).await.unwrap();
        call.await.unwrap().unwrap();
    }
    advance(Duration::from_secs(61)).await;
    exchange(&server).await;
}

#[tokio::test]
async fn a_connection_from_before_a_refresh_serves_no_later_request() {
    let pools = Pools::default();
    let mut server = Server::start().await;
    server.transport = HttpTransport::with_proxies(
        Proxies::default(),
        trust::client_config(&[]),
        Lookup::system(),
        pools.clone(),
    );
    let mut stream = exchange(&server).await;
    pools.refresh();
    let mut another = exchange(&server).await;
    assert_eq!(head(&mut stream).await, "", "the client has closed it");
    let call = server.send();
    head(&mut another).await;
    pools.refresh();
    another.write_all(RESPONSE).await.unwrap();
    call.await.unwrap().unwrap();
    exchange(&server).await;
}

#[tokio::test]
async fn idle_connections_of_all_transports_are_closed_for_want_of_descriptors() {
    let pools = Pools::default();
    let mut idle = Vec::new();
    let mut servers = Vec::new();
    for _ in 0..2 {
        let mut server = Server::start().await;
        server.transport = HttpTransport::with_proxies(
            Proxies::default(),
            trust::client_config(&[]),
            Lookup::system(),
            pools.clone(),
        );
        idle.push(exchange(&server).await);
        servers.push(server);
    }
    let used = servers[0].send();
    assert!(head(&mut idle[0]).await.starts_with("GET "));
    pools.close_idle();
    assert_eq!(head(&mut idle[1]).await, "", "the client has closed it");
    idle[0].write_all(RESPONSE).await.unwrap();
    used.await.unwrap().unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn sockets_have_keep_alive_and_a_user_timeout() {
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
async fn endless_interim_responses_end_the_request() {
    for interim in [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n",
    ] {
        let server = Server::start().await;
        // On a connection that was kept and on a new one.
        for kept in [Some(exchange(&server).await), None] {
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
async fn a_few_interim_responses_are_ignored() {
    let server = Server::start().await;
    let mut stream = exchange(&server).await;
    for _ in 0..3 {
        let call = server.send();
        head(&mut stream).await;
        stream
            .write_all(&b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(8))
            .await
            .unwrap();
        stream.write_all(RESPONSE).await.unwrap();
        assert_eq!(call.await.unwrap().unwrap().body(), "{}");
    }
    server.expect_no_connection().await;
}

//! Bodies of all lengths, and their limits.

use super::*;

const LIMIT: usize = 4 << 20;

impl Server {
    /// Sends a request whose response may be as long as `limit`, and responds with `body` in the
    /// given framing, as far as the client reads it.
    async fn exchange_body(
        &self,
        limit: Option<ResponseLimit>,
        head: &str,
        body: Vec<u8>,
    ) -> tokio::task::JoinHandle<Result<Response<Bytes>, TransportError>> {
        let (transport, address) = (self.transport.clone(), self.listener.local_addr().unwrap());
        let call = tokio::spawn(async move {
            let mut request = Request::get(format!("http://{address}/"));
            if let Some(limit) = limit {
                request = request.extension(limit);
            }
            transport.send(request.body(Bytes::new()).unwrap()).await
        });
        let mut stream = self.accept().await;
        super::head(&mut stream).await;
        let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{head}\r\n\r\n");
        tokio::spawn(async move {
            // An error means that the client has closed the connection.
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&body).await;
        });
        call
    }
}

fn chunked(length: usize) -> Vec<u8> {
    let mut body = format!("{length:x}\r\n").into_bytes();
    body.resize(body.len() + length, b'x');
    body.extend(b"\r\n0\r\n\r\n");
    body
}

/// The length of the response to a request with `limit`, in both framings.
async fn lengths(limit: Option<ResponseLimit>, length: usize) -> [Option<usize>; 2] {
    let server = Server::start().await;
    let framings = [
        (format!("content-length: {length}"), vec![b'x'; length]),
        ("transfer-encoding: chunked".to_owned(), chunked(length)),
    ];
    let mut lengths = [None; 2];
    for (read, (head, body)) in lengths.iter_mut().zip(framings) {
        let call = server.exchange_body(limit, &head, body).await;
        *read = match call.await.unwrap() {
            Ok(response) => Some(response.body().len()),
            Err(error) => {
                assert_eq!(error, TransportError::TooLarge);
                None
            }
        };
    }
    lengths
}

#[tokio::test]
async fn a_body_is_read_up_to_the_limit_of_its_request() {
    for (limit, bytes) in [(None, MAX_RESPONSE), (Some(ResponseLimit(LIMIT)), LIMIT)] {
        assert_eq!(lengths(limit, bytes).await, [Some(bytes); 2], "{limit:?}");
        assert_eq!(lengths(limit, bytes + 1).await, [None; 2], "{limit:?}");
    }
}

#[tokio::test]
async fn two_large_responses_are_in_memory_at_once_and_no_more() {
    let server = Server::start().await;
    let large = || {
        let head = "transfer-encoding: chunked";
        server.exchange_body(Some(ResponseLimit(LIMIT)), head, chunked(LIMIT))
    };
    let first = large().await.await.unwrap().unwrap();
    let second = large().await.await.unwrap().unwrap();
    let third = large().await;
    // A small response passes by.
    assert_eq!(lengths(None, 5).await, [Some(5); 2]);
    let small = server.exchange_body(None, "content-length: 1", b"x".to_vec());
    small.await.await.unwrap().unwrap();
    assert!(!third.is_finished());
    let part = first.body().slice(..5);
    drop(first);
    assert!(!third.is_finished(), "a part of the body is left");
    drop(part);
    assert_eq!(third.await.unwrap().unwrap().body().len(), LIMIT);
    assert_eq!(second.body().len(), LIMIT);
}

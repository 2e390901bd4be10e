//! A client that sends given bytes and reads the response.

use std::collections::HashMap;
use std::fmt::Debug;
use std::io::Read as _;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The time limit of a response.
const PATIENCE: Duration = Duration::from_secs(30);

/// A response.
#[derive(Debug)]
pub struct ClientResponse {
    pub status: u16,
    head: String,
    headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl ClientResponse {
    /// A header; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The head, and the body as text.
    pub fn whole(&self) -> String {
        self.head.clone() + &self.text()
    }

    /// The body as text, decompressed.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if self.header("content-encoding") == "gzip" {
            flate2::read::GzDecoder::new(self.body.as_slice())
                .read_to_string(&mut text)
                .expect("gzip");
        } else {
            text.push_str(std::str::from_utf8(&self.body).expect("UTF-8"));
        }
        text
    }
}

/// A GET of `path` with `Connection: close` and more `headers`, each with its line ending.
pub fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: exporter\r\nConnection: close\r\n{headers}\r\n")
}

pub async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address)
        .await
        .expect("the server listens")
}

/// Sends `bytes` on a new connection and reads one response; None if the server closed without one.
pub async fn send(address: SocketAddr, bytes: impl AsRef<[u8]> + Debug) -> Option<ClientResponse> {
    let mut stream = connect(address).await;
    // The server may have closed already.
    drop(stream.write_all(bytes.as_ref()).await);
    let is_head = bytes.as_ref().starts_with(b"HEAD ");
    timeout(PATIENCE, read(&mut stream, is_head))
        .await
        .unwrap_or_else(|_| panic!("no end of the response to {bytes:?}"))
}

/// The response to a GET of `path`.
pub async fn fetch(address: SocketAddr, path: &str) -> ClientResponse {
    send(address, get(path, ""))
        .await
        .unwrap_or_else(|| panic!("{path} gets no response"))
}

/// Reads one response; None if the connection ends before the end of the head.
pub async fn read(stream: &mut (impl AsyncRead + Unpin), is_head: bool) -> Option<ClientResponse> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).expect("a head is text");
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .unwrap_or_else(|| panic!("no status: {head}"));
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().expect("a length"));
    let mut body = vec![0; if is_head { 0 } else { length }];
    stream.read_exact(&mut body).await.ok()?;
    Some(ClientResponse {
        status,
        head,
        headers,
        body,
    })
}

//! What all requests of this process have in common: who asks, how much of a reply is read, and why
//! there is none.

mod lenient;
mod proxies;
mod proxy;
mod words;

use std::error::Error;
use std::io;
use std::net::IpAddr;

use bytes::{Bytes, BytesMut};
use http::Uri;
use http::uri::Scheme;
pub(crate) use lenient::object;
pub use lenient::{Field, Key, Lenient, List, Object, Use, Word};
pub use proxies::{NoProxy, Proxies};
pub use proxy::Proxy;
pub use words::Words;

use crate::trust;

/// The largest reply that is read, in bytes; what is longer is cut off and counts as undecodable.
pub const MAX_REPLY: usize = 1 << 20;

/// Whether the server is this machine. No proxy is asked for it that is not named for it: a proxy
/// would take `localhost` for itself.
pub fn is_this_machine(uri: &Uri) -> bool {
    let host = host(uri);
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The host in `uri`, without the brackets of IPv6.
pub fn host(uri: &Uri) -> &str {
    uri.host().unwrap_or_default().trim_matches(['[', ']'])
}

/// The port in `uri`, or its scheme's own.
pub fn port(uri: &Uri) -> u16 {
    uri.port_u16()
        .unwrap_or(if uri.scheme() == Some(&Scheme::HTTPS) {
            443
        } else {
            80
        })
}

/// The server in `uri` as it is named to people.
pub fn host_and_port(uri: &Uri) -> String {
    format!("{}:{}", uri.host().unwrap_or_default(), port(uri))
}

/// The body of `response`; None if it is longer than [`MAX_REPLY`].
pub async fn read_body(response: &mut reqwest::Response) -> Result<Option<Bytes>, reqwest::Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_REPLY {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body.freeze()))
}

/// The innermost error, in words: the outer ones say no more than that there is one.
pub fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    loop {
        if let Some(error) = tls_error(cause) {
            return trust::in_words(error);
        }
        match cause.source() {
            Some(source) => cause = source,
            None => return cause.to_string(),
        }
    }
}

/// The error of TLS that `error` is or wraps.
fn tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    // The source of an I/O error is the source of what it wraps, not that itself.
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
        .and_then(|wrapped| wrapped.downcast_ref());
    error.downcast_ref().or(wrapped)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no luck")]
    struct Outer(#[source] io::Error);

    #[test]
    fn the_innermost_error_is_told() {
        let inner = || io::Error::other(Outer(io::Error::other("the line is dead")));
        assert_eq!(root_cause(&Outer(inner())), "the line is dead");
        assert_eq!(root_cause(&io::Error::other("alone")), "alone");
    }

    #[test]
    fn this_machine_has_a_name_and_many_addresses() {
        let is = |uri: &str| is_this_machine(&uri.parse().expect("a URI"));
        for uri in [
            "http://localhost:1/x",
            "http://LocalHost",
            "http://127.0.0.1",
            "https://127.9.9.9:8",
            "http://[::1]:80/",
        ] {
            assert!(is(uri), "{uri}");
        }
        for uri in [
            "http://localhost.example",
            "http://10.0.0.1",
            "http://[::2]/",
            "http://cs.aliyuncs.com",
            "/x",
        ] {
            assert!(!is(uri), "{uri}");
        }
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_the_limit_and_no_further() {
        let read = async |length: usize| {
            let mut response = reqwest::Response::from(http::Response::new(vec![b'x'; length]));
            read_body(&mut response)
                .await
                .unwrap()
                .map(|body| body.len())
        };
        assert_eq!(
            (
                read(0).await,
                read(MAX_REPLY).await,
                read(MAX_REPLY + 1).await
            ),
            (Some(0), Some(MAX_REPLY), None)
        );
    }
}

//! Proxies: one proxy, the choice of a proxy for a server, and the servers without one.

mod no_proxy;
mod proxies;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::uri::Scheme;
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;

pub use no_proxy::NoProxy;
pub use proxies::Proxies;

use crate::secret::Secret;
use crate::uri::host_and_port;

/// A proxy such as `http://proxy.example:3128`. Its URL may contain a password; only host and port
/// are printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    url: Secret,
    server: Uri,
}

impl Proxy {
    /// The error for a URL with a character in its user or password that must be percent-encoded.
    pub const UNENCODED: &'static str =
        "has a #, / or ? in its user or password, which must be percent-encoded: %23, %2F, %3F";

    /// Checks `url`: `http://` or `https://`, a host, and possibly a user and a port. The error
    /// completes a sentence about the setting and does not repeat the URL.
    pub fn parse(url: Secret) -> Result<Self, &'static str> {
        let (_, rest) = url.expose().split_once("://").unwrap_or_default();
        if rest
            .rsplit_once('@')
            .is_some_and(|(user, _)| user.contains(['#', '/', '?']))
        {
            return Err(Self::UNENCODED);
        }
        let uri: Uri = url.expose().parse().map_err(|_| {
            "is not a URL; special characters in its user or password must be \
                percent-encoded, such as %40 for @"
        })?;
        let (Some(scheme), Some(authority)) = (
            uri.scheme(),
            uri.authority()
                .filter(|authority| !authority.host().is_empty()),
        ) else {
            return Err("must begin with http:// or https:// and a host");
        };
        if *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS {
            return Err("must begin with http:// or https:// and a host");
        }
        if url.expose().contains('#')
            || uri
                .path_and_query()
                .is_some_and(|rest| rest.as_str() != "/")
        {
            return Err("has something behind the host");
        }
        let (_, server) = authority
            .as_str()
            .rsplit_once('@')
            .unwrap_or(("", authority.as_str()));
        let server = Uri::builder()
            .scheme(scheme.clone())
            .authority(server)
            .path_and_query("/")
            .build();
        Ok(Self {
            server: server.map_err(|_| "is not a URL")?,
            url,
        })
    }

    /// The URL including the password, for connecting alone.
    pub fn expose(&self) -> &str {
        self.url.expose()
    }

    /// Scheme, host and port.
    pub fn server(&self) -> &Uri {
        &self.server
    }

    /// The value of `Proxy-Authorization`, if the URL has a user.
    pub fn authorization(&self) -> Option<HeaderValue> {
        let (_, rest) = self.url.expose().split_once("://")?;
        let (user, _) = rest.rsplit_once('@')?;
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        let pair: Vec<u8> = percent_decode_str(name)
            .chain(std::iter::once(b':'))
            .chain(percent_decode_str(password))
            .collect();
        let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)))
            .expect("base64 is good for a header");
        value.set_sensitive(true);
        Some(value)
    }
}

/// Host and port, never the user.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&host_and_port(&self.server))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Proxy, &'static str> {
        Proxy::parse(Secret::new(url))
    }

    #[test]
    fn a_proxy_is_a_server_and_its_password_is_never_shown() {
        let proxy = parse("http://user:hunter2@proxy.example:3128").expect("a proxy");
        assert!(!format!("{proxy:?} {proxy}").contains("hunter2"));
        assert_eq!(proxy.to_string(), "proxy.example:3128");
        for bad in [
            "",
            "proxy.example",
            "ftp://proxy.example",
            "http://",
            "http://proxy.example/path",
            "http://proxy.example#x",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_raw_delimiter_in_a_password_is_refused_with_the_remedy() {
        for raw in [
            "http://user:p#ss@proxy.example:3128",
            "http://user:1/2@proxy.example",
            "https://us?er:p@proxy.example",
        ] {
            assert_eq!(parse(raw), Err(Proxy::UNENCODED), "{raw}");
        }
        for raw in [
            "http://user:p ss@proxy.example:3128",
            "http://user:<>@proxy.example",
        ] {
            assert!(
                parse(raw).is_err_and(|complaint| complaint.contains("percent-encoded")),
                "{raw}"
            );
        }
    }

    #[test]
    fn user_and_password_are_decoded_for_the_proxy() {
        let authorization = |url: &str| {
            parse(url)
                .expect(url)
                .authorization()
                .map(|value| value.to_str().expect("text").to_owned())
        };
        let basic = |pair: &str| Some(format!("Basic {}", STANDARD.encode(pair)));
        assert_eq!(authorization("http://proxy.example"), None);
        assert_eq!(
            authorization("http://us%40er:p%3As%23s@proxy.example"),
            basic("us@er:p:s#s")
        );
        assert_eq!(authorization("http://user@proxy.example:1"), basic("user:"));
        assert_eq!(
            authorization("http://user:a%25b@[::1]:1"),
            basic("user:a%b")
        );
    }
}

//! The proxy that an account's calls go through.

use http::Uri;

use crate::secret::Secret;

/// A proxy such as `http://proxy.example:3128`. Its URL may hold a password, so none of it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy(Secret);

impl Proxy {
    /// Checks `url`: `http://` or `https://`, a host, perhaps a user and a port, and nothing behind it.
    pub fn parse(url: Secret) -> Result<Self, &'static str> {
        let uri: Uri = url.expose().parse().map_err(|_| "is not a URL")?;
        match uri.scheme_str() {
            Some("http" | "https") if uri.host().is_some_and(|host| !host.is_empty()) => {}
            _ => return Err("must begin with http:// or https:// and a host"),
        }
        if url.expose().contains('#') || uri.path_and_query().is_some_and(|rest| rest.as_str() != "/") {
            return Err("has something behind the host");
        }
        Ok(Self(url))
    }

    /// The URL with everything in it; only for connecting.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_server_and_is_never_shown() {
        let proxy = Proxy::parse(Secret::new("http://user:hunter2@proxy.example:3128")).expect("a proxy");
        assert!(!format!("{proxy:?}").contains("hunter2"));
        for bad in ["", "proxy.example", "ftp://proxy.example", "http://", "http://proxy.example/path", "http://proxy.example#x"] {
            assert!(Proxy::parse(Secret::new(bad)).is_err(), "{bad}");
        }
    }
}

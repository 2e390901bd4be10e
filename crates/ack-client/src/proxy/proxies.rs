//! The choice of a proxy for a server.

use std::ffi::OsString;

use http::Uri;
use http::uri::Scheme;

use super::{NoProxy, Proxy};
use crate::secret::Secret;
use crate::uri::{host, is_this_machine, port};

/// The proxy of each server, if it has one.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    /// `None` if the proxies are for all servers, including this machine.
    no_proxy: Option<NoProxy>,
}

impl Proxies {
    /// One proxy for all servers.
    pub fn all(proxy: Proxy) -> Self {
        Self {
            http: Some(proxy.clone()),
            https: Some(proxy),
            no_proxy: None,
        }
    }

    /// The proxies of an environment, with the same rules as in Go programs and `ALL_PROXY` for a
    /// scheme without a proxy of its own. The error names a variable that is not a proxy's URL and
    /// does not repeat the URL.
    pub fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, String> {
        let value = |name| variable(name).filter(|value| !value.is_empty());
        let find = |names: [&'static str; 2]| {
            let mut found = None;
            for name in names {
                let Some(value) = value(name) else { continue };
                match parse(&value.to_string_lossy()) {
                    Ok(proxy) => found = found.or(Some(proxy)),
                    Err(Proxy::UNENCODED) if found.is_none() => {
                        return Err(format!("{name} {}", Proxy::UNENCODED));
                    }
                    // The value is left out, since it may contain a password.
                    Err(_) => tracing::warn!(
                        variable = name,
                        "not the URL of an HTTP proxy, and passed over"
                    ),
                }
            }
            Ok(found)
        };
        let all = find(["ALL_PROXY", "all_proxy"])?;
        let no_proxy = value("NO_PROXY")
            .or_else(|| value("no_proxy"))
            .unwrap_or_default();
        Ok(Self {
            http: find(["HTTP_PROXY", "http_proxy"])?.or_else(|| all.clone()),
            https: find(["HTTPS_PROXY", "https_proxy"])?.or(all),
            no_proxy: Some(NoProxy::parse(&no_proxy.to_string_lossy())),
        })
    }

    /// The proxy for the server in `uri`. Proxies of the environment are not used for this machine:
    /// `localhost` would be the proxy itself.
    pub fn of(&self, uri: &Uri) -> Option<&Proxy> {
        let proxy = if uri.scheme() == Some(&Scheme::HTTPS) {
            self.https.as_ref()
        } else {
            self.http.as_ref()
        };
        let is_exempt =
            |no_proxy: &NoProxy| is_this_machine(uri) || no_proxy.matches(host(uri), port(uri));
        proxy.filter(|_| !self.no_proxy.as_ref().is_some_and(is_exempt))
    }
}

/// Parses a proxy of the environment: a URL, or host and port alone.
fn parse(value: &str) -> Result<Proxy, &'static str> {
    Proxy::parse(Secret::new(if value.contains("://") {
        value.to_owned()
    } else {
        format!("http://{value}")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The proxy of `uri` in the environment of `variables`.
    fn proxy(variables: &[(&str, &str)], uri: &str) -> Option<String> {
        let variable = |name: &str| {
            variables
                .iter()
                .find(|(other, _)| *other == name)
                .map(|(_, value)| OsString::from(value))
        };
        let proxies = Proxies::from_environment(variable).expect("proxies");
        proxies
            .of(&uri.parse().expect("a URI"))
            .map(Proxy::to_string)
    }

    #[test]
    fn each_scheme_has_its_variable_and_upper_case_comes_first() {
        let (http, https) = ("http://cs.example/x", "https://cs.example");
        let both = [
            ("HTTP_PROXY", "http://a:1"),
            ("HTTPS_PROXY", "b:2"),
            ("http_proxy", "c:3"),
            ("https_proxy", "d:4"),
        ];
        assert_eq!(proxy(&both, http).as_deref(), Some("a:1"));
        assert_eq!(proxy(&both, https).as_deref(), Some("b:2"));
        assert_eq!(proxy(&both[..1], https), None);
        assert_eq!(
            proxy(&[("HTTPS_PROXY", ""), ("https_proxy", "d:4")], https).as_deref(),
            Some("d:4")
        );
        assert_eq!(
            proxy(&[("ALL_PROXY", "e:5"), ("https_proxy", "d:4")], https).as_deref(),
            Some("d:4")
        );
        assert_eq!(
            proxy(&[("ALL_PROXY", "e:5"), ("https_proxy", "d:4")], http).as_deref(),
            Some("e:5")
        );
        assert_eq!(proxy(&[("all_proxy", "socks5://e:5")], http), None);
        assert_eq!(proxy(&[], https), None);
    }

    #[test]
    fn servers_of_no_proxy_and_this_machine_are_asked_without_one() {
        let named = |no_proxy: &[(&'static str, &'static str)], uri: &str| {
            proxy(
                &[&[("ALL_PROXY", "http://proxy.example:3128")], no_proxy].concat(),
                uri,
            )
            .is_some()
        };
        for uri in ["http://localhost:1", "https://127.0.0.1", "http://[::1]:80"] {
            assert!(!named(&[], uri), "{uri}");
        }
        assert!(!named(
            &[("NO_PROXY", "cs.example:443")],
            "https://cs.example"
        ));
        assert!(named(
            &[("NO_PROXY", "cs.example:443")],
            "http://cs.example"
        ));
        assert!(!named(
            &[("NO_PROXY", "[fd00::80]:8080")],
            "http://[fd00::80]:8080/x"
        ));
        assert!(!named(
            &[("NO_PROXY", ""), ("no_proxy", "cs.example")],
            "https://cs.example"
        ));
        assert!(named(
            &[("NO_PROXY", "other.example"), ("no_proxy", "cs.example")],
            "https://cs.example"
        ));
        let proxy = Proxy::parse(Secret::new("http://proxy.example:3128")).expect("a proxy");
        assert!(
            Proxies::all(proxy)
                .of(&Uri::from_static("http://127.0.0.1:1"))
                .is_some(),
            "it was named for all"
        );
    }

    #[test]
    fn a_raw_delimiter_in_a_password_of_the_environment_is_refused_and_not_shown() {
        for value in [
            "http://user:hunter2#@proxy.example:3128",
            "user:hunter2/@proxy.example:3128",
        ] {
            let environment = |name: &str| (name == "https_proxy").then(|| OsString::from(value));
            let complaint = Proxies::from_environment(environment).expect_err("a bad URL");
            assert!(
                complaint.starts_with("https_proxy ") && complaint.contains("%23"),
                "{complaint}"
            );
            assert!(!complaint.contains("hunter2"), "{complaint}");
        }
    }
}

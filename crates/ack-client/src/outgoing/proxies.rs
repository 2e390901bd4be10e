//! The proxies that requests go through, and the servers that are asked without one.

use std::ffi::OsString;
use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;
use ipnet::IpNet;

use super::{Proxy, host, is_this_machine, port};
use crate::secret::Secret;

/// The proxy of each server, if it has one.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    /// None where the proxies are for all servers, this machine included.
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

    /// The proxies that an environment names, read as Go programs read it, with `ALL_PROXY` for a
    /// scheme that has none. The error is about a URL that was meant to be a proxy's, and holds
    /// nothing of it.
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
                    // Its value may hold a password.
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

    /// The proxy of the server in `uri`. No proxy is asked for this machine that is not named for
    /// it: it would take `localhost` for itself.
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

/// A proxy as the environment names it: a URL, or only its host and port.
fn parse(value: &str) -> Result<Proxy, &'static str> {
    Proxy::parse(Secret::new(if value.contains("://") {
        value.to_owned()
    } else {
        format!("http://{value}")
    }))
}

/// The servers that are asked without a proxy: the value of `NO_PROXY`.
#[derive(Debug, Clone, Default)]
pub struct NoProxy(Vec<Rule>);

#[derive(Debug, Clone)]
enum Rule {
    All,
    Network(IpNet),
    Address(IpAddr, Option<u16>),
    /// The suffix begins with a dot.
    Domain {
        suffix: String,
        includes_itself: bool,
        port: Option<u16>,
    },
}

impl NoProxy {
    /// Reads `list`: domains, addresses and networks between commas, or `*` for all. What is none
    /// of them matches nothing.
    pub fn parse(list: &str) -> Self {
        Self(
            list.split(',')
                .filter_map(|entry| Rule::parse(&entry.trim().to_ascii_lowercase()))
                .collect(),
        )
    }

    /// Whether the server at `host`, which is without brackets, and `port` is asked without a
    /// proxy.
    pub fn matches(&self, host: &str, port: u16) -> bool {
        let host = host.to_ascii_lowercase();
        let address = host
            .parse::<IpAddr>()
            .ok()
            .map(|address| address.to_canonical());
        let is_port = |wanted: &Option<u16>| wanted.is_none_or(|wanted| wanted == port);
        self.0.iter().any(|rule| match rule {
            Rule::All => true,
            Rule::Network(network) => address.is_some_and(|address| network.contains(&address)),
            Rule::Address(wanted, port) => address == Some(*wanted) && is_port(port),
            Rule::Domain {
                suffix,
                includes_itself,
                port,
            } => {
                (host.ends_with(suffix) || *includes_itself && host == suffix[1..]) && is_port(port)
            }
        })
    }
}

impl Rule {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self::All);
        }
        if let Ok(network) = entry.parse() {
            return Some(Self::Network(network));
        }
        let (host, port) = match entry
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
        {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            // More than one colon is an IPv6 address.
            None => match entry.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (entry, None),
            },
        };
        let port = match port {
            Some(port) if !port.is_empty() => Some(port.parse().ok()?),
            _ => None,
        };
        if let Ok(address) = host.parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical(), port));
        }
        let domain = host
            .strip_prefix('*')
            .filter(|rest| rest.starts_with('.'))
            .unwrap_or(host);
        if domain.trim_start_matches('.').is_empty() {
            return None;
        }
        let includes_itself = !domain.starts_with('.');
        let suffix = if includes_itself {
            format!(".{domain}")
        } else {
            domain.to_owned()
        };
        Some(Self::Domain {
            suffix,
            includes_itself,
            port,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_takes_every_form_that_go_takes() {
        for (list, host, port, expected) in [
            ("", "cs.cn-hangzhou.aliyuncs.com", 443, false),
            ("*", "cs.cn-hangzhou.aliyuncs.com", 443, true),
            ("a.example, *", "10.0.0.1", 80, true),
            ("*", "fd00::80", 80, true),
            ("aliyuncs.com", "aliyuncs.com", 443, true),
            ("aliyuncs.com", "cs.aliyuncs.com", 443, true),
            ("aliyuncs.com", "notaliyuncs.com", 443, false),
            ("cs.aliyuncs.com", "sts.aliyuncs.com", 443, false),
            (".aliyuncs.com", "cs.aliyuncs.com", 443, true),
            (".aliyuncs.com", "aliyuncs.com", 443, false),
            ("*.aliyuncs.com", "cs.cn-hangzhou.aliyuncs.com", 443, true),
            ("*.aliyuncs.com", "aliyuncs.com", 443, false),
            ("*.aliyuncs.com:443", "cs.aliyuncs.com", 443, true),
            ("*.aliyuncs.com:443", "cs.aliyuncs.com", 80, false),
            (" ALIYUNCS.com , b.example ", "Cs.Aliyuncs.Com", 443, true),
            ("api.example:8080", "api.example", 8080, true),
            ("api.example:8080", "sub.api.example", 8080, true),
            ("api.example:8080", "api.example", 443, false),
            ("api.example:", "api.example", 443, true),
            ("10.0.0.1", "10.0.0.1", 443, true),
            ("10.0.0.1", "10.0.0.2", 443, false),
            ("10.0.0.1:8080", "10.0.0.1", 8080, true),
            ("10.0.0.1:8080", "10.0.0.1", 80, false),
            ("10.0.0.0/8", "10.9.8.7", 443, true),
            ("10.0.0.9/8", "10.9.8.7", 443, true),
            ("10.0.0.0/8", "11.0.0.1", 443, false),
            ("10.0.0.0/8", "10.example", 443, false),
            ("fd00::/8", "fd12::1", 443, true),
            ("fd00::/8", "10.0.0.1", 443, false),
            ("fd00::80", "fd00::80", 443, true),
            ("fd00:0:0::80", "fd00::80", 443, true),
            ("[fd00::80]", "fd00::80", 443, true),
            ("[fd00::80]:8080", "fd00::80", 8080, true),
            ("[fd00::80]:8080", "fd00::80", 80, false),
            ("10.0.0.1", "::ffff:10.0.0.1", 443, true),
            (",, ,:80,.,*.,a:x,[", "cs.aliyuncs.com", 80, false),
        ] {
            assert_eq!(
                NoProxy::parse(list).matches(host, port),
                expected,
                "NO_PROXY={list:?} for {host} at {port}"
            );
        }
    }

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

//! `NO_PROXY`: the servers that are reached without a proxy.

use std::net::IpAddr;

use ipnet::IpNet;

/// The servers that are reached without a proxy.
#[derive(Debug, Clone, Default)]
pub struct NoProxy(Vec<Rule>);

#[derive(Debug, Clone)]
enum Rule {
    All,
    Network(IpNet),
    Address(IpAddr, Option<u16>),
    /// A domain. The suffix begins with a dot.
    Domain {
        suffix: String,
        includes_itself: bool,
        port: Option<u16>,
    },
}

impl NoProxy {
    /// Parses `list`: domains, addresses and networks separated by commas, or `*` for all servers.
    /// An invalid entry matches no server.
    pub fn parse(list: &str) -> Self {
        Self(
            list.split(',')
                .filter_map(|entry| Rule::parse(&entry.trim().to_ascii_lowercase()))
                .collect(),
        )
    }

    /// Returns true if the server at `host`, given without brackets, and `port` is reached without
    /// a proxy.
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
}

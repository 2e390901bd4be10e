//! The parts of a URI that say which server is meant.

use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;

/// Returns true if the server in `uri` is this machine.
pub(crate) fn is_this_machine(uri: &Uri) -> bool {
    let host = host(uri);
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The host in `uri`, without the brackets of IPv6.
pub(crate) fn host(uri: &Uri) -> &str {
    uri.host().unwrap_or_default().trim_matches(['[', ']'])
}

/// The port in `uri`, or the default port of its scheme.
pub(crate) fn port(uri: &Uri) -> u16 {
    uri.port_u16()
        .unwrap_or(if uri.scheme() == Some(&Scheme::HTTPS) {
            443
        } else {
            80
        })
}

/// Host and port of the server in `uri`, for messages.
pub(crate) fn host_and_port(uri: &Uri) -> String {
    format!("{}:{}", uri.host().unwrap_or_default(), port(uri))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}

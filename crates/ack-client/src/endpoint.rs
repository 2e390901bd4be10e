//! Where an account's calls go.

use std::fmt;

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::names::Region;

/// An endpoint as configured, such as `https://cs.{region}.aliyuncs.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointTemplate(String);

const REGION: &str = "{region}";

impl EndpointTemplate {
    /// Checks `text`: `http://` or `https://`, a host, perhaps a port, and nothing behind it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let sample = text.replace(REGION, "cn-hangzhou");
        if let Some((_, rest)) = sample.split_once('{') {
            let name = rest.split('}').next().unwrap_or_default();
            return Err(format!(
                "{{{name}}} is not a placeholder; the only one is {REGION}"
            ));
        }
        let sample = Endpoint::parse(&sample)?;
        drop(sample);
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    /// The vendor's public hosts.
    pub fn public() -> Self {
        Self("https://cs.{region}.aliyuncs.com".to_owned())
    }

    /// The vendor's hosts inside a VPC.
    pub fn vpc() -> Self {
        Self("https://cs-anony-vpc.{region}.aliyuncs.com".to_owned())
    }

    /// Whether it leads to Alibaba Cloud's own hosts.
    pub fn is_public_cloud(&self) -> bool {
        self.0.ends_with(".aliyuncs.com")
    }

    /// Whether the place depends on the region.
    pub fn needs_region(&self) -> bool {
        self.0.contains(REGION)
    }

    /// The endpoint for one region; without a region, the template must not need one.
    pub fn resolve(&self, region: Option<&Region>) -> Result<Endpoint, String> {
        match region {
            Some(region) => Endpoint::parse(&self.0.replace(REGION, region.as_str())),
            None if self.needs_region() => Err(format!(
                "is missing, and the endpoint {} depends on it",
                self.0
            )),
            None => Endpoint::parse(&self.0),
        }
    }
}

impl fmt::Display for EndpointTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Scheme and authority of one server. The authority is what the `Host` header says and what is
/// signed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    scheme: Scheme,
    authority: Authority,
}

impl Endpoint {
    /// Reads `http://host[:port]` or `https://host[:port]`; a default port is dropped, as it is on
    /// the wire.
    pub fn parse(text: &str) -> Result<Self, String> {
        let complaint = |why: &str| {
            format!("{why}; an endpoint is http:// or https://, a host and perhaps a port")
        };
        let uri: Uri = text
            .parse()
            .map_err(|error| complaint(&format!("{error}")))?;
        let scheme = uri
            .scheme()
            .cloned()
            .ok_or_else(|| complaint("no scheme"))?;
        let authority = uri
            .authority()
            .cloned()
            .ok_or_else(|| complaint("no host"))?;
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(complaint("the scheme is neither http nor https")),
        };
        if authority.as_str().contains('@') {
            return Err(complaint("credentials do not belong here"));
        }
        // A fragment is no part of a `Uri`, which would pass over it in silence.
        if text.contains('#')
            || uri
                .path_and_query()
                .is_some_and(|rest| rest.as_str() != "/")
        {
            return Err(complaint("there is something behind the host"));
        }
        let authority = match authority.port_u16() {
            Some(port) if port == default_port => {
                let host = authority
                    .as_str()
                    .trim_end_matches(&format!(":{port}"))
                    .to_owned();
                host.parse().map_err(|_| complaint("the host is not one"))?
            }
            _ => authority,
        };
        Ok(Self { scheme, authority })
    }

    /// The authority: host and, unless it is the scheme's own, port.
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// The full URI of `target`, a path with an optional query.
    pub fn uri(&self, target: &str) -> Result<Uri, http::Error> {
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(target)
            .build()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_put_in_where_the_template_says() {
        let region = Region::parse("cn-hangzhou").expect("a region");
        let endpoint = EndpointTemplate::public()
            .resolve(Some(&region))
            .expect("resolves");
        assert_eq!(endpoint.to_string(), "https://cs.cn-hangzhou.aliyuncs.com");
        assert!(EndpointTemplate::vpc().resolve(None).is_err());
        assert_eq!(
            EndpointTemplate::parse("http://127.0.0.1:8080/")
                .expect("parses")
                .resolve(None)
                .expect("resolves")
                .authority(),
            "127.0.0.1:8080"
        );
    }

    #[test]
    fn the_authority_is_the_one_on_the_wire() {
        for (text, authority) in [
            ("https://a.example:443", "a.example"),
            ("http://a.example:443", "a.example:443"),
            ("http://[::1]:80", "[::1]"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(Endpoint::parse(text).expect(text).authority(), authority);
        }
    }

    #[test]
    fn an_endpoint_is_a_server_and_nothing_else() {
        for bad in [
            "",
            "a.example",
            "ftp://a.example",
            "http://",
            "http://user:hunter2@a.example",
            "http://a.example/path",
            "http://a.example?q=1",
            "http://a.example#q",
            "http://a b",
        ] {
            let error = Endpoint::parse(bad).expect_err(bad);
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}

//! The servers of the API.

use std::fmt;

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::names::Region;

/// An endpoint with or without a placeholder, such as `https://cs.{region}.aliyuncs.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointTemplate(String);

const REGION: &str = "{region}";

impl EndpointTemplate {
    /// Checks `text`: `http://` or `https://`, a host, and possibly a port. The error completes a
    /// sentence about the setting.
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

    /// The public hosts of Alibaba Cloud.
    pub fn public() -> Self {
        Self("https://cs.{region}.aliyuncs.com".to_owned())
    }

    /// The hosts of Alibaba Cloud inside a VPC.
    pub fn vpc() -> Self {
        Self("https://cs-anony-vpc.{region}.aliyuncs.com".to_owned())
    }

    /// Returns true for hosts of Alibaba Cloud itself.
    pub fn is_public_cloud(&self) -> bool {
        self.0.ends_with(".aliyuncs.com")
    }

    /// Returns true if the endpoint depends on the region.
    pub fn needs_region(&self) -> bool {
        self.0.contains(REGION)
    }

    /// The endpoint for `region`. Without a region, the template must not need one.
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

/// Scheme and authority of one server. The authority is the value of the `Host` header and is
/// signed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    scheme: Scheme,
    authority: Authority,
}

impl Endpoint {
    /// Parses `http://host[:port]` or `https://host[:port]`. The default port of the scheme is
    /// removed, as in the `Host` header.
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
        // `Uri` drops a fragment without an error.
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

    /// The host, and the port unless it is the scheme's default.
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// The URI of `target`, which is a path with an optional query.
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

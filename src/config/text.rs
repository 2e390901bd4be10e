//! Values that are written as text. Each is a type that checks itself while it is read.

use std::path::PathBuf;

use ack_client::credentials::{CredentialsUri, metadata_endpoint, sts_endpoint};
use ack_client::proxy::Proxy;
use ack_client::secret::Secret;
use ack_client::{Endpoint, EndpointTemplate};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Declares a type: the type that it is read from, a function that parses its value or returns the
/// complaint, a function that shows it, and its pattern in the JSON Schema.
macro_rules! text {
    ($(
        $(#[$doc:meta])*
        $name:ident($value:ty) from $written:ty {
            pattern: $pattern:expr,
            parse: $parse:expr,
            show: $show:expr,
        }
    )+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub(in crate::config) struct $name(pub(in crate::config) $value);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let written = <$written>::deserialize(deserializer)?;
                $parse(written).map(Self).map_err(D::Error::custom)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let show: fn(&$value) -> String = $show;
                serializer.serialize_str(&show(&self.0))
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    )+};
}

text! {
    /// Text that is not blank.
    Text(String) from String {
        pattern: r"\S",
        parse: filled,
        show: String::clone,
    }

    /// The ARN of a RAM role.
    RoleArn(String) from String {
        pattern: "^acs:ram::(.*:)?role/",
        parse: |text| arn(text, ":role/"),
        show: String::clone,
    }

    /// The ARN of an OIDC identity provider.
    OidcProviderArn(String) from String {
        pattern: "^acs:ram::(.*:)?oidc-provider/",
        parse: |text| arn(text, ":oidc-provider/"),
        show: String::clone,
    }

    /// The name of a role's session.
    SessionName(String) from String {
        pattern: "^[A-Za-z0-9.@_-]{2,64}$",
        parse: session_name,
        show: String::clone,
    }

    /// A RAM policy.
    Policy(String) from String {
        pattern: r"^\s*\{",
        parse: policy,
        show: String::clone,
    }

    /// The address of the API, perhaps with `{region}` in it.
    Template(EndpointTemplate) from String {
        pattern: r"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\s]+/?$",
        parse: |text: String| EndpointTemplate::parse(&text),
        show: EndpointTemplate::to_string,
    }

    /// The address of an STS server.
    StsEndpoint(Endpoint) from String {
        pattern: SERVER,
        parse: |text| filled(text).and_then(|text| sts_endpoint(&text)),
        show: Endpoint::to_string,
    }

    /// The address of a metadata service.
    MetadataEndpoint(Endpoint) from String {
        pattern: SERVER,
        parse: |text| filled(text).and_then(|text| metadata_endpoint(&text)),
        show: Endpoint::to_string,
    }

    /// The address of a server that returns credentials. Its path may be a secret; the form that is
    /// shown is still an address.
    Uri(CredentialsUri) from String {
        pattern: r"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\s]+([/?#]\S*)?$",
        parse: |text| filled(text).and_then(|text| Ok(CredentialsUri::parse(&text)?)),
        show: |uri| {
            let scheme = uri.expose().scheme_str().unwrap_or("http");
            format!("{scheme}://{}/%3Csecret%3E", uri.authority())
        },
    }

    /// The address of a proxy, which may have a password in it.
    ProxyUrl(Proxy) from Secret {
        pattern: r"^[Hh][Tt][Tt][Pp][Ss]?://([^/?#@\s]+@)?[^/?#@\s]+/?$",
        parse: Proxy::parse,
        show: |_| "<secret>".to_owned(),
    }

    /// A secret in the file itself.
    SecretText(Secret) from Secret {
        pattern: r"\S",
        parse: |secret: Secret| filled(secret.expose().to_owned()).map(|_| secret),
        show: Secret::to_string,
    }

    /// The path of a file.
    File(PathBuf) from String {
        pattern: r"\S",
        parse: |text| filled(text).map(PathBuf::from),
        show: |path| path.display().to_string(),
    }
}

/// Scheme, host and port; the scheme may be left out.
#[cfg(test)]
const SERVER: &str = r"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\s]+/?$|^[^/?#@\s]+/?$";

fn filled(text: String) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("is empty".to_owned())
    } else {
        Ok(text)
    }
}

fn arn(text: String, part: &str) -> Result<String, String> {
    let text = filled(text)?;
    if text.starts_with("acs:ram::") && text.contains(part) {
        Ok(text)
    } else {
        Err(format!(
            "must look like acs:ram::1234567890123456{part}name"
        ))
    }
}

fn session_name(text: String) -> Result<String, String> {
    let text = filled(text)?;
    let legal = |c: char| c.is_ascii_alphanumeric() || ".@-_".contains(c);
    if (2..=64).contains(&text.len()) && text.chars().all(legal) {
        Ok(text)
    } else {
        Err("must be 2 to 64 of A-Z a-z 0-9 . @ - _".to_owned())
    }
}

fn policy(text: String) -> Result<String, String> {
    let text = filled(text)?;
    let value: Result<serde_json::Value, _> = serde_json::from_str(&text);
    if value.is_ok_and(|value| value.is_object()) {
        Ok(text)
    } else {
        Err("must be a RAM policy in JSON".to_owned())
    }
}

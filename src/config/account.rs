//! One account: how its API is called, and which of its clusters are queried.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use ack_client::credentials::Provider;
use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{ConnectionSettings, Endpoint, EndpointTemplate};
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};

use super::credentials::Credentials;
use super::number::Positive;
#[cfg(test)]
use super::schema;
use super::text::{File, ProxyUrl, Template};
use super::{Discovery, ListedRegion, Watch};

/// The age at which a list is read again that only tells the versions and states of configured
/// clusters.
const DETAIL_INTERVAL: Duration = Duration::from_secs(300);

/// An account of Alibaba Cloud, as one set of credentials sees it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::account))]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Your name for the account: 1 to 64 characters, used once.
    #[cfg_attr(test, schemars(with = "String", length(min = 1, max = 64)))]
    #[cfg_attr(test, schemars(regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]+$")))]
    pub name: AccountName,
    /// The credentials of the account; without them, those that the default chain finds.
    #[serde(default)]
    pub(super) credentials: Credentials,
    /// The operations that the state of an upgrade is read with.
    #[serde(default)]
    pub source: Source,
    /// The task types that count as an upgrade of the cluster.
    #[serde(default = "default_task_types")]
    #[cfg_attr(test, schemars(extend("contains" = schema::filled())))]
    pub task_types: Vec<String>,
    /// The way of signing requests.
    #[serde(default)]
    signature: Signature,
    /// The hosts of Alibaba Cloud that are called; `endpoint` takes precedence.
    #[serde(default, skip_serializing)]
    #[cfg_attr(test, schemars(extend("default" = "public")))]
    pub(super) network: Network,
    /// The address of the API, such as `https://cs.{region}.example.com`; `{region}` is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) endpoint: Option<Template>,
    /// The proxy for all requests, such as `http://user:password@proxy.example.com:3128`.
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<ProxyUrl>,
    /// A PEM file with certificate authorities to trust beside the usual ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ca_file: Option<File>,
    /// The certificates in it.
    #[serde(skip)]
    pub(super) authorities: Vec<CertificateDer<'static>>,
    /// The limit that all requests of the account share.
    #[serde(default)]
    rate_limit: RateLimit,
    /// The number of requests of the account that may be in flight at once.
    #[serde(default = "default_concurrency")]
    #[cfg_attr(test, schemars(range(max = u32::MAX)))]
    max_concurrency: NonZeroU32,
    /// The queries beside the upgrade of each cluster.
    #[serde(default, skip_serializing_if = "Watch::is_empty")]
    pub watch: Watch,
    /// Where clusters are discovered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discovery: Option<Discovery>,
    /// Clusters named one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<Cluster>,
}

/// The one task type that is known to be an upgrade of the cluster itself.
fn default_task_types() -> Vec<String> {
    vec!["cluster_upgrade".to_owned()]
}

fn default_concurrency() -> NonZeroU32 {
    NonZeroU32::new(16).expect("16 is not zero")
}

/// The operations that the state of an upgrade is read with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// `GetUpgradeStatus` while it is served, the task operations where it is not.
    #[default]
    Auto,
    /// `GetUpgradeStatus`.
    UpgradeStatus,
    /// `DescribeClusterTasks` and `DescribeTaskInfo`.
    Tasks,
}

/// The way of signing requests.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum Signature {
    /// ACS3-HMAC-SHA256, version 3 of the API's signatures.
    #[default]
    Acs3,
    /// ROA with HMAC-SHA1, version 2 of the API's signatures.
    Roa,
}

impl From<Signature> for ack_client::Signature {
    fn from(signature: Signature) -> Self {
        match signature {
            Signature::Acs3 => Self::Acs3,
            Signature::Roa => Self::Roa,
        }
    }
}

/// The hosts of Alibaba Cloud that are called.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum Network {
    /// `cs.<region>.aliyuncs.com`.
    #[default]
    Public,
    /// `cs-anony-vpc.<region>.aliyuncs.com`, which can be reached inside a VPC only.
    Vpc,
}

impl Network {
    /// The address of its hosts.
    pub(super) fn endpoint(self) -> EndpointTemplate {
        match self {
            Self::Public => EndpointTemplate::public(),
            Self::Vpc => EndpointTemplate::vpc(),
        }
    }
}

/// The limit that all requests of the account share.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
struct RateLimit {
    /// Requests per second; shards divide them.
    requests_per_second: Positive,
    /// The number of unused requests that may be saved up.
    #[cfg_attr(test, schemars(range(max = u32::MAX)))]
    burst: NonZeroU32,
}

impl Default for RateLimit {
    fn default() -> Self {
        let limit = ack_client::RateLimit::default();
        Self {
            requests_per_second: limit
                .requests_per_second
                .try_into()
                .expect("the client's own limit is above 0"),
            burst: limit.burst,
        }
    }
}

impl From<RateLimit> for ack_client::RateLimit {
    fn from(limit: RateLimit) -> Self {
        Self {
            requests_per_second: limit.requests_per_second.get(),
            burst: limit.burst,
        }
    }
}

/// A cluster that the operator names.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// The cluster ID.
    #[cfg_attr(
        test,
        schemars(with = "String", regex(pattern = "^[A-Za-z0-9_-]{1,64}$"))
    )]
    pub id: ClusterId,
    /// Its region, such as `cn-hangzhou`; needed unless `endpoint` has no `{region}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>", regex(pattern = schema::REGION)))]
    pub region: Option<Region>,
    /// Your name for it; the label `name` of `cs_cluster_info`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Labels of your own for `cs_cluster_info`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(test, schemars(extend("propertyNames" = { "pattern": schema::label() })))]
    pub labels: BTreeMap<String, String>,
}

/// The parameters of the calls for an account. They make its client and its sources, and a reload
/// keeps these while the parameters are equal.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// The provider of the credentials.
    pub credentials: Provider,
    /// The operations that the state of an upgrade is read with.
    pub source: Source,
    /// Task types that count as an upgrade of the cluster.
    pub task_types: Vec<String>,
    /// The way of signing requests.
    pub signature: ack_client::Signature,
    /// Where requests go.
    pub endpoint: EndpointTemplate,
    /// The proxy that they go through, and the authorities to trust beside the usual ones.
    pub connections: ConnectionSettings,
    /// Requests a second that all calls of the account share.
    pub rate_limit: ack_client::RateLimit,
    /// Calls under way at once.
    pub max_concurrency: NonZeroU32,
}

impl Account {
    /// Returns the parameters of its calls, in the types of the client.
    pub fn access(&self) -> Access {
        Access {
            credentials: self.credentials.provider(),
            source: self.source,
            task_types: self.task_types.clone(),
            signature: self.signature.into(),
            endpoint: self.template(),
            connections: ConnectionSettings {
                proxy: self.proxy.as_ref().map(|proxy| proxy.0.clone()),
                authorities: self.authorities.clone(),
            },
            rate_limit: self.rate_limit.into(),
            max_concurrency: self.max_concurrency,
        }
    }

    /// The server for what is in `region`: one of the account's own, or none where a cluster of the
    /// account has none.
    pub fn endpoint(&self, region: Option<&Region>) -> Endpoint {
        self.template()
            .resolve(region)
            .expect("the validator tries the endpoint with every region of the account")
    }

    /// The `region` as one whose list is read.
    pub fn listed_region(&self, region: &Region) -> ListedRegion {
        ListedRegion {
            region: region.clone(),
            endpoint: self.endpoint(Some(region)),
        }
    }

    /// The time from one reading of a cluster list to the next, apart from scrapes; None if there
    /// is nothing to read it for.
    pub fn list_interval(&self) -> Option<Duration> {
        match &self.discovery {
            Some(discovery) => Some(discovery.refresh_interval),
            None if self.watch.is_empty() => None,
            None => Some(DETAIL_INTERVAL),
        }
    }

    /// Where requests go.
    pub(super) fn template(&self) -> EndpointTemplate {
        match &self.endpoint {
            Some(Template(endpoint)) => endpoint.clone(),
            None => self.network.endpoint(),
        }
    }
}

//! The file as it is written: every key optional, every value of the right type. What it means is
//! decided in the parent.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::duration::Friendly;
#[cfg(test)]
use super::schema;
use ack_client::secret::Secret;

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::file))]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    /// How a scrape goes.
    pub(super) scrape: Option<Scrape>,
    /// How the page looks.
    pub(super) metrics: Option<Metrics>,
    /// Whose clusters: one entry for each set of credentials.
    #[cfg_attr(test, schemars(with = "Option<Vec<Option<Account>>>"))]
    pub(super) accounts: Option<Vec<Option<Untyped>>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::scrape))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Scrape {
    /// The time for a scrape whose client names none; Prometheus does.
    pub(super) timeout: Option<Friendly>,
    /// What is kept back from Prometheus' own timeout, so that the answer arrives in time.
    pub(super) timeout_offset: Option<Friendly>,
    /// How long a finished, complete collection answers further scrapes, such as those of a second
    /// Prometheus; 0s is off.
    pub(super) cache_ttl: Option<Friendly>,
    /// How old a reading may be that stands in for one which the rate limit did not allow.
    pub(super) max_age: Option<Friendly>,
    /// How long a cluster without an upgrade is not asked again while the account's cluster list
    /// shows nothing new; 0s is off.
    pub(super) idle_interval: Option<Friendly>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::metrics))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Metrics {
    /// The name of the label that holds the cluster ID.
    pub(super) cluster_label: Option<String>,
    /// Whether the vendor's error messages are shown.
    pub(super) error_message: Option<bool>,
    /// Which values of a state set are sent.
    pub(super) state_sets: Option<StateSets>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum StateSets {
    /// All of them, exactly one being 1.
    Full,
    /// Only the one that is 1.
    Active,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::account))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Account {
    /// Your name for the account: 1 to 64 characters, used once.
    pub(super) name: Option<String>,
    /// How to log in; without it, the vendor's default chain.
    pub(super) credentials: Option<Untyped>,
    /// Where the state of an upgrade is read.
    pub(super) source: Option<Source>,
    /// Task types that count as an upgrade of the cluster.
    pub(super) task_types: Option<Vec<String>>,
    /// How requests are signed.
    pub(super) signature: Option<Signature>,
    /// Which of the vendor's hosts are called; `endpoint` comes first.
    pub(super) network: Option<Network>,
    /// Where requests go, such as `https://cs.{region}.example.com`; `{region}` is replaced.
    pub(super) endpoint: Option<String>,
    /// The proxy that requests go through, such as `http://user:password@proxy.example.com:3128`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) proxy: Option<Secret>,
    /// A PEM file with authorities to trust beside the usual ones.
    pub(super) ca_file: Option<String>,
    /// What all calls of the account share.
    pub(super) rate_limit: Option<RateLimit>,
    /// Calls of the account that may be under way at once.
    pub(super) max_concurrency: Option<u32>,
    /// Where clusters are looked for.
    pub(super) discovery: Option<Discovery>,
    /// Clusters named one by one.
    #[cfg_attr(test, schemars(with = "Option<Vec<Option<Cluster>>>"))]
    pub(super) clusters: Option<Vec<Option<Untyped>>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::discovery))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Discovery {
    /// The regions whose cluster lists are read.
    pub(super) regions: Option<Vec<Option<String>>>,
    /// How often the lists are read; at least 1s.
    pub(super) refresh_interval: Option<Friendly>,
    /// Which of the clusters found are wanted: those for which all of this holds.
    #[serde(rename = "match")]
    pub(super) wanted: Option<Match>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Match {
    /// A regular expression for the whole name.
    pub(super) name: Option<String>,
    /// Tags that must be there with these values.
    pub(super) tags: Option<BTreeMap<String, String>>,
    /// Types of which it must be one, such as `ManagedKubernetes`, in any letter case.
    pub(super) cluster_type: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum Source {
    /// `GetUpgradeStatus` while it is served, the task operations where it is not.
    Auto,
    /// `GetUpgradeStatus`.
    UpgradeStatus,
    /// `DescribeClusterTasks` and `DescribeTaskInfo`.
    Tasks,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum Signature {
    /// ACS3-HMAC-SHA256, the vendor's V3.
    Acs3,
    /// ROA with HMAC-SHA1, the vendor's V2.
    Roa,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum Network {
    /// `cs.<region>.aliyuncs.com`.
    Public,
    /// `cs-anony-vpc.<region>.aliyuncs.com`, within reach inside a VPC only.
    Vpc,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::rate_limit))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RateLimit {
    /// Requests a second; shards divide them.
    pub(super) requests_per_second: Option<f64>,
    /// Requests that may be saved up.
    pub(super) burst: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::cluster))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Cluster {
    /// The cluster ID.
    pub(super) id: Option<String>,
    /// Its region, such as `cn-hangzhou`; needed unless `endpoint` has no `{region}`.
    pub(super) region: Option<String>,
    /// Your name for it; the label `name` of `cs_cluster_info`.
    pub(super) name: Option<String>,
    /// Labels of your own for `cs_cluster_info`.
    pub(super) labels: Option<BTreeMap<String, String>>,
}

/// A mapping that is read by itself: its keys depend on one of its values, or it is one of many and
/// a mistake in it must not have the others read again. Not shown, as it may hold secrets.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Untyped(pub(super) serde_json::Value);

impl fmt::Debug for Untyped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<untyped>")
    }
}

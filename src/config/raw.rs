//! The file as it is written: every key optional, every value of the right type. What it means is decided in the parent.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use super::duration;
use crate::secret::Secret;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) scrape: Option<Scrape>,
    pub(super) metrics: Option<Metrics>,
    pub(super) accounts: Option<Vec<Option<Account>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Scrape {
    #[serde(deserialize_with = "duration::optional")]
    pub(super) timeout: Option<Duration>,
    #[serde(deserialize_with = "duration::optional")]
    pub(super) timeout_offset: Option<Duration>,
    #[serde(deserialize_with = "duration::optional")]
    pub(super) cache_ttl: Option<Duration>,
    #[serde(deserialize_with = "duration::optional")]
    pub(super) max_age: Option<Duration>,
    #[serde(deserialize_with = "duration::optional")]
    pub(super) idle_interval: Option<Duration>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Metrics {
    pub(super) cluster_label: Option<String>,
    pub(super) error_message: Option<bool>,
    pub(super) state_sets: Option<StateSets>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StateSets {
    Full,
    Active,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Account {
    pub(super) name: Option<String>,
    pub(super) credentials: Option<Untyped>,
    pub(super) source: Option<Source>,
    pub(super) task_types: Option<Vec<String>>,
    pub(super) signature: Option<Signature>,
    pub(super) network: Option<Network>,
    pub(super) endpoint: Option<String>,
    pub(super) proxy: Option<Secret>,
    pub(super) ca_file: Option<String>,
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) max_concurrency: Option<u32>,
    pub(super) discovery: Option<Discovery>,
    pub(super) clusters: Option<Vec<Option<Cluster>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Discovery {
    pub(super) regions: Option<Vec<Option<String>>>,
    #[serde(deserialize_with = "duration::optional")]
    pub(super) refresh_interval: Option<Duration>,
    #[serde(rename = "match")]
    pub(super) wanted: Option<Match>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Match {
    pub(super) name: Option<String>,
    pub(super) tags: Option<BTreeMap<String, String>>,
    pub(super) cluster_type: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Source {
    Auto,
    UpgradeStatus,
    Tasks,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Signature {
    Acs3,
    Roa,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Network {
    Public,
    Vpc,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RateLimit {
    pub(super) requests_per_second: Option<f64>,
    pub(super) burst: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Cluster {
    pub(super) id: Option<String>,
    pub(super) region: Option<String>,
    pub(super) name: Option<String>,
    pub(super) labels: Option<BTreeMap<String, String>>,
}

/// A mapping whose keys depend on one of its values. Not shown, as it may hold secrets.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Untyped(pub(super) serde_json::Value);

impl fmt::Debug for Untyped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<untyped>")
    }
}

//! One account: how it is asked, and which of its clusters are wanted.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::path::{Path as FilePath, PathBuf};

use ack_client::credentials::Provider;
use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::outgoing::Proxy;
use ack_client::{ConnectionSettings, Endpoint, EndpointTemplate, RateLimit, Signature};
use exporter_toolkit::pem;
use exporter_toolkit::yaml::reason;
use rustls::pki_types::CertificateDer;

use super::{
    Discovery, Metrics, Path, Reader, ReferencedFile, check_label, credentials, raw, regions,
};

/// One account of the vendor, as one set of credentials sees it.
#[derive(Debug, Clone)]
pub struct Account {
    /// The operator's name for it.
    pub name: AccountName,
    /// How it is asked.
    pub access: Access,
    /// Where clusters are looked for.
    pub discovery: Option<Discovery>,
    /// Clusters named one by one.
    pub clusters: Vec<Cluster>,
}

/// How an account is asked: all that its client and its sources are made of, so that a reload can
/// tell whether they may stay.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// How to log in.
    pub credentials: Provider,
    /// Where the state of an upgrade is read.
    pub source: Source,
    /// Task types that count as an upgrade of the cluster.
    pub task_types: Vec<String>,
    /// How requests are signed.
    pub signature: Signature,
    /// Where requests go.
    pub endpoint: EndpointTemplate,
    /// The proxy that they go through, and the authorities to trust beside the usual ones.
    pub connections: ConnectionSettings,
    /// The file that holds the authorities.
    pub ca_file: Option<PathBuf>,
    /// Requests a second that all calls of the account share.
    pub rate_limit: RateLimit,
    /// Calls under way at once.
    pub max_concurrency: NonZeroU32,
}

/// Where the state of an upgrade is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// `GetUpgradeStatus` while it is served, the tasks where it is not.
    Auto,
    /// `GetUpgradeStatus`.
    UpgradeStatus,
    /// `DescribeClusterTasks` and `DescribeTaskInfo`.
    Tasks,
}

/// A cluster that the operator named.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Its ID.
    pub id: ClusterId,
    /// Its region; absent only where the endpoint does not need one.
    pub region: Option<Region>,
    /// The server that knows it.
    pub endpoint: Endpoint,
    /// The operator's name for it; empty if there is none.
    pub name: String,
    /// The operator's own labels.
    pub labels: BTreeMap<String, String>,
}

/// Calls of an account under way at once, unless configured.
pub(super) const DEFAULT_CONCURRENCY: NonZeroU32 = NonZeroU32::new(16).expect("16 is not zero");

/// The one task type that is known to be an upgrade of the cluster itself.
pub(super) fn default_task_types() -> Vec<String> {
    vec!["cluster_upgrade".to_owned()]
}

impl Reader<'_> {
    pub(super) fn accounts(
        &mut self,
        path: &Path,
        raw: Option<Vec<Option<raw::Untyped>>>,
        metrics: &Metrics,
    ) -> Option<Vec<Account>> {
        let raw = raw.unwrap_or_default();
        if raw.is_empty() && !self.problems.has(path) {
            self.problems
                .note(path.clone(), "there must be at least one account");
        }
        let mut names = HashMap::new();
        let mut ids = HashMap::new();
        let mut accounts = Vec::new();
        for (path, raw) in self.mappings::<raw::Account>(path, raw) {
            if let Some(name) = &raw.name
                && let Some(first) = names.insert(name.clone(), path.clone())
            {
                self.problems
                    .note(path.key("name"), format!("{first} has this name already"));
            }
            accounts.push(self.account(&path, raw, metrics, &mut ids));
        }
        // Only now: a bad account must not keep the next one from being checked.
        accounts.into_iter().collect()
    }

    /// The account at `path`; `ids` are the clusters named before it.
    fn account(
        &mut self,
        path: &Path,
        raw: raw::Account,
        metrics: &Metrics,
        ids: &mut HashMap<String, Path>,
    ) -> Option<Account> {
        let name = self.required(path, "name", raw.name).and_then(|name| {
            self.problems
                .keep(&path.key("name"), AccountName::parse(&name))
        });
        let endpoint = match (raw.endpoint, raw.network) {
            (Some(text), _) => self
                .problems
                .keep(&path.key("endpoint"), EndpointTemplate::parse(&text)),
            (None, Some(raw::Network::Vpc)) => Some(EndpointTemplate::vpc()),
            (None, Some(raw::Network::Public) | None) => Some(EndpointTemplate::public()),
        };
        let proxy = raw
            .proxy
            .map(|url| self.problems.keep(&path.key("proxy"), Proxy::parse(url)));
        let ca_file = raw.ca_file.map(|file| self.folder.join(file));
        let authorities = ca_file
            .as_ref()
            .map(|file| self.authorities(&path.key("ca_file"), file));
        let task_types = self.task_types(&path.key("task_types"), raw.task_types);
        let has_discovery = raw.discovery.is_some();
        let discovery = raw
            .discovery
            .map(|raw| self.discovery(&path.key("discovery"), raw, endpoint.as_ref()));
        let credentials = credentials::read(
            raw.credentials,
            &path.key("credentials"),
            self.folder,
            self.purpose,
            self.problems,
        );
        let rate_limit =
            self.rate_limit(&path.key("rate_limit"), &raw.rate_limit.unwrap_or_default());
        let max_concurrency = self.positive(
            path.key("max_concurrency"),
            raw.max_concurrency,
            DEFAULT_CONCURRENCY.get(),
        );
        let clusters_path = path.key("clusters");
        if raw.clusters.as_ref().is_none_or(Vec::is_empty)
            && !has_discovery
            && !self.problems.has(&clusters_path)
        {
            self.problems.note(
                clusters_path.clone(),
                "the account has neither clusters nor discovery",
            );
        }
        let clusters = self.clusters(
            &clusters_path,
            raw.clusters,
            endpoint.as_ref(),
            metrics,
            ids,
        );
        Some(Account {
            name: name?,
            access: Access {
                credentials: credentials?,
                source: match raw.source {
                    Some(raw::Source::UpgradeStatus) => Source::UpgradeStatus,
                    Some(raw::Source::Tasks) => Source::Tasks,
                    Some(raw::Source::Auto) | None => Source::Auto,
                },
                task_types,
                signature: match raw.signature {
                    Some(raw::Signature::Roa) => Signature::Roa,
                    Some(raw::Signature::Acs3) | None => Signature::Acs3,
                },
                endpoint: endpoint?,
                connections: ConnectionSettings {
                    proxy: match proxy {
                        Some(proxy) => Some(proxy?),
                        None => None,
                    },
                    authorities: authorities.unwrap_or_default(),
                },
                ca_file,
                rate_limit: rate_limit?,
                max_concurrency: max_concurrency?,
            },
            // Outside: whether it is there; inside: whether it is right.
            discovery: match discovery {
                Some(discovery) => Some(discovery?),
                None => None,
            },
            clusters: clusters?,
        })
    }

    fn authorities(&mut self, path: &Path, file: &FilePath) -> Vec<CertificateDer<'static>> {
        let (beside, text) = ReferencedFile::read(file);
        self.files.push(beside);
        let text =
            text.map_err(|error| format!("cannot read {}: {}", file.display(), reason(&error)));
        let Some(text) = self.problems.keep(path, text) else {
            return Vec::new();
        };
        let authorities =
            pem::certificates(&text).map_err(|complaint| format!("{} {complaint}", file.display()));
        self.problems.keep(path, authorities).unwrap_or_default()
    }

    fn task_types(&mut self, path: &Path, raw: Option<Vec<String>>) -> Vec<String> {
        let types = raw.unwrap_or_else(default_task_types);
        if types.iter().all(|kind| kind.trim().is_empty()) {
            self.problems
                .note(path.clone(), "there must be at least one task type");
        }
        types
    }

    fn rate_limit(&mut self, path: &Path, raw: &raw::RateLimit) -> Option<RateLimit> {
        let default = RateLimit::default();
        let requests_per_second = raw
            .requests_per_second
            .unwrap_or(default.requests_per_second);
        if !(requests_per_second.is_finite() && requests_per_second > 0.0) {
            self.problems
                .note(path.key("requests_per_second"), "must be a number above 0");
        }
        let burst = self.positive(path.key("burst"), raw.burst, default.burst.get())?;
        Some(RateLimit {
            requests_per_second,
            burst,
        })
    }

    /// A private installation has regions of its own.
    pub(super) fn doubt_region(
        &mut self,
        path: &Path,
        region: &Region,
        endpoint: &EndpointTemplate,
    ) {
        if endpoint.is_public_cloud() {
            self.doubt(path, || regions::doubt(region.as_str()));
        }
    }

    fn clusters(
        &mut self,
        path: &Path,
        raw: Option<Vec<Option<raw::Untyped>>>,
        endpoint: Option<&EndpointTemplate>,
        metrics: &Metrics,
        ids: &mut HashMap<String, Path>,
    ) -> Option<Vec<Cluster>> {
        let mut clusters = Vec::new();
        for (path, raw) in self.mappings::<raw::Cluster>(path, raw.unwrap_or_default()) {
            if let Some(id) = &raw.id
                && let Some(first) = ids.insert(id.clone(), path.clone())
            {
                self.problems
                    .note(path.key("id"), format!("{first} is this cluster already"));
            }
            clusters.push(self.cluster(&path, raw, endpoint, metrics));
        }
        clusters.into_iter().collect()
    }

    fn cluster(
        &mut self,
        path: &Path,
        raw: raw::Cluster,
        endpoint: Option<&EndpointTemplate>,
        metrics: &Metrics,
    ) -> Option<Cluster> {
        let id = self
            .required(path, "id", raw.id)
            .and_then(|id| self.problems.keep(&path.key("id"), ClusterId::parse(&id)));
        if let Some(id) = &id {
            self.doubt(&path.key("id"), || {
                (!id.is_usual()).then(|| format!("{id:?} does not look like a cluster ID, which is c and 32 hexadecimal digits"))
            });
        }
        let region_path = path.key("region");
        // Outside: whether it is right; inside: whether it is there.
        let region = match raw.region {
            Some(region) => self
                .problems
                .keep(&region_path, Region::parse(&region))
                .map(Some),
            None => (!self.problems.has(&region_path)).then_some(None),
        };
        if let (Some(Some(region)), Some(endpoint)) = (&region, endpoint) {
            self.doubt_region(&region_path, region, endpoint);
        }
        let endpoint = region.as_ref().zip(endpoint);
        let endpoint = endpoint.and_then(|(region, template)| {
            self.problems
                .keep(&region_path, template.resolve(region.as_ref()))
        });
        let labels = raw.labels.unwrap_or_default();
        for label in labels.keys() {
            self.problems.keep(
                &path.key("labels").key(label),
                check_label(label, &metrics.cluster_label),
            );
        }
        Some(Cluster {
            id: id?,
            region: region?,
            endpoint: endpoint?,
            name: raw.name.unwrap_or_default(),
            labels,
        })
    }
}

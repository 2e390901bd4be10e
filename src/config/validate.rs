//! The checks that concern several keys, or the files that keys name. Each check skips values that
//! were refused before.

use std::collections::{HashMap, HashSet};
use std::path::Path as FilePath;
use std::time::Duration;

use ack_client::EndpointTemplate;
use ack_client::names::{AccountName, ClusterId, Region};
use exporter_toolkit::pem;
use exporter_toolkit::yaml::reason;
use safe_input::file;

use super::account::{Account, Cluster, Network};
use super::text::{File, Template};
use super::{Config, Discovery, Path, Problems, Purpose, ReferencedFile, labels, regions};

/// The checks of a configuration. They also fill in the values that depend on other keys.
pub(super) struct Validator<'a> {
    pub(super) problems: Problems,
    pub(super) warnings: Problems,
    /// The files whose content is part of the configuration, as they were read.
    pub(super) files: Vec<ReferencedFile>,
    purpose: Purpose,
    folder: &'a FilePath,
    cluster_label: String,
    names: HashMap<AccountName, Path>,
    ids: HashMap<ClusterId, Path>,
}

impl<'a> Validator<'a> {
    /// A validator that knows the `problems` of reading.
    pub(super) fn new(purpose: Purpose, folder: &'a FilePath, problems: Problems) -> Self {
        Self {
            problems,
            warnings: Problems::default(),
            files: Vec::new(),
            purpose,
            folder,
            cluster_label: String::new(),
            names: HashMap::new(),
            ids: HashMap::new(),
        }
    }

    pub(super) fn config(&mut self, config: &mut Config) {
        let root = Path::root();
        if config.scrape.timeout.is_zero() {
            let path = root.key("scrape").key("timeout");
            self.problems.note(path, "a scrape needs some time");
        }
        self.cluster_label.clone_from(&config.metrics.cluster_label);
        let path = root.key("accounts");
        if config.accounts.is_empty() {
            self.note(&path, "there must be at least one account");
        }
        for (index, account) in config.accounts.iter_mut().enumerate() {
            let path = path.index(index);
            if !self.problems.has(&path) {
                self.account(&path, account);
            }
        }
    }

    fn account(&mut self, path: &Path, account: &mut Account) {
        let name = path.key("name");
        if !self.problems.has(&name)
            && let Some(first) = self.names.insert(account.name.clone(), path.clone())
        {
            self.problems
                .note(name, format!("{first} has this name already"));
        }
        let template = account.template();
        // An endpoint that was refused may or may not need a region.
        let endpoint = (!self.problems.has(&path.key("endpoint"))).then_some(&template);
        account.endpoint = Some(Template(template.clone()));
        account.network = Network::default();
        self.credentials(&path.key("credentials"), &mut account.credentials);
        if account.task_types.iter().all(|kind| kind.trim().is_empty()) {
            self.note(
                &path.key("task_types"),
                "there must be at least one task type",
            );
        }
        self.authorities(&path.key("ca_file"), account);
        if let Some(discovery) = &account.discovery {
            self.discovery(&path.key("discovery"), discovery, endpoint);
        }
        for key in account.watch.keys() {
            if key.interval < Duration::from_secs(1) {
                let path = path.key("watch").key(key.name).key("interval");
                self.note(&path, "must be at least 1s");
            }
        }
        let clusters = path.key("clusters");
        if account.clusters.is_empty()
            && account.discovery.is_none()
            && !self.problems.has(&path.key("discovery"))
        {
            self.note(&clusters, "the account has neither clusters nor discovery");
        }
        for (index, cluster) in account.clusters.iter().enumerate() {
            let path = clusters.index(index);
            if !self.problems.has(&path) {
                self.cluster(&path, cluster, endpoint);
            }
        }
    }

    fn authorities(&mut self, path: &Path, account: &mut Account) {
        let Some(File(file)) = &mut account.ca_file else {
            return;
        };
        *file = self.folder.join(&*file);
        let (referenced, content) = ReferencedFile::read(file);
        self.files.push(referenced);
        let authorities = content
            .map_err(|error| format!("cannot read {}: {}", file.display(), reason(&error)))
            .and_then(|text| {
                pem::certificates(&text)
                    .map_err(|complaint| format!("{} {complaint}", file.display()))
            });
        account.authorities = self.problems.keep(path, authorities).unwrap_or_default();
    }

    fn discovery(
        &mut self,
        path: &Path,
        discovery: &Discovery,
        endpoint: Option<&EndpointTemplate>,
    ) {
        if discovery.refresh_interval < Duration::from_secs(1) {
            self.note(&path.key("refresh_interval"), "must be at least 1s");
        }
        let regions = path.key("regions");
        if discovery.regions.is_empty() {
            self.note(&regions, "there must be at least one region");
        }
        let mut seen = HashSet::new();
        for (index, region) in discovery.regions.iter().enumerate() {
            let path = regions.index(index);
            if self.problems.has(&path) {
                continue;
            }
            if seen.insert(region) {
                self.region(&path, Some(region), endpoint);
            } else {
                self.problems.note(path, "this region is there twice");
            }
        }
    }

    fn cluster(&mut self, path: &Path, cluster: &Cluster, endpoint: Option<&EndpointTemplate>) {
        let id = path.key("id");
        if !self.problems.has(&id) {
            if let Some(first) = self.ids.insert(cluster.id.clone(), path.clone()) {
                let message = format!("{first} is this cluster already");
                self.problems.note(id.clone(), message);
            }
            self.doubt(&id, || {
                (!cluster.id.is_usual()).then(|| {
                    format!(
                        "{:?} does not look like a cluster ID, which is c and 32 hexadecimal \
                         digits",
                        cluster.id
                    )
                })
            });
        }
        let region = path.key("region");
        if !self.problems.has(&region) {
            self.region(&region, cluster.region.as_ref(), endpoint);
        }
        for label in cluster.labels.keys() {
            let free = if *label == self.cluster_label {
                Err(labels::taken(label))
            } else {
                labels::check(label)
            };
            self.problems.keep(&path.key("labels").key(label), free);
        }
    }

    /// Resolves the endpoint for a region. Only the public cloud has a list of known regions.
    fn region(
        &mut self,
        path: &Path,
        region: Option<&Region>,
        endpoint: Option<&EndpointTemplate>,
    ) {
        let Some(endpoint) = endpoint else {
            return;
        };
        self.problems.keep(path, endpoint.resolve(region));
        if let Some(region) = region
            && endpoint.is_public_cloud()
        {
            self.doubt(path, || regions::doubt(region.as_str()));
        }
    }

    /// Completes the path of a file that is read again and again later. A check reads it now; while
    /// serving it may appear later.
    pub(super) fn file(&mut self, path: &Path, File(named): &mut File) {
        *named = self.folder.join(&*named);
        if self.purpose == Purpose::Serve {
            return;
        }
        let shown = named.display();
        match file::read(named, file::MAX_SMALL) {
            Err(error) => self.note(path, format!("cannot read {shown}: {}", reason(&error))),
            Ok(content) if content.trim_ascii().is_empty() => {
                self.note(path, format!("{shown} is empty"));
            }
            Ok(_) => {}
        }
    }

    /// Notes a mistake, unless one was noted at this place before.
    fn note(&mut self, path: &Path, message: impl Into<String>) {
        if !self.problems.has(path) {
            self.problems.note(path.clone(), message);
        }
    }

    /// Adds the `doubtful` value to the warnings, which only a check shows.
    fn doubt(&mut self, path: &Path, doubtful: impl FnOnce() -> Option<String>) {
        if self.purpose == Purpose::Check
            && let Some(doubtful) = doubtful()
        {
            self.warnings.note(path.clone(), doubtful);
        }
    }
}

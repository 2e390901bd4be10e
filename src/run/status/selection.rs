//! The clusters that the command line selects, of those of the configuration.

use crate::cli::{ShownStatus, StatusArgs};
use crate::config::{Account, Config};
use crate::run::RunError;
use crate::snapshot::{ClusterReading, Outcome, Snapshot};

impl StatusArgs {
    /// Leaves only the accounts and regions of `config` that the command line names, if it names
    /// any.
    pub(super) fn narrow(&self, config: &mut Config) -> Result<(), RunError> {
        let accounts = &self.filter.accounts;
        let names: Vec<_> = config
            .accounts
            .iter()
            .map(|account| account.name.to_string())
            .collect();
        check("account", accounts, &names)?;
        config.accounts.retain(|account| {
            accounts.is_empty() || accounts.iter().any(|name| account.name.as_str() == name)
        });
        let regions = &self.accounts.regions;
        if regions.is_empty() {
            return Ok(());
        }
        let known: Vec<_> = config.accounts.iter().flat_map(account_regions).collect();
        check("region", regions, &known)?;
        for account in &mut config.accounts {
            leave_regions(account, regions);
        }
        config
            .accounts
            .retain(|account| account.discovery.is_some() || !account.clusters.is_empty());
        Ok(())
    }

    /// The clusters of `snapshot` that the command line names, or all.
    pub(super) fn select(&self, snapshot: &Snapshot) -> Snapshot {
        let is_meant = |reading: &ClusterReading| {
            let mut targets = self.targets.iter();
            self.targets.is_empty() || targets.any(|target| reading.cluster.is_meant(target))
        };
        let mut selected = snapshot.clone();
        selected.clusters.retain(is_meant);
        selected
    }

    /// True if a cluster in this status is to be shown.
    pub(super) fn shows(&self, outcome: &Outcome) -> bool {
        let statuses = &self.filter.statuses;
        let status = match outcome {
            Outcome::Up(state) => ShownStatus::Upgrade(state.status),
            Outcome::Down(_) | Outcome::NotAsked => ShownStatus::Unanswered,
        };
        statuses.is_empty() || statuses.contains(&status)
    }
}

/// Leaves only the clusters and lists of `account` in these regions.
fn leave_regions(account: &mut Account, regions: &[String]) {
    let is_wanted = |region: &str| regions.iter().any(|wanted| wanted == region);
    account.clusters.retain(|cluster| {
        let region = cluster.region.as_ref();
        region.is_some_and(|region| is_wanted(region.as_str()))
    });
    if let Some(discovery) = &mut account.discovery {
        discovery
            .regions
            .retain(|region| is_wanted(region.as_str()));
        if discovery.regions.is_empty() {
            account.discovery = None;
        }
    }
}

/// The regions of an account: those of its clusters, and those of its lists.
fn account_regions(account: &Account) -> Vec<String> {
    let of_clusters = account
        .clusters
        .iter()
        .filter_map(|cluster| cluster.region.as_ref());
    let of_lists = account
        .discovery
        .iter()
        .flat_map(|discovery| &discovery.regions);
    of_clusters
        .chain(of_lists)
        .map(ToString::to_string)
        .collect()
}

/// Refuses names that are not `known`.
fn check(flag: &str, names: &[String], known: &[String]) -> Result<(), RunError> {
    let mut known = known.to_vec();
    known.sort_unstable();
    known.dedup();
    let unknown = names.iter().filter(|name| !known.contains(name));
    let mistakes: Vec<_> = unknown
        .map(|name| {
            format!(
                "--{flag}={name}: no such {flag} in the configuration, which has {}",
                known.join(", ")
            )
        })
        .collect();
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(RunError::Usage(mistakes.join("\n")))
    }
}

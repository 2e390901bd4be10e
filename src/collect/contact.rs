//! How one account is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ack_client::credentials::CachedCredentials;
use ack_client::names::Region;
use ack_client::{Client, Limiter};

use super::dependencies::Dependencies;
use crate::config::{Access, Account};
use crate::source::{UpgradeSource, source};

/// One account's client and the sources over it. A reload that leaves what they were made of as it
/// was keeps them: with them go connections, credentials, what is left in the bucket, and what was
/// found out about the operations served.
#[derive(Debug)]
pub(super) struct Contact {
    access: Access,
    client: Arc<Client>,
    /// Who reads states, by region; one without a region for clusters without one.
    sources: BTreeMap<Option<Region>, Arc<dyn UpgradeSource>>,
}

impl Contact {
    /// How `account` is asked; as `earlier` was, if that may stay.
    pub(super) fn new(
        account: &Account,
        dependencies: &Dependencies,
        earlier: Option<&Self>,
    ) -> Self {
        let kept = earlier.filter(|earlier| earlier.access == account.access);
        let client = kept.map_or_else(
            || Arc::new(client(account, dependencies)),
            |kept| Arc::clone(&kept.client),
        );
        let source_of = |region: Option<Region>| {
            let known = kept
                .and_then(|kept| kept.sources.get(&region))
                .map(Arc::clone);
            let source = known.unwrap_or_else(|| source(account, region.as_ref(), &client));
            (region, source)
        };
        let sources = regions(account).into_iter().map(source_of).collect();
        Self {
            access: account.access.clone(),
            client,
            sources,
        }
    }

    /// Whether `earlier` had the same client.
    pub(super) fn is_kept_from(&self, earlier: &Self) -> bool {
        Arc::ptr_eq(&self.client, &earlier.client)
    }

    pub(super) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Who reads the states of the clusters in `region`, if the account is looked at there.
    pub(super) fn source(&self, region: Option<&Region>) -> Option<&Arc<dyn UpgradeSource>> {
        self.sources.get(&region.cloned())
    }

    /// The source in use by region, in the order of the regions' names.
    pub(super) fn sources_in_use(&self) -> Vec<(String, &'static str)> {
        let name =
            |region: &Option<Region>| region.as_ref().map_or_else(String::new, Region::to_string);
        self.sources
            .iter()
            .filter_map(|(region, source)| Some((name(region), source.in_use()?.as_str())))
            .collect()
    }
}

fn client(account: &Account, dependencies: &Dependencies) -> Client {
    let access = &account.access;
    Client::new(
        dependencies.transports.of(&access.connections),
        Arc::new(CachedCredentials::new(
            account.name.clone(),
            access.credentials.clone(),
            dependencies.credentials.clone(),
        )),
        access.signature,
        Limiter::new(
            account.name.clone(),
            access.rate_limit,
            dependencies.shard.total(),
            access.max_concurrency.get(),
        ),
        dependencies.metrics.call_metrics(&account.name),
        dependencies.clock,
        crate::USER_AGENT,
    )
}

/// Where the account is looked at.
fn regions(account: &Account) -> BTreeSet<Option<Region>> {
    let listed = account
        .discovery
        .iter()
        .flat_map(|discovery| &discovery.regions)
        .map(|place| Some(place.region.clone()));
    account
        .clusters
        .iter()
        .map(|cluster| cluster.region.clone())
        .chain(listed)
        .collect()
}

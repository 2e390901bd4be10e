//! The client of one account.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ack_client::credentials::CachedCredentials;
use ack_client::names::Region;
use ack_client::{Client, Limiter};

use super::dependencies::Dependencies;
use crate::config::{Access, Account};
use crate::queries::upgrade::UpgradeQuery;

/// The client of one account and the sources that use it. A reload that leaves the account's access
/// settings alone keeps them, and with them connections, credentials, the tokens of the rate limit,
/// and the detection of the operations served.
#[derive(Debug)]
pub(super) struct AccountClient {
    access: Access,
    client: Arc<Client>,
    /// The query of states by region; `None` is for clusters without a region.
    queries: BTreeMap<Option<Region>, UpgradeQuery>,
}

impl AccountClient {
    /// The client for `account`, taken over from `earlier` if the access settings are the same.
    pub(super) fn new(
        account: &Account,
        dependencies: &Dependencies,
        earlier: Option<&Self>,
    ) -> Self {
        let access = account.access();
        let kept = earlier.filter(|earlier| earlier.access == access);
        let client = kept.map_or_else(
            || Arc::new(client(account, &access, dependencies)),
            |kept| Arc::clone(&kept.client),
        );
        let query_of = |region: Option<Region>| {
            let known = kept.and_then(|kept| kept.queries.get(&region)).cloned();
            let query = known
                .unwrap_or_else(|| UpgradeQuery::for_account(account, region.as_ref(), &client));
            (region, query)
        };
        let queries = regions(account).into_iter().map(query_of).collect();
        Self {
            access,
            client,
            queries,
        }
    }

    /// True if `earlier` has the same client.
    pub(super) fn shares_client_with(&self, earlier: &Self) -> bool {
        Arc::ptr_eq(&self.client, &earlier.client)
    }

    pub(super) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// The query of the states of the clusters in `region`; None if the account is not read there.
    pub(super) fn query(&self, region: Option<&Region>) -> Option<&UpgradeQuery> {
        self.queries.get(&region.cloned())
    }

    /// The source in use by region, in the order of the regions' names.
    pub(super) fn sources_in_use(&self) -> Vec<(String, &'static str)> {
        let name =
            |region: &Option<Region>| region.as_ref().map_or_else(String::new, Region::to_string);
        self.queries
            .iter()
            .filter_map(|(region, query)| Some((name(region), query.source_in_use()?.as_str())))
            .collect()
    }
}

fn client(account: &Account, access: &Access, dependencies: &Dependencies) -> Client {
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

/// The regions in which the account is read.
fn regions(account: &Account) -> BTreeSet<Option<Region>> {
    let listed = account
        .discovery
        .iter()
        .flat_map(|discovery| &discovery.regions)
        .map(|region| Some(region.clone()));
    account
        .clusters
        .iter()
        .map(|cluster| cluster.region.clone())
        .chain(listed)
        .collect()
}

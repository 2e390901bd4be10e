//! The accounts' collectors, made from the configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use ack_client::names::{AccountName, ClusterId};

use super::TaskGroup;
use super::account::AccountCollector;
use super::account_client::AccountClient;
use super::dependencies::Dependencies;
use super::target_resolver::TargetResolver;
use crate::config::Config;

/// One collector for each account. They take over from those of `earlier`.
pub(super) fn accounts(
    config: &Config,
    dependencies: &Dependencies,
    earlier: &[Arc<AccountCollector>],
    tasks: &TaskGroup,
) -> Vec<Arc<AccountCollector>> {
    let owners = Arc::new(owners(config));
    let mut accounts = Vec::new();
    for account in &config.accounts {
        let earlier = earlier
            .iter()
            .find(|earlier| *earlier.name() == account.name);
        let client = AccountClient::new(
            account,
            dependencies,
            earlier.map(|earlier| earlier.account_client()),
        );
        if earlier.is_none_or(|earlier| !client.shares_client_with(earlier.account_client())) {
            let calls = account
                .access()
                .rate_limit
                .calls_within(config.scrape.timeout, dependencies.shard.total());
            tracing::info!(
                account = %account.name,
                clusters_named = account.clusters.len(),
                calls_a_scrape = calls,
                "rate limit of the account"
            );
        }
        let target_resolver = TargetResolver::new(
            account.name.clone(),
            dependencies.shard,
            client,
            Arc::clone(&owners),
        );
        let collector = AccountCollector::new(
            account,
            &config.scrape,
            dependencies.clock,
            target_resolver,
            tasks.clone(),
        );
        if let Some(earlier) = earlier {
            collector.inherit(earlier);
        }
        accounts.push(collector);
    }
    accounts
}

/// The account of each configured cluster.
fn owners(config: &Config) -> BTreeMap<ClusterId, AccountName> {
    let mut owners = BTreeMap::new();
    for account in &config.accounts {
        for cluster in &account.clusters {
            owners.insert(cluster.id.clone(), account.name.clone());
        }
    }
    owners
}

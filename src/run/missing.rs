//! Clusters that are not there, and the lists that could not be read.

use ack_client::names::{AccountName, Region};
use exporter_toolkit::yaml::complaint::nearest;

use crate::collect::Collector;
use crate::snapshot::AccountReading;

/// A sentence for each list that has never been read, with the reason if reading it has failed.
pub(super) fn unread_lists(collector: &Collector) -> Vec<String> {
    let accounts = collector.accounts();
    let unread = collector.unread_lists();
    let lines = unread.iter().map(|(account, region)| {
        let place = format!("account {account}, region {region}");
        match failure(&accounts, account, region) {
            Some(message) => format!("{place}: the cluster list could not be read: {message}"),
            None => format!("{place}: the cluster list could not be read in time"),
        }
    });
    lines.collect()
}

/// The message about a cluster that is not among those of these `names`.
pub(super) fn missing_cluster(target: &str, names: &[String]) -> String {
    match nearest(target, names.iter().map(String::as_str)) {
        Some(name) => format!("{target} is not among the clusters, did you mean {name}?"),
        None => format!("{target} is not among the clusters"),
    }
}

/// The message of the failure to read the list of one account and region.
fn failure<'a>(
    accounts: &'a [AccountReading],
    name: &AccountName,
    region: &Region,
) -> Option<&'a str> {
    let account = accounts.iter().find(|account| account.account == *name)?;
    let mut lists = account.discoveries.iter();
    let list = lists.find(|list| list.region == *region)?;
    Some(&list.failure.as_ref()?.message)
}

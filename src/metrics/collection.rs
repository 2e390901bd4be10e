//! The families of the collection behind a page, and of its accounts and regions.

use std::collections::BTreeMap;

use exporter_toolkit::exposition::{Metric, Page, Value};

use super::catalog;
use crate::snapshot::{DiscoveryReading, Snapshot};

/// Adds every family of [`SeriesScope::Collection`](catalog::SeriesScope::Collection).
pub(crate) fn write(page: &mut Page, snapshot: &Snapshot) {
    let accounts = &snapshot.accounts;
    family(
        page,
        &catalog::SCRAPE_DURATION,
        [([], snapshot.duration.into())],
    );
    family(
        page,
        &catalog::SCRAPE_BUDGET,
        [([], snapshot.budget.into())],
    );
    family(
        page,
        &catalog::CLUSTERS,
        [([], snapshot.clusters.len().into())],
    );
    let sources = accounts.iter().flat_map(|account| {
        account.sources.iter().map(|(region, source)| {
            (
                [account.account.as_str(), region.as_str(), *source],
                Value::ONE,
            )
        })
    });
    family(page, &catalog::SOURCE_INFO, sources);
    family(
        page,
        &catalog::DISCOVERY_SUCCESS,
        discoveries(snapshot, |discovery| Value::from(discovery.has_succeeded())),
    );
    family(
        page,
        &catalog::DISCOVERED_CLUSTERS,
        discoveries(snapshot, |discovery| discovery.clusters.into()),
    );
    let providers = accounts.iter().filter_map(|account| {
        Some((
            [account.account.as_str(), account.provider.as_deref()?],
            Value::ONE,
        ))
    });
    family(page, &catalog::CREDENTIALS_INFO, providers);
    let expiries = accounts.iter().filter_map(|account| {
        Some((
            [account.account.as_str()],
            account.credentials_expiry?.into(),
        ))
    });
    family(page, &catalog::CREDENTIALS_EXPIRY, expiries);
    family(
        page,
        &catalog::SHARD_ORDINAL,
        [([], u64::from(snapshot.shard.ordinal()).into())],
    );
    family(
        page,
        &catalog::TOTAL_SHARDS,
        [([], u64::from(snapshot.shard.total()).into())],
    );
}

fn discoveries(
    snapshot: &Snapshot,
    value: impl Fn(&DiscoveryReading) -> Value,
) -> impl Iterator<Item = ([&str; 2], Value)> {
    snapshot.accounts.iter().flat_map(move |account| {
        account
            .discoveries
            .iter()
            .map(|discovery| {
                (
                    [account.account.as_str(), discovery.region.as_str()],
                    value(discovery),
                )
            })
            .collect::<Vec<_>>()
    })
}

/// Adds one family. Writes each series once, in the order of its labels.
fn family<'a, const N: usize>(
    page: &mut Page,
    metric: &'static Metric,
    series: impl IntoIterator<Item = ([&'a str; N], Value)>,
) {
    let series: BTreeMap<[&str; N], Value> = series.into_iter().collect();
    let mut family = page.family(metric);
    for (labels, value) in series {
        family
            .sample()
            .labels(metric.labels.iter().copied().zip(labels))
            .value(value);
    }
}

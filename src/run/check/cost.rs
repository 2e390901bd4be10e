//! The calls that an account will make, as far as its configuration tells.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::{Account, Calls, Source, WatchedQuery};
use crate::shard::Shard;

const HOUR: Duration = Duration::from_secs(3600);

/// The interval of scrapes that warnings assume, since Prometheus alone knows it.
const SCRAPE_INTERVAL: Duration = Duration::from_secs(60);

/// The clusters of one account, as this instance will query them.
#[derive(Debug)]
pub(super) struct Cost<'a> {
    account: &'a Account,
    instances: u32,
    /// The clusters that the file names.
    pub(super) clusters: u32,
    regions: u32,
}

impl<'a> Cost<'a> {
    /// The cost of `account` for the instance that owns `shard`.
    pub(super) fn of(account: &'a Account, shard: &Shard) -> Self {
        let named = account.clusters.iter();
        let named = named.filter(|cluster| shard.owns(&cluster.id)).count();
        let discovery = account.discovery.as_ref();
        let listed = discovery.into_iter().flat_map(|discovery| &discovery.regions);
        let named_regions = account.clusters.iter().flat_map(|cluster| &cluster.region);
        let regions: BTreeSet<_> = listed.chain(named_regions).collect();
        Self {
            account,
            instances: shard.total(),
            clusters: u32::try_from(named).unwrap_or(u32::MAX),
            regions: u32::try_from(regions.len()).unwrap_or(u32::MAX),
        }
    }

    /// A line for the upgrades and one for each query that is watched.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.upgrades()];
        lines.extend(self.account.watch.queries().iter().map(|query| {
            let calls = self.terms(query).join(", and ");
            format!("watch.{} takes at least {calls}", query.key)
        }));
        lines
    }

    /// The reason why the rate limit is too low for the queries that are watched.
    pub(super) fn shortage(&self, idle_interval: Duration) -> Option<String> {
        let queries = self.account.watch.queries();
        let watched: f64 = queries.iter().map(|query| self.an_hour(query)).sum();
        let rate = self.account.access().rate_limit.requests_per_second;
        let allowed = rate * HOUR.as_secs_f64() / f64::from(self.instances);
        let upgrades = times_an_hour(SCRAPE_INTERVAL.max(idle_interval)) * f64::from(self.clusters);
        let spare = (allowed - upgrades).max(0.0);
        (watched > spare).then(|| {
            format!(
                "what is watched takes at least {} an hour, but the rate limit leaves {} for it if \
                    Prometheus scrapes every minute",
                calls(watched),
                amount(spare)
            )
        })
    }

    fn upgrades(&self) -> String {
        let known = match self.account.discovery {
            None => calls(f64::from(self.clusters)),
            Some(_) => "1 call for each cluster".to_owned(),
        };
        let more = match self.account.source {
            Source::UpgradeStatus => "",
            Source::Auto | Source::Tasks => ", and one more for each that is being upgraded",
        };
        format!("upgrades take {known} in a scrape{more}")
    }

    /// The calls of `query` in an hour, by what is known of the clusters.
    fn terms(&self, query: &WatchedQuery) -> Vec<String> {
        let an_hour = times_an_hour(query.interval);
        let Calls {
            region,
            cluster_type,
            cluster,
            kind,
        } = query.calls;
        let (clusters, each_cluster) = match self.account.discovery {
            None => (self.clusters * cluster, 0),
            Some(_) => (0, cluster),
        };
        let known = f64::from(self.regions * region + clusters) * an_hour;
        let mut terms = Vec::new();
        if known > 0.0 {
            terms.push(format!("{} an hour", calls(known)));
        }
        let unknown = [
            (each_cluster, "cluster"),
            (self.regions * cluster_type, "cluster type"),
            (kind, "kind of cluster"),
        ];
        for (number, thing) in unknown.into_iter().filter(|(number, _)| *number > 0) {
            let number = f64::from(number) * an_hour;
            terms.push(if terms.is_empty() {
                format!("{} an hour for each {thing}", calls(number))
            } else {
                format!("{} for each {thing}", amount(number))
            });
        }
        terms
    }

    /// The least number of calls of `query` in an hour: one type and one kind of cluster in each
    /// region, and none of the clusters that are only discovered.
    fn an_hour(&self, query: &WatchedQuery) -> f64 {
        let Calls {
            region,
            cluster_type,
            cluster,
            kind,
        } = query.calls;
        let calls = self.regions * (region + cluster_type + kind) + self.clusters * cluster;
        f64::from(calls) * times_an_hour(query.interval)
    }
}

fn times_an_hour(interval: Duration) -> f64 {
    HOUR.as_secs_f64() / interval.as_secs_f64()
}

/// `1 call`, `0.17 calls`.
fn calls(number: f64) -> String {
    let amount = amount(number);
    let plural = if amount == "1" { "" } else { "s" };
    format!("{amount} call{plural}")
}

/// A number above ten without a fraction, and others with two digits of it at most.
fn amount(number: f64) -> String {
    if number >= 10.0 {
        return format!("{number:.0}");
    }
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_more_digits_than_they_need() {
        for (number, text) in [
            (0.0, "0 calls"),
            (0.166_666, "0.17 calls"),
            (1.0, "1 call"),
            (2.5, "2.5 calls"),
            (9.999, "10 calls"),
            (166.6, "167 calls"),
        ] {
            assert_eq!(calls(number), text);
        }
    }
}

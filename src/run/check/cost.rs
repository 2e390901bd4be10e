//! The calls that an account makes in an hour, as far as its configuration tells.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use crate::config::{Account, Per, Scrape, Source, WatchKey};
use crate::shard::Shard;

const HOUR: Duration = Duration::from_secs(3600);

/// The interval of scrapes that is assumed, since Prometheus alone knows it.
const SCRAPE_INTERVAL: Duration = Duration::from_secs(60);

/// The clusters of one account, as this instance will query them.
#[derive(Debug)]
pub(super) struct Cost<'a> {
    account: &'a Account,
    scrape: &'a Scrape,
    instances: u32,
    /// The number of clusters that the file names.
    pub(super) named: usize,
    regions: usize,
}

/// The calls of one row: those that are known, and those for each thing whose number is not.
#[derive(Debug, Default)]
struct Calls {
    known: f64,
    each: Vec<(f64, &'static str)>,
}

impl<'a> Cost<'a> {
    /// The cost of `account` for the instance that owns `shard`.
    pub(super) fn new(account: &'a Account, scrape: &'a Scrape, shard: Shard) -> Self {
        let named = account.clusters.iter();
        let named_regions = named.clone().flat_map(|cluster| &cluster.region);
        let discovery = account.discovery.iter();
        let listed = discovery.flat_map(|discovery| &discovery.regions);
        let regions: BTreeSet<_> = listed.chain(named_regions).collect();
        Self {
            account,
            scrape,
            instances: shard.total(),
            named: named.filter(|cluster| shard.owns(&cluster.id)).count(),
            regions: regions.len(),
        }
    }

    /// The reason why the rate limit is too low for the queries that are watched, if it is.
    pub(super) fn shortage(&self) -> Option<String> {
        let keys = self.account.watch.keys();
        let watched: f64 = keys.iter().map(|key| self.watched(key).known).sum();
        let rate = self.account.access().rate_limit.requests_per_second;
        let allowed = rate * HOUR.as_secs_f64() / f64::from(self.instances);
        let lists = self.lists().map_or(0.0, |lists| lists.known);
        let left = (allowed - self.upgrades().known - lists).max(0.0);
        (watched > left).then(|| {
            format!(
                "what is watched takes at least {} calls an hour, but the rate limit leaves {} for \
                    it if Prometheus scrapes every minute",
                amount(watched),
                amount(left)
            )
        })
    }

    fn upgrades(&self) -> Calls {
        let usual = an_hour(SCRAPE_INTERVAL.max(self.scrape.idle_interval));
        let mut calls = self.for_clusters(usual);
        let most = match self.account.source {
            Source::UpgradeStatus => 1.0,
            Source::Auto | Source::Tasks => 2.0,
        };
        let more = most * an_hour(SCRAPE_INTERVAL) - usual;
        if more > 0.0 {
            calls
                .each
                .push((more, "more for each cluster while it is upgraded"));
        }
        calls
    }

    /// The calls for the lists of clusters; None if none is read.
    fn lists(&self) -> Option<Calls> {
        let in_scrapes = (!self.scrape.idle_interval.is_zero()).then_some(SCRAPE_INTERVAL);
        let interval = self.account.list_interval().into_iter().chain(in_scrapes);
        let lists = an_hour(interval.min()?);
        Some(Calls {
            known: float(self.regions) * lists,
            each: vec![(lists, "for each further 50 clusters of a region")],
        })
    }

    fn watched(&self, key: &WatchKey) -> Calls {
        let mut sum = Calls::default();
        for (number, per) in key.calls {
            let number = number * an_hour(key.interval);
            let calls = match per {
                Per::Region => Calls::known(float(self.regions) * number),
                Per::Cluster => self.for_clusters(number),
                Per::ClusterType => Calls::each(number, "for each cluster type in a region"),
                Per::Kind => Calls::each(
                    number,
                    "for each region, type, spec, profile and version of clusters",
                ),
            };
            sum.known += calls.known;
            sum.each.extend(calls.each);
        }
        sum
    }

    /// `number` calls for each cluster. The number of those that are discovered is not known.
    fn for_clusters(&self, number: f64) -> Calls {
        match self.account.discovery {
            None => Calls::known(float(self.named) * number),
            Some(_) => Calls::each(number, "for each cluster"),
        }
    }
}

impl Calls {
    fn known(known: f64) -> Self {
        let each = Vec::new();
        Self { known, each }
    }

    fn each(number: f64, what: &'static str) -> Self {
        let each = vec![(number, what)];
        Self { known: 0.0, each }
    }
}

impl Display for Cost<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("  calls an hour, if Prometheus scrapes every minute:")?;
        write!(formatter, "\n    upgrades: {}", self.upgrades())?;
        if let Some(lists) = self.lists() {
            write!(formatter, "\n    cluster lists: {lists}")?;
        }
        for key in self.account.watch.keys() {
            write!(formatter, "\n    {}: {}", key.name, self.watched(&key))?;
        }
        Ok(())
    }
}

impl Display for Calls {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let known = (self.known > 0.0 || self.each.is_empty()).then(|| amount(self.known));
        let each = self.each.iter();
        let each = each.map(|(number, what)| format!("{} {what}", amount(*number)));
        let terms: Vec<_> = known.into_iter().chain(each).collect();
        formatter.write_str(&terms.join(", and "))
    }
}

fn an_hour(interval: Duration) -> f64 {
    HOUR.as_secs_f64() / interval.as_secs_f64()
}

/// `number`, which is far below the integers that a float cannot hold.
fn float(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
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
            (0.0, "0"),
            (0.166_666, "0.17"),
            (1.0, "1"),
            (2.5, "2.5"),
            (9.999, "10"),
            (166.6, "167"),
        ] {
            assert_eq!(amount(number), text);
        }
    }
}

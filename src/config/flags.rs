//! A configuration without a file: one account, by `--region` and `--cluster`.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::{
    Account, Cluster, Config, Credentials, Discovery, EndpointTemplate, ListedRegion, Match, Metrics, Path, Problems, RateLimit, Scrape,
    Signature, Source,
};
use crate::names::{AccountName, ClusterId, InvalidName, Region};

/// A cluster as a flag names it: `ID` or `ID@region`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCluster {
    id: ClusterId,
    region: Option<Region>,
}

impl FromStr for NamedCluster {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let (id, region) = match text.split_once('@') {
            Some((id, region)) => (id, Some(Region::parse(region)?)),
            None => (text, None),
        };
        Ok(Self { id: ClusterId::parse(id)?, region })
    }
}

impl Config {
    /// One account with the credentials of the default chain: `clusters`, those without a region in the first of
    /// `regions`; or, without clusters, whatever is found in `regions`.
    pub fn of_flags(regions: &[Region], clusters: &[NamedCluster]) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let endpoint = EndpointTemplate::public();
        let resolve =
            |problems: &mut Problems, region: Option<&Region>| problems.keep(&Path::root().key("--region"), endpoint.resolve(region));
        let named: Vec<_> = clusters
            .iter()
            .filter_map(|cluster| {
                let region = cluster.region.as_ref().or(regions.first());
                let endpoint = resolve(&mut problems, region)?;
                Some(Cluster { id: cluster.id.clone(), region: region.cloned(), endpoint, name: String::new(), labels: BTreeMap::new() })
            })
            .collect();
        let listed: Vec<_> = regions
            .iter()
            .filter_map(|region| Some(ListedRegion { region: region.clone(), endpoint: resolve(&mut problems, Some(region))? }))
            .collect();
        let discovery = clusters.is_empty().then(|| Discovery {
            regions: listed,
            refresh_interval: super::discovery::DEFAULT_INTERVAL,
            wanted: Match::default(),
        });
        let account = Account {
            name: AccountName::parse("default").expect("a name"),
            credentials: Credentials::default(),
            source: Source::Auto,
            task_types: super::default_task_types(),
            signature: Signature::Acs3,
            endpoint,
            proxy: None,
            authorities: Vec::new(),
            rate_limit: RateLimit::default(),
            max_concurrency: super::DEFAULT_CONCURRENCY,
            discovery,
            clusters: named,
        };
        if problems.is_empty() {
            Ok(Self { scrape: Scrape::default(), metrics: Metrics::default(), accounts: vec![account] })
        } else {
            Err(problems)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_asked_and_without_any_the_region_is_searched() {
        let regions = [Region::parse("cn-hangzhou").expect("a region")];
        let clusters = ["c1".parse().expect("a cluster"), "c2@cn-shanghai".parse().expect("a cluster")];
        let config = Config::of_flags(&regions, &clusters).expect("a configuration");
        let account = &config.accounts[0];
        assert!(account.discovery.is_none());
        let regions_of: Vec<_> = account.clusters.iter().filter_map(|cluster| cluster.region.as_ref()).map(Region::as_str).collect();
        assert_eq!(regions_of, ["cn-hangzhou", "cn-shanghai"]);
        let config = Config::of_flags(&regions, &[]).expect("a configuration");
        assert_eq!(config.accounts[0].discovery.as_ref().map(|discovery| discovery.regions.len()), Some(1));
        assert!("../x@cn-hangzhou".parse::<NamedCluster>().is_err() && "c1@".parse::<NamedCluster>().is_err());
    }

    #[test]
    fn a_cluster_needs_a_region_from_somewhere() {
        assert!(Config::of_flags(&[], &["c1".parse().expect("a cluster")]).is_err());
    }
}

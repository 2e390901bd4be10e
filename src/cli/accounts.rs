//! The arguments that select clusters.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

/// Arguments that select accounts and clusters.
#[derive(Debug, Args)]
#[command(next_help_heading = "Accounts and clusters")]
pub struct AccountArgs {
    /// The configuration file
    #[arg(long = "config.file", value_name = "FILE", conflicts_with = "clusters")]
    pub config_file: Option<PathBuf>,
    /// Without a file: region to discover clusters in, with the credentials of the default chain;
    /// repeatable. `status` with a file: region whose clusters are shown
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',')]
    pub regions: Vec<String>,
    /// Without a file: cluster to query, in the first --region unless it names its own; repeatable
    #[arg(long = "cluster", value_name = "ID[@REGION]")]
    pub clusters: Vec<String>,
}

impl AccountArgs {
    /// The configuration file that the flags stand for: the named clusters, in the first region
    /// unless they name their own; or, without clusters, discovery in the regions.
    pub fn as_config(&self) -> String {
        let mut yaml = "accounts:\n  - name: default\n".to_owned();
        if self.clusters.is_empty() {
            writeln!(
                yaml,
                "    discovery: {{regions: {}}}",
                serde_json::json!(self.regions)
            )
            .expect("a String takes every write");
        } else {
            yaml.push_str("    clusters:\n");
            for cluster in &self.clusters {
                let (id, region) = cluster.split_once('@').map_or(
                    (cluster.as_str(), self.regions.first().cloned()),
                    |(id, region)| (id, Some(region.to_owned())),
                );
                writeln!(
                    yaml,
                    "      - {}",
                    serde_json::json!({"id": id, "region": region})
                )
                .expect("a String takes every write");
            }
        }
        yaml
    }
}

/// Arguments that select a shard, a part of the clusters.
#[derive(Debug, Args)]
#[command(next_help_heading = "Shard")]
pub struct ShardArgs {
    /// Number of this instance's shard, counted from 0
    #[arg(
        long = "shard.ordinal",
        value_name = "NUMBER",
        conflicts_with = "ordinal_from_hostname"
    )]
    pub ordinal: Option<u32>,
    /// Number of shards
    #[arg(long = "shard.total", value_name = "NUMBER", default_value_t = 1)]
    pub total: u32,
    /// Take the number of the shard from the end of the host name, as in the pods of a
    /// `StatefulSet`
    #[arg(long = "shard.ordinal-from-hostname")]
    pub ordinal_from_hostname: bool,
}

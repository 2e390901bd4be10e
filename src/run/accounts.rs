//! The accounts and the shard that the command line names.

use std::collections::HashSet;
use std::path::Path;

use ack_client::names::{ClusterId, Region};
use safe_input::file;

use super::RunError;
use crate::cli::{AccountArgs, ShardArgs};
use crate::config::Config;
use crate::reload::ConfigSource;
use crate::shard::Shard;

/// The source of the configuration: the file, or the text made of the flags, which are checked
/// first.
pub(super) fn source(args: &AccountArgs) -> Result<ConfigSource, RunError> {
    if args.config_file.is_some() && !args.regions.is_empty() {
        return Err(RunError::Usage(
            "--region cannot be used with --config.file: write the region into the file".to_owned(),
        ));
    }
    unchecked_source(args)
}

fn unchecked_source(args: &AccountArgs) -> Result<ConfigSource, RunError> {
    match &args.config_file {
        Some(file) => Ok(ConfigSource::File(file.clone())),
        None if args.regions.is_empty() && args.clusters.is_empty() => Err(RunError::Usage(
            "no configuration: name a file with --config.file, a region with \
                --region, or try the demo"
                .to_owned(),
        )),
        None => {
            let mistakes = mistakes(args);
            if mistakes.is_empty() {
                Ok(ConfigSource::Text(args.as_config()))
            } else {
                Err(RunError::Usage(mistakes.join("\n")))
            }
        }
    }
}

/// The mistakes in the flags, named by flag: the operator does not know the text made of them.
fn mistakes(args: &AccountArgs) -> Vec<String> {
    let mut mistakes = Vec::new();
    let mut note = |flag: &str, value: &str, why: &dyn std::fmt::Display| {
        mistakes.push(format!("--{flag}={value}: {why}"));
    };
    let mut seen = HashSet::new();
    for region in &args.regions {
        if let Err(error) = Region::parse(region) {
            note("region", region, &error);
        } else if !seen.insert(region) {
            note("region", region, &"this region is there twice");
        }
    }
    let mut seen = HashSet::new();
    for cluster in &args.clusters {
        let (id, region) = cluster
            .split_once('@')
            .map_or((cluster.as_str(), None), |(id, region)| (id, Some(region)));
        if let Err(error) = ClusterId::parse(id) {
            note("cluster", cluster, &error);
        } else if !seen.insert(id) {
            note("cluster", cluster, &"this cluster is there twice");
        }
        match region.map(Region::parse) {
            Some(Err(error)) => note("cluster", cluster, &error),
            None if args.regions.is_empty() => {
                note(
                    "cluster",
                    cluster,
                    &"its region is missing; add --region=REGION or write --cluster=ID@REGION",
                );
            }
            Some(Ok(_)) | None => {}
        }
    }
    mistakes
}

/// The meaning of `--region` beside a configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RegionFlag {
    /// It is a mistake.
    Refused,
    /// It selects among the clusters of the file.
    Filter,
}

/// Loads the configuration.
pub(super) fn load(args: &AccountArgs, region_flag: RegionFlag) -> Result<Config, RunError> {
    let source = match region_flag {
        RegionFlag::Refused => source(args),
        RegionFlag::Filter => unchecked_source(args),
    };
    source?
        .load()
        .map_err(|error| RunError::Usage(error.to_string()))
}

/// The shard of this instance.
pub(super) fn shard(args: &ShardArgs) -> Result<Shard, RunError> {
    let shard = match (args.ordinal, args.ordinal_from_hostname) {
        (Some(ordinal), _) => Shard::new(ordinal, args.total),
        (None, true) => Shard::from_hostname(&hostname(), args.total),
        (None, false) if args.total == 1 => Ok(Shard::default()),
        (None, false) => {
            return Err(RunError::Usage(
                "--shard.total needs --shard.ordinal or --shard.ordinal-from-hostname".to_owned(),
            ));
        }
    };
    shard.map_err(|error| RunError::Usage(error.to_string()))
}

/// The name of this host. The kernel's comes first, since the environment may be changed.
fn hostname() -> String {
    file::read_text(Path::new("/proc/sys/kernel/hostname"), file::MAX_SMALL)
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .unwrap_or_default()
        .trim()
        .to_owned()
}
